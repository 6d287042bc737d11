"""Made-up deals in normal form, with the oddest text that may be stored."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import strategies as st

from taiga_pipeline.pipeline.fields.field import DealField, Kind
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.model import Contact, ContactPart, Deal, Note, RoleDemand
from taiga_pipeline.pipeline.notes import newest_first
from taiga_pipeline.pipeline.text import block, line

OWN = BUILT_IN.with_own(
    DealField(name, Kind.TEXT, name, column=place, headers=name, is_own=True)
    for place, name in enumerate(("region", "segment"), start=100)
)
"""The table with two fields of the user's own."""

_odd = st.sampled_from(
    ["=1+1", "'=x", "''", "@cmd", "-5", "+46", "a;b", 'say "hi"', "x|y", "\\", "å\\;", "a,b", "]"]
)
_characters = st.characters(exclude_categories=("Cs",), exclude_characters="\0")
_texts = st.one_of(st.text(_characters, max_size=12), _odd)
lines = _texts.map(line).filter(bool)
maybe_lines = _texts.map(line)
blocks = st.one_of(_texts, st.lists(_texts, max_size=3).map("\r\n".join)).map(block)
_hours = st.decimals("0.01", 400, places=2)
roles = st.builds(
    RoleDemand,
    lines,
    _hours,
    st.integers(1, 520),
    st.integers(0, 520),
    st.lists(lines, max_size=2).map(tuple),
)
_moments = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=0)
)
notes = st.builds(Note, blocks.filter(bool), _moments, maybe_lines)
logs = st.lists(notes, max_size=3, unique=True).map(newest_first)
contacts = st.builds(Contact, lines, maybe_lines, maybe_lines, st.sampled_from(ContactPart))
_dates = st.none() | st.dates(date(1990, 1, 1), date(2100, 1, 1))
_times = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
deals = st.builds(
    Deal,
    key=lines,
    name=lines,
    customer=maybe_lines,
    stage=maybe_lines,
    value=st.none() | st.decimals(0, 10**12, places=4),
    currency=st.sampled_from(["", "EUR", "SEK"]),
    probability=st.none() | st.decimals(0, 1, places=3).map(lambda p: min(p, Decimal(1))),
    engaged_on=_dates,
    expected_close=_dates,
    start=_dates,
    closed_on=_dates,
    owner=maybe_lines,
    team=maybe_lines,
    service=maybe_lines,
    lead_source=maybe_lines,
    lost_reason=maybe_lines,
    notes=logs,
    contacts=st.lists(contacts, max_size=2).map(tuple),
    roles=st.lists(roles, max_size=2).map(tuple),
    done=st.frozensets(lines, max_size=2),
    stage_since=_times,
    updated_at=_times,
    next_step=maybe_lines,
    next_step_on=_dates,
    next_step_by=maybe_lines,
    part_of=maybe_lines,
    own=st.dictionaries(st.sampled_from([field.name for field in OWN.own]), lines, max_size=2),
)
