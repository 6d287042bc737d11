"""The section ``[intake]`` of ``config.toml``: deals that come by themselves, through a form."""

from __future__ import annotations

import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from taiga_pipeline.field_settings import Section
from taiga_pipeline.planning_settings import Number

ASKED: Final = ("name", "company", "email", "phone", "message")
"""What a form may ask for that is no field of a deal by itself."""
_FIELD: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


def _check_origin(value: str) -> str:
    parts = urlsplit(value.rstrip("/"))
    is_plain = parts.scheme in ("https", "http") and not (parts.path or parts.query)
    if not is_plain or not re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", parts.netloc):
        raise ValueError(f"{value!r} is not the origin of a page such as https://www.example.com")
    return f"{parts.scheme}://{parts.netloc}".lower()


def _check_field(value: str) -> str:
    if not _FIELD.fullmatch(value):
        raise ValueError(f"{value!r} is not the name of a field")
    return value


Origin = Annotated[str, AfterValidator(_check_origin)]
FieldName = Annotated[str, AfterValidator(_check_field)]


class IntakeSettings(Section):
    """Inquiries that become deals in the first stage.

    ``fields`` are what a form asks for: those of ``ASKED``, and fields of a deal; those of
    ``required`` have to be filled. ``origins`` are the sites that may show the form in a page of
    theirs. ``lead_source``, ``owner``, ``team`` and ``service`` are written into the new deals.
    From one address, ``per_hour`` inquiries are taken.
    """

    enabled: bool = False
    fields: Annotated[list[FieldName], Field(min_length=1, max_length=30)] = Field(
        default_factory=lambda: ["name", "company", "email", "message"]
    )
    required: Annotated[list[FieldName], Field(max_length=30)] = Field(
        default_factory=lambda: ["name", "email"]
    )
    origins: Annotated[list[Origin], Field(max_length=50)] = Field(default_factory=list)
    lead_source: str = "Form on the web"
    owner: str = ""
    team: str = ""
    service: str = ""
    per_hour: Number = Field(20, ge=1, le=10_000)
