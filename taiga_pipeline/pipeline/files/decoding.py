"""The bytes of a file as text: what it is, and in which encoding, decided by its content.

UTF-8 and UTF-16 show themselves. What is neither is read as Windows-1252 if the letters come out as
those of Western languages do, else as the encoding that charset-normalizer finds. Both are
reported, never done in silence: an encoding that merely fits shows wrong letters and no error.
"""

from __future__ import annotations

import codecs
import io
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Final

from charset_normalizer import from_bytes

from taiga_pipeline.pipeline.files.packed import BROKEN_ARCHIVE
from taiga_pipeline.problems import Problem, ProblemsError

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LOOKED_AT: Final = 200_000
"""Bytes by which the kind and the encoding of a file are decided."""
_SHOWN: Final = 30
_ENOUGH_PAIRS: Final = 0.3
"""Part of the characters of a UTF-16 text in Latin letters, digits and separators, at least."""

_SAVE_AS: Final = (
    "save the table as CSV (Excel: File, Save As, CSV UTF-8; LibreOffice: File, Save As, Text CSV; "
    "Numbers: File, Export To, CSV) and import that file"
)
_SIGNATURES: Final = (
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an Excel workbook of the old kind (.xls), or one that is protected by a password",
    ),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3\0", "a SQLite database"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"PAR1", "a Parquet file"),
)
_PACKED: Final = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"7z\xbc", "7z"),
)
_MARKUP = re.compile(
    rb"\s*(?:<!doctype\s+html|<html|<table|<\?xml|<meta|<head|<body|<style)", re.IGNORECASE
)
_JSON = re.compile(rb"\s*(?:\[\s*[\[{]|\{\s*\")")

_ALPHABETS: Final = (
    "äöüß",  # German
    "àâæçèéêëîïôùûüœÿ",  # French
    "áéíóúüñºª",  # Spanish
    "áàâãçéêíóôõúüºª",  # Portuguese
    "åäöéü",  # Swedish, Finnish
    "æøåéôò",  # Danish, Norwegian
    "àèéìíîòóùú",  # Italian
    "éèëïöüáóí",  # Dutch
)
_WITH_NAMES: Final = ("äöüßéšž", "åäöéüšž", "àâæçèéêëîïôùûüœšž")
"""Alphabets with letters of names from other languages; no second one stands beside them."""
_FEW_SIGNS: Final = frozenset("–—‘’“”„…€£§°·«»´\xa0")
_SIGNS: Final = frozenset("–—‘’“”„‚…€£§°·•«»©®™´`¿¡×±²³¼½¾‰µ¨¸¥¢\xa0\xad")
_WESTERN: Final = ("cp1252", "iso8859_15", "mac_roman", "cp850")
_ENOUGH_LETTERS: Final = 8
"""Bytes that are not ASCII, from which on another encoding is recognised by its letters."""
_OTHERS: Final = ("cp1250", "cp1251", "mac_roman", "cp850", "cp1253", "cp1254", "koi8_r", "cp932")

NAMES: Final = {
    "utf-8-sig": "UTF-8",
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 (little-endian)",
    "utf-16-be": "UTF-16 (big-endian)",
    "utf-32": "UTF-32",
    "cp1252": "Windows-1252",
    "iso8859_15": "Latin-9",
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, the encoding it was read in, and what is to be said of that, "" for nothing."""

    text: str
    encoding: str
    said: str = ""


def decode(data: bytes, name: str, encoding: str = "") -> Decoded:
    """Decodes a file. With ``encoding``, bytes that do not fit become lone surrogates.

    :raises ProblemsError: it is not text but a workbook, or another kind of file; its encoding is
        unknown or cannot be known (names line and byte).
    """
    if kind := kind_of(data):
        raise ProblemsError([Problem(kind, name)])
    mark = next((known for mark, known in _MARKS if data.startswith(mark)), "")
    if encoding:
        return _named(data, name, encoding, mark)
    if mark:
        return Decoded(_strictly(data, name, mark), mark)
    if paired := _paired(data):
        said = f"read as {NAMES[paired]}: every other byte is zero, and the file has no mark"
        return Decoded(_strictly(data, name, paired), paired, said)
    try:
        return Decoded(data.decode("utf-8"), "utf-8-sig")
    except UnicodeDecodeError as error:
        return _legacy(data, name, error)


def certain_encoding(data: bytes) -> str:
    """Returns the encoding that a file shows, for those who read it again and again: UTF-16, or an
    older one that several letters tell; else UTF-8, of which some bytes may be wrong."""
    try:
        used = decode(data, "").encoding
    except ProblemsError:
        return "utf-8"
    is_old = not used.startswith("utf")
    few = sum(each > 0x7F for each in data[:_LOOKED_AT]) < _ENOUGH_LETTERS
    return "utf-8" if is_old and few else used


def kind_of(data: bytes) -> str:
    """Says what a file is that is not text, and what to do with it; "" for a text."""
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return f"this is {_archive(data)}, not CSV; {_SAVE_AS}"
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return f"this is {kind}, not CSV; {_SAVE_AS}"
    for signature, kind in _PACKED:
        if data.startswith(signature):
            return f"this is a file that was packed with {kind}; unpack it first"
    plain = data[:_LOOKED_AT].removeprefix(codecs.BOM_UTF8)
    if match := _MARKUP.match(plain):
        what = "an XML file" if b"<?xml" in match[0].lower() else "a web page (HTML)"
        return (
            f"this is {what}, not CSV, whatever its name says; open it in a spreadsheet, {_SAVE_AS}"
        )
    if _JSON.match(plain):
        return "this is JSON, not CSV; export the list as CSV"
    return ""


def _archive(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            kind = archive.read("mimetype")[:100] if "mimetype" in names else b""
    except BROKEN_ARCHIVE:
        return "an archive (ZIP) that is damaged"
    if any(each.startswith("xl/") for each in names):
        return "an Excel workbook (.xlsx)"
    if b"opendocument.spreadsheet" in kind:
        return "a LibreOffice workbook (.ods)"
    if any(each.startswith("Index/") or each.endswith(".iwa") for each in names):
        return "a Numbers document (.numbers)"
    listed = ", ".join(names[:3])
    return f"an archive (ZIP) with {listed[:100]}" if names else "an empty archive (ZIP)"


def _named(data: bytes, name: str, encoding: str, mark: str) -> Decoded:
    """Decodes in the encoding that someone named, unless the file shows that it is another."""
    used = text_encoding(encoding)
    if not used:
        message = (
            f"encoding {encoding[:_SHOWN]!r} is unknown, or not for text; try utf-8, cp1252 "
            "(Windows), latin-1, mac_roman or utf-16"
        )
        raise ProblemsError([Problem(message, name)])
    if mark and used != mark and not used.startswith(mark[:6].replace("-sig", "")):
        said = f"read as {NAMES[mark]}, as its first bytes say, not as {encoding}"
        return Decoded(_strictly(data, name, mark), mark, said)
    if used == "iso8859-1" and re.search(rb"[\x80-\x9f]", data):
        text = data.decode("cp1252", "surrogateescape")
        if max(text) < "\udc80":
            said = (
                "read as cp1252 (Windows-1252), not as latin-1: some of its bytes are dashes and "
                "quotation marks there, but invisible signs in latin-1"
            )
            return Decoded(text, "cp1252", said)
    if used == "utf-8":
        used = "utf-8-sig"
    if "16" in used or "32" in used:
        return Decoded(_strictly(data, name, used).removeprefix("\ufeff"), used)
    try:
        return Decoded(data.decode(used, "surrogateescape"), used)
    except UnicodeError as error:
        raise ProblemsError([Problem(f"--encoding {encoding}: {error}", name)]) from None


def text_encoding(name: str) -> str:
    """Returns Python's name of an encoding of text, "" if there is none of that name."""
    try:
        known = codecs.lookup(name)
        if not getattr(known, "_is_text_encoding", True):
            return ""
        b"id,name".decode(known.name)  # some (idna, punycode) take no plain text
    except UnicodeDecodeError:
        return known.name if re.search("16|32", known.name) else ""
    except (LookupError, ValueError, UnicodeError):
        return ""
    odd = ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf-7", "mbcs")
    return (
        ""
        if known.name.replace("-", "_") in (each.replace("-", "_") for each in odd)
        else known.name
    )


def _strictly(data: bytes, name: str, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ProblemsError([_undecodable(data, name, encoding, error)]) from None


def _paired(data: bytes) -> str:
    """Returns which UTF-16 a text without a mark is in, by its zeros; "" for none."""
    sample = data[:4096]
    if len(sample) < 4 or len(data) % 2:
        return ""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = len(sample) / 2
    if odd > _ENOUGH_PAIRS * half and not even:
        return "utf-16-le"
    return "utf-16-be" if even > _ENOUGH_PAIRS * half and not odd else ""


def _legacy(data: bytes, name: str, error: UnicodeDecodeError) -> Decoded:
    """Decodes what is not UTF-8."""
    if _is_mostly_utf8(data) or b"\0" in data[:_LOOKED_AT]:
        raise ProblemsError([_undecodable(data, name, "utf-8", error)])
    for used in _WESTERN:
        text = _as(data, used)
        if text and _is_western(text, _SIGNS if used == "cp1252" else _FEW_SIGNS):
            return Decoded(text, used, _said(used, text, f"no UTF-8 ({_place(data, error)})"))
    if sum(each > 0x7F for each in data[:_LOOKED_AT]) >= _ENOUGH_LETTERS:
        for found in from_bytes(data[:_LOOKED_AT], cp_isolation=list(_OTHERS)):
            text = _as(data, found.encoding)
            if text and _has_whole_words(text):
                return Decoded(text, found.encoding, _said(found.encoding, text, "by its letters"))
    raise ProblemsError([_undecodable(data, name, "utf-8", error)])


def _has_whole_words(text: str) -> bool:
    """Whether words are written in one case, or begin with a capital, without signs in them."""
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    odd = sum(
        not (word.islower() or word[1:] in (word[1:].lower(), word.upper())) for word in words
    )
    return not _SIGN_WITHIN.search(text) and odd * 10 <= len(words)


def _as(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return ""


def _is_mostly_utf8(data: bytes) -> bool:
    """Whether a file is UTF-8 in which some bytes are wrong: another encoding would spoil it."""
    text = data.decode("utf-8", "surrogateescape")
    good = sum(1 for each in text if each > "\x7f" and not "\udc80" <= each <= "\udcff")
    bad = sum(1 for each in text if "\udc80" <= each <= "\udcff")
    return good > bad


def _is_western(text: str, signs: frozenset[str]) -> bool:
    """Whether what is not ASCII reads as in Western languages: letters of two at most, no capitals
    within words, no signs between letters."""
    foreign = [each for each in text if each > "\x7f" and each.isalpha()]
    letters = {each.lower() for each in foreign} - set("ºª")
    if not {each for each in text if each > "\x7f"} - set(foreign) <= signs:
        return False
    alphabets = (*_WITH_NAMES, *(one + other for one, other in _pairs(_ALPHABETS)))
    if not any(letters <= set(each) for each in alphabets) or _ODD.search(text):
        return False
    return len(foreign) * 2 <= sum(1 for each in text if each.isascii() and each.isalpha())


_WORD: Final = re.compile(r"[^\W\d_]+")
_SIGN_WITHIN: Final = re.compile(r"[^\W\d_][^\w\s'’´`·\-–—°.,;:|/&\x00-\x7f\xa0\xad][^\W\d_]")
_ODD: Final = re.compile(
    r"[a-zA-Zß-öø-ÿ][À-ÖØ-Þ][a-zß-öø-ÿ]|[^\W\d_][^\w\s'’´`·\-–—°.,;:|/&\x00-\x7f\xa0\xad][a-zß-öø-ÿ]"
)
"""A capital letter, or a sign, in the middle of a word."""


def _pairs(alphabets: Iterable[str]) -> Iterable[tuple[str, str]]:
    return combinations_with_replacement(alphabets, 2)


def _said(encoding: str, text: str, why: str) -> str:
    example = next((word for word in text.split() if not word.isascii()), "")
    cell = re.split(r"[,;|]", example)
    shown = next((each for each in cell if not each.isascii()), example).strip("\"'")[:_SHOWN]
    name = f" ({NAMES[encoding]})" if encoding in NAMES else ""
    return f"read as {encoding}{name}: {why}, as in {shown!r}; if that is wrong: --encoding NAME"


def _place(data: bytes, error: UnicodeDecodeError) -> str:
    line = data.count(b"\n", 0, error.start) + 1
    return f"byte 0x{data[error.start]:02x} in line {line}"


def _undecodable(data: bytes, name: str, used: str, error: UnicodeDecodeError) -> Problem:
    line = data.count(b"\n", 0, error.start) + 1
    column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
    shown = NAMES.get(used, used)
    return Problem(
        f"byte 0x{data[error.start]:02x} is not {shown}; if the file was saved in another "
        "encoding, name it: --encoding cp1252 (Windows), mac_roman or cp850; with --encoding utf-8 "
        "only the rows with such bytes are left out",
        name,
        line,
        column,
    )


def control_characters(text: str) -> tuple[int, str, int]:
    """Counts invisible characters; returns how many, the first (``U+0007``) and its line."""
    found = list(_CONTROL.finditer(text))
    if not found:
        return 0, "", 0
    first = found[0]
    line = text.count("\n", 0, first.start()) + 1
    return len(found), f"U+{ord(first[0]):04X}", line


_CONTROL = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


_MISREAD = re.compile(r"(?:[\u00c2-\u00f4][^\x00-\x7f]{1,3})+")
_LOST: Final = "\ufffd"
_SHOWN_OF_WORD: Final = 40


def misread(text: str) -> str:
    """Returns a word whose UTF-8 was taken for Windows-1252, with what it was (``'MÃ¼ller' for
    'Müller'``), or one with a letter that is lost; "" if there is none."""
    is_likely = _LOST in text or _MISREAD.search(text)
    for word in re.split(r"[ \t\r\n]+", text) if is_likely else ():
        if _LOST in word:
            return repr(word[:_SHOWN_OF_WORD])
        if _MISREAD.search(word) and (meant := _meant(word)):
            return f"{word[:_SHOWN_OF_WORD]!r} for {meant[:_SHOWN_OF_WORD]!r}"
    return ""


def _meant(word: str) -> str:
    """Returns a word whose bytes in Windows-1252 are UTF-8, as that; "" if they are not."""
    try:
        return word.encode("cp1252").decode("utf-8")
    except UnicodeError:
        pass
    try:  # control characters, which Windows-1252 does not have
        return word.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return ""
