"""What every way out is (see `sync.ways_out`), and the one that whoever opens a store needs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WayOut:
    """One thing that a person can do."""


@dataclass(frozen=True, slots=True)
class Upgrade(WayOut):
    """Install a newer version of this program."""
