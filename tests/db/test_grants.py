"""Who may do what: the roles, the exact grants, and the functions that look across tenants."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.conftest import Database

LETTERS = {"SELECT": "S", "INSERT": "I", "UPDATE": "U", "DELETE": "D"}

# table: (API, worker, provisioning, analysts, look-up functions); a letter in brackets is for some columns
GRANTS = {
    "tenants": ("S", "S", "SIU", "S", "S"),
    "tenant_keys": ("S", "", "SIU", "", "S"),
    "users": ("", "", "SIU", "", "S"),
    "memberships": ("S", "", "SIU", "", "S"),
    "refresh_tokens": ("SIU", "SD", "", "", ""),
    "access_token_denylist": ("SI", "SD", "", "", ""),
    "token_cutoffs": ("SIU", "", "SIU", "", ""),
    "login_failures": ("SIUD", "SD", "", "", "SD"),
    "webhook_endpoints": ("SI", "", "SIU", "", "S"),
    "webhook_secrets": ("SI", "", "SIU", "", "S"),
    "endpoint_changes": ("SI", "", "SI", "S", ""),
    "deliveries": ("SIU", "S", "", "S", ""),
    "events": ("SI", "S", "", "S", ""),
    "facts": ("SI", "S", "", "S", ""),
    "order_links": ("SI", "S", "", "S", ""),
    "payment_aliases": ("SI", "S", "", "S", ""),
    "order_hints": ("SI", "S", "", "S", ""),
    "orders": ("SIU", "S", "", "S", ""),
    "ledger_entries": ("SI", "S", "", "S", ""),
    "ledger_closings": ("S", "SIU", "", "S", ""),
    "dead_letters": ("SI", "S", "", "S", ""),
    "dead_letter_attempts": ("SI", "S", "", "S", ""),
    "channel_taxonomy": ("S", "S", "S", "S", ""),
    "taxonomy_transitions": ("S", "", "", "S", ""),
    "tenant_channels": ("SI", "S", "", "S", ""),
    "channel_transitions": ("SI", "S", "", "S", ""),
    "channel_rule_sets": ("SI", "S", "", "S", "S"),
    "channel_rules": ("SI", "S", "", "S", ""),
    "channel_corrections": ("SI", "S", "", "S", ""),
    "reclassifications": ("S", "SIU", "", "S", "S"),
    "touchpoints": ("SI", "S", "", "S", ""),
    "dirty_marks": ("SI", "SID", "", "", "S"),
    "allocations": ("S", "SIUD", "", "S", ""),
    "channel_days": ("S", "SIUD", "", "S", ""),
    "waiting_entries": ("S", "SIUD", "", "S", ""),
    "summarised_versions": ("S", "SIUD", "", "S", ""),
    "recompute_jobs": ("SIU", "SU", "", "S", "S"),
    "order_digests": ("S", "SIUD", "", "S", ""),
    "day_digests": ("S", "SIUD", "", "S", ""),
    "attribution_audits": ("S", "SIU", "", "S", "S"),
    "recompute_requests": ("SI", "SD", "", "S", "S"),
    "recompute_inputs": ("S", "SIUD", "", "S", ""),
    "attribution_settings": ("SI", "S", "", "S", "S"),
    "interval_estimates": ("SIU", "SIUD", "", "S", ""),
    "channel_intervals": ("S", "SID", "", "S", ""),
    "model_fits": ("S", "SI", "", "S", ""),
    "attribution_backfills": ("SID", "SIUD", "", "S", "S"),
    "export_manifests": ("SI", "", "", "S", ""),
    "task_effects": ("", "SID", "", "", ""),
    "worker_failed_jobs": ("S", "SID", "", "S", ""),
    "unknown_shares": ("S", "SIU", "", "S", "S"),
    "worker_heartbeats": ("S", "SIUD", "", "", ""),
    "task_figures": ("S", "SIU", "", "", ""),
    "queue_counts": ("S", "SIU", "", "", ""),
    "ad_spend": ("SIU", "S", "", "S", ""),
    "ad_spend_changes": ("SI", "S", "", "S", ""),
    "ad_spend_imports": ("SI", "S", "", "S", ""),
    "performance_days": ("S", "SIUD", "", "S", ""),
    "performance_versions": ("S", "SIUD", "", "S", ""),
    "repeat_orders": ("S", "SIUD", "", "S", ""),
    "counted_days": ("S", "SID", "", "S", ""),
    "counted_performance": ("S", "SID", "", "S", ""),
    "rate_limits": ("SIU", "SD", "", "", ""),
    "idempotency_keys": ("SIUD", "SD", "", "", ""),
    "privacy_requests": ("SI", "S", "", "S", "S"),
    "retention_runs": ("S", "S", "", "S", ""),
    "erased_orders": ("S", "S", "", "", "S"),
    "pii_findings": ("S", "SI", "", "S", ""),
    "pii_scans": ("S", "SIU", "", "S", ""),
    "alembic_version": ("S", "", "", "", ""),
}
# What the eraser reads; it changes only the columns below.
ERASES = {
    "webhook_endpoints", "events", "dead_letters", "order_hints", "orders", "touchpoints",
    "dirty_marks", "erased_orders",
}  # fmt: skip
PRUNES = {"dead_letters", "dead_letter_attempts", "deliveries", "export_manifests"}
# What webhooks and uploads bring: workers attribute it and change nothing of it.
INGESTED = {
    "deliveries", "events", "facts", "order_links", "payment_aliases", "order_hints", "orders",
    "ledger_entries", "dead_letters", "dead_letter_attempts", "touchpoints", "ad_spend",
    "ad_spend_changes", "ad_spend_imports",
}  # fmt: skip
GRANTEES = ("app_rw", "app_worker", "app_admin", "app_ro", "skeldir_lookup")
COLUMN_GRANTS = {
    ("memberships", "role", "app_rw", "UPDATE"),
    ("memberships", "updated_at", "app_rw", "UPDATE"),
    ("users", "password_hash", "skeldir_lookup", "UPDATE"),
    ("webhook_endpoints", "revoked_at", "app_rw", "UPDATE"),
    ("webhook_secrets", "retired_at", "app_rw", "UPDATE"),
    ("tenant_channels", "state", "app_rw", "UPDATE"),
    ("touchpoints", "channel_code", "app_worker", "UPDATE"),
    ("orders", "hint_channel_code", "app_worker", "UPDATE"),
    *(
        ("dead_letters", column, "app_rw", "UPDATE")
        for column in (
            "reason_code", "reason_field", "contract_digest", "attempts", "status", "last_attempted_at",
            "resolved_at", "resolution_note", "abandoned_reason",
        )
    ),
    *(("worker_failed_jobs", column, "app_rw", "UPDATE")
      for column in ("status", "settled_at", "settled_by")),
    *(("export_manifests", column, "app_rw", "UPDATE")
      for column in ("status", "finished_at", "row_count", "byte_count", "sha256", "totals")),
    *(("privacy_requests", column, "app_rw", "UPDATE")
      for column in ("state", "requested_at", "completed_at", "row_counts")),
    *(("privacy_requests", column, "app_worker", "UPDATE")
      for column in ("state", "completed_at", "row_counts")),
    ("dead_letters", "payload", "skeldir_pruner", "UPDATE"),
    *(
        (table, column, "skeldir_eraser", "UPDATE")
        for table, columns in {
            "events": ["payload"], "dead_letters": ["payload"], "order_hints": ["journey_id"],
            "orders": ["journey_id", "updated_at"], "touchpoints": ["journey_id", "session_id"],
            "dirty_marks": ["journey_id"], "webhook_endpoints": ["revoked_at"],
        }.items()
        for column in columns
    ),
}  # fmt: skip
DEFINERS = {
    "analyze_attribution()": ("skeldir_owner", "app_worker"),
    "skeldir_eraser.erase(text[],uuid[],text)": ("skeldir_eraser", "app_worker"),
    "skeldir_lookup.all_tenants()": ("skeldir_lookup", "app_admin"),
    "skeldir_lookup.audit_figures()": ("skeldir_lookup", "app_rw"),
    "skeldir_lookup.endpoint_by_key(bytea,text)": ("skeldir_lookup", "app_rw"),
    "skeldir_lookup.endpoint_by_tenant_key(bytea,text)": ("skeldir_lookup", "app_rw"),
    "skeldir_lookup.list_tenants()": ("skeldir_lookup", "app_worker"),
    "skeldir_lookup.login(uuid,bytea)": ("skeldir_lookup", "app_rw"),
    "skeldir_lookup.prune_login_failures(timestamp with time zone,integer)": ("skeldir_lookup", "app_worker"),
    "skeldir_lookup.renew_password_hash(uuid,text,text)": ("skeldir_lookup", "app_rw"),
    "skeldir_lookup.tenant_by_key(bytea)": ("skeldir_lookup", "app_rw"),
    "skeldir_lookup.tenants_to_reclassify(integer)": ("skeldir_lookup", "app_worker"),
    "skeldir_lookup.tenants_with_backfills(integer)": ("skeldir_lookup", "app_worker"),
    "skeldir_lookup.tenants_with_privacy_requests()": ("skeldir_lookup", "app_worker"),
    "skeldir_lookup.tenants_with_work(timestamp with time zone)": ("skeldir_lookup", "app_worker"),
    "skeldir_lookup.unknown_share_levels()": ("skeldir_lookup", "app_rw"),
    "skeldir_lookup.user_by_login(bytea)": ("skeldir_lookup", "app_admin"),
    "skeldir_pruner.enforce(text,integer,integer)": ("skeldir_pruner", "app_worker"),
}


@pytest.fixture
def superuser(database: Database) -> Iterator[psycopg.Connection]:
    with database.connect() as connection:
        yield connection


def test_the_grants_on_tables_are_exactly_these(superuser: psycopg.Connection) -> None:
    found: dict[str, dict[str, str]] = {}
    for table, grantee, right in superuser.execute(
        """SELECT c.relname, g.grantee::regrole::text, g.privilege_type
             FROM pg_class c,
                  LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) g
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND g.grantee <> c.relowner
            UNION ALL
           SELECT relname, '-', '-' FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"""
    ):
        rights = found.setdefault(table, {})
        if grantee != "-":
            rights[grantee] = rights.get(grantee, "") + LETTERS.get(right, f"?{right}")

    expected = {
        table: {grantee: set(letters) for grantee, letters in zip(GRANTEES, row, strict=True) if letters}
        for table, row in GRANTS.items()
    }
    for table in ERASES:
        expected[table]["skeldir_eraser"] = {"S"}
    for table in ("erased_orders", "endpoint_changes"):  # what it writes down of what it did
        expected[table].setdefault("skeldir_eraser", set()).add("I")
    for table in PRUNES:
        expected[table]["skeldir_pruner"] = {"S", "D"}
    expected["retention_runs"]["skeldir_pruner"] = {"I"}
    assert {
        table: {grantee: set(letters) for grantee, letters in rights.items()}
        for table, rights in found.items()
    } == expected


def test_the_grants_on_columns_are_exactly_these(superuser: psycopg.Connection) -> None:
    found = superuser.execute(
        """SELECT a.attrelid::regclass::text, a.attname, g.grantee::regrole::text, g.privilege_type
             FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid, LATERAL aclexplode(a.attacl) g
            WHERE c.relnamespace = 'public'::regnamespace"""
    ).fetchall()

    assert set(found) == COLUMN_GRANTS


def test_a_worker_reads_what_was_ingested_and_writes_none_of_it(superuser: psycopg.Connection) -> None:
    """By whatever way its login comes to a right; the two columns that name a channel are the exception."""
    rows = superuser.execute(
        """SELECT c.relname, r.name, has_table_privilege('app_worker', c.oid, r.name)
             FROM pg_class c, unnest(%s::text[]) AS r(name)
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')""",
        [[*LETTERS, "TRUNCATE", "REFERENCES", "TRIGGER"]],
    ).fetchall()
    found = {table: {right for name, right, has in rows if name == table and has} for table, _, _ in rows}

    assert {
        table for table, rights in found.items() if table in INGESTED and rights == {"SELECT"}
    } == INGESTED
    for table, rights in found.items():
        assert {LETTERS.get(right, right) for right in rights} == set(GRANTS[table][1]), table
    assert {(table, column) for table, column, who, _ in COLUMN_GRANTS if who == "app_worker"} == {
        ("touchpoints", "channel_code"), ("orders", "hint_channel_code"),
        *(("privacy_requests", column) for column in ("state", "completed_at", "row_counts")),
    }  # fmt: skip


def test_everything_belongs_to_the_owner_who_cannot_log_in(superuser: psycopg.Connection) -> None:
    owners = superuser.execute(
        """SELECT DISTINCT relowner::regrole::text FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S', 'v')"""
    ).fetchall()

    assert owners == [("skeldir_owner",)]


def test_no_role_can_pass_through_the_walls(superuser: psycopg.Connection) -> None:
    roles = superuser.execute(
        """SELECT rolname, rolcanlogin,
                  rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole OR rolreplication
             FROM pg_roles WHERE rolname LIKE 'app\\_%' OR rolname LIKE 'skeldir\\_%'"""
    ).fetchall()

    assert {name: can_log_in for name, can_log_in, _ in roles} == {
        "app_user": True,
        "app_worker": True,
        "app_admin": True,
        "app_rw": False,
        "app_ro": False,
        "skeldir_owner": False,
        "skeldir_lookup": False,
        "skeldir_eraser": False,
        "skeldir_pruner": False,
    }
    assert not any(powerful for _, _, powerful in roles)


def test_who_is_a_member_of_whom(superuser: psycopg.Connection) -> None:
    found = superuser.execute(
        """SELECT member::regrole::text, roleid::regrole::text FROM pg_auth_members
            WHERE roleid::regrole::text ~ '^(app|skeldir)_' AND member::regrole::text ~ '^(app|skeldir)_'"""
    ).fetchall()

    assert set(found) == {
        ("app_user", "app_rw"),
        ("skeldir_owner", "skeldir_lookup"),
        ("skeldir_owner", "skeldir_eraser"),
        ("skeldir_owner", "skeldir_pruner"),
    }


def test_being_able_to_become_the_lookup_role_shows_the_owner_nothing(
    superuser: psycopg.Connection, tenant: object
) -> None:
    assert tenant
    with superuser.transaction():
        superuser.execute("SET LOCAL ROLE skeldir_owner")
        assert superuser.execute("SELECT count(*) FROM tenants").fetchone() == (0,)
        superuser.execute("SET LOCAL ROLE skeldir_lookup")
        found = superuser.execute("SELECT count(*) FROM tenants").fetchone()
        assert found is not None
        assert found[0] > 0


def test_functions_with_their_owners_rights_are_exactly_these(superuser: psycopg.Connection) -> None:
    found = superuser.execute(
        """SELECT p.oid::regprocedure::text, p.proowner::regrole::text, p.proconfig,
                  array(SELECT g.grantee::regrole::text FROM aclexplode(p.proacl) g
                         WHERE g.grantee <> p.proowner)
             FROM pg_proc p
            WHERE p.prosecdef AND p.pronamespace::regnamespace::text IN
                  ('public', 'skeldir_lookup', 'skeldir_eraser', 'skeldir_pruner')"""
    ).fetchall()

    assert {name: (owner, *grantees) for name, owner, _, grantees in found} == DEFINERS
    assert {settings[0] for _, _, settings, _ in found} == {"search_path=pg_catalog, pg_temp"}


def test_the_public_schema_takes_nothing_from_anybody_else(superuser: psycopg.Connection) -> None:
    for role in ("app_user", "app_worker", "app_admin", "app_ro", "public"):
        row = superuser.execute("SELECT has_schema_privilege(%s, 'public', 'CREATE')", [role]).fetchone()
        assert row == (False,), role
