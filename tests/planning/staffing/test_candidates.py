"""Who can take a deal: by role, skills and free hours."""

from __future__ import annotations

from decimal import Decimal

from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.pipeline.model import RoleDemand
from taiga_pipeline.planning.staffing.build import Rules, Staff, build
from taiga_pipeline.planning.staffing.candidates import Able, who_can
from taiga_pipeline.planning.staffing.work import Work
from tests.planning.capacity.test_capacity import NOW

ANA = Person("ana@example.org", "Ana", "Back", ("python",))
BO = Person("bo@example.org", "Bo", "Back")
CY = Person("cy@example.org", "Cy", "Lead", ("Back", "python"))
DEE = Person("dee@example.org", "Dee", "Design")
WORK = Work(
    "D-1", "Portal", "", False, 0.5, NOW, (RoleDemand("Back", Decimal(30), 4, 0, ("python",)),)
)
OTHER = Work("D-2", "App", "", True, 1.0, NOW, (RoleDemand("Back", Decimal(20), 4),))


def able(*allocations: Allocation) -> tuple[Able, ...]:
    people = (BO, CY, ANA, DEE)
    hours = {each.email: (40.0,) * 60 for each in people}
    case = build((WORK, OTHER), Staff(people, hours), allocations, Rules(NOW))
    (asked,) = who_can(case, "D-1")
    assert (asked.role, asked.hours, asked.skills) == ("Back", 120, ("python",))
    return asked.able


def test_those_with_all_skills_come_first_and_the_own_role_before_a_skill() -> None:
    found = able()
    assert [(each.person.name, each.own_role, each.lacks) for each in found] == [
        ("Ana", True, ()),
        ("Cy", False, ()),
        ("Bo", True, ("python",)),
    ]
    assert all((each.free, each.gives) == (160, 120) for each in found)


def test_what_people_are_allocated_to_is_taken_off_and_named() -> None:
    found = able(Allocation("D-2", ANA.email, "Back", Decimal(20)))
    assert [each.person.name for each in found] == ["Cy", "Ana", "Bo"]
    ana = found[1]
    assert (ana.free, ana.gives, ana.other_deals) == (80, 80, ("D-2",))


def test_a_deal_that_is_staffed_asks_for_nobody_more() -> None:
    people = (ANA,)
    staffed = Allocation("D-1", ANA.email, "Back", Decimal(30))
    case = build((WORK,), Staff(people, {ANA.email: (40.0,) * 60}), (staffed,), Rules(NOW))
    assert who_can(case, "D-1") == ()
