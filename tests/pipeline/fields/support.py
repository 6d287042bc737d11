"""A field of each kind that people may declare."""

from __future__ import annotations

from typing import Final

from taiga_pipeline.pipeline.fields.declared import Declaration, table_with

DECLARED: Final = (
    Declaration("region", "text", headers=["Vertriebsgebiet"]),
    Declaration("score", "number"),
    Declaration("signed_on", "date", label="Signed"),
    Declaration("segment", "choice", choices=["Public sector", "Industry"]),
    Declaration("margin", "money", currency="EUR"),
    Declaration("cost", "money"),
    Declaration("strategic", "yes/no", label="Strategic account"),
)
TABLE: Final = table_with(DECLARED)
