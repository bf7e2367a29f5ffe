"""All that a database holds, seen by one from whom nothing is hidden."""

from uuid import UUID

from psycopg.types.json import Jsonb

from tests.conftest import Database

_TABLES = """
    SELECT c.oid::regclass::text,
           EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'tenant_id')
      FROM pg_class c WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY 1
"""


def everything(database: Database, tenant_id: UUID | None = None) -> dict[str, str]:
    """Return every column of every row as text, by table: of all tenants, or of one and of none."""
    with database.connect() as connection:
        found = {}
        for table, has_tenant in connection.execute(_TABLES).fetchall():
            only = f" WHERE tenant_id = '{tenant_id}'" if tenant_id and has_tenant else ""
            rows = connection.execute(f"SELECT to_jsonb(t)::text FROM {table} AS t{only}").fetchall()
            found[table] = "\n".join(row[0] for row in rows)
    return found


def tables_with(database: Database, values: list[str], tenant_id: UUID | None = None) -> dict[str, list[str]]:
    """Return which of the values stand in which tables, in any case and spelling of JSON."""
    stored = {table: text.lower() for table, text in everything(database, tenant_id).items()}
    hits = {table: [value for value in values if value.lower() in text] for table, text in stored.items()}
    return {table: found for table, found in hits.items() if found}


def smuggle(database: Database, tenant_id: UUID, payload: object) -> None:
    """Store an event as somebody would who got past every wall."""
    with database.connect() as connection:
        connection.execute("SET session_replication_role = 'replica'")
        connection.execute(
            """INSERT INTO events (tenant_id, event_id, vendor, topic, vendor_event_id, occurred_at,
                                   received_at, payload)
               VALUES (%s, gen_random_uuid(), 'stripe', 't', 'e', now(), now(), %s)""",
            [tenant_id, Jsonb(payload)],
        )
