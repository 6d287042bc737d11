"""Whether the account sees every lead: what it does not see would be taken for gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sync.errors import SyncError
from taiga_pipeline.odoo.client import OdooClient

_SEES_ALL: Final = "sales_team.group_sale_salesman_all_leads"
_OWN_ONLY: Final = (
    "this account sees its own leads alone, and other people's would be taken for gone: give it "
    "the right Sales: User, All Documents"
)


@dataclass(frozen=True, slots=True)
class Rights:
    """What the account may see."""

    client: OdooClient

    def remarks(self, model: str) -> list[str]:
        """Says, for ``check``, how many records the account sees, and whether that is all."""
        count = self.client.read(model, "search_count", domain=[], context={"active_test": False})
        found = [f"{count:,} records of {model} can be seen, the archived ones included"]
        return found if self._sees_all() else [*found, _OWN_ONLY]

    def _sees_all(self) -> bool:
        """Whether the account has the right; True where Odoo does not say."""
        ids = [self.client.uid] if self.client.version >= (18, 0) else None
        try:
            return bool(self.client.read("res.users", "has_group", ids, group_ext_id=_SEES_ALL))
        except SyncError:
            return True
