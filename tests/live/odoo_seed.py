"""Sets a fresh Odoo up for the live suites: accounts, and the fields that take delivery facts.

python -m tests.live.odoo_seed URL    (the administrator's password in ODOO_PASSWORD)
"""

from __future__ import annotations

import os
import sys
from typing import Final

from tests.live.odoo import OUTSIDER, PLAIN, ROBOT, SWEDE, SWEDISH, OdooOffice, Refused

_FIELDS: Final = {"x_url": "char", "x_project_start": "date", "x_progress": "float"}
_MANAGER: Final = "project.group_project_manager"
_PLAIN: Final = ("base.group_user", "sales_team.group_sale_salesman_all_leads", _MANAGER)
_GROUPS: Final = {
    ROBOT: (
        "base.group_user",
        "sales_team.group_sale_salesman_all_leads",
        _MANAGER,
        "base.group_system",
    ),
    PLAIN: _PLAIN,
    SWEDE: _PLAIN,
    "ana@example.invalid": ("base.group_user", "project.group_project_user"),
    "bo@example.invalid": ("base.group_user", "project.group_project_user"),
    OUTSIDER: ("base.group_user",),
}
_NAMES: Final = {
    ROBOT: "Robot",
    PLAIN: "Plain Robot",
    SWEDE: "Svensk Robot",
    "ana@example.invalid": "Ana Åberg",
    "bo@example.invalid": "Bo Okafor",
    OUTSIDER: "Outsider",
}


def seed(office: OdooOffice) -> None:
    """Makes what the suites need, where it is missing; the company's money is the euro."""
    euro = office.find("res.currency", ["name", "=", "EUR"])
    office.change("res.currency", euro, active=True)
    office.change("res.company", office.find("res.company"), currency_id=euro)
    for login, groups in _GROUPS.items():
        ids = [_reference(office, group) for group in groups]
        values = {"login": login, "email": login, "password": office.password}
        try:
            office.find("res.users", ["login", "=", login])
        except Refused:
            office.make(
                "res.users", **{"name": _NAMES[login], **values, office.groups: [[6, 0, ids]]}
            )
    office.change("res.lang", office.find("res.lang", ["code", "=", SWEDISH["lang"]]), active=True)
    office.change("res.users", office.find("res.users", ["login", "=", SWEDE]), **SWEDISH)
    model = office.find("ir.model", ["model", "=", "crm.lead"])
    for name, kind in _FIELDS.items():
        try:
            office.find("ir.model.fields", ["model", "=", "crm.lead"], ["name", "=", name])
        except Refused:
            office.make(
                "ir.model.fields",
                **{"model_id": model, "name": name, "ttype": kind, "state": "manual"},
                field_description=name,
            )


def _reference(office: OdooOffice, name: str) -> int:
    """Returns what an external id stands for."""
    module, _, own = name.partition(".")
    number = office.find("ir.model.data", ["module", "=", module], ["name", "=", own])
    return int(office.show("ir.model.data", number, "res_id")["res_id"])


if __name__ == "__main__":
    seed(OdooOffice(sys.argv[1], os.environ["ODOO_PASSWORD"]))
