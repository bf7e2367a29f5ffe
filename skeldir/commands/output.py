"""How commands answer: one JSON object for scripts, or lines and tables for people."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Record = Mapping[str, Any]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]

TABLE_EDGES = 3  # what rich adds to each column's width


def show(facts: Record, *, as_json: bool, note: str | None = None) -> None:
    """Print facts; a list of records among them comes after the others."""
    if as_json:
        typer.echo(json.dumps(facts, default=str))
        return
    console = Console()
    _print_lines(console, {name: value for name, value in facts.items() if not isinstance(value, list)})
    for name, value in facts.items():
        if isinstance(value, list):
            _print_records(console, name, value)
    if note:
        console.print(f"\n{note}", style="yellow", highlight=False)


def _print_lines(console: Console, facts: Record) -> None:
    """Print one fact on each line, never wrapped: keys and addresses are there to be copied."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        label = f"[bold]{_words(name).ljust(width)}[/bold]"
        console.print(f"{label}  {escape(str(value))}", soft_wrap=True, highlight=False)


def _print_records(console: Console, name: str, records: Sequence[Record]) -> None:
    """Print a table if it fits, otherwise each record as lines of its own."""
    console.print(f"\n[bold]{_words(name)}[/bold]" + ("" if records else ": none yet"))
    if not records:
        return
    rows = [{column: str(value) for column, value in record.items()} for record in records]
    columns = {column: max(len(column), *(len(row[column]) for row in rows)) for column in rows[0]}
    if sum(columns.values()) + TABLE_EDGES * len(columns) < console.width:
        table = Table(*map(_words, columns))
        for row in rows:
            table.add_row(*map(escape, row.values()))
        console.print(table, highlight=False)
        return
    for row in rows:
        console.print()
        _print_lines(console, row)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
