"""JSON and NDJSON are what a JSON reader makes of the rows."""

import json
from datetime import date, datetime
from typing import Any

from skeldir.formats import objects
from skeldir.formats.tables import Row
from tests.formats.world import COLUMNS, rows, told


def as_rows(items: list[dict[str, Any]]) -> list[Row]:
    """Read objects back, whose keys must be the columns in their order."""
    assert all(list(item) == [column.name for column in COLUMNS] for item in items)
    return [
        (one["word"], one["cents"], date.fromisoformat(one["day"]), datetime.fromisoformat(one["at"]))
        for one in items
    ]


def test_a_document_holds_head_rows_and_tail() -> None:
    sent = rows(1_050)
    document = json.loads(
        told(objects.encode_document, sent, head={"model": "linear"}, tail=lambda: {"row_count": len(sent)})
    )
    assert list(document) == ["model", "data", "row_count"]
    assert as_rows(document["data"]) == sent
    assert document["row_count"] == 1_050


def test_a_document_of_no_rows_is_one_too() -> None:
    assert told(objects.encode_document, []) == b'{"data":[]}'
    assert (
        told(objects.encode_document, [], head={"a": 1}, tail=lambda: {"b": 2}) == b'{"a":1,"data":[],"b":2}'
    )


def test_each_line_is_an_object() -> None:
    sent = rows(1_050)
    written = told(objects.encode_lines, sent)
    assert written.endswith(b"\n")
    assert as_rows([json.loads(line) for line in written.decode().split("\n")[:-1]]) == sent
    assert told(objects.encode_lines, []) == b""
