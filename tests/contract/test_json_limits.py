"""What is read of a JSON body has limits, and what is beyond them is refused by name."""

import json
from typing import Any

import pytest
from starlette.types import ASGIApp

from skeldir.http.json_text import DEPTH_MAX, UnreadableJson, read_json
from tests.contract.serving import ask, contract, operation, serve

BODY = {"required": True, "content": {"application/json": {"schema": {"type": ["object", "array"]}}}}
COUNT = {"type": "integer", "format": "int64"}
COUNTED = {"required": True, "content": {"application/json": {"schema": {"properties": {"count": COUNT}}}}}
DEEPEST = b"[" * DEPTH_MAX + b"]" * DEPTH_MAX


@pytest.fixture(scope="module")
def app() -> ASGIApp:
    paths = {
        "/any": {"post": operation("any", requestBody=BODY)},
        "/counted": {"post": operation("counted", requestBody=COUNTED)},
    }
    return serve(contract(paths), body_bytes_max=2_000_000)


def post(app: ASGIApp, body: bytes, path: str = "/any") -> Any:
    return ask(app, "POST", path, headers={"content-type": "application/json"}, body=body)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[" + DEEPEST + b"]", "too_deep"),
        (b'{"a":' * DEPTH_MAX + b"[]" + b"}" * DEPTH_MAX, "too_deep"),
        (b"[" * 5_000 + b"]" * 5_000, "too_deep"),
        (b"[" * 900_000, "too_deep"),
        (b"[1e400]", "number_too_large"),
        (b"[" + b"9" * 900_000 + b"]", "number_too_large"),
        (b"[NaN]", "invalid_json"),
        (b"[Infinity]", "invalid_json"),
        (b"[01]", "invalid_json"),
        (rb'["\ud800"]', "invalid_json"),
        (rb'["\udc00\ud800"]', "invalid_json"),
        (b'["\xff"]', "invalid_json"),
        (b"\xef\xbb\xbf[]", "invalid_json"),
        (b"[] []", "invalid_json"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_beyond_the_limits_is_refused_by_name(app: ASGIApp, body: bytes, code: str) -> None:
    refused = post(app, body)

    assert (refused.status, refused.fields()) == (400, {("body", code)})


def test_what_is_within_the_limits_is_read(app: ASGIApp) -> None:
    """Depth counts, not the number of brackets, nor brackets in texts."""
    wide = json.dumps([{"a": [[]]}] * 1_000).encode()
    quoted = json.dumps(["[" * 1_000, "]" * 1_000]).encode()

    assert [post(app, body).status for body in (DEEPEST, wide, quoted)] == [200, 200, 200]


@pytest.mark.parametrize(
    "number", ["9223372036854775808", "18446744073709551616", "-9223372036854775809", "1e30"]
)
def test_an_integer_beyond_64_bits_names_its_field(app: ASGIApp, number: str) -> None:
    refused = post(app, f'{{"count":{number}}}'.encode(), "/counted")

    assert refused.status == 400
    assert {field for field, _ in refused.fields()} == {"body.count"}


@pytest.mark.parametrize("number", ["-0", "9223372036854775807", "-9223372036854775808", "1.0"])
def test_any_64_bit_integer_is_read(app: ASGIApp, number: str) -> None:
    assert post(app, f'{{"count":{number}}}'.encode(), "/counted").status == 200


def test_of_equal_names_the_last_one_counts() -> None:
    assert read_json(b'{"a":1,"a":2}') == {"a": 2}


def test_the_limit_is_where_it_is_said_to_be() -> None:
    assert read_json(b"[" * (DEPTH_MAX - 1) + b'{"a":1}' + b"]" * (DEPTH_MAX - 1)) is not None
    with pytest.raises(UnreadableJson):
        read_json(b"[" * DEPTH_MAX + b'{"a":1}' + b"]" * DEPTH_MAX)
