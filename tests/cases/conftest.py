"""What the cases share: a folder, a program to run in it."""

from tests.cli.conftest import environment, run

__all__ = ["environment", "run"]
