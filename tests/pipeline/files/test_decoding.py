"""What a file is, and in which encoding, is decided by its content and said."""

from __future__ import annotations

import io
import zipfile

import pytest

from taiga_pipeline.pipeline.files.decoding import (
    certain_encoding,
    decode,
    kind_of,
    misread,
    text_encoding,
)
from taiga_pipeline.problems import ProblemsError

SAMPLES = {
    "German": ("1;Müller – Phase 2;L’Oréal “Paris”;Preis 5 €", ("cp1252",)),
    "German of a Mac": ("1;Müller Prüfung;Größe GmbH;Bäcker in Köln", ("mac_roman", "cp850")),
    "Swedish": ("1;Åkerströms webb;Örebro kök;Höjd räkning", ("cp1252", "mac_roman")),
    "Danish": ("1;Smørrebrød på Østerbro;Ærø Færge", ("cp1252", "mac_roman")),
    "French": ("1;Société générale;Château d’œuvre;5 €", ("cp1252",)),
    "French of Unix": ("1;Société générale;Château œuvre;5 €", ("iso8859_15",)),
    "Spanish": ("1;Señal Ñandú;¿Qué?;Año", ("cp1252",)),
    "Portuguese": ("1;Negociação São João;Três corações à venda", ("cp1252",)),
    "one word": ("1;Café;plain", ("cp1252",)),
    "names from elsewhere": ("1;Köln;Škoda;Größe", ("cp1252",)),
    "Polish": ("1;Łódź sprzedaż;Spółka Żółć;Główny", ("cp1250",)),
    "Czech": ("1;Škoda příprava;Plzeň město;Žluťoučký kůň", ("cp1250",)),
    "Hungarian": ("1;Árvíztűrő tükörfúrógép;Győr", ("cp1250",)),
    "Russian": ("1;Проект Альфа;Предложение;Ромашка", ("cp1251", "koi8_r")),
    "Greek": ("1;Αθήνα έργο;Πρόταση;Θεσσαλονίκη", ("cp1253",)),
    "Japanese": ("1;東京プロジェクト;提案;大阪の仕事", ("cp932",)),
}
HEADER = "id;name;stage;customer\n"
EACH = [
    pytest.param(text, encoding, id=f"{name}-{encoding}")
    for name, (text, encodings) in SAMPLES.items()
    for encoding in (*encodings, "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
    if name not in ("Greek", "Japanese", "Russian") or not encoding.startswith("utf-16-")
]


@pytest.mark.parametrize(("text", "encoding"), EACH)
def test_the_encoding_is_found_and_said(text: str, encoding: str) -> None:
    whole = f"{HEADER}{text}\n"
    found = decode(whole.encode(encoding), "file.csv")
    assert found.text.removeprefix("\ufeff") == whole
    is_marked = encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32")
    assert bool(found.said) is not is_marked


def test_few_bytes_of_no_western_language_are_refused() -> None:
    data = f"{HEADER}1;Project;Lead;руб\n".encode("cp1251")
    with pytest.raises(ProblemsError, match=r"file:2:16: byte 0xf0 .*--encoding cp1252"):
        decode(data, "file")


def test_wrong_bytes_in_utf_8_do_not_make_it_another_encoding() -> None:
    data = f"{HEADER}1;Åsa;Öman;räkning\n".encode() + b"2;\xff;x;y\n"
    with pytest.raises(ProblemsError, match="byte 0xff"):
        decode(data, "file")
    assert certain_encoding(data) == "utf-8"


def test_a_mark_counts_more_than_a_name() -> None:
    found = decode("id,näme\n".encode("utf-8-sig"), "file", "cp1252")
    assert (found.text, bool(found.said)) == ("id,näme\n", True)


@pytest.mark.parametrize("name", ["base64", "rot13", "idna", "hex", "punycode", "utf-7", "x", ""])
def test_what_is_no_encoding_of_text_is_none(name: str) -> None:
    assert text_encoding(name) == ""


def workbook(*names: str, mimetype: str = "") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for name in names:
            archive.writestr(name, "x")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (workbook("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook (.xlsx)"),
        (
            workbook("content.xml", mimetype="application/vnd.oasis.opendocument.spreadsheet"),
            "a LibreOffice workbook (.ods)",
        ),
        (workbook("Index/Document.iwa"), "a Numbers document (.numbers)"),
        (workbook("deals.csv"), "an archive (ZIP) with deals.csv"),
        (b"PK\x03\x04junk", "an archive (ZIP) that is damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook of the old kind (.xls), or one"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\x1f\x8b\x08", "packed with gzip"),
        (b"SQLite format 3\0", "a SQLite database"),
        (b"\xef\xbb\xbf<!DOCTYPE html>", "a web page (HTML)"),
        (b"<?xml version='1.0'?><Workbook/>", "an XML file"),
        (b'[{"id": 1}]', "this is JSON"),
    ],
)
def test_what_is_no_text_is_recognised_by_its_content(data: bytes, words: str) -> None:
    assert words in kind_of(data)
    with pytest.raises(ProblemsError) as caught:
        decode(data, "deals.csv")
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["id,name\n", "[a],b\n", "{x},y\n", "<1,2\n", ""])
def test_a_table_is_a_table(text: str) -> None:
    assert kind_of(text.encode()) == ""


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
@pytest.mark.parametrize("word", ["Müller", "Größe", "Åkeri", "Škoda", "Łódź", "Ängsö"])
def test_letters_that_another_program_misread_are_recognised(word: str, encoding: str) -> None:
    spoilt = word.encode().decode(encoding, "replace")
    assert misread(f"Projekt {spoilt}")
    assert "\ufffd" in spoilt or repr(word) in misread(spoilt)
    assert not misread(f"Projekt {word}")


@pytest.mark.parametrize(
    "text",
    ["L’Été à ‘Noël’ « Ça »", "ÂÃ", "São Paulo", "Ærø Åse Ñandú ÎÏ", "日本 €5 – 6", "", "Привет"],
)
def test_letters_of_a_language_are_not_taken_for_misread(text: str) -> None:
    assert not misread(text)
