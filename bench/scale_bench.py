"""A real export of a CRM from an empty target to a second run: time, processor time, memory.

Give the export's path: ``python -m bench.scale_bench FILE`` (the public "CRM Sales Opportunities"
sample: 8,800 opportunities). Each step is the real command in a process of its own.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.command import Cost, measure
from bench.sandbox_process import PASSWORD, USERNAME, SandboxProcess, sandbox_process
from bench.table import print_table

IMPORT = [
    "--name={customer}: {service}",
    "--date-format=%m/%d/%Y",
    "--currency=USD",
]


def main(export: str) -> None:
    """Prints a table with one row per step."""
    with TemporaryDirectory() as scratch, sandbox_process() as sandbox:
        folder = Path(scratch)
        _prepare(folder, sandbox)
        steps = {
            "import 8,800 rows": ["deals", "import", export, *IMPORT],
            "import them again": ["deals", "import", export, *IMPORT],
            "plan 5,827 projects": ["plan", "--out", "plan.json"],
            "apply them": ["run", "--allow", "create"],
            "second run": ["run"],
            "plan without change": ["plan"],
        }
        rows = []
        for name, arguments in steps.items():
            cost = _measure(folder, arguments)
            requests = sandbox.requests()
            writes = sum(m != "GET" and not path.endswith("/auth") for m, path in requests)
            rows.append(
                [name, cost.wall, cost.processor, round(cost.memory), len(requests), writes]
            )
    header = ["step", "wall, s", "processor, s", "peak memory, MB", "requests", "writes"]
    print_table("Scale, with a real export", header, rows)


def _prepare(folder: Path, sandbox: SandboxProcess) -> None:
    """Writes a configuration for the sandbox, and a mapping that takes old won deals as well."""
    _measure(folder, ["init", "."])
    config = (folder / "config.toml").read_text()
    config = config.replace("https://taiga.example.com", sandbox.url)
    config = config.replace('username = "pipeline-bot"', f'username = "{USERNAME}"')
    config = config.replace("concurrency = 2", "concurrency = 4")
    (folder / "config.toml").write_text(config)
    mapping = folder / "mappings" / "default.toml"
    text = mapping.read_text().replace("closed_within_days = 90", "closed_within_days = 100000")
    mapping.write_text(text)


def _measure(folder: Path, arguments: list[str]) -> Cost:
    return measure(folder, arguments, {"TAIGA_PASSWORD": PASSWORD})


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(str(Path(sys.argv[1]).resolve()))
