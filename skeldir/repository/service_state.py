"""What the database tells of the service itself; for a transaction without a tenant."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

# row_security_active() answers for this very login: a superuser or an owner would slip past the policies.
SCHEMA = text("""
    SELECT ARRAY(SELECT version_num FROM public.alembic_version ORDER BY version_num) AS revisions,
           ARRAY(
               SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
                  AND a.attname = 'tenant_id' AND NOT a.attisdropped
                  AND NOT row_security_active(c.oid)
                ORDER BY c.relname
           ) AS open_tables
""")

# A worker keeps the connection that it consumes over: the only sign of life that all logins may see. Its
# name is CONSUMER of skeldir.queue.broker; the schedule, which only publishes, has another.
WORKERS = text("""
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'skeldir_worker'
""")


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The revisions that the database is at, and tables whose row-level security does not bind us."""

    revisions: tuple[str, ...]
    open_tables: tuple[str, ...]


def schema_state(session: Session) -> SchemaState:
    """Return which revisions were applied and whether the tenants' wall stands."""
    row = session.execute(SCHEMA).one()
    return SchemaState(tuple(row.revisions), tuple(row.open_tables))


def worker_connections(session: Session) -> int:
    """Return how many connections workers hold."""
    return int(session.execute(WORKERS).scalar_one())
