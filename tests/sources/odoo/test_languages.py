"""An account whose language is not English: stages are called what it is shown."""

from __future__ import annotations

import pytest

from tests.odoo.fake import FakeOdoo
from tests.sources.odoo.conftest import Make, read

SWEDISH = "sv_SE"


@pytest.fixture(autouse=True)
def translated(odoo: FakeOdoo) -> None:
    odoo.language, odoo.is_admin = SWEDISH, True
    for english, name in (("New", "Nytt"), ("Proposition", "Förslag"), ("Won", "Vunnen")):
        odoo.rename("crm.stage", odoo.stages[english], name, SWEDISH)


def test_a_stage_is_called_what_the_account_is_shown(odoo: FakeOdoo, make: Make) -> None:
    odoo.lead("Proposition")
    (deal,) = read(make()).values()
    assert deal.stage == "Förslag"


@pytest.mark.parametrize("theirs", ["Förslag", "Proposition"])
def test_the_settings_may_name_a_stage_in_english_too(
    odoo: FakeOdoo, make: Make, theirs: str
) -> None:
    odoo.lead("Proposition")
    (deal,) = read(make(stages={theirs: "Proposal"})).values()
    assert deal.stage == "Proposal"


def test_history_calls_stages_the_same_whoever_moved_the_deal(odoo: FakeOdoo, make: Make) -> None:
    lead = odoo.lead("New")
    odoo.move(lead, "Proposition")  # kept as the mover was shown it: in English
    source = make(stages={"Proposition": "Proposal", "won": "Sold"})
    with source.past() as past:
        moves = [(move.from_stage, move.to_stage) for move in past.moves]
    assert moves == [("", "Nytt"), ("Nytt", "Proposal")]
