"""Every kind of fault at every kind of request, on every tool: nothing lost, nothing twice.

In each cell a run meets the fault. Then come runs without one, which bring everything to the very
end that an undisturbed run comes to; and a further run writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from sync.run.runner import Outcome, RunReport
from taiga_pipeline.app.trouble import Trouble, trouble_of
from tests.figures import Figure
from tests.profiles import LONG, sampled
from tests.reliability.tools.edge import Fault
from tests.reliability.tools.office import Original, World, ends_well

pytestmark = pytest.mark.sampled_inside

WHOLE_TRIES: Final = 1 if LONG else 41
LASTING: Final = (Fault.RESET_BEFORE, Fault.PAGE, Fault.HTML_500_AFTER, Fault.FORBIDDEN)
"""What is also tried throughout a run; the others differ from one of these in nothing then."""

AWAY: Final = ("(lost) Acme LOST", "(lost) Acme BACK")
"""What was retired before the run, or is to be in it."""

WITHOUT_WORK: Final = (Trouble.UNREACHABLE, Trouble.LOCKED)
"""How a run ends that could do nothing: what it needs is not there, or not its turn."""

Cell = tuple[str, Fault, bool]


def cells(original: Original) -> Iterator[Cell]:
    """Yields each request of the run, each fault, and whether it lasts."""
    world = original.again()
    world.run()
    for name in dict.fromkeys(world.edge.asked):
        for fault in Fault:
            if (name, fault) == ("saveProjectMetadata", Fault.FORBIDDEN):
                continue  # what may not be written is no part of the project
            if not (fault.has_effect and world.server.reads(name)) or fault in _OF_ANSWERS:
                yield name, fault, False
                if fault in LASTING:
                    yield name, fault, True


_OF_ANSWERS: Final = (Fault.TRUNCATED, Fault.PAGE)
"""What a reading can meet, too, although the server has answered it."""


def test_whatever_goes_wrong_with_a_request_the_next_runs_settle_it(
    world_of_a_tool: Original, figure: Figure
) -> None:
    every = list(cells(world_of_a_tool))
    tried = sampled(every[::WHOLE_TRIES], 6)
    wrong = []
    for cell in tried:
        world = world_of_a_tool.again()
        trouble = meets(world, world_of_a_tool, *cell)
        name, fault, lasting = cell
        span = "throughout" if lasting else "once"
        wrong += [f"{name}, {fault.value}, {span}: {trouble}"] if trouble else []
    assert not wrong, "\n".join(wrong)
    name = world_of_a_tool.world.server.name
    figure(f"{name}: {len(tried)} of {len(every)} cells of requests and faults")


def meets(world: World, original: Original, name: str, fault: Fault, lasting: bool) -> str:
    """Lets a run meet a fault; says what is not as a user would call right."""
    world.edge.trouble(fault, name, lasting=lasting)
    ending = world.run()
    assert world.edge.met, f"{name} was never sent"
    world.edge.calm()
    trouble = _meanwhile(world, original, ending)
    if not trouble and not lasting:
        trouble = _at_once(world, original, ending, name, fault)
    return trouble or ends_well(world, original)


def _meanwhile(world: World, original: Original, ending: Any) -> str:
    """Says what does not hold right after the run that met the fault."""
    if not isinstance(ending, RunReport) and trouble_of(ending) not in WITHOUT_WORK:
        return f"the run ended with {ending!r}"
    names = [each["project"][0] for each in world.picture()]
    twice = {each for each in names if names.count(each) > 1}
    away = [each for each in names if each.startswith("(lost)") and each not in AWAY]
    known = len(original.undisturbed)
    return f"twice {twice}, retired {away}, {names}" if twice or away or len(names) > known else ""


def _at_once(world: World, original: Original, ending: Any, name: str, fault: Fault) -> str:
    """Says whether a fault that a repeated request gets over was not got over at once."""
    if fault is Fault.FORBIDDEN:
        return ""
    is_safe = fault is Fault.THROTTLED or world.server.reads(name)
    if not is_safe and world.server.creates(name):
        return ""  # it is looked for, or made by the next run
    if isinstance(ending, RunReport) and ending.outcome is Outcome.DONE:
        return "" if world.picture() == original.undisturbed else "not all was done"
    return f"ended with {ending.outcome if isinstance(ending, RunReport) else ending}"
