"""What a sample leaves out, a whole run tries; what is named is always tried."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import profiles

CASES = """
import pytest
from hypothesis import given, strategies
from tests.profiles import sampled

@pytest.mark.whole_only
def test_long(): pass

@given(strategies.none())
def test_examples(nothing): pass

@pytest.mark.sampled(5)
@pytest.mark.parametrize("number", range(23))
def test_many(number): pass

@pytest.mark.sampled(5)
@pytest.mark.parametrize("number", range(11))
def test_few(number): pass

@pytest.mark.sampled_inside
def test_places(): print(*sampled("abcdefg", 3))

def test_of_a_server(postgresql_url): pass

@pytest.fixture(params=["postgresql"])
def database(request): return request.getfixturevalue("postgresql_url")

def test_of_a_database(database): pass

@pytest.mark.parametrize("kept_in", ["sqlite", "postgresql"])
@pytest.mark.parametrize("number", range(7))
def test_of_both(number, kept_in): pass
"""
CONFTEST = """
import pytest
pytest_plugins = ("tests.profiles",)

@pytest.fixture
def postgresql_url(): return "a server's"
"""
ROOT = Path(__file__).parents[1]


def collected(folder: Path, *options: str, profile: str = "") -> list[str]:
    """Returns the names of the cases that pytest would try."""
    result = pytest_of(folder, "--collect-only", "-q", *options, profile=profile)
    assert result.returncode == 0, result.stdout
    return [line.partition("::")[2] for line in result.stdout.splitlines() if "::" in line]


def pytest_of(folder: Path, *options: str, profile: str = "") -> subprocess.CompletedProcess[str]:
    (folder / "test_cases.py").write_text(CASES)
    (folder / "conftest.py").write_text(CONFTEST)
    path = [] if any("::" in option for option in options) else [str(folder)]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # loading those takes longer than the tests
        "RELIABILITY_PROFILE": profile,
    }
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(folder)]
    return subprocess.run(
        [*command, *options, *path],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_a_sample_tries_every_nth_of_many_cases_and_all_of_few(tmp_path: Path) -> None:
    names = collected(tmp_path)
    assert [name for name in names if "many" in name] == [
        f"test_many[{n}]" for n in range(0, 23, 5)
    ]
    assert sum("few" in name for name in names) == 11


def test_a_sample_tries_every_nth_test_of_a_file_that_says_so(tmp_path: Path) -> None:
    tests = "".join(f"def test_{number}(): pass\n" for number in range(5))
    mark = "import pytest\npytestmark = pytest.mark.sampled_tests(2)\n"
    (tmp_path / "test_slow.py").write_text(mark + tests)
    slow = {f"test_{number}" for number in range(5)}
    assert slow & set(collected(tmp_path)) == {"test_0", "test_2", "test_4"}
    assert slow <= set(collected(tmp_path, profile="whole"))


def test_of_a_file_with_a_case_for_each_target_all_tests_and_all_targets_have_their_turn(
    tmp_path: Path,
) -> None:
    case = "@pytest.mark.parametrize('target', 'abcdef')\ndef test_{}(target): pass\n"
    tests = "".join(case.format(number) for number in range(3))
    mark = "import pytest\npytestmark = pytest.mark.sampled_tests(3)\n"
    (tmp_path / "test_targets.py").write_text(mark + tests)
    tried = [name for name in collected(tmp_path) if name[len("test_0") :][:1] == "["]
    assert [name for name in tried if name[5] in "012" and name[7] in "abcdef"] == [
        "test_0[a]", "test_0[d]", "test_1[c]", "test_1[f]", "test_2[b]", "test_2[e]"
    ]  # fmt: skip


def test_a_whole_run_tries_a_part_of_like_cases_from_another_one_on_in_each_test(
    tmp_path: Path,
) -> None:
    mark = "@pytest.mark.sampled(12, whole=3)\n@pytest.mark.parametrize('number', range(24))\n"
    tests = "".join(f"{mark}def test_like_{name}(number): pass\n" for name in "abc")
    (tmp_path / "test_like.py").write_text(f"import pytest\n{tests}")

    def tried(*options: str, profile: str = "") -> list[str]:
        names = collected(tmp_path, *options, profile=profile)
        return [name for name in names if "like" in name]

    sample, whole = tried(), tried(profile="whole")
    assert len(tried(profile="long")) == 3 * 24
    assert sample == [f"test_like_{name}[{n}]" for name in "abc" for n in (0, 12)]
    assert set(sample) < set(whole)
    assert tried("--sampled-only", profile="whole") == [n for n in whole if n not in sample]
    assert {name.partition("[")[2] for name in whole} == {f"{n}]" for n in range(24)}
    assert len(whole) == 3 * 8 + 2 * 2


def test_a_sample_leaves_out_what_whole_runs_alone_try(tmp_path: Path) -> None:
    assert "test_long" not in collected(tmp_path)


@pytest.mark.parametrize(("is_whole", "count"), [(False, 30), (True, 90)])
def test_a_sample_tries_a_third_of_the_examples(
    monkeypatch: pytest.MonkeyPatch, is_whole: bool, count: int
) -> None:
    monkeypatch.setattr(profiles, "WHOLE", is_whole)
    assert profiles.examples(90) == count


def test_a_sample_tries_the_second_database_less_often(tmp_path: Path) -> None:
    names = [name for name in collected(tmp_path) if "both" in name]
    assert sum("sqlite" in name for name in names) == 7
    assert sum("postgresql" in name for name in names) == 2


@pytest.mark.parametrize("profile", ["whole", "long"])
def test_a_whole_run_leaves_out_nothing(tmp_path: Path, profile: str) -> None:
    assert len(collected(tmp_path, profile=profile)) == 23 + 11 + 5 + 14


def test_the_rest_is_what_a_sample_has_left_out(tmp_path: Path) -> None:
    rest = collected(tmp_path, "--sampled-only", profile="whole")
    assert len(rest) == 23 - 5 + 3 + 5
    assert set(rest) & set(collected(tmp_path)) == {"test_places", "test_examples"}
    assert "test_long" in rest


def test_every_test_that_tries_a_sample_of_places_says_so() -> None:
    silent = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if path.name == "test_profiles.py" or "\npytestmark = pytest.mark.sampled_inside\n" in text:
            continue
        for node in ast.parse(text).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            calls = {
                call.func.id
                for call in ast.walk(node)
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
            }
            marks = [ast.unparse(each) for each in node.decorator_list]
            if "sampled" in calls and "pytest.mark.sampled_inside" not in marks:
                silent.append(f"{path.name}: {node.name}")
    assert silent == []


def test_what_is_named_is_tried(tmp_path: Path) -> None:
    assert collected(tmp_path, "test_cases.py::test_many[3]") == ["test_many[3]"]
    assert len(collected(tmp_path, "-k", "many")) == 23


def test_fast_leaves_out_what_starts_a_server_and_long_proofs(tmp_path: Path) -> None:
    (tmp_path / "test_more.py").write_text("def test_a_unit(): pass")
    assert {"test_of_a_server", "test_a_unit"} < set(collected(tmp_path))
    fast = collected(tmp_path, "--fast")
    assert [name for name in fast if "both" not in name] == ["test_examples", "test_a_unit"]


@pytest.mark.parametrize(("profile", "places"), [("sample", "a d g"), ("whole", "a b c d e f g")])
def test_a_loop_tries_every_nth_place_too(tmp_path: Path, profile: str, places: str) -> None:
    result = pytest_of(tmp_path, "-s", "-k", "places", profile=profile)
    assert any(places in line for line in result.stdout.splitlines())


def test_an_unknown_profile_is_an_error(tmp_path: Path) -> None:
    result = pytest_of(tmp_path, "--collect-only", profile="hole")
    assert result.returncode != 0
    assert "RELIABILITY_PROFILE=hole" in result.stdout + result.stderr
