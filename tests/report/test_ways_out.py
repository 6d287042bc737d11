"""Every way out of the engine has words, and every surface uses the same ones."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator

import click
import pytest

from sync.errors import Locked, Rejected
from sync.plan.limit_settings import DEFAULTS
from sync.plan.limits import check_limits
from sync.plan.model import Issue, IssueKind
from sync.records.model import RecordKey
from sync.way_out import WayOut
from sync.ways_out import (
    TYPES,
    Adopt,
    Adoption,
    Effect,
    MoveState,
    Resolve,
    ServerIs,
    Side,
    Statement,
    TakeOver,
    Unlink,
    Wait,
)
from taiga_pipeline.cli.main import cli
from taiga_pipeline.hints import PROGRAM
from taiga_pipeline.report.plan_json import issue_json
from taiga_pipeline.report.ways_out import commands, in_words, kept_words, ways_json, words_of

KEY = RecordKey("D-1", "story", "kick-off")
CONFLICT = Resolve(KEY, Side.SALES, Effect.VALUE, "subject")


def examples(kind: type[WayOut]) -> Iterator[WayOut]:
    """Yields ways out of a type, with every value that its words depend on."""
    if kind is Resolve:
        yield CONFLICT
        yield Resolve(KEY, Side.DELIVERY, Effect.VALUE, "subject")
        for effect in (Effect.MAKE_AGAIN, Effect.REMOVE):
            yield Resolve(KEY, Side.SALES, effect)
        for effect in (Effect.STAY_AWAY, Effect.LEAVE, Effect.REMOVED):
            yield Resolve(KEY, Side.DELIVERY, effect)
    elif kind is Adopt:
        yield from (Adopt("D-1", "7", why) for why in Adoption)
    elif kind is MoveState:
        yield from (MoveState(server) for server in ServerIs)
    elif "limit" in (names := [field.name for field in dataclasses.fields(kind)]):
        rest = {"needed": 7} if "needed" in names else {}
        yield from (kind(limit=limit, **rest) for limit in DEFAULTS)
    else:
        values = {"ids": ("7", "12"), "is_named": True, "clean": True}
        yield kind(**{name: values.get(name, "D-1") for name in names})


EVERY = [way for kind in TYPES.values() for way in examples(kind)]


@pytest.mark.parametrize("way", EVERY, ids=repr)
def test_each_way_out_has_words(way: WayOut) -> None:
    words = words_of(way)
    assert words.lead[0].isupper()
    assert not words.sentence.endswith(".")
    assert words.sentence in in_words(Statement("it is so", (way,)))


@pytest.mark.parametrize("way", EVERY, ids=repr)
def test_each_command_exists_with_its_options(way: WayOut) -> None:
    program, *rest = shlex.split(words_of(way).command) or [PROGRAM]
    assert program == PROGRAM
    command: click.Command = cli
    while rest and isinstance(command, click.Group):
        found = command.get_command(click.Context(command), rest.pop(0))
        assert found is not None
        command = found
    known = {name for each in command.params for name in each.opts}
    assert {word for word in rest if word.startswith("--")} <= known


def test_each_limit_has_its_usual_cause() -> None:
    for name in DEFAULTS:
        (breach,) = check_limits({name: 10**6}, bound=10)
        said = in_words(breach)
        assert f"limit '{name}': 1000000 planned" in said
        assert f"To allow it once: --allow {name}. " in said
        assert said.endswith(f"{name} under [limits] in the configuration")


def test_what_is_wrong_comes_first_then_each_way_out_as_a_sentence() -> None:
    error = Rejected("project 7 belongs to D-1", ways_out=[TakeOver("D-1", "D-2"), Unlink("D-1")])
    assert in_words(error) == (
        "project 7 belongs to D-1. If it is the same deal, take its project along: "
        "'pipeline-sync adopt D-2 --from D-1'. To stop following D-1: 'pipeline-sync unlink D-1'"
    )


def test_a_hint_stands_behind_what_is_wrong() -> None:
    error = Locked("another run is at work", ways_out=[Wait()])
    assert in_words(error, " (really)").startswith("another run is at work (really). Wait: ")


def test_any_other_error_says_what_it_says() -> None:
    assert in_words(ValueError("no number")) == "no number"


def test_commands_stand_below_each_other_with_what_comes_of_them() -> None:
    again = Resolve(KEY, Side.SALES, Effect.MAKE_AGAIN)
    gone = Resolve(KEY, Side.DELIVERY, Effect.STAY_AWAY)
    assert commands([again, gone]) == (
        "pipeline-sync resolve D-1/story/kick-off --take sales       # make it again",
        "pipeline-sync resolve D-1/story/kick-off --take delivery    # keep it deleted",
    )


def test_a_key_is_one_word_of_the_command_whatever_it_holds() -> None:
    assert shlex.split(words_of(Unlink("D 1; rm -rf ~")).command) == [
        *("pipeline-sync", "unlink", "D 1; rm -rf ~")
    ]
    assert words_of(Unlink("--all")).command == "pipeline-sync unlink -- --all"


def test_an_issue_as_json_is_a_whole_sentence_and_its_ways_out_one_by_one() -> None:
    issue = Issue(IssueKind.CONFLICT, KEY, "both changed it", "subject", ways_out=(CONFLICT,))
    data = issue_json(issue)
    typed = "pipeline-sync resolve D-1/story/kick-off --field subject --take sales"
    assert data["message"] == f"both changed it. To write what sales want: '{typed}'"
    assert data["ways_out"] == [
        {"way": "Resolve", "text": f"To write what sales want: '{typed}'", "command": typed}
    ]
    assert ways_json(ValueError("no")) == []


def test_a_message_of_an_earlier_version_is_not_told_its_command_twice() -> None:
    old = f"both changed it; settle it with '{words_of(CONFLICT).command}' (or delivery)"
    assert in_words(Statement(old, (CONFLICT,))) == old


def test_what_is_kept_of_a_run_is_told_in_words_whatever_version_wrote_it() -> None:
    error = Statement("another run is at work", (Wait(),)).to_json()
    summary = {"error": error, "refusal": [error, error], "stopped_by": "", "applied": 3}
    said = "another run is at work. Wait: the other run does what there is to do"
    assert kept_words(summary) == {
        "error": said,
        "refusal": f"{said}\n{said}",
        "stopped_by": "",
        "applied": 3,
    }
    assert kept_words({"error": "away", "refusal": "no"}) == {"error": "away", "refusal": "no"}
