"""Fills a new Tryton (see tryton.sh): a company, an employee, a customer, users with keys.

Run by Tryton's own Python, with ``proteus``.
"""

from __future__ import annotations

import datetime as dt
import os
from decimal import Decimal

from proteus import Model, config  # type: ignore[import-not-found]

settings = config.set_trytond("erp", user="admin", config_file=os.environ["TT_CONFIG"])


def make(model, /, **values):  # type: ignore[no-untyped-def]
    """Makes a record."""
    record = Model.get(model)(**values)
    record.save()
    return record


for code in ("EUR", "SEK"):
    currency = Model.get("currency.currency")(
        name=code, code=code, symbol=code, rounding=Decimal("0.01"), digits=2
    )
    currency.rates.new(date=dt.date(2020, 1, 1), rate=Decimal(1 if code == "EUR" else 11))
    currency.save()
euro = Model.get("currency.currency").find([("code", "=", "EUR")])[0]
company = make("company.company", party=make("party.party", name="Acme Services"), currency=euro)
User = Model.get("res.user")
(admin,) = User.find([("login", "=", "admin")])
admin.companies.append(Model.get("company.company")(company.id))
admin.company = company
admin.save()
seller = make("company.employee", party=make("party.party", name="Ana Åberg"), company=company)
admin = User(admin.id)
admin.employees.append(seller)
admin.employee = seller
admin.save()
settings._context = User.get_preferences(True, {})
make("party.party", name="Kunde GmbH")
term = Model.get("account.invoice.payment_term")(name="Direct")
term.lines.new()
term.save()

robot = User(name="Robot", login="robot")
(group,) = Model.get("res.group").find([("name", "=", "Sale Opportunity")])
robot.groups.append(group)
robot.companies.append(Model.get("company.company")(company.id))
robot.company = Model.get("company.company")(company.id)
robot.save()
outsider = make("res.user", name="Outsider", login="outsider")
users = {"TT_KEY": User(admin.id), "TT_ROBOT_KEY": robot, "TT_OUTSIDER_KEY": outsider}
for variable, user in users.items():
    make("res.user.application", application="rest", key=os.environ[variable], user=user)
