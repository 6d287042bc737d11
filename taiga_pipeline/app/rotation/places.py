"""Where the configuration says that an account's secret is, and who it lets in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from taiga_pipeline.app.engine import make_target
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.credentials import Secret, SecretError, from_environment, from_file
from taiga_pipeline.http.rotation import CannotRotate, RotatesSecret, Rotation
from taiga_pipeline.language import text as _

TARGET: Final = "target"
SOURCE: Final = "source"
SECTIONS: Final = (TARGET, SOURCE)
_WAYS: Final = ("password", "token", "application_token")
_CANDIDATE: Final = "PIPELINE_SYNC_CANDIDATE"
"""Leads to a secret that is tried, in a workspace's own environment; nobody else sees it."""


@dataclass(frozen=True, slots=True)
class Place:
    """The file that holds the secret of a ``section``; ``way`` is how it logs in."""

    section: str
    way: str
    path: Path

    def secret(self) -> Secret:
        """Returns what is in it now.

        :raises SecretError: it cannot be had.
        """
        return from_file(f"{self.section}.{self.way}_file", self.path)


def place_of(workspace: Workspace, section: str) -> Place:
    """Returns where the secret of a section is.

    :raises CannotRotate: in an environment variable, or nowhere.
    """
    settings = _settings(workspace, section)
    for way in _WAYS:
        if file := settings.get(f"{way}_file"):
            return Place(section, way, _path(workspace, file))
        if variable := settings.get(f"{way}_env"):
            raise CannotRotate(
                _(
                    "{section}.{way}_env: the secret is in the environment variable {variable}, "
                    "which no program can change for the runs to come: a new one would be lost. "
                    "Write the present one into a file of mode 0600, and name that in "
                    "{section}.{way}_file in the place of {way}_env. Nothing was changed",
                    section=section,
                    way=way,
                    variable=variable,
                )
            )
    raise CannotRotate(
        _("{section}: the configuration names no secret of an account there", section=section)
    )


def file_of(workspace: Workspace, section: str) -> Path | None:
    """Returns the file that the secret of a section is in, None if it is in none."""
    try:
        return place_of(workspace, section).path
    except CannotRotate:
        return None


def value_of(workspace: Workspace, section: str) -> Secret | None:
    """Returns the secret of a section from wherever it is, None if it cannot be had."""
    settings = _settings(workspace, section)
    for way in _WAYS:
        try:
            if file := settings.get(f"{way}_file"):
                return from_file(f"{section}.{way}_file", _path(workspace, file))
            if variable := settings.get(f"{way}_env"):
                return from_environment(
                    f"{section}.{way}_env", str(variable), workspace.environment
                )
        except SecretError:
            return None
    return None


def account_of(workspace: Workspace, section: str) -> tuple[str, str, str, str]:
    """Returns what tells one account from another, as far as the configuration does."""
    settings = _settings(workspace, section)
    names = ("kind", "url", "database", "username")
    kind, url, database, username = (str(settings.get(name) or "") for name in names)
    return kind, url.rstrip("/"), database, username


@contextmanager
def offered_to(
    workspace: Workspace, section: str, way: str = "", secret: Secret | None = None
) -> Iterator[Rotation]:
    """Makes the source or target, and yields what its tool offers to its account.

    With a ``secret``, it is the account with that one, which logs in by ``way``.

    :raises CannotRotate: the tool offers no account another secret.
    :raises ProblemsError: what is wrong with the configuration.
    """
    tried = with_secret(workspace, section, way, secret) if secret else workspace
    made = make_target(tried) if section == TARGET else tried.make_deal_source()
    if not isinstance(made, RotatesSecret):
        title = workspace.target_title if section == TARGET else workspace.source_adapter.title
        raise CannotRotate(
            _(
                "{tool} has no way for a program to give its account another secret. Make one "
                "there by hand, and put it where [{section}] leads (see 'Rotate secrets' in the "
                "docs)",
                tool=title,
                section=section,
            )
        )
    with closing(made) if hasattr(made, "close") else nullcontext():
        yield made.rotation()


def with_secret(workspace: Workspace, section: str, way: str, secret: Secret) -> Workspace:
    """Returns a workspace in which the account of a section has another secret."""
    tried = Workspace(
        workspace.clock, {**workspace.environment, _CANDIDATE: secret.reveal()}, makes_stores=False
    )
    settings = workspace.settings
    one = getattr(settings, section)
    nowhere = None if section == TARGET else ""
    led = one.model_copy(update={f"{way}_file": nowhere, f"{way}_env": _CANDIDATE})
    tried.use_config(str(workspace.config_path))
    tried.use_settings(settings.model_copy(update={section: led}))
    return tried


def _settings(workspace: Workspace, section: str) -> Mapping[str, Any]:
    one = getattr(workspace.settings, section)
    return {**one.options, **{name: getattr(one, name) for name in type(one).model_fields}}


def _path(workspace: Workspace, file: object) -> Path:
    return workspace.config_path.absolute().parent / Path(str(file)).expanduser()
