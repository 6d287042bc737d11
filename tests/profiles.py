"""How much a test run tries: ``RELIABILITY_PROFILE``, and ``--fast``.

- ``sample`` (``make test``): of a test's many cases (marked ``sampled(n)``), of a file's many slow
  tests (``sampled_tests(n)``) and of a loop's many places (`sampled`), every n-th is tried, always
  the same ones. What is tried on SQLite is tried on PostgreSQL too in every sixth case. Of
  Hypothesis's examples, a part is tried (`examples`). A test marked ``whole_only`` is left out.
- ``whole`` (``make test-all``): everything; of proofs with hundreds of like cases a part that has
  every kind of them (marked ``sampled(n, whole=m)``: every m-th, from another one on in each test).
- ``long`` (``make test-reliability-long``): each of these cases, and thousands of schedules, drawn
  from a new seed each time. The other two try the same each time.

A test that is named on the command line, or by ``-k``, is tried whatever the profile.

``--fast`` (``make test-fast``) leaves out tests that start a server, and the long proofs.
``--sampled-only`` with ``whole`` (``make test-rest``) tries what a sample has left out.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final, TypeVar

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

_Place = TypeVar("_Place")

PROFILES: Final = ("sample", "whole", "long")
PROFILE: Final = os.environ.get("RELIABILITY_PROFILE") or "sample"
WHOLE: Final = PROFILE in ("whole", "long")
LONG: Final = PROFILE == "long"
FAST = False
SERVERS: Final = frozenset(
    {"installed", "live_redmine_url", "postgresql", "postgresql_url", "sandbox", "taiga"}
)
"""Fixtures that start a server, or the program; a test that asks for one is not fast."""


PROOFS: Final = ("sampled", "sampled_inside", "sampled_tests", "whole_only")
"""Marks of long proofs, and of files with slow tests."""
SECOND_DATABASE: Final = 6
"""Of how many tests that ran on SQLite one is tried on PostgreSQL."""
FEW: Final = 12
"""A test with fewer cases is tried with all of them."""


def examples(count: int) -> int:
    """Returns how many examples Hypothesis tries: all in a whole run, a third in a sample.

    With ``--fast`` it is a tenth.
    """
    return count if WHOLE else max(5, count // (10 if FAST else 3))


def load_settings() -> None:
    # How long an example takes says how busy the machine is, and nothing about the program.
    # What decides whether a change goes in is the same each time; a long run looks for more.
    settings.register_profile(
        "any-machine",
        max_examples=examples(100),
        deadline=None,
        derandomize=not LONG,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("any-machine")


def sampled(places: Iterable[_Place], every: int) -> list[_Place]:
    """Returns all places in a whole run, every n-th (the first one counted) in a sample."""
    chosen = list(places)
    return chosen if WHOLE else chosen[::every]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="leave out what starts a server")
    parser.addoption(
        "--sampled-only", action="store_true", help="only that of which a sample tries less"
    )


def pytest_configure(config: pytest.Config) -> None:
    global FAST  # noqa: PLW0603  read while the tests are collected
    FAST = config.getoption("--fast")
    load_settings()
    if PROFILE not in PROFILES:
        raise pytest.UsageError(f"RELIABILITY_PROFILE={PROFILE}: write one of {PROFILES}")
    config.addinivalue_line(
        "markers", "sampled(n, whole=m): try every n-th case, in a whole run every m-th"
    )
    config.addinivalue_line("markers", "sampled_tests(n): try every n-th test of the file")
    config.addinivalue_line("markers", "sampled_inside: tries a sample of places, by `sampled`")
    config.addinivalue_line("markers", "whole_only: long; a sample leaves it out")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    is_named = config.option.keyword or any("::" in argument for argument in config.args)
    beyond_profile = beyond_a_whole_run if WHOLE else beyond_the_sample
    left_out = set() if LONG or is_named else beyond_profile(items)
    if config.getoption("--fast"):
        left_out |= {item for item in items if is_slow(item)}
    if config.getoption("--sampled-only"):
        beyond = beyond_the_sample(items)
        left_out |= {
            item for item in items if item not in beyond and not tries_less_in_a_sample(item)
        }
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = [item for item in items if item not in left_out]


def tries_less_in_a_sample(item: pytest.Item) -> bool:
    """Tells whether a test is tried in a sample too, and there with fewer places or examples."""
    inside = item.get_closest_marker("sampled_inside") is not None
    return inside or (isinstance(item, pytest.Function) and is_hypothesis_test(item.obj))


def is_slow(item: pytest.Item) -> bool:
    """Tells whether a test starts a server, or is a proof of which a sample is tried."""
    proof = any(item.get_closest_marker(name) for name in PROOFS)
    asked_for = set(getattr(item, "fixturenames", ())) | parameters(item)
    return bool(proof or SERVERS & asked_for)


def beyond_the_sample(items: list[pytest.Item]) -> set[pytest.Item]:
    """Returns the cases that only a whole run tries."""
    return (
        {item for item in items if item.get_closest_marker("whole_only")}
        | beyond_every_nth(items)
        | beyond_every_nth_of_a_file(items)
        | beyond_the_first_database(items)
    )


def beyond_every_nth_of_a_file(items: list[pytest.Item]) -> set[pytest.Item]:
    """Returns the tests of files that say of how many one is tried.

    Of the cases of one test every n-th is tried, from another one on in each test: with a target
    for each case, all targets have their turn, however many there are.
    """
    files: defaultdict[tuple[Path, int], dict[str, list[pytest.Item]]] = defaultdict(dict)
    for item in items:
        marker = item.get_closest_marker("sampled_tests")
        if marker:
            tests = files[item.path, marker.args[0]]
            tests.setdefault(item.nodeid.partition("[")[0], []).append(item)
    return {
        item
        for (_, every), tests in files.items()
        for turn, cases in enumerate(tests.values())
        for place, item in enumerate(cases)
        if (turn + place) % every
    }


def beyond_the_first_database(items: list[pytest.Item]) -> set[pytest.Item]:
    """Returns the cases on PostgreSQL that are tried on SQLite too, all but every n-th."""
    first = {item.nodeid.partition("[")[0] for item in items if "sqlite" in parameters(item)}
    second = [
        item
        for item in items
        if "postgresql" in parameters(item) and item.nodeid.partition("[")[0] in first
    ]
    return {item for place, item in enumerate(second) if place % SECOND_DATABASE}


def parameters(item: pytest.Item) -> set[str]:
    """Returns the parameters of a case, as text."""
    if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
        return {str(value) for value in item.callspec.params.values()}
    return set()


def beyond_every_nth(items: list[pytest.Item]) -> set[pytest.Item]:
    """Returns the cases of tests that say of how many one is tried."""
    return {
        item
        for marker, group in sampled_cases(items)
        for place, item in enumerate(group)
        if place % marker.args[0] and len(group) >= FEW
    }


def beyond_a_whole_run(items: list[pytest.Item]) -> set[pytest.Item]:
    """Returns the cases that only a long run tries; what a sample has is not among them."""
    return {
        item
        for turn, (marker, group) in enumerate(sampled_cases(items))
        for place, item in enumerate(group)
        if (turn + place) % marker.kwargs.get("whole", 1) and place % marker.args[0]
    }


def sampled_cases(items: list[pytest.Item]) -> list[tuple[pytest.Mark, list[pytest.Item]]]:
    """Returns the cases of each test that is marked ``sampled``."""
    tests: dict[tuple[str, int], tuple[pytest.Mark, list[pytest.Item]]] = {}
    for item in items:
        marker = item.get_closest_marker("sampled")
        if marker:
            place = item.nodeid.partition("[")[0], marker.args[0]
            tests.setdefault(place, (marker, []))[1].append(item)
    return list(tests.values())
