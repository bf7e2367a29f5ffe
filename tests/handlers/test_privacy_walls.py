"""Only the eraser takes anything out of facts, only by its function, and nothing that is money."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from skeldir.app import create_app
from skeldir.db.engine import get_engine
from skeldir.db.session import tenant_session
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.privacy import (
    JOURNEY,
    OURS,
    hinted,
    redact,
    traces,
)
from tests.handlers.webhooks import Shop, open_shop
from tests.stored import tables_with


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def shop(api: Api) -> Shop:
    return traces(api)


CHANGES = (
    "UPDATE events SET payload = '{}'",
    "UPDATE order_hints SET journey_id = 'x'",
    "UPDATE touchpoints SET journey_id = 'x'",
    "UPDATE dead_letters SET payload = NULL",
    "DELETE FROM erased_orders",
    "SELECT skeldir_eraser.erase('{1}', '{}', NULL)",
)


@pytest.mark.parametrize("change", CHANGES)
def test_the_service_cannot_erase_by_itself(shop: Shop, change: str) -> None:
    with (
        pytest.raises((ProgrammingError, IntegrityError), match=r"permission denied|is refused"),
        tenant_session(shop.tenant_id) as session,
    ):
        session.execute(text(change))


@pytest.mark.parametrize("change", CHANGES[:5])
def test_a_worker_erases_by_the_function_alone(shop: Shop, change: str) -> None:
    engine = get_engine("app_worker")
    with (
        pytest.raises((ProgrammingError, IntegrityError), match=r"permission denied|is refused"),
        tenant_session(shop.tenant_id, engine=engine) as session,
    ):
        session.execute(text(change))


@pytest.mark.parametrize(
    "change", [*CHANGES[:2], "UPDATE ledger_entries SET amount_cents = 0", "DELETE FROM events"]
)
@pytest.mark.parametrize("role", ["skeldir_owner", "postgres"])
def test_neither_the_owner_nor_a_superuser_can_change_a_fact(
    database: Database, shop: Shop, role: str, change: str
) -> None:
    with database.connect() as connection, connection.transaction():
        if role != "postgres":
            connection.execute(f"SET LOCAL ROLE {role}")
        connection.execute(f"SET LOCAL app.current_tenant_id = '{shop.tenant_id}'")
        with pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute(change)


@pytest.mark.parametrize(
    "change",
    ["UPDATE events SET order_id = '2'", "UPDATE order_hints SET source = 'x'", "DELETE FROM events",
     "UPDATE ledger_entries SET amount_cents = 0", "UPDATE facts SET amount_cents = 0",
     "UPDATE orders SET ordered_at = now()", "UPDATE dead_letters SET status = 'resolved'"],
)  # fmt: skip
def test_the_erasers_own_role_cannot_touch_money(database: Database, shop: Shop, change: str) -> None:
    with database.connect() as connection, connection.transaction():
        connection.execute("SET LOCAL ROLE skeldir_eraser")
        connection.execute(f"SET LOCAL app.current_tenant_id = '{shop.tenant_id}'")
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.RestrictViolation)):
            connection.execute(change)


def test_an_erasure_ends_at_its_tenants_wall(database: Database, shop: Shop, api: Api) -> None:
    other = open_shop(api)
    other.shopify("orders/paid", hinted(OURS, JOURNEY))

    redact(shop, OURS)

    assert "events" in tables_with(database, [JOURNEY], other.tenant_id)
    engine = get_engine("app_worker")
    with tenant_session(shop.tenant_id, engine=engine) as session:
        session.execute(text("SELECT skeldir_eraser.erase(ARRAY[:key], '{}', 'shopify')"), {"key": str(OURS)})
    assert "events" in tables_with(database, [JOURNEY], other.tenant_id)
