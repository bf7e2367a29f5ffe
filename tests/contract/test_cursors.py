"""A cursor is good for the tenant, the operation and the filters that it was made for."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skeldir.domain.errors import MalformedRequest
from skeldir.http.cursors import make_cursor, read_cursor

TENANT = uuid4()
FILTERS = {"model": "linear", "order_id": None}


@given(st.lists(st.text(max_size=50), max_size=5))
def test_a_cursor_leads_back_to_where_it_was_made(position: list[str]) -> None:
    cursor = make_cursor(TENANT, "list", FILTERS, position)
    assert read_cursor(TENANT, "list", FILTERS, cursor) == position


def test_it_is_good_for_nothing_else() -> None:
    cursor = make_cursor(TENANT, "list", FILTERS, ["a", "1"])
    others = [
        (uuid4(), "list", FILTERS, cursor),
        (TENANT, "other", FILTERS, cursor),
        (TENANT, "list", FILTERS | {"order_id": "None"}, cursor),
        (TENANT, "list", FILTERS, cursor[:-1]),
        (TENANT, "list", FILTERS, ("B" if cursor[0] == "A" else "A") + cursor[1:]),
        (TENANT, "list", FILTERS, cursor + "AAAA"),
    ]
    for arguments in others:
        with pytest.raises(MalformedRequest) as raised:
            read_cursor(*arguments)
        assert [error.field for error in raised.value.errors] == ["query.cursor"]


@given(st.text(alphabet="ABCabc019_.-", min_size=1, max_size=200))
def test_anything_else_is_refused_and_nothing_breaks(cursor: str) -> None:
    with pytest.raises(MalformedRequest):
        read_cursor(TENANT, "list", FILTERS, cursor)
