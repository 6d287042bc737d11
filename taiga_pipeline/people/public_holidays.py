"""Public holidays from the library ``holidays`` (the extra ``planning``)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from functools import cache

import holidays

from taiga_pipeline.people.calendar import UnknownCountry
from taiga_pipeline.problems import did_you_mean


def public_holidays(country: str, years: Collection[int]) -> Collection[date]:
    """Returns the days that are free for everyone in a country, in some years.

    ``country`` is an ISO 3166 code, for a part of a country with the part: ``DE-BY``.

    :raises UnknownCountry: there is no such country or part.
    """
    code, _, part = country.partition("-")
    known = _known_countries()
    if code not in known:
        raise UnknownCountry(
            f"no public holidays are known for the country {country!r}{did_you_mean(code, known)}"
        )
    if part and part not in known[code]:
        parts = ", ".join(known[code]) or "none"
        raise UnknownCountry(
            f"no public holidays are known for {country!r}; parts of {code}: {parts}"
        )
    return list(holidays.country_holidays(code, subdiv=part or None, years=set(years)))


@cache
def _known_countries() -> Mapping[str, list[str]]:
    return holidays.list_supported_countries()
