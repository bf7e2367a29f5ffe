"""The scan looks at every text from outside, tells where something personal is, and goes on where it was."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import ARRAY, CHAR, String
from sqlalchemy.dialects.postgresql import JSONB

from skeldir.db.schema import METADATA
from skeldir.db.session import tenant_session
from skeldir.repository import pii_scans
from skeldir.repository.pii_scans import SCANNED, Step
from tests.conftest import Database
from tests.db.rows import ROWS

EMAIL = "jane.doe@example.com"
# Columns that hold nothing from outside, with what they hold.
OURS = {
    "closed lists": {
        "access": ("memberships.role", "memberships.status", "webhook_endpoints.vendor"),
        "deliveries": ("deliveries.vendor", "deliveries.outcome", "deliveries.reason_code", "events.vendor"),
        "facts": ("facts.source", "facts.authority", "facts.kind", "order_links.authority"),
        "ledger": ("ledger_entries.kind", "ledger_entries.source", "allocations.channel_code"),
        "models": ("allocations.model_version", "allocations.fallback", "orders.hint_channel_code"),
        "jobs": ("recompute_jobs.model", "recompute_jobs.model_version", "recompute_jobs.status"),
        "spend": ("ad_spend.channel_code", "ad_spend_changes.channel_code", "ad_spend_imports.media_type"),
        "performance": (
            "performance_days.model_version",
            "performance_days.channel_code",
            "performance_versions.model_version",
            "counted_days.model_version",
            "counted_performance.model_version",
            "counted_performance.channel_code",
        ),
        "intervals": (
            "interval_estimates.model",
            "interval_estimates.model_version",
            "channel_intervals.channel_code",
        ),
        "letters": ("dead_letters.vendor", "dead_letters.reason_code", "dead_letters.status"),
        "attempts": ("dead_letter_attempts.outcome", "dead_letter_attempts.reason_code"),
        "retention": ("retention_runs.policy", "retention_runs.table_name", "retention_runs.action"),
        "privacy": ("privacy_requests.kind", "privacy_requests.vendor", "privacy_requests.state"),
        "changes": ("endpoint_changes.action", "recompute_jobs.last_outcome", "touchpoints.channel_code"),
        "channels": ("channel_rules.channel_code", "channel_rules.click_id", "touchpoints.click_id"),
        "shares": ("unknown_shares.level",),
        "states": ("tenant_channels.state", "channel_transitions.from_state", "channel_transitions.to_state"),
        "corrections": ("channel_corrections.from_channel", "channel_corrections.to_channel"),
        "codes": ("tenant_channels.code", "channel_transitions.code"),
        "walks": ("reclassifications.table_name", "reclassifications.after_key"),
        "findings": ("pii_findings.table_name", "pii_findings.column_name", "pii_findings.kind"),
    },
    "digests, key ids and names of our own": {
        "digests": ("dead_letters.contract_digest", "recompute_jobs.fingerprint", "pii_findings.row_key"),
        "contents": ("ad_spend_imports.content_digest",),
        "fingerprints": ("interval_estimates.fingerprint",),
        "keys": ("webhook_secrets.sealing_key_id", "webhook_endpoints.key_hint"),
        "names": (
            "task_effects.task_name",
            "idempotency_keys.operation",
            "pii_scans.table_name",
            "rate_limits.bucket",
        ),
        "counts": ("privacy_requests.row_counts", "order_digests.days"),
        "closings": ("ledger_closings.kinds", "ledger_closings.orders", "ledger_closings.awaited"),
        "choices": (
            "attribution_settings.default_model",
            "attribution_settings.custom_weights",
            "attribution_settings.position_weights",
            "attribution_backfills.model",
            "attribution_backfills.model_version",
            "attribution_backfills.parameters",
            "model_fits.model",
            "model_fits.weights",
            "model_fits.weights_digest",
            "model_fits.grouped_channels",
            "recompute_jobs.parameters",
        ),
        "summaries": (
            "channel_days.model_version",
            "channel_days.channel_code",
            "waiting_entries.model_version",
            "summarised_versions.model_version",
        ),
        "exports": (
            *("worker_failed_jobs.task_name", "worker_failed_jobs.queue", "worker_failed_jobs.arguments"),
            *("worker_failed_jobs.error_type", "worker_failed_jobs.error_kind"),
            *("worker_failed_jobs.error_place", "worker_failed_jobs.status"),
            *("export_manifests.dataset", "export_manifests.format", "export_manifests.status"),
            *("export_manifests.model", "export_manifests.model_version", "export_manifests.channels"),
            *("export_manifests.mode", "export_manifests.sha256", "export_manifests.totals"),
        ),
        "places": ("pii_findings.path", "pii_scans.after_key"),
        "answers of ours": ("idempotency_keys.headers",),
    },
}


@pytest.fixture
def superuser(database: Database, tenant: UUID) -> Iterator[psycopg.Connection]:
    """Connect as one whom no wall stops: neither triggers nor policies."""
    with database.connect() as connection:
        connection.execute(f"SET app.current_tenant_id = '{tenant}'")
        connection.execute("SET session_replication_role = 'replica'")
        yield connection


def plant(connection: psycopg.Connection, table: str, **changes: Any) -> None:
    """Insert a row of a table as somebody would who got past every wall."""
    # Its own entry: the check of sums, when it looks as a superuser, would find these beside others' later.
    own = {"entry_id": uuid4()} if table == "allocations" else {}
    row = ROWS[table] | own | changes
    names = sql.SQL(", ").join(map(sql.Identifier, row))
    values = sql.SQL(", ").join(sql.Placeholder() * len(row))
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(sql.Identifier(table), names, values)
    connection.execute(statement, list(row.values()))


def scan(tenant: UUID, database: Database, rows_max: int = 1_000) -> list[Step]:
    """Scan a tenant to the end, each step in its own transaction as the worker's login."""
    steps: list[Step] = []
    while not steps or not steps[-1].is_over:
        with tenant_session(tenant, engine=database.engine("app_worker")) as session:
            steps.append(pii_scans.step(session, rows_max))
    return steps


def findings(connection: psycopg.Connection, tenant: UUID) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT table_name, column_name, path, kind FROM pii_findings WHERE tenant_id = %s ORDER BY 1, 2, 3",
        [tenant],
    ).fetchall()


def test_every_text_column_is_scanned_or_holds_nothing_from_outside() -> None:
    """A new column fails here until somebody decides which it is."""
    texts = {
        f"{table.name}.{column.name}"
        for table in METADATA.tables.values()
        if "tenant_id" in table.columns and table.name != "tenants"
        for column in table.columns
        if isinstance(column.type, String | JSONB | ARRAY)
        and not (isinstance(column.type, CHAR) and column.type.length == 3)
    }
    scanned = {f"{table}.{column}" for table, of in SCANNED.items() for column in of.columns()}
    ours = {name for reasons in OURS.values() for names in reasons.values() for name in names}

    assert scanned | ours == texts
    assert not scanned & ours


@pytest.mark.parametrize("table", sorted(SCANNED))
def test_each_scanned_column_is_really_looked_at(
    database: Database, superuser: psycopg.Connection, tenant: UUID, table: str
) -> None:
    of = SCANNED[table]
    planted: dict[str, Any] = dict.fromkeys(of.texts, f"for {EMAIL}")
    planted |= {column: Jsonb({"deep": [{"customer_email": "x"}]}) for column in of.documents}
    planted |= {column: ["1001", EMAIL] for column in of.lists}
    fitting = {"status": "abandoned"} if table == "dead_letters" else {}
    plant(superuser, table, **planted, **fitting)

    scan(tenant, database)

    found = findings(superuser, tenant)
    expected = {(table, column, column, "email") for column in of.texts}
    expected |= {(table, column, f"{column}.deep[].customer_email", "key") for column in of.documents}
    expected |= {(table, column, f"{column}[]", "email") for column in of.lists}
    assert set(found) == expected
    keys = superuser.execute("SELECT row_key FROM pii_findings WHERE tenant_id = %s", [tenant]).fetchall()
    assert not [key for (key,) in keys if EMAIL in key]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (EMAIL, "email"),
        ("joe%40example.com", "email"),
        ("+1 415 555 2671", "phone"),
        ("(415) 555-2671", "phone"),
        ("078-05-1120", "ssn"),
        ("4111 1111 1111 1111", "card"),
        ("203.0.113.77", "ip"),
        ("2001:db8::1", "ip"),
    ],
)
def test_a_finding_names_the_kind(
    database: Database, superuser: psycopg.Connection, tenant: UUID, value: str, kind: str
) -> None:
    plant(superuser, "touchpoints", source=value, touchpoint_id=uuid4())
    plant(superuser, "events", payload=Jsonb({"a": {"b": ["x", value]}}), event_id=uuid4())

    scan(tenant, database)

    assert findings(superuser, tenant) == [
        ("events", "payload", "payload.a.b[]", kind),
        ("touchpoints", "source", "source", kind),
    ]


def test_ids_and_what_the_wall_lets_pass_are_not_found(
    database: Database, superuser: psycopg.Connection, tenant: UUID
) -> None:
    """One 13-digit id in ten looks like a card's number."""
    plant(superuser, "orders", order_id="4111111111111111", hint_campaign_id="23851234567890123")
    plant(superuser, "facts", order_key="4222222222222", reference="ch_3MmlLrLkdIwHu7ix0snN0B15")
    plant(superuser, "privacy_requests", order_ids=["4111111111111111", "4222222222222"])
    plant(superuser, "events", payload=Jsonb({"receipt_email": None, "id": "4111111111111111"}))
    plant(superuser, "touchpoints", session_id="1234567890.1699999999", campaign_id="black-friday")

    steps = scan(tenant, database)

    assert findings(superuser, tenant) == []
    assert sum(step.row_count for step in steps) == 5


def test_a_second_scan_adds_nothing_and_other_tenants_are_not_its_business(
    database: Database, superuser: psycopg.Connection, tenant: UUID
) -> None:
    plant(superuser, "events", payload=Jsonb({"note": EMAIL}))
    plant(superuser, "events", payload=Jsonb({"note": EMAIL}), tenant_id=uuid4())

    assert [sum(step.finding_count for step in scan(tenant, database)) for _ in range(2)] == [1, 0]


def test_a_scan_goes_on_where_it_was_and_looks_at_each_row_once(
    database: Database, superuser: psycopg.Connection, tenant: UUID
) -> None:
    for number in range(7):
        plant(superuser, "events", event_id=uuid4(), payload=Jsonb({"note": EMAIL if number % 2 else "x"}))
        plant(superuser, "order_links", payment_key=f"pi_{number % 3}", order_id=str(number))

    steps = scan(tenant, database, rows_max=2)

    assert sum(step.row_count for step in steps) == 14
    assert sum(step.finding_count for step in steps) == 3
    assert max(step.row_count for step in steps) == 2
    total = superuser.execute("SELECT row_count FROM pii_scans WHERE tenant_id = %s", [tenant]).fetchone()
    assert total == (14,)


def test_two_scans_at_once_are_one(database: Database, superuser: psycopg.Connection, tenant: UUID) -> None:
    plant(superuser, "events", payload=Jsonb({"note": EMAIL}))
    engine = database.engine("app_worker")
    with tenant_session(tenant, engine=engine) as session:
        pii_scans.step(session, 1)
    with tenant_session(tenant, engine=engine) as first:
        pii_scans.step(first, 1)
        with tenant_session(tenant, engine=engine) as second:
            assert pii_scans.step(second, 1) == Step(0, 0, is_over=True)


def test_findings_cannot_be_changed(database: Database, superuser: psycopg.Connection, tenant: UUID) -> None:
    plant(superuser, "events", payload=Jsonb({"note": EMAIL}))
    scan(tenant, database)
    superuser.execute("SET session_replication_role = 'origin'")

    with pytest.raises(psycopg.errors.RestrictViolation):
        superuser.execute("DELETE FROM pii_findings")
