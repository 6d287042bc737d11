"""Another secret for an account of Odoo's: a password by JSON-RPC, a key by JSON-2.

Keys can be made by programs in later releases of Odoo 19: by accounts with the right
*Administration: Settings*, or by all where ``base.enable_programmatic_api_keys`` is on. Before, a
key takes a person who types the password into Odoo's page.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sync.errors import OutcomeUnknown, Rejected, Unauthorised, Vanished
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.answer import JSON
from taiga_pipeline.http.rotation import CannotRotate, Rotation
from taiga_pipeline.language import text as _
from taiga_pipeline.odoo.client import OdooClient, Refusal

_KEYS: Final = "res.users.apikeys"
_DAYS: Final = (90, 30, 7, 1)
"""How long a key may live, by what the account's groups are allowed; tried from the longest on."""
_NAME: Final = "pipeline-sync"


def rotation_of(client: OdooClient) -> Rotation:
    """Returns what Odoo offers to the account."""
    own = _Own(client)
    if client.secret_is_key:
        return Rotation(own.is_let_in, make=own.make_key, end=own.end_key)
    return Rotation(own.is_let_in, replace=own.change_password)


class _Own:
    """An account at its own secret."""

    def __init__(self, client: OdooClient) -> None:
        self._client = client

    def is_let_in(self) -> bool:
        try:
            return self._client.uid > 0
        except Unauthorised:
            return False

    def change_password(self, new: Secret) -> None:
        present = self._client.secret
        assert present is not None
        named: dict[str, JSON] = {"old_passwd": present.reveal(), "new_passwd": new.reveal()}
        self._client.make("res.users", "change_password", **named)

    def make_key(self) -> Secret:
        """Has Odoo make a key that lives as long as the account's groups are allowed."""
        if not self._client.is_json2:
            raise _by_hand(_("This Odoo lets no program make a key"))
        for days in _DAYS:
            try:
                return self._made(days)
            except Vanished:
                raise _by_hand(_("This Odoo lets no program make a key")) from None
            except Refusal as error:
                said = error
        raise _by_hand(
            _(
                "Odoo does not let this account make a key ({words}). Accounts with "
                "Administration: Settings may, and all where the system parameter "
                "base.enable_programmatic_api_keys is on",
                words=said.words or said.status,
            )
        )

    def _made(self, days: int) -> Secret:
        key = self._client.secret
        assert key is not None
        until = self._client.now() + timedelta(days=days) - timedelta(hours=1)
        made = self._client.make(
            _KEYS,
            "generate",
            key=key.reveal(),
            scope=None,
            name=_NAME,
            expiration_date=until.strftime("%Y-%m-%d %H:%M:%S"),
        )
        if not isinstance(made, str) or not made.isascii() or len(made.strip()) < 16:
            raise OutcomeUnknown(_("Odoo made a key and did not say which: look at its keys"))
        return Secret(made.strip())

    def end_key(self, old: Secret) -> None:
        try:
            self._client.change(_KEYS, "revoke", key=old.reveal())
        except Unauthorised as error:  # so it says where there is no such key
            raise Rejected(str(error)) from None


def _by_hand(why: str) -> CannotRotate:
    return CannotRotate(
        _(
            "{why}. Make one in Odoo (My Profile, Account Security, New API Key), and put it where "
            "the configuration leads. Nothing was changed",
            why=why,
        )
    )
