"""A real worker keeps personal data away: it does what privacy requests ask, and scans what is stored."""

from uuid import UUID

from skeldir.app import create_app
from skeldir.queue import messages
from skeldir.queue.sending import send
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers import privacy
from tests.handlers.privacy import JOURNEY, OURS, SESSION, SHOP
from tests.stored import smuggle, tables_with
from tests.workers.conftest import Worker, eventually


def test_a_delivered_redaction_is_done_by_a_worker(database: Database, worker: Worker) -> None:
    shop = privacy.traces(Api(create_app(get_settings())))

    assert shop.shopify("customers/redact", SHOP | {"orders_to_redact": [OURS]}).status_code == 200

    eventually(lambda: privacy.listed(shop, state="completed") or None)
    assert tables_with(database, [JOURNEY, SESSION], shop.tenant_id) == {}
    assert worker.process.poll() is None, worker.said()


def test_a_scan_by_a_worker_leaves_its_findings(database: Database, tenant: UUID, worker: Worker) -> None:
    """Of what somebody wrote who got past the walls."""
    smuggle(database, tenant, {"note": "write to jane.doe@example.com"})

    send(messages.scan_personal_data(tenant_id=tenant))

    def found() -> list[tuple[str, ...]] | None:
        with database.connect() as connection:
            rows = connection.execute(
                "SELECT table_name, path, kind FROM pii_findings WHERE tenant_id = %s", [tenant]
            ).fetchall()
        return rows or None

    assert eventually(found) == [("events", "payload.note", "email")]
    assert "jane.doe" not in worker.said()
