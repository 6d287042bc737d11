"""Names that Odoo keeps by language: of projects (from Odoo 15 on) and of columns.

The connector reads and writes them in its account's language. Others see English where nobody
translated a name, so that what stands in English as well is written there, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sync.errors import Rejected
from taiga_pipeline.http.answer import JSON
from taiga_pipeline.odoo.client import SOURCE_LANGUAGE, OdooClient
from taiga_pipeline.targets.odoo.context import QUIET, Context

_NAME: Final = "name"
_ENGLISH: Final[Mapping[str, JSON]] = {**QUIET, "lang": SOURCE_LANGUAGE}


def write_in_english(
    model: str, number: int, shown: str, values: Mapping[str, JSON], context: Context
) -> None:
    """Writes a new name in English, if English has the one that the account is ``shown``.

    It comes before the write in the account's own language, which is the one that is read: what is
    cut off between is written again.
    """
    client = context.client
    if not client.language or _NAME not in values:
        return
    domain: JSON = [["id", "=", number]]
    rows = client.read(model, "search_read", domain=domain, fields=[_NAME], context=dict(_ENGLISH))
    if rows and rows[0][_NAME] == shown:
        new = {_NAME: values[_NAME]}
        client.change(model, "write", [number], vals=new, context=dict(_ENGLISH))


def advice(client: OdooClient) -> list[str]:
    """Says which languages the connector does not see renames in."""
    own = client.language or SOURCE_LANGUAGE
    try:
        rows = client.read("res.lang", "search_read", domain=[], fields=["code"])
    except Rejected:
        return []
    others = sorted({str(row["code"]) for row in rows} - {own})
    if not others:
        return []
    return [
        f"language: Odoo keeps the name of a project by language; renames in {', '.join(others)} "
        f"are not seen, because the account's language is {own}; give it the one in which people "
        "rename projects (its Preferences)"
    ]
