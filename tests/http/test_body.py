"""An answer of any size, packed in any way, takes no more memory and time than its bounds."""

from __future__ import annotations

import gzip
import resource
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sync.clock import SystemClock
from taiga_pipeline.http.answer import Answer
from taiga_pipeline.http.transport import Transport
from tests.targets.support import TOKEN

DATA = b'[{"id": 1, "name": "\xc3\x85"}]'
Serve = Callable[[bytes, str], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server that answers everything with a body, packed as it says."""
    answer: dict[str, bytes | str] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body, packing = answer["body"], answer["packing"]
            assert isinstance(body, bytes)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if packing:
                self.send_header("Content-Encoding", str(packing))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                return

        def log_message(self, format: str, *args: object) -> None:
            """Keeps quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()

    def start(body: bytes, packing: str = "") -> str:
        answer.update(body=body, packing=packing)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    server.shutdown()
    thread.join()
    server.server_close()


def get(url: str, megabytes: float = 1) -> Answer:
    connection = replace(TOKEN, url=url, answer_megabytes=megabytes)
    transport = Transport(url, connection, SystemClock())
    try:
        return transport.send("GET", "things")
    finally:
        transport.close()


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("packing", "pack"),
    [
        ("", bytes),
        ("identity", bytes),
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("gzip", lambda data: gzip.compress(data[:5], mtime=0) + gzip.compress(data[5:], mtime=0)),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
    ],
)
def test_an_answer_is_unpacked(serve: Serve, packing: str, pack: Callable[[bytes], bytes]) -> None:
    assert get(serve(pack(DATA), packing)).data == [{"id": 1, "name": "Å"}]


@pytest.mark.parametrize(
    ("packing", "body"),
    [
        ("gzip", DATA),
        ("gzip", gzip.compress(DATA, mtime=0)[:-9]),
        ("deflate", b"\x00\x01\x02"),
        ("br", DATA),
        ("gzip, gzip", gzip.compress(gzip.compress(DATA, mtime=0), mtime=0)),
    ],
)
def test_a_body_that_is_not_compressed_as_declared_is_no_answer(
    serve: Serve, packing: str, body: bytes
) -> None:
    answer = get(serve(body, packing))
    assert answer.data is None
    assert "compressed" in answer.trouble


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_an_answer_that_is_too_long_is_not_read_to_its_end(
    serve: Serve, pack: Callable[[bytes], bytes]
) -> None:
    body = b'["' + b"x" * 1_100_000 + b'"]'
    packing = "gzip" if pack is gzip.compress else ""
    answer = get(serve(pack(body), packing))
    assert answer.excessive
    assert "more than 1 MB; target.answer_megabytes" in answer.trouble
    assert get(serve(pack(body), packing), megabytes=2).data


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"[" * 41 + b"]" * 41, "more than 40 levels"),
        (b"[" * 10_000 + b"]" * 10_000, "more than 40 levels"),
        (b"[" + b"9" * 5_000 + b"]", "a number of 5,000 digits"),
        (b"[1e999]", "a number that is too large"),
        (b"[" + b"0," * 5_000_001 + b"0]", "more than 5,000,000 values"),
    ],
)
def test_json_that_exceeds_a_bound_is_no_answer(serve: Serve, body: bytes, what: str) -> None:
    answer = get(serve(body), megabytes=64)
    assert answer.excessive
    assert what in answer.trouble


def test_what_is_within_the_bounds_is_read(serve: Serve) -> None:
    assert get(serve(b"[" * 40 + b"]" * 40)).data
    assert get(serve(b"[18446744073709551615, 1e300]")).data == [2**64 - 1, 1e300]


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (rb'"\ud800"', "\ufffd"),
        (rb'"a\udfffb"', "a\ufffdb"),
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\\ud800"', "\\ud800"),
        (rb'"\ud800\ud83d\ude00\n"', "\ufffd\U0001f600\n"),
    ],
)
def test_half_a_character_is_replaced(serve: Serve, body: bytes, read: str) -> None:
    assert get(serve(body)).data == read


_CHILD = """
import resource, sys
from dataclasses import replace
from sync.clock import SystemClock
from taiga_pipeline.http.transport import Transport
from tests.targets.support import TOKEN
url = sys.argv[1]
transport = Transport(url, replace(TOKEN, url=url, answer_megabytes=4), SystemClock())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
answer = transport.send("GET", "things")
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(answer.excessive, after - before)
"""


def test_three_megabytes_that_hold_three_gigabytes_take_no_more_memory_than_the_bound(
    serve: Serve,
) -> None:
    body = gzip.compress(bytes(100_000_000)) * 30  # gzip may follow upon gzip
    assert len(body) < 4_000_000
    url = serve(body, "gzip")
    child = subprocess.run(
        [sys.executable, "-c", _CHILD, url],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30)),
    )
    excessive, grown = child.stdout.split()
    assert excessive == "True"
    assert int(grown) < 40_000  # KiB
