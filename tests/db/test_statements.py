"""Queries that are sent past the toolkit."""

from uuid import UUID

import pytest
from psycopg.errors import DivisionByZero
from sqlalchemy import text

from skeldir.db.session import tenant_session
from skeldir.db.statements import fetch_all

QUERY = text("""
    SELECT CAST(:later AS integer) - CAST(:earlier AS integer), CAST(:later AS integer),
           'a%b'::text LIKE 'a\\%b', '10\\:15', number
      FROM generate_series(CAST(:earlier AS integer), :later) AS number
     ORDER BY number DESC
""")

PREPARED = text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%generate_series%'")
NOBODY = text("SELECT order_id FROM orders")
IMPOSSIBLE = text("SELECT 1 / CAST(:none AS integer)")


def test_a_query_means_the_same_past_the_toolkit(tenant: UUID) -> None:
    """Whatever order its parameters are given in and named in, and with all that is no parameter in it."""
    asked = {"unasked": None, "earlier": 3, "later": 5}
    with tenant_session(tenant, read_only=True) as session:
        assert fetch_all(session, QUERY, asked) == [
            tuple(row) for row in session.execute(QUERY, {"earlier": 3, "later": 5})
        ]
        assert [row[-1] for row in fetch_all(session, QUERY, asked)] == [5, 4, 3]


def test_a_query_without_parameters_needs_none_and_may_find_nothing(tenant: UUID) -> None:
    """As a tenant's first page does."""
    with tenant_session(tenant, read_only=True) as session:
        assert fetch_all(session, NOBODY) == []


def test_a_transaction_in_which_such_a_query_failed_is_not_committed(tenant: UUID) -> None:
    """Also when whoever asked did not mind."""
    refused = pytest.raises(RuntimeError, match="a statement failed")
    with refused, tenant_session(tenant) as session, pytest.raises(DivisionByZero):
        fetch_all(session, IMPOSSIBLE, {"none": 0})


def test_a_transaction_that_nobody_used_costs_no_prepared_statement(tenant: UUID) -> None:
    """It is committed like any other: the driver forgets what is prepared when it rolls back."""
    for _ in range(10):
        with tenant_session(tenant, read_only=True) as session:
            fetch_all(session, QUERY, {"earlier": 3, "later": 5})
    with tenant_session(tenant, read_only=True):
        pass
    with tenant_session(tenant, read_only=True) as session:
        assert fetch_all(session, PREPARED) == [(1,)]
