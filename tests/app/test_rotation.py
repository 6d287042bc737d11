"""Another secret for an account: never shown, never lost, whenever a process is killed."""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.errors import Unauthorised
from taiga_pipeline.app.rotation import rotating
from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.http.rotation import new_password
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.sandbox.errors import ApiError, bad_request
from taiga_pipeline.sandbox.serving.auth import hash_password, password_matches
from tests.cli.conftest import NOW, FixedClock, Run
from tests.crashes import is_killed, observing
from tests.odoo.fake import KEY, LOGIN, FakeOdoo, Refused
from tests.odoo.fake import URL as ODOO_URL
from tests.profiles import sampled

SECRET = Path("password.txt")
SPARE = Path("password.txt.new")


@pytest.fixture
def taiga() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def old(run: Run, taiga: Sandbox) -> str:
    """The password that the account has before; a pipeline is set up that reads it from a file."""
    run("init", "--target-url", taiga.url, "--username", taiga.username)
    config = Path("config.toml")
    text = config.read_text(encoding="utf-8").replace(
        'password_env = "TAIGA_PASSWORD"', f'password_file = "{SECRET}"'
    )
    config.write_text(text, encoding="utf-8")
    put(SECRET, taiga.password)
    return taiga.password


def put(path: Path, secret: str, mode: int = 0o600) -> None:
    path.write_text(f"{secret}\n", encoding="utf-8")
    path.chmod(mode)


def now(path: Path = SECRET) -> str:
    return path.read_text(encoding="utf-8").removesuffix("\n")


def lets_in(taiga: Sandbox, password: str) -> bool:
    user = taiga.store.find_user(taiga.username)
    return user is not None and password_matches(password, user.password)


def set_password(taiga: Sandbox, password: str) -> None:
    user = taiga.store.find_user(taiga.username)
    assert user is not None
    user.password = hash_password(password)


def workspace() -> CommandContext:
    return CommandContext(clock=FixedClock(), environment={})


def moments() -> range:
    """The crash points of one rotation, by number."""
    names: list[str] = []
    with observing(names.append):
        rotating.rotate(workspace(), "target")
    assert {name for name in names if name.startswith("rotation")}
    return range(1, len(names) + 1)


class TestInOrder:
    def test_a_new_password_is_in_the_file_and_lets_the_account_in(
        self, run: Run, taiga: Sandbox, old: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        SECRET.chmod(0o640)
        result = run("secrets", "rotate", "target", "-vv")
        assert result.exit_code == 0, result.output
        assert result.stdout == (
            "target: password.txt holds a new secret, which lets the account in\n"
        )
        new = now()
        assert new != old
        assert lets_in(taiga, new)
        assert not lets_in(taiga, old)
        assert (SECRET.stat().st_mode & 0o777, SPARE.exists()) == (0o640, False)
        assert run("check").exit_code == 0
        said = result.output + caplog.text
        assert not [secret for secret in (new, old) if secret in said.replace(taiga.url, "")]

    def test_a_link_stays_a_link_and_what_it_points_at_is_replaced(
        self, run: Run, taiga: Sandbox, old: str
    ) -> None:
        real = Path("secrets")
        real.mkdir()
        SECRET.rename(real / "pw")
        SECRET.symlink_to("secrets/pw")
        assert run("secrets", "rotate", "target").exit_code == 0
        assert SECRET.is_symlink()
        assert lets_in(taiga, now(real / "pw"))

    def test_passwords_satisfy_the_usual_policies_and_differ(self) -> None:
        made = {new_password().reveal() for _ in range(20)}
        assert len(made) == 20
        for password in made:
            kinds = (str.islower, str.isupper, str.isdigit, lambda c: c in "-_")
            assert len(password) == 32
            assert all(any(map(kind, password)) for kind in kinds)

    def test_json_tells_the_file_and_no_secret(self, run: Run, taiga: Sandbox, old: str) -> None:
        told = json.loads(run("secrets", "rotate", "target", "--json").stdout)
        assert told == {
            "side": "target",
            "file": str(SECRET.absolute()),
            "was_cut_off": False,
            "old_works": False,
        }


class TestRefused:
    def test_a_secret_in_a_variable_is_left_alone(
        self, run: Run, taiga: Sandbox, environment: dict[str, str]
    ) -> None:
        run("init", "--target-url", taiga.url, "--username", taiga.username)
        environment["TAIGA_PASSWORD"] = taiga.password
        result = run("secrets", "rotate", "target")
        assert result.exit_code == 2
        assert "name that in target.password_file" in result.stderr
        assert lets_in(taiga, taiga.password)

    @pytest.mark.parametrize(
        ("kind", "says"),
        [("redmine", "API access key, Reset"), ("kanboard", "My profile, API")],
    )
    def test_a_tool_that_lets_no_program_do_it_says_who_can(
        self, run: Run, kind: str, says: str
    ) -> None:
        run("init", "--target", kind, "--target-url", "http://127.0.0.1:9")
        config = Path("config.toml")
        name = {"redmine": "REDMINE_TOKEN", "kanboard": "KANBOARD_TOKEN"}[kind]
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace(f'token_env = "{name}"', f'token_file = "{SECRET}"'))
        put(SECRET, "a" * 40)
        result = run("secrets", "rotate", "target")
        assert (result.exit_code, says in result.stderr) == (2, True), result.stderr

    def test_the_built_in_store_has_no_account(self, run: Run, old: str) -> None:
        assert run("secrets", "rotate", "source").exit_code == 2

    def test_a_password_that_does_not_let_in_is_not_replaced(
        self, run: Run, taiga: Sandbox, old: str
    ) -> None:
        put(SECRET, "wrong")
        result = run("secrets", "rotate", "target")
        assert result.exit_code == 6
        assert "Nothing was changed" in result.stderr
        assert (now(), SPARE.exists()) == ("wrong", False)

    def test_what_the_tool_refuses_is_forgotten(
        self, run: Run, taiga: Sandbox, old: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("taiga_pipeline.sandbox.routes.users._SHORTEST", 99)
        result = run("secrets", "rotate", "target")
        assert result.exit_code == 3
        assert "at least 99 characters" in result.stderr
        assert (now(), SPARE.exists()) == (old, False)
        assert lets_in(taiga, old)

    def test_a_refusal_that_repeats_the_secret_is_not_shown(
        self, run: Run, taiga: Sandbox, old: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = []

        def refuse(message: str, error: str) -> ApiError:
            asked.append(now(SPARE))
            return bad_request(f"{asked[0]} is too weak", error)

        monkeypatch.setattr("taiga_pipeline.sandbox.routes.users._SHORTEST", 99)
        monkeypatch.setattr("taiga_pipeline.sandbox.routes.users.bad_request", refuse)
        result = run("secrets", "rotate", "target", "-vv")
        assert (result.exit_code, asked[0] in result.output) == (3, False)
        assert lets_in(taiga, old)

    def test_a_run_or_another_rotation_at_work_is_not_disturbed(
        self, run: Run, taiga: Sandbox, old: str
    ) -> None:
        for name in ("state.db.lock", str(SPARE)):
            with Path(name).open("a") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                result = run("secrets", "rotate", "target")
                assert (result.exit_code, now()) == (5, old), result.stderr
            Path(name).unlink(missing_ok=True)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_that_takes_no_file_is_noticed_before_anything_changes(
        self, run: Run, taiga: Sandbox, old: str
    ) -> None:
        Path().chmod(0o500)
        assert run("secrets", "rotate", "target").exit_code == 2
        assert lets_in(taiga, old)

    def test_a_file_that_someone_else_prepared_is_not_written(
        self, run: Run, taiga: Sandbox, old: str
    ) -> None:
        Path("theirs").write_text("keep\n")
        SPARE.symlink_to("theirs")
        assert run("secrets", "rotate", "target").exit_code == 2
        assert (Path("theirs").read_text(), lets_in(taiga, old)) == ("keep\n", True)

    def test_one_secret_in_two_places_is_refused(self, run: Run, taiga: Sandbox, old: str) -> None:
        config = Path("config.toml")
        source = (
            '[source]\nkind = "odoo"\nurl = "http://127.0.0.1:9"\ndatabase = "d"\nusername = "u"\n'
        )
        text = config.read_text(encoding="utf-8")
        before, _, after = text.partition("[source]")
        rest = after[after.index("\n[") :]
        put(Path("other.txt"), old)
        for file, says in (("other.txt", "left with the old one"), (SECRET, "two accounts")):
            config.write_text(f'{before}{source}password_file = "{file}"\n{rest}')
            result = run("secrets", "rotate", "target")
            assert (result.exit_code, says in result.stderr) == (2, True), result.stderr
        assert lets_in(taiga, old)


class TestKilled:
    @pytest.mark.sampled_inside
    def test_whenever_it_is_killed_the_next_run_gets_in(
        self, run: Run, taiga: Sandbox, old: str
    ) -> None:
        for at in sampled(moments(), 3):
            assert is_killed(lambda: rotating.rotate(workspace(), "target"), at)
            passwords = [now(path) for path in (SECRET, SPARE) if path.exists() and now(path)]
            assert any(lets_in(taiga, each) for each in passwords), at
            result = run("run")
            assert result.exit_code == 0, (at, result.stderr)
            assert run("secrets", "rotate", "target").exit_code == 0
            assert lets_in(taiga, now())
            assert not SPARE.exists()

    def test_what_was_asked_of_the_tool_before_is_used_again(
        self, run: Run, taiga: Sandbox, old: str
    ) -> None:
        put(SPARE, "Asked-Before-1")
        result = run("secrets", "rotate", "target")
        assert (result.exit_code, now()) == (0, "Asked-Before-1")
        assert lets_in(taiga, "Asked-Before-1")

    def test_half_a_secret_counts_for_nothing(self, run: Run, taiga: Sandbox, old: str) -> None:
        SPARE.write_text("Asked-Bef")
        assert run("secrets", "rotate", "target").exit_code == 0
        assert now() not in ("Asked-Bef", old)

    def test_the_next_run_puts_a_secret_in_place_that_works_and_says_so(
        self, run: Run, taiga: Sandbox, old: str
    ) -> None:
        set_password(taiga, "Changed-There-1")
        put(SPARE, "Changed-There-1")
        for command in ("plan", "check"):
            result = run(command)
            assert result.exit_code == 6
            assert "'pipeline-sync secrets rotate target' finishes it" in result.output
        result = run("run")
        assert (result.exit_code, now(), SPARE.exists()) == (0, "Changed-There-1", False)
        assert "a rotation that was cut off is finished" in result.stderr

    def test_where_neither_works_both_are_kept(self, run: Run, taiga: Sandbox, old: str) -> None:
        set_password(taiga, "Somebody-Else-1")
        put(SPARE, "Asked-Before-1")
        result = run("secrets", "rotate", "target")
        assert result.exit_code == 6
        assert "neither with the secret" in result.stderr
        assert (now(), now(SPARE)) == (old, "Asked-Before-1")
        with pytest.raises(Unauthorised):
            rotating.rotate(workspace(), "target")


class TestOdoo:
    @pytest.fixture
    def odoo(self, run: Run, request: pytest.FixtureRequest) -> Iterator[FakeOdoo]:
        version, makes_keys, is_admin = request.param
        run("init", "--target", "odoo", "--target-url", ODOO_URL, "--set", "database=crm")
        config = Path("config.toml")
        text = config.read_text(encoding="utf-8").replace("pipeline@example.com", LOGIN)
        text = text.replace('token_env = "ODOO_KEY"', f'token_file = "{SECRET}"')
        config.write_text(text, encoding="utf-8")
        put(SECRET, KEY)
        fake = FakeOdoo(version=version, now=lambda: NOW, makes_keys=makes_keys, is_admin=is_admin)
        with fake.answer():
            yield fake

    @pytest.mark.parametrize("odoo", [(19, True, True)], indirect=True)
    def test_a_new_key_lets_in_and_the_old_one_is_ended(self, run: Run, odoo: FakeOdoo) -> None:
        result = run("secrets", "rotate", "target")
        assert result.exit_code == 0, result.output
        assert odoo.secrets == {now()} != {KEY}
        assert run("check").exit_code == 0

    @pytest.mark.parametrize("odoo", [(19, True, True)], indirect=True)
    def test_an_old_key_that_cannot_be_ended_is_reported(self, run: Run, odoo: FakeOdoo) -> None:
        def refuse(what: str) -> None:
            if what == "res.users.apikeys/revoke":
                raise Refused("UserError", f"no: {KEY}")

        odoo.faults = refuse
        result = run("secrets", "rotate", "target", "-vv")
        assert result.exit_code == 3
        assert "The old key still works" in result.stderr
        assert odoo.secrets == {now(), KEY}
        assert KEY not in result.output

    @pytest.mark.sampled_inside
    @pytest.mark.parametrize("odoo", [(19, True, True)], indirect=True)
    def test_whenever_it_is_killed_a_key_works(self, run: Run, odoo: FakeOdoo) -> None:
        for at in sampled(moments(), 3):
            assert is_killed(lambda: rotating.rotate(workspace(), "target"), at)
            assert now() in odoo.secrets
            assert run("run").exit_code == 0
        assert run("secrets", "rotate", "target").exit_code == 0
        assert (now() in odoo.secrets, SPARE.exists()) == (True, False)

    @pytest.mark.parametrize(
        ("odoo", "says"),
        [
            ((14, False, True), "This Odoo lets no program make a key"),
            ((19, False, True), "This Odoo lets no program make a key"),
            ((19, True, False), "base.enable_programmatic_api_keys"),
        ],
        indirect=["odoo"],
    )
    def test_where_no_program_may_make_keys_it_says_who_may(
        self, run: Run, odoo: FakeOdoo, says: str
    ) -> None:
        result = run("secrets", "rotate", "target")
        assert result.exit_code == 2
        assert says in result.stderr
        assert "New API Key" in result.stderr
        assert (odoo.secrets, now(), SPARE.exists()) == ({KEY}, KEY, False)

    @pytest.mark.parametrize("odoo", [(14, False, False), (19, False, False)], indirect=True)
    def test_a_password_is_replaced_and_a_lost_answer_settled(
        self, run: Run, odoo: FakeOdoo
    ) -> None:
        config = Path("config.toml")
        text = config.read_text(encoding="utf-8").replace("\ntoken_file", "\npassword_file")
        config.write_text(text, encoding="utf-8")
        lost = []

        def lose(what: str) -> None:
            if what == "after res.users/change_password" and not lost:
                lost.append(what)
                raise Refused("", status=502)

        odoo.faults = lose
        result = run("secrets", "rotate", "target")
        assert result.exit_code == 0, result.output
        assert odoo.secrets == {now()} != {KEY}
        assert lost
