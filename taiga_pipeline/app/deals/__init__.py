"""The deals of the built-in store: look at them, change and staff them, import and export them."""

from __future__ import annotations

from taiga_pipeline.app.deals.editing import (
    Added,
    Edited,
    Gate,
    add_deal,
    check_off,
    edit_deal,
    gate_of,
    move_deal,
    take_back,
)
from taiga_pipeline.app.deals.filters import UnknownFilters
from taiga_pipeline.app.deals.looking import DealDetails, DealView, find_deals, show_deal
from taiga_pipeline.app.deals.staffing import (
    PutOn,
    Staffing,
    put_on,
    staffing_of,
    take_off,
)
from taiga_pipeline.app.deals.tables import export_deals, import_deals
from taiga_pipeline.app.deals.values import read_fields

__all__ = [
    "Added",
    "DealDetails",
    "DealView",
    "Edited",
    "Gate",
    "PutOn",
    "Staffing",
    "UnknownFilters",
    "add_deal",
    "check_off",
    "edit_deal",
    "export_deals",
    "find_deals",
    "gate_of",
    "import_deals",
    "move_deal",
    "put_on",
    "read_fields",
    "show_deal",
    "staffing_of",
    "take_back",
    "take_off",
]
