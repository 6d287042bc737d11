"""Whom a deal needs that does not say it itself."""

from __future__ import annotations

from decimal import Decimal

import pytest

from taiga_pipeline.mapping.demand import deal_demand
from taiga_pipeline.pipeline.model import Deal
from tests.mapping.support import BACK, deal, mappings, problems, root

SCALED = '[[role]]\nrole = "Back"\nhours_per_week = 30\nweeks = 10\nper_value = 100_000\n'
OF_SERVICE = '[[role]]\nrole = "UX"\nhours_per_week = 8\nweeks = 2\nservices = ["App", "Web"]\n'


def hours(subject: Deal, extra: str) -> dict[str, Decimal]:
    (rules,) = mappings(extra).rules
    return {each.role: each.hours_per_week for each in deal_demand(subject, rules)}


@pytest.mark.parametrize(
    ("value", "expected"),
    [("100000", "30"), ("120000", "36"), ("101000", "30.5"), ("1", "0.5"), ("1e12", "16800")],
)
def test_hours_follow_the_value_in_steps_of_half_an_hour(value: str, expected: str) -> None:
    assert hours(deal(value=Decimal(value)), SCALED) == {"Back": Decimal(expected)}


@pytest.mark.parametrize("value", [None, Decimal(0), Decimal(-5)])
def test_a_deal_without_a_value_gets_the_hours_as_they_are(value: Decimal | None) -> None:
    assert hours(deal(value=value), SCALED) == {"Back": Decimal(30)}


def test_a_role_of_some_services_is_for_deals_of_these_in_any_case() -> None:
    assert hours(deal(service="web"), OF_SERVICE) == {"UX": Decimal(8)}
    assert hours(deal(service="Audit"), OF_SERVICE) == {}


def test_what_a_deal_states_itself_is_neither_scaled_nor_filtered() -> None:
    assert hours(deal(roles=(BACK,), value=Decimal(1)), SCALED + OF_SERVICE) == {
        "Back": Decimal(30)
    }


def test_the_project_shows_the_scaled_hours() -> None:
    fields = root(deal(value=Decimal(200_000)), mappings(SCALED))
    assert "Back 60 h/week" in fields["looking_for_people_note"]


def test_a_value_of_nothing_to_scale_by_is_an_error_with_its_place() -> None:
    text = f"{SCALED.replace('100_000', '0')}"
    assert any("per_value" in problem for problem in problems('[mapping]\nname = "m"\n' + text))
