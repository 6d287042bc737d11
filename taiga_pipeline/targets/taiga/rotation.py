"""Another secret for the account: Taiga lets everybody change the own password."""

from __future__ import annotations

from sync.errors import Unauthorised
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.http.rotation import CannotRotate, Rotation
from taiga_pipeline.language import text as _
from taiga_pipeline.targets.taiga.client import Client


def rotation_of(client: Client, connection: Connection) -> Rotation:
    """Returns what Taiga offers to the account.

    :raises CannotRotate: it logs in with a token, which others issue.
    """
    password = connection.password
    if password is None or connection.token or connection.application_token:
        raise CannotRotate(
            _(
                "Taiga lets no account make itself another token: its administrator revokes the "
                "present one, and gives the application a new one. Put that where [target] leads. "
                "Nothing was changed"
            )
        )

    def lets_in() -> bool:
        try:
            client.get("users/me")
        except Unauthorised:
            return False
        return True

    def replace(new: Secret) -> None:
        # Tokens that were given out are good for the rest of their day.
        body = {"current_password": password.reveal(), "password": new.reveal()}
        client.command("users/change_password", body)

    return Rotation(lets_in, replace=replace)
