"""Commands in messages can be pasted as they are, whatever a deal's key holds."""

from __future__ import annotations

import subprocess

from taiga_pipeline.hints import command, word
from tests.live.leaving_out import program
from tests.reliability.hostile.checks import assert_terminal_safe
from tests.reliability.hostile.corpus import ALL_STORABLE


def test_plain_words_stay_plain() -> None:
    shown = command("resolve", "D-1", options="--field title --take sales")
    assert shown == "pipeline-sync resolve D-1 --field title --take sales"


def test_an_operand_that_begins_like_an_option_stands_behind_two_dashes() -> None:
    shown = command("resolve", "-rf", options="--take sales")
    assert shown == "pipeline-sync resolve --take sales -- -rf"


def test_what_a_shell_would_act_on_is_quoted() -> None:
    shown = command("deals done", "D 1; rm -rf ~ $(id) 'x'", "ACTION")
    assert shown == "pipeline-sync deals done 'D 1; rm -rf ~ $(id) '\"'\"'x'\"'\"'' ACTION"


def test_what_a_terminal_would_act_on_is_written_by_its_bytes() -> None:
    assert word("it's\x1b[2J\n\u202e\\") == r"$'it\'s\033[2J\012\342\200\256\\'"


def test_no_word_is_one_too() -> None:
    assert command("deals show", "") == "pipeline-sync deals show ''"


def test_a_shell_reads_every_hostile_text_back_letter_by_letter() -> None:
    texts = list(ALL_STORABLE.values())
    lines = [command("deals show", text) for text in texts]
    for line in lines:
        assert_terminal_safe(line)
        assert "\n" not in line
    script = "pipeline-sync() { printf '%s\\0' \"${@: -1}\"; }\n" + "\n".join(lines)
    done = subprocess.run([program("bash")], input=script.encode(), capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == texts
