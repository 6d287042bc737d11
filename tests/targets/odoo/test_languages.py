"""Names that Odoo keeps by language: what the account sees counts, and others see it, too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync.records.model import Desired, RecordKey, Value
from sync.target import Place
from taiga_pipeline.records import Kind, Project
from taiga_pipeline.targets.odoo.adapter import OdooTarget
from tests.odoo.fake import FakeOdoo
from tests.targets.odoo.test_traps import FIELDS, make, open_target
from tests.targets.support import ManualClock

SWEDISH = "sv_SE"


@pytest.fixture(params=[14, 15, 19], ids=["14", "15", "19"])
def odoo(request: pytest.FixtureRequest) -> Iterator[FakeOdoo]:
    """An Odoo in which the connector's account is Swedish."""
    clock = ManualClock()
    fake = FakeOdoo(version=request.param, now=clock.now, is_admin=True, language=SWEDISH)
    with fake.answer():
        yield fake


def names(odoo: FakeOdoo, root: str) -> list[str]:
    """Returns what a project is called in English, and in Swedish."""
    row = odoo.rows["project.project"][int(root)]
    return [row["name"], row.get(f"name@{SWEDISH}", row["name"])]


def relabel(target: OdooTarget, root: str, label: str) -> None:
    seen = target.observe_root(root)
    assert seen is not None
    title = target.split(seen, [])[Project.TITLE]
    fields = {**FIELDS, Project.LABEL: label, Project.TITLE: title}
    target.update(seen, {Project.LABEL: label}, fields, Place(root, {}))


def test_a_new_label_is_seen_in_every_language(odoo: FakeOdoo) -> None:
    target = open_target()
    root = make(target)
    assert names(odoo, root) == ["(tentative) Acme"] * 2
    relabel(target, root, "(sold)")
    assert names(odoo, root) == ["(sold) Acme"] * 2


def test_a_rename_in_the_language_of_the_account_is_kept_and_written_in_no_other(
    odoo: FakeOdoo,
) -> None:
    target = open_target()
    root = make(target)
    odoo.rename("project.project", int(root), "(tentative) Deras egna", SWEDISH)
    relabel(target, root, "(sold)")
    english, swedish = names(odoo, root)
    assert swedish == "(sold) Deras egna"
    assert english == ("(tentative) Acme" if odoo.version > 14 else swedish)


def test_a_column_is_renamed_for_all(odoo: FakeOdoo) -> None:
    target = open_target()
    place = Place(make(target), {})
    key = RecordKey("D-1", Kind.STATUS, "won")
    fields: dict[str, Value] = {"name": "Won", "order": 1, "closed": True}
    made = target.create_child(Desired(key, fields), place).record
    target.update(made, {"name": "Sold"}, {**fields, "name": "Sold"}, place)
    assert odoo.rows["project.task.type"][int(made.id)]["name"] == "Sold"


@pytest.mark.parametrize("odoo", [15, 19], indirect=True)
def test_check_says_in_which_languages_renames_are_not_seen(odoo: FakeOdoo) -> None:
    odoo.add("res.lang", code="en_US")
    odoo.add("res.lang", code=SWEDISH)
    odoo.change("res.lang", odoo.add("res.lang", code="de_DE"), active=False)
    (said,) = [each for each in open_target().advice() if each.startswith("language")]
    assert "renames in en_US are not seen" in said
    assert "the account's language is sv_SE" in said


@pytest.mark.parametrize("odoo", [19], indirect=True)
def test_with_one_language_there_is_nothing_to_say(odoo: FakeOdoo) -> None:
    odoo.language = "en_US"
    odoo.add("res.lang", code="en_US")
    assert not open_target().advice()
