"""Forecasts replayed on a real export: scores against their targets, and the time it takes.

``python -m bench.forecast_bench sales_pipeline.csv`` with the opportunities of the public data set
"CRM Sales Opportunities" (columns opportunity_id, product, account, deal_stage, engage_date,
close_date, close_value). The file is imported and replayed by the commands that people use.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.table import print_table

IMPORT = (
    "--date-format=%m/%d/%Y",
    "--stage=Engaging=Proposal",
    "--stage=Prospecting=Lead",
    "--currency=USD",
    "--name={customer}: {service}",
)
BRIER_AT_MOST = {30: 0.115, 60: 0.177, 90: 0.206}
COVERED = (0.74, 0.88)
BIAS_AT_MOST = 0.10
SECONDS_AT_MOST = 60.0


def main() -> int:
    """Prints the scores; returns 1 if a target was missed."""
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    with TemporaryDirectory() as folder:
        run(folder, "init", ".", "--taiga-url=http://localhost", "--username=bench")
        run(folder, "deals", "import", str(Path(sys.argv[1]).resolve()), *IMPORT)
        begun = time.perf_counter()
        scores = json.loads(run(folder, "forecast", "--backtest", "--json"))
        seconds = time.perf_counter() - begun
    checks = [check for each in scores["horizons"] for check in checks_of(each)]
    checks.append(("seconds", seconds, f"<= {SECONDS_AT_MOST:.0f}", seconds <= SECONDS_AT_MOST))
    rows = [
        [name, f"{value:.3f}", target, "yes" if met else "NO"]
        for name, value, target, met in checks
    ]
    title = f"{scores['forecasts']} forecasts, {scores['first']} to {scores['last']}"
    print_table(title, ["figure", "measured", "target", "met"], rows)
    return 0 if all(met for *_, met in checks) else 1


def run(folder: str, *arguments: str) -> str:
    """Runs a command of the program in a folder; returns its stdout."""
    command = [sys.executable, "-m", "taiga_pipeline", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def checks_of(horizon: dict[str, Any]) -> list[tuple[str, float, str, bool]]:
    """Returns the figures of a horizon with their targets and whether these are met."""
    days, limit = horizon["days"], BRIER_AT_MOST[horizon["days"]]
    brier = horizon["forecast"]["brier"]
    checks = [(f"Brier, {days} days", brier, f"<= {limit}", brier <= limit)]
    for name in ("base_rate", "stage_probabilities"):
        other = horizon[name]["brier"]
        checks.append((f"Brier of {name}, {days} days", other, "beaten", brier < other))
    low, high = COVERED
    for name, part in (("wins", horizon["wins"]), ("value", horizon["value"]["USD"])):
        share = round(part["open"]["covered"], 2)
        target = f"{low} to {high}"
        checks.append((f"80 % range of {name}, {days} days", share, target, low <= share <= high))
    if days == 90:
        ratio = horizon["wins"]["open"]["ratio"]
        met = abs(ratio - 1) <= BIAS_AT_MOST
        checks.append((f"expected / actual wins, {days} days", ratio, "0.90 to 1.10", met))
    return checks


if __name__ == "__main__":
    sys.exit(main())
