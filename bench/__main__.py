"""Runs benchmarks: ``python -m bench [NAME ...] [--data FILE]``; without names, all of them.

``--data FILE`` names the export of a CRM that some of them need (the public "CRM Sales
Opportunities" sample, ``sales_pipeline.csv``); without it, these are left out, and said so. Each
benchmark runs in a process of its own, and can be run alone: ``python -m bench.startup_bench``.
"""

from __future__ import annotations

import argparse
import pkgutil
import subprocess
import sys

import bench

NEEDS_DATA = {"scale", "forecast"}


def names() -> list[str]:
    """Returns the names of all benchmarks: the modules that end in ``_bench``."""
    found = [module.name for module in pkgutil.iter_modules(bench.__path__)]
    return sorted(name.removesuffix("_bench") for name in found if name.endswith("_bench"))


def main() -> int:
    """Runs what the command line asks for; returns how many of them failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="*", help=", ".join(names()))
    parser.add_argument("--data", metavar="FILE", help="a CRM's export, for some of them")
    arguments = parser.parse_args()
    unknown = set(arguments.name) - set(names())
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(names())}")
    return sum(_run(name, arguments.data) for name in arguments.name or names())


def _run(name: str, data: str | None) -> bool:
    """Runs one benchmark; returns whether it failed."""
    if name in NEEDS_DATA and not data:
        print(f"\n### {name}: left out, it needs --data FILE", flush=True)
        return False
    command = [sys.executable, "-m", f"bench.{name}_bench"]
    if name in NEEDS_DATA and data:
        command.append(data)
    return subprocess.run(command, check=False).returncode != 0


if __name__ == "__main__":
    sys.exit(main())
