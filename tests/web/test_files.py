"""The pages of imports and exports."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path
from zipfile import ZipFile

import pytest
from httpx2 import Response

from taiga_pipeline.app.deals import uploads
from taiga_pipeline.app.deals.uploads import UploadGone, Uploads
from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.web.routes.files import notice_text
from tests.web.conftest import Browse, Browser, text_of

LIST = """Deal no;Customer;What;Phase;Sum
D-1;Nordlund & Co;New web shop;Proposal;90000
X-7;<script>alert(1)</script>;Portal;Angebot;12000
"""
_HEADERS = ("Deal no", "Customer", "What", "Phase", "Sum")
_FIELDS = ("key", "customer", "name", "stage", "value")


def hand_in(browser: Browser, text: str, name: str = "list.csv") -> tuple[Response, str]:
    """Hands a file in, and returns what is shown of it, with its token."""
    browser.get("/import")
    answer = browser.client.post(
        "/import", data={"csrf": browser.token}, files={"file": (name, text.encode(), "text/csv")}
    )
    browser.pages.append(answer)
    return answer, answer.url.params.get("file", "")


def matched(token: str, **more: object) -> dict[str, object]:
    """Returns the form that says what each column of the list stands for."""
    return {"file": token, "header": _HEADERS, "field": _FIELDS, **more}


def test_a_list_is_matched_looked_at_and_imported(browse: Browse, deals: Workspace) -> None:
    browser = browse("sell", "sara")
    answer, token = hand_in(browser, LIST)
    assert answer.status_code == 422 and "no column for the deal's key" in text_of(answer)
    seen = browser.post("/import/preview", **matched(token))
    text = text_of(seen)
    assert "1 would be added, 1 changed, 0 unchanged, 0 left out" in text
    assert "120000" in text and "90000" in text
    assert "<script>alert" not in seen.text and "Angebot" in text
    with deal_store(deals) as store:
        assert store.find("X-7") is None
    done = browser.post("/import/apply", **matched(token, theirs="Angebot", ours="Proposal"))
    assert "1 added, 1 changed" in text_of(done)
    with deal_store(deals) as store:
        assert store.get("X-7").stage == "Proposal" and store.get("D-1").value == 90_000
        assert {each.by for each in store.changes("D-1")} >= {"sara"}
    assert browser.post("/import/apply", **matched(token)).status_code == 404


def test_a_column_may_be_left_out_and_a_field_has_one_column(
    browse: Browse, deals: Workspace
) -> None:
    browser = browse("sell")
    _, token = hand_in(browser, LIST)
    fields = ["key", "customer", "name", "stage", ""]
    seen = browser.post("/import/preview", **matched(token, field=fields))
    assert "90000" not in text_of(seen)
    twice = browser.post("/import/preview", **matched(token, field=[*fields[:4], "name"]))
    assert twice.status_code == 422 and "cannot both stand for name" in text_of(twice)


def test_a_list_with_all_the_columns_that_there_may_be_is_matched(
    browse: Browse, deals: Workspace
) -> None:
    browser = browse("sell")
    headers = ["key", "name", *(f"column {number}" for number in range(998))]
    _, token = hand_in(browser, f"{','.join(headers)}\nN-1,New portal{',' * 998}\n")
    fields = ["key", "name", *[""] * 998]
    done = browser.post("/import/apply", file=token, header=headers, field=fields)
    assert "1 added" in text_of(done)


def test_what_is_wrong_with_a_file_names_no_option_of_the_command_line(
    browse: Browse, deals: Workspace
) -> None:
    browser = browse("sell")
    browser.get("/import")
    sent = {"file": ("list.csv", "name\nBö Åsa Öman".encode() + b"\xc5sa\n", "text/csv")}
    said = text_of(browser.client.post("/import", data={"csrf": browser.token}, files=sent))
    assert "byte 0xc5" in said and "another encoding, name it" in said and "--" not in said


def test_a_file_is_its_owners_alone_and_can_be_dropped(browse: Browse, deals: Workspace) -> None:
    browser = browse("sell")
    _, token = hand_in(browser, LIST, "../../etc/<b>passwd")
    text = browser.get(f"/import/preview?file={token}").text
    assert "&lt;b&gt;passwd" in text and "/etc" not in text and "/tmp" not in text
    assert "not kept any more" in browser.post("/import/drop", file=token).text
    assert browser.get(f"/import/preview?file={token}").status_code == 404
    assert hand_in(browser, "")[0].status_code == 422
    assert "no file was chosen" in browser.post("/import").text


def test_all_deals_are_exported_for_programs_and_for_spreadsheets(
    browse: Browse, deals: Workspace
) -> None:
    browser = browse("read")
    plain = browser.get("/export?format=csv")
    assert plain.headers["content-disposition"] == 'attachment; filename="deals.csv"'
    assert "D-1" in plain.text and "," in plain.text.splitlines()[0]
    assert ";" in browser.get("/export?format=csv&excel=sv").text.splitlines()[1]
    assert browser.get("/export?format=csv&excel=klingon").status_code == 422
    pytest.importorskip("openpyxl")
    assert ZipFile(io.BytesIO(browser.get("/export?format=xlsx").content)).testzip() is None


def test_files_are_few_private_and_end_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    kept = Uploads(lambda: now[0])
    first = kept.keep("sara", "C:\\lists\\a.csv", b"x")
    assert first.name == "a.csv" and first.path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UploadGone):
        kept.find("rita", first.token)
    for _ in range(uploads.MOST_EACH):
        newest = kept.keep("sara", "b.csv", b"y")
    assert not first.path.exists() and newest.path.exists()
    now[0] = uploads.SECONDS + 1
    with pytest.raises(UploadGone):
        kept.find("sara", newest.token)
    assert not newest.path.exists()
    monkeypatch.setattr(uploads, "MOST_BYTES", 2)
    with pytest.raises(InvalidValue, match="too large"):
        kept.keep("sara", "b.csv", b"abc")


def test_a_notice_names_no_option_of_the_command_line() -> None:
    said = {
        "1 deal with a value but no currency; name it with --currency": "no currency",
        "2 deals without the day (no project is made): give it with --default x": "is made)",
        "--stage Won=…: no deal is in stage 'Won'": "no deal is in stage 'Won'",
        "nothing of note": "nothing of note",
    }
    for text, end in said.items():
        shown = notice_text(text)
        assert shown.endswith(end) and "--" not in shown


def test_what_a_killed_server_left_is_removed_once_nobody_can_want_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    old, fresh, others = (
        tmp_path / name
        for name in ("pipeline-sync-uploads-old", "pipeline-sync-uploads-new", "else")
    )
    for folder in (old, fresh, others):
        folder.mkdir()
        (folder / "deals.csv").write_text("Key,Name\n")
    for folder in (old, others):
        os.utime(folder, (0, 0))
    kept = Uploads(lambda: 0.0)
    assert [each.exists() for each in (old, fresh, others)] == [False, True, True]
    os.utime(fresh, (0, 0))
    assert kept.keep("sara", "deals.csv", b"x").path.read_bytes() == b"x"
    assert not fresh.exists()
