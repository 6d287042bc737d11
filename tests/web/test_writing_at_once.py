"""A store that pages and another program write into at once."""

from __future__ import annotations

import threading

from taiga_pipeline.app.deals.looking import show_deal
from taiga_pipeline.app.deals.notes import add_note
from taiga_pipeline.app.workspace import Workspace
from tests.web.conftest import Browse


def test_pages_and_another_program_write_at_once_and_no_one_is_turned_away(
    browse: Browse, deals: Workspace
) -> None:
    browser, stop = browse("sell"), threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        while not stop.is_set():
            add_note(deals, "D-2", f"cron {written}", by="cron")
            written += 1

    other = threading.Thread(target=write)
    other.start()
    try:
        for number in range(20):
            answer = browser.post("/deal/note", key="D-1", text=f"page {number}")
            assert answer.status_code == 200 and "locked" not in answer.text
            assert f"page {number}" in answer.text
    finally:
        stop.set()
        other.join()
    assert len(show_deal(deals, "D-1").deal.notes) == 20
    assert len(show_deal(deals, "D-2").deal.notes) == written
