"""Giving an account another secret: by a tool's API, so that no moment locks the account out.

1. Nobody runs the pipeline, and nobody else is at the secret's file. 2. What was cut off earlier
is taken up: the one of two secrets that lets the account in is found. 3. The new secret is on the
disk, beside the present one. 4. The tool takes it. 5. It lets the account in. 6. It takes the place
of the present one. 7. A key that was replaced is ended. A process that is killed between any two of
these leaves a file with a secret that works, and the next run, or the next rotation, finds it.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sync import crash_points
from sync.errors import Rejected, SyncError, Unauthorised
from sync.run.lock import run_lock
from taiga_pipeline.app.rotation.places import (
    SECTIONS,
    Place,
    account_of,
    file_of,
    offered_to,
    place_of,
    value_of,
)
from taiga_pipeline.app.rotation.spare import Spare, is_cut_off, spare_of
from taiga_pipeline.app.workspace import Workspace, shortest
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.rotation import new_password
from taiga_pipeline.language import text as _
from taiga_pipeline.problems import Problem, ProblemsError

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rotated:
    """What became of a rotation. ``path`` is the file that holds the new secret.

    ``was_cut_off``: an earlier one was finished. ``old_works``: the old key could not be ended, and
    works until its own end, or until someone deletes it.
    """

    section: str
    path: Path
    was_cut_off: bool = False
    old_works: bool = False


def rotate(workspace: Workspace, section: str) -> Rotated:
    """Gives the account of a section (``target``, ``source``) another secret, in its file.

    :raises CannotRotate: neither tool nor configuration lets a program do it; nothing was changed.
    :raises ProblemsError: as much, for another reason.
    :raises Locked: a run or another rotation is at work.
    :raises Unauthorised: the account is not let in, with no secret that is known.
    :raises SyncError: the tool does not answer, or refuses; what is known of it is kept.
    """
    with offered_to(workspace, section):  # which costs no request, and may be all there is to say
        place = place_of(workspace, section)
    _refuse_another_place(workspace, place)
    lock = run_lock(workspace.state_url, workspace.settings.pipeline, workspace.clock)
    with lock, spare_of(place.path) as spare:
        return _Rotating(workspace, place, spare).run()


def settle_what_was_cut_off(workspace: Workspace) -> None:
    """Puts secrets in place that a rotation left beside their files, if they let the account in.

    Costs nothing where there is none. Whatever stands against it, the run that follows says.
    """
    for section in SECTIONS:
        path = file_of(workspace, section)
        if path is None or not is_cut_off(path):
            continue
        with suppress(SyncError, ProblemsError, OSError):
            place = place_of(workspace, section)
            with spare_of(path) as spare:
                if _Rotating(workspace, place, spare).settle():
                    _LOG.warning("%s", _(SETTLED, section=section, path=shortest(path)))


SETTLED: Final = "{section}: a rotation that was cut off is finished; {path} holds the new secret"


def unfinished(workspace: Workspace) -> list[str]:
    """Returns the sections whose secret is on its way: their rotation was cut off."""
    paths = {section: file_of(workspace, section) for section in SECTIONS}
    return [section for section, path in paths.items() if path and is_cut_off(path)]


class _Rotating:
    """One rotation, under its locks."""

    def __init__(self, workspace: Workspace, place: Place, spare: Spare) -> None:
        self._workspace = workspace
        self._place = place
        self._spare = spare

    def run(self) -> Rotated:
        old, waiting = self._place.secret(), self._spare.read()
        if waiting and self._lets_in(waiting):
            return self._put_in_place(old, waiting, was_cut_off=True)
        if not self._lets_in(old):
            raise self._locked_out(has_spare=waiting is not None)
        with offered_to(self._workspace, self._place.section) as offered:
            if offered.replace:
                new = waiting or new_password()
                self._spare.write(new)
                crash_points.reached("rotation-beside")
                self._replace(old, new)
            else:
                assert offered.make is not None
                new = offered.make()
                self._spare.write(new)
                crash_points.reached("rotation-beside")
        if not self._lets_in(new):
            raise self._not_let_in(old)
        return self._put_in_place(old, new)

    def settle(self) -> bool:
        """Puts what is on its way in place, if it lets the account in; returns whether it did."""
        waiting = self._spare.read()
        if waiting is None or not self._lets_in(waiting):
            return False
        self._put_in_place(self._place.secret(), waiting, was_cut_off=True)
        return True

    def _replace(self, old: Secret, new: Secret) -> None:
        """Has the tool take a password; what it says counts less than whether it lets it in."""
        place = self._place
        try:
            with offered_to(self._workspace, place.section, place.way, old) as offered:
                assert offered.replace is not None
                offered.replace(new)
        except SyncError as error:
            crash_points.reached("rotation-in-doubt")
            if self._lets_in(new):
                return
            if isinstance(error, Rejected):
                self._spare.discard()
            raise _without(error, old, new) from None
        crash_points.reached("rotation-taken")

    def _put_in_place(self, old: Secret, new: Secret, *, was_cut_off: bool = False) -> Rotated:
        place = self._place
        self._spare.take_the_place()
        crash_points.reached("rotation-in-place")
        return Rotated(place.section, place.path, was_cut_off, self._old_works(old, new))

    def _old_works(self, old: Secret, new: Secret) -> bool:
        """Ends a key that was replaced; returns whether it works all the same."""
        place = self._place
        with offered_to(self._workspace, place.section, place.way, new) as offered:
            if offered.end is None or old == new:
                return False
            try:
                offered.end(old)
            except SyncError as error:
                _LOG.info("the old key was not ended: %s", _without(error, old, new))
        with suppress(SyncError):
            return self._lets_in(old)
        return True

    def _lets_in(self, secret: Secret) -> bool:
        place = self._place
        with offered_to(self._workspace, place.section, place.way, secret) as offered:
            return offered.lets_in()

    def _locked_out(self, *, has_spare: bool) -> Unauthorised:
        section, path = self._place.section, self._place.path
        if not has_spare:
            return Unauthorised(
                _(
                    "{section}: the account is not let in with the secret in {path}; put one there "
                    "that works (see 'Rotate secrets' in the docs). Nothing was changed",
                    section=section,
                    path=path,
                )
            )
        return Unauthorised(
            _(
                "{section}: the account is let in neither with the secret in {path} nor with the "
                "one in {spare}, where a rotation was cut off. Put one into {path} that works, and "
                "delete {spare}",
                section=section,
                path=path,
                spare=self._spare.path,
            )
        )

    def _not_let_in(self, old: Secret) -> SyncError:
        """Returns what is wrong where a tool took a secret, and does not let the account in."""
        place = self._place
        if self._lets_in(old):
            self._spare.discard()
            return Rejected(
                _(
                    "{section}: the tool said that it took the new secret, and did not: the "
                    "present one lets the account in. Nothing was changed",
                    section=place.section,
                )
            )
        return self._locked_out(has_spare=True)


def _refuse_another_place(workspace: Workspace, place: Place) -> None:
    """Refuses where the other section would be left with the old secret, or get a wrong one.

    :raises ProblemsError: the same secret stands in two places, or one file serves two accounts.
    """
    (other,) = (section for section in SECTIONS if section != place.section)
    value = value_of(workspace, other)
    if value is None or value != place.secret():
        return
    path = file_of(workspace, other)
    is_same_file = path is not None and path.resolve() == place.path.resolve()
    is_same_account = account_of(workspace, other) == account_of(workspace, place.section)
    if is_same_file and is_same_account:
        return
    if is_same_file:
        message = _(
            "{path} holds the secrets of two accounts, those of [target] and [source]: give each "
            "its own file. Nothing was changed",
            path=place.path,
        )
    else:
        message = _(
            "[{other}] has the same secret, from another place, and would be left with the old "
            "one: have both name {path}. Nothing was changed",
            other=other,
            path=place.path,
        )
    raise ProblemsError([Problem(message)])


def _without(error: SyncError, *secrets: Secret) -> SyncError:
    """Returns an error in whose words no secret stands, even if the tool repeats it."""
    if not any(secret.reveal() in str(error) for secret in secrets):
        return error
    message = _("the tool refuses the new secret, in words that hold it and are not shown")
    return Rejected(message) if isinstance(error, Rejected) else SyncError(message)
