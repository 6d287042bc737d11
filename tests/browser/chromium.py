"""Drives Chromium over its debugging pipe: pointer, finger, keyboard, paper. There is no port."""

from __future__ import annotations

import base64
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE_SECONDS = 120.0
LAUNCH = """\
import os, sys
copies = [os.dup(os.dup(int(each))) for each in sys.argv[1:3]]
for number, copy in zip((3, 4), copies):
    os.dup2(copy, number)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""The browser reads from file descriptor 3 and writes to 4."""


class Chromium:
    """One tab of a headless browser. Use it as a context manager."""

    def __init__(self, program: str, profile: Path) -> None:
        theirs, self._to = os.pipe()
        self._from, theirs_back = os.pipe()
        launch = [sys.executable, "-c", LAUNCH, str(theirs), str(theirs_back)]
        self._process = subprocess.Popen(
            [*launch, program, *FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(theirs, theirs_back),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        os.close(theirs_back)
        self._numbers = itertools.count(1)
        self._buffer = b""
        self._session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]

    def __enter__(self) -> Chromium:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._to)  # at which it ends
        os.close(self._from)
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Calls a method of the DevTools protocol and returns its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != number:
            pass
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            read = os.read(self._from, 1 << 16)
            assert read, "the browser has ended"
            self._buffer += read
        message, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def value(self, expression: str) -> Any:
        """Returns what an expression comes to in the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"].get("value")

    def open(self, page: Path, width: int, height: int, *, dark: bool = False) -> None:
        """Opens a file in a window of this size; below 500 pixels, on a phone."""
        phone = width < 500
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )
        self.call("Emulation.setTouchEmulationEnabled", enabled=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=page.as_uri())
        loaded = (
            f"document.readyState == 'complete' && location.href == {json.dumps(page.as_uri())}"
        )
        until = time.monotonic() + PATIENCE_SECONDS
        while not self.value(loaded):
            assert time.monotonic() < until, "the page was not loaded"

    def go(self, url: str, width: int = 1400, height: int = 900) -> None:
        """Opens a page of a server, and waits until it is there."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        self.value("window.left = true")
        self.call("Page.navigate", url=url)
        self.wait_for("document.readyState == 'complete' && !window.left")

    def wait_for(self, expression: str) -> Any:
        """Returns what an expression comes to, as soon as that is something."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not (found := self.value(expression)):
            assert time.monotonic() < until, f"did not come true: {expression}"
            time.sleep(0.05)
        return found

    def awaited(self, expression: str) -> Any:
        """Returns what a promise comes to."""
        found = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def click(self, selector: str) -> None:
        """Clicks on the first element of a selector, as a script does."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.wait_for(f"!!{found}")
        self.value(f"{found}.click()")

    def fill(self, selector: str, text: str) -> None:
        """Puts a text into a field."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.value(f"{found}.value = {json.dumps(text)}")
        self.value(f"{found}.dispatchEvent(new Event('input', {{bubbles: true}}))")

    def drag(self, start: str, end: str) -> None:
        """Drags what one selector finds to what another one finds, by small steps.

        What it is dragged to may move meanwhile: a line appears above it.
        """
        (x, y), (to_x, to_y) = (self._place(each) for each in (start, end))
        self._mouse("mousePressed", x, y)
        for step in range(1, 21):
            self._mouse("mouseMoved", x + (to_x - x) * step / 20, y + (to_y - y) * step / 20)
            time.sleep(0.01)
        while (now := self._place(end)) != (to_x, to_y):
            to_x, to_y = now
            self._mouse("mouseMoved", to_x, to_y)
        self._mouse("mouseReleased", to_x, to_y)

    def _place(self, selector: str) -> tuple[float, float]:
        """Returns where the upper part of an element is, in the window."""
        x, y = self.value(
            f"(() => {{ const it = document.querySelector({json.dumps(selector)});"
            "const box = it.getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + 12]; })()"
        )
        return x, y

    def _mouse(self, kind: str, x: float, y: float) -> None:
        down = kind != "mouseReleased"
        self.call(
            "Input.dispatchMouseEvent",
            type=kind,
            x=x,
            y=y,
            button="left",
            buttons=int(down),
            clickCount=1,
        )

    def press(self, key: str, code: int, *, shift: bool = False) -> None:
        """Presses a key, by its name and its number."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                windowsVirtualKeyCode=code,
                modifiers=8 if shift else 0,
            )

    def point_at(self, x: float, y: float) -> None:
        """Moves the pointer."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def tap(self, x: float, y: float) -> None:
        """Touches the screen with a finger."""
        self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def press_tab(self) -> None:
        """Presses the tabulator."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key="Tab", windowsVirtualKeyCode=9)

    def paper(self) -> bytes:
        """Returns the page as a PDF."""
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True)["data"])
