"""With the setting on, an answer that its contract does not name becomes a logged 500."""

from typing import Any

import pytest

from skeldir.domain.errors import Conflict
from skeldir.http.boundary import Call
from skeldir.http.context import Reply
from tests.contract.serving import Response, ask, contract, operation, serve

CONTENT = {
    "application/json": {
        "schema": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
    }
}
RESPONSES = {
    "200": {
        "description": "Done.",
        "headers": {
            "X-Count": {"required": True, "schema": {"type": "integer", "minimum": 1}},
            "X-Correlation-ID": {"required": True, "schema": {"type": "string", "format": "uuid"}},
        },
        "content": CONTENT,
    },
    "204": {"description": "Nothing."},
    "500": {
        "description": "Failed.",
        "content": {"application/problem+json": {"schema": {"type": "object"}}},
    },
}


def answer(result: object, *, media_type: str = "application/json", on: bool = True) -> Response:
    def route(call: Call) -> Any:
        return call.run(lambda _: result, transaction="none", status=200, media_type=media_type)

    document = contract({"/x": {"get": operation("get", responses=RESPONSES)}})
    return ask(serve(document, {"get": route}, validate_responses=on), "GET", "/x")


def test_what_the_contract_names_passes() -> None:
    assert answer(Reply('{"n": 1}', headers={"X-Count": "1"})).status == 200
    assert answer(Reply(None, status=204)).status == 204


@pytest.mark.parametrize(
    ("result", "fault"),
    [
        (Reply('{"n": "x"}', headers={"X-Count": "1"}), "body.n is not of type"),
        (Reply('{"n": 1}'), "lacks the header x-count"),
        (Reply('{"n": 1}', headers={"X-Count": "0"}), "has a header x-count that its schema refuses"),
        (Reply('{"n": 1}', status=202), "has a status that the contract does not name"),
        (Reply(None, headers={"X-Count": "1"}), "is of media type none"),
        (Conflict("no"), "has a status that the contract does not name"),
    ],
)
def test_what_it_does_not_name_is_a_500_that_says_so(result: object, fault: str) -> None:
    response = answer(result)
    assert (response.status, response.json()["code"]) == (500, "invalid_response")
    assert fault in response.json()["detail"]
    assert " of get " in response.json()["detail"]


def test_another_media_type_is_a_500() -> None:
    response = answer(Reply('{"n": 1}', headers={"X-Count": "1"}), media_type="text/plain")
    assert response.json()["code"] == "invalid_response"


def test_without_the_setting_the_answer_goes_out_as_it_is() -> None:
    assert answer(Reply('{"n": "x"}'), on=False).status == 200


def test_a_refusal_that_the_contract_does_not_name_is_a_500_too() -> None:
    document = contract({"/x": {"get": operation("get", responses=RESPONSES)}})
    response = ask(serve(document, validate_responses=True), "GET", "/x?unknown=1")
    assert (response.status, response.json()["code"]) == (500, "invalid_response")
