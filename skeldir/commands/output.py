"""How commands answer: one JSON object for scripts, or tables for people."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

Record = Mapping[str, Any]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]


def show(facts: Record, *, as_json: bool, note: str | None = None) -> None:
    """Print facts; a list of records among them becomes a table of its own, after the others."""
    if as_json:
        typer.echo(json.dumps(facts, default=str))
        return
    console = Console(soft_wrap=True)
    console.print(_pairs({name: value for name, value in facts.items() if not isinstance(value, list)}))
    for name, value in facts.items():
        if isinstance(value, list):
            console.print(_table(name, value))
    if note:
        console.print(note, style="yellow", highlight=False)


def _pairs(facts: Record) -> Table:
    table = Table(show_header=False, box=None)
    table.add_column(style="bold")
    table.add_column(overflow="fold")  # a key cut short is worth nothing
    for name, value in facts.items():
        table.add_row(_words(name), str(value))
    return table


def _table(name: str, records: Sequence[Record]) -> Table:
    table = Table(title=_words(name), title_justify="left", caption=None if records else "none yet")
    for column in records[0] if records else ():
        table.add_column(_words(column), overflow="fold")
    for record in records:
        table.add_row(*(str(value) for value in record.values()))
    return table


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
