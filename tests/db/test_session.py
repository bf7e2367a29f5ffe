"""What `tenant_session` promises."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from skeldir.db.session import TokenCheck, lookup_session, tenant_session
from skeldir.domain.errors import Unauthorized
from tests.conftest import Database

ADD = text("INSERT INTO orders (order_id, journey_id, ordered_at) VALUES (:id, 'journey', now())")
COUNT = text("SELECT count(*) FROM orders")


def orders_of(tenant_id: UUID) -> int:
    with tenant_session(tenant_id, read_only=True) as session:
        return session.execute(COUNT).scalar_one()


def test_a_clean_exit_commits(tenant: UUID) -> None:
    with tenant_session(tenant) as session:
        session.execute(ADD, {"id": "1"})

    assert orders_of(tenant) == 1


def test_a_raise_rolls_back(tenant: UUID) -> None:
    with pytest.raises(ZeroDivisionError), tenant_session(tenant) as session:
        session.execute(ADD, {"id": "1"})
        raise ZeroDivisionError

    assert orders_of(tenant) == 0
