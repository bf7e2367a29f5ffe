"""A body may be told as CSV where the contract says so: the same value, judged by the same schema."""

import json
from typing import Any

import pytest

from skeldir.http.parameters import UnservableContract
from tests.contract.serving import Response, ask, contract, operation, serve

ROW = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "count"],
    "properties": {
        "name": {"$ref": "#/components/schemas/Name"},
        "count": {"type": "integer", "minimum": 0},
        "price": {"type": "string", "pattern": r"^[0-9.]+$"},
        "is_new": {"type": "boolean"},
    },
}
TABLE = {
    "type": "object",
    "required": ["rows"],
    "properties": {"rows": {"type": "array", "minItems": 1, "maxItems": 500, "items": ROW}},
}
NAME = {"type": "string", "minLength": 1, "maxLength": 50}
COMPONENTS = {"schemas": {"Table": TABLE, "Name": NAME}}
JSON_BODY = {"application/json": {"schema": {"$ref": "#/components/schemas/Table"}}}
CSV_BODY = {"text/csv": {"x-rows": "rows", "schema": {"type": "string"}}}


def shelf(content: Any) -> Any:
    taking = operation("fillShelf", requestBody={"required": True, "content": content})
    return contract({"/shelf": {"post": taking}}, components=COMPONENTS)


APP = serve(shelf(JSON_BODY | CSV_BODY))


def post(body: str | bytes, content_type: str = "text/csv") -> Response:
    sent = body if isinstance(body, bytes) else body.encode()
    return ask(APP, "POST", "/shelf", headers={"content-type": content_type}, body=sent)


def rows(body: str | bytes) -> Any:
    reply = post(body)
    assert reply.status == 200, reply.body
    return reply.json()["body"]["rows"]


def test_a_table_is_read_as_the_json_value_that_it_tells() -> None:
    """Columns come in any order, numbers and truth values are read, text that looks like one stays text."""
    told = rows("count,price,name,is_new\r\n3,12,007,true\r\n0,,x,\r\n")
    assert told == [
        {"name": "007", "count": 3, "price": "12", "is_new": True},
        {"name": "x", "count": 0},
    ]


@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("end", ["", "{0}", "{0}{0}"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_say_nothing(newline: str, end: str, mark: str) -> None:
    """Spreadsheets of every system write the same table."""
    told = mark + newline.join(["name,count", "a,1", "b,2"]) + end.format(newline)
    assert rows(told) == [{"name": "a", "count": 1}, {"name": "b", "count": 2}]


def test_quoted_cells_hold_anything() -> None:
    """Commas, doubled quotes and line ends stand in quotes; what looks like a formula is a text."""
    told = rows('name,count\n"a, ""b""\r\nc",1\n=1+1,2\n"-x",3\n')
    assert [row["name"] for row in told] == ['a, "b"\r\nc', "=1+1", "-x"]


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        ("name", {("body.header", "missing_column")}),
        ("name,count,colour", {("body.header.2", "unknown_column")}),
        ("name,count,name", {("body.header.2", "repeated")}),
        ("Name,count", {("body.header.0", "unknown_column"), ("body.header", "missing_column")}),
        ("name;count", {("body.header.0", "unknown_column"), ("body.header", "missing_column")}),
        ("", {("body.header", "missing_column")}),
    ],
)
def test_a_wrong_header_is_refused_by_name(header: str, fields: set[tuple[str, str]]) -> None:
    """Nothing is guessed: a column is known, or it is named."""
    reply = post(f"{header}\na,1\n")
    assert (reply.status, reply.fields()) == (400, fields)


def test_what_is_wrong_with_rows_is_named_by_row_and_column() -> None:
    """The schema judges each cell as it judges JSON; thousands separators and signs are no integers."""
    reply = post('name,count\na,1\nb,-1\nc,x\n,4\nd,"1,000"\ne,1.0\nf,1e3\n')
    assert reply.status == 400
    assert reply.fields() == {
        ("body.rows.1.count", "minimum"),
        ("body.rows.3.name", "required"),
        *((f"body.rows.{row}.count", "type") for row in (2, 4, 5, 6)),
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("name,count\na,1\nb,2,3\n", ("body.rows.1", "wrong_number_of_cells")),
        ("name,count\na\n", ("body.rows.0", "wrong_number_of_cells")),
        ('name,count\n"a,1\n', ("body", "malformed_csv")),
        ('name,count\n"a"b,1\n', ("body", "malformed_csv")),
        (b"name,count\n\xff,1\n", ("body", "encoding")),
        ("name,count\n", ("body.rows", "min_items")),
    ],
)
def test_what_is_no_table_is_refused(body: str | bytes, field: tuple[str, str]) -> None:
    """Ragged rows, broken quotes, another encoding and a table without rows each have their name."""
    reply = post(body)
    assert (reply.status, reply.fields()) == (400, {field})


def test_faults_are_told_in_bounded_number() -> None:
    """A thousand wrong rows or columns are a hundred errors."""
    assert len(post("name,count\n" + "a\n" * 1000).json()["errors"]) == 100
    assert len(post(",".join(["name"] * 100_000)).json()["errors"]) == 100
    assert len(post("name,count\n" + "a,x\n" * 400).json()["errors"]) == 100


def test_json_is_still_json_and_nothing_else_is_taken() -> None:
    """The media type decides; a type that the contract does not name is 415 and says which it takes."""
    body = json.dumps({"rows": [{"name": "a", "count": 1}]})
    assert post(body, "application/json").status == 200
    assert post("name,count\na,1", "text/csv; charset=utf-8; header=present").status == 200
    refused = post(body, "text/csv; charset=latin-1")
    assert (refused.status, refused.headers["accept-post"]) == (415, "application/json, text/csv")


@pytest.mark.parametrize(
    "content",
    [
        CSV_BODY,
        JSON_BODY | {"text/csv": {"schema": {"type": "string"}}},
        JSON_BODY | {"text/csv": {"x-rows": "columns", "schema": {"type": "string"}}},
        JSON_BODY | {"text/plain": {"schema": {"type": "string"}}},
    ],
)
def test_a_contract_whose_table_says_nothing_is_not_served(content: Any) -> None:
    """The process stops at start-up: a table without its JSON form, or rows that no property holds."""
    with pytest.raises(UnservableContract, match="fillShelf"):
        serve(shelf(content))
