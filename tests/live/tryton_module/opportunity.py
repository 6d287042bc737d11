"""Fields for what became of an opportunity, and for the start that sales has agreed on."""

from trytond.model import fields
from trytond.pool import PoolMeta


class Opportunity(metaclass=PoolMeta):
    """An opportunity with more fields."""

    __name__ = "sale.opportunity"

    agreed_start = fields.Date("Agreed Start")
    roles_needed = fields.Char("Roles Needed")
    project_url = fields.Char("Project")
    project_start = fields.Date("Project Start")
    project_progress = fields.Numeric("Project Progress", digits=(1, 2))
