"""`python -m tests.bench SUITE [--quick]`: one suite, ours and the peers, as a table and a line of JSON."""

import argparse
import json
import os
import platform
from importlib import import_module
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from tests.bench.rows import Row

SUITES = ("http", "ingestion", "attribution", "conservation", "uncertainty", "reads", "export", "queue")
"""Each is a module of this package with `run(*, quick: bool) -> list[Row]`."""


def main() -> int:
    """Run a suite; the last line is JSON, the status 1 when a mark was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--quick", action="store_true", help="shorter and less exact, for a look")
    parser.add_argument("--large", action="store_true", help="attribution only: ten million events too")
    options = parser.parse_args()
    also = {"large": True} if options.large else {}
    rows: list[Row] = import_module(f"tests.bench.{options.suite}").run(quick=options.quick, **also)
    Console(width=110).print(_table(options.suite, rows))
    told = {"suite": options.suite, "machine": _machine(), "rows": [row.as_json() for row in rows]}
    print(json.dumps(told), flush=True)
    return 1 if any(row.met is False for row in rows) else 0


def _table(suite: str, rows: list[Row]) -> Table:
    table = Table(title=f"{suite} on {_machine()}")
    table.add_column("")
    for column in ("ours", "peer", "unit", "ratio", "mark"):
        table.add_column(column, justify="right")
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}x"
        table.add_row(row.name, _figure(row.ours), _figure(row.peer), row.unit, ratio, _mark(row))
    return table


def _mark(row: Row) -> str:
    if row.mark is None:
        return ""
    wanted = f"{row.mark:g}x" if row.mark_is_ratio else f"{row.mark:g}"
    return f"[green]{wanted} met[/]" if row.met else f"[red]{wanted} MISSED[/]"


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"


def _machine() -> str:
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in _lines(Path("/proc/cpuinfo"))
            if line.startswith("model name")
        ),
        platform.processor() or platform.machine(),
    )
    gigabytes = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} x {cpu}, {gigabytes:.0f} GiB, Python {platform.python_version()}"


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


if __name__ == "__main__":
    raise SystemExit(main())
