"""The recipes for schedulers: what they start exists, what they configure loads, what they promise
is in them.
"""

from __future__ import annotations

import json
import re
import shlex
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from taiga_pipeline.cli.main import SHARED_OPTIONS
from taiga_pipeline.config import parse
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.workers.fleet import FleetFile
from tests.live.leaving_out import program
from tests.test_docs import find

EXAMPLES: Final = Path(__file__).parent.parent / "docs" / "examples"
ROOT: Final = EXAMPLES.parent.parent
PROGRAM: Final = "/opt/pipeline-sync/bin/pipeline-sync"
SYSTEMD: Final = EXAMPLES / "systemd"
CRON: Final = EXAMPLES / "cron" / "pipeline-sync"
CONTAINERFILE: Final = EXAMPLES / "container" / "Containerfile"
UNITS: Final = ["pipeline-sync@.service", "pipeline-sync@.timer", "pipeline-sync-worker.service"]


def documents(name: str) -> list[dict[str, Any]]:
    """Returns the objects in a file for Kubernetes."""
    return list(yaml.safe_load_all((EXAMPLES / "kubernetes" / name).read_text()))


def the(kind: str, name: str) -> dict[str, Any]:
    """Returns the only object of a kind."""
    (found,) = (document for document in documents(name) if document["kind"] == kind)
    return found


def pod_of(document: dict[str, Any]) -> dict[str, Any]:
    """Returns the pod that a CronJob or a Deployment makes."""
    spec = document["spec"]
    spec = spec["jobTemplate"]["spec"] if document["kind"] == "CronJob" else spec
    found: dict[str, Any] = spec["template"]["spec"]
    return found


PODS: Final = [
    pod_of(the("CronJob", "cronjob.yaml")),
    pod_of(the("Deployment", "worker.yaml")),
]


def containers() -> Iterator[dict[str, Any]]:
    for pod in PODS:
        yield from [*pod.get("initContainers", []), *pod["containers"]]


def command_lines() -> Iterator[list[str]]:
    """Yields what the recipes start, without the program's name."""
    for path in (CRON, *(SYSTEMD / unit for unit in UNITS)):
        for match in re.finditer(rf"^[^#\n]*?{PROGRAM} ([^\n]*)", path.read_text(), re.MULTILINE):
            for words in re.split(r">|\|\||&&", match[0])[:]:
                if PROGRAM in words:
                    yield shlex.split(words.partition(PROGRAM)[2])
    entry = re.search(r"^CMD (.*)$", CONTAINERFILE.read_text(), re.MULTILINE)
    assert entry
    yield json.loads(entry[1])
    script = (EXAMPLES / "container" / "run.sh").read_text()
    yield script.rstrip().rpartition("    pipeline-sync ")[2].split()
    for container in containers():
        yield container["args"]


@pytest.mark.parametrize("words", list(command_lines()), ids=" ".join)
def test_what_a_recipe_starts_exists(words: list[str]) -> None:
    shared = {name for option in SHARED_OPTIONS for name in option.opts}
    while words and words[0] in shared:
        words = words[2:]
    command, context, rest = find(words)
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= options
    command.make_parser(context).parse_args(list(rest))


def configurations() -> Iterator[tuple[str, str]]:
    for path in sorted(EXAMPLES.rglob("config.toml")):
        yield str(path.relative_to(EXAMPLES)), path.read_text()
    yield "kubernetes", the("ConfigMap", "cronjob.yaml")["data"]["config.toml"]


@pytest.mark.parametrize(("name", "text"), list(configurations()))
def test_the_configuration_of_a_recipe_loads(name: str, text: str) -> None:
    settings = parse(text, Path(name) / "config.toml")
    assert settings.pipeline == "acme"
    assert settings.target.password_file is not None, "the secret is in a file that is mounted"


@pytest.mark.parametrize(
    "text",
    [
        (SYSTEMD / "workers.toml").read_text(),
        the("ConfigMap", "worker.yaml")["data"]["workers.toml"],
        *re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "workers.md").read_text(), re.DOTALL),
    ],
)
def test_the_fleet_of_a_recipe_loads(text: str) -> None:
    FleetFile.model_validate(tomllib.loads(text), context={"folder": Path()})


# --- cron


def test_cron_runs_it_as_it_stands_and_says_nothing_without_a_change(
    tmp_path: Path, taiga: Sandbox
) -> None:
    program = f"{sys.executable} -m taiga_pipeline"
    lines = [
        line.replace("/srv/pipeline-sync/acme", str(tmp_path)).replace(PROGRAM, program)
        for line in CRON.read_text().splitlines()
        if PROGRAM in line
    ]
    watch, run = (next(line for line in lines if word in line) for word in (" status ", " run"))
    init = ["init", str(tmp_path), "--taiga-url", taiga.url, "--username", taiga.username]
    subprocess.run([*program.split(), *init], check=True, capture_output=True)
    secrets = tmp_path / "secrets.env"
    secrets.write_text(f"TAIGA_PASSWORD={taiga.password}\n")
    secrets.chmod(stat.S_IRUSR | stat.S_IWUSR)
    assert "look at" in as_cron(watch, tmp_path), "there was no run yet"
    assert as_cron(run, tmp_path) == ""
    assert as_cron(watch, tmp_path) == ""


def as_cron(line: str, home: Path) -> str:
    """Runs a line of cron's table as cron does; returns what would be mailed."""
    schedule, (user, command) = line.split()[:5], line.split(maxsplit=6)[5:]
    assert len(schedule) == 5
    assert user == "pipeline"
    assert "%" not in command, "a line end to cron"
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "LOGNAME": user},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout + done.stderr


@pytest.fixture
def taiga() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


# --- systemd


@pytest.fixture
def systemd_analyze() -> str:
    return program("systemd-analyze")


def test_systemd_finds_nothing_wrong_with_its_units(tmp_path: Path, systemd_analyze: str) -> None:
    for unit in UNITS:
        text = (SYSTEMD / unit).read_text().replace(PROGRAM, "/bin/true")
        (tmp_path / unit).write_text(text)
    units = [str(tmp_path / unit.replace("@", "@acme")) for unit in UNITS]
    for unit, target in zip(UNITS, units, strict=True):
        if "@" in unit:
            (tmp_path / Path(target).name).symlink_to(tmp_path / unit)
    command = [systemd_analyze, "verify", "--recursive-errors=no", *units]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.endswith(".service")])
def test_services_are_exposed_as_little_as_the_docs_say(unit: str, systemd_analyze: str) -> None:
    done = subprocess.run(
        [systemd_analyze, "security", "--offline=true", "--threshold=15", str(SYSTEMD / unit)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if "offline" in done.stderr:
        pytest.skip("this systemd-analyze cannot look at files")
    assert done.returncode == 0, done.stdout[-300:]


# --- containers


def test_the_image_has_an_account_without_rights_and_nothing_but_the_program() -> None:
    text = CONTAINERFILE.read_text()
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE)[-1] == "10001:10001"
    assert text.index("USER 10001") < text.index("ENTRYPOINT")
    copied = [line.split()[1:-1] for line in re.findall(r"^COPY (?!--).*$", text, re.MULTILINE)]
    names = {name for line in copied for name in line}
    assert all((ROOT / name).exists() for name in names)
    kept = Path(f"{CONTAINERFILE}.dockerignore").read_text().splitlines()
    assert {line[1:] for line in kept if line.startswith("!")} == {
        n.removeprefix("./") for n in names
    }
    extras = re.search(r"ARG EXTRAS=\[(.*)\]", text)
    assert extras
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(extras[1].split(",")) <= set(project["optional-dependencies"])


@pytest.mark.parametrize("pod", PODS)
def test_pods_have_no_more_rights_than_they_need(pod: dict[str, Any]) -> None:
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "memory" in container["resources"]["limits"]
        assert not [
            entry for entry in container["env"] if "value" in entry and "URL" in entry["name"]
        ]
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted <= {volume["name"] for volume in pod["volumes"]}


def test_a_cronjob_does_not_overlap_and_waits_for_no_strangers_lease() -> None:
    job = the("CronJob", "cronjob.yaml")
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert job["spec"]["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert pod_of(job)["hostname"]
    (secret,) = (volume for volume in pod_of(job)["volumes"] if volume["name"] == "secret")
    assert not secret["secret"]["defaultMode"] & stat.S_IRWXO
