"""The pages, a module for each: what it shows, and what its forms change.

A new page is a module with a `Section`, its templates, and a line in `SECTIONS`.
"""

from __future__ import annotations

from typing import Final

from taiga_pipeline.web.pages import Section
from taiga_pipeline.web.routes.board import BOARD
from taiga_pipeline.web.routes.customers import CUSTOMERS
from taiga_pipeline.web.routes.deal import DEAL
from taiga_pipeline.web.routes.deal_form import DEAL_FORM
from taiga_pipeline.web.routes.files import FILES
from taiga_pipeline.web.routes.follow_ups import FOLLOW_UPS
from taiga_pipeline.web.routes.health import HEALTH
from taiga_pipeline.web.routes.hooks import HOOKS
from taiga_pipeline.web.routes.intake import INTAKE
from taiga_pipeline.web.routes.lessons import LESSONS
from taiga_pipeline.web.routes.live import LIVE
from taiga_pipeline.web.routes.mapping import MAPPING
from taiga_pipeline.web.routes.moving import MOVING
from taiga_pipeline.web.routes.plan import PLAN
from taiga_pipeline.web.routes.quarter import QUARTER
from taiga_pipeline.web.routes.staffing import STAFFING

SECTIONS: Final[tuple[Section, ...]] = (
    BOARD,
    FOLLOW_UPS,
    PLAN,
    QUARTER,
    CUSTOMERS,
    FILES,
    HEALTH,
    MAPPING,
    STAFFING,
    DEAL,
    DEAL_FORM,
    LESSONS,
    MOVING,
    LIVE,
    HOOKS,
    INTAKE,
)
"""In the order of the navigation; those without a path do not stand in it."""
