"""The fixtures of the command line's tests: a folder, the program, a small Taiga."""

from __future__ import annotations

from tests.cli.conftest import environment, run, sample, taiga

__all__ = ["environment", "run", "sample", "taiga"]
