"""What an account has to be allowed, and what is known of it where it is allowed little."""

from __future__ import annotations

from typing import Final

from sync.errors import Unauthorised
from taiga_pipeline.odoo.client import OdooClient
from taiga_pipeline.targets.odoo.projects import MODEL

_HAS_ACCESS: Final = (18, 0)
NEEDED: Final = "give the account the right Project: Administrator"


def demand(client: OdooClient, account: str) -> None:
    """Makes sure that an account with few rights may make projects.

    :raises Unauthorised: it may not.
    """
    if client.version >= _HAS_ACCESS:
        may = client.read(MODEL, "has_access", [], operation="create")
    else:
        may = client.read(MODEL, "check_access_rights", operation="create", raise_exception=False)
    if not may:
        raise Unauthorised(f"{account} may not make projects in Odoo; {NEEDED}")


def made_at(client: OdooClient) -> str:
    """Returns when the account was made, "" if Odoo does not say."""
    rows = client.read(
        "res.users", "search_read", domain=[["id", "=", client.uid]], fields=["create_date"]
    )
    made = str(rows[0]["create_date"] or "") if rows else ""
    return f"{client.uid}|{made}" if made else ""
