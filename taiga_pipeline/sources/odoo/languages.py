"""Stages by any of their names: Odoo keeps one in each language, and the account is shown one."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sync.errors import Rejected
from taiga_pipeline.odoo.client import SOURCE_LANGUAGE, OdooClient
from taiga_pipeline.odoo.lists import records
from taiga_pipeline.pipeline.importing.options import ImportOptions
from taiga_pipeline.pipeline.text import folded, line

_STAGE: Final = "crm.stage"


def stage_names(client: OdooClient, language: str = "") -> dict[int, str]:
    """Returns the names of the stages by id, in a language or in the account's own."""
    context = {"lang": language} if language else {}
    return {row["id"]: str(row["name"]) for row in records(client, _STAGE, ["name"], (), context)}


def with_english_stages(options: ImportOptions, client: OdooClient) -> ImportOptions:
    """Returns the options with what they say of stages by their English names said of the names
    that the account is shown, too."""
    if not client.language or not options.stages:
        return options
    try:
        shown, english = stage_names(client), stage_names(client, SOURCE_LANGUAGE)
    except Rejected:
        return options
    known = {folded(line(theirs)): ours for theirs, ours in options.stages.items()}
    more = {
        name: known[folded(line(english[number]))]
        for number, name in shown.items()
        if folded(line(name)) not in known and folded(line(english.get(number, ""))) in known
    }
    return replace(options, stages={**options.stages, **more})
