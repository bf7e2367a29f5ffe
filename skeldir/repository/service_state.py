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


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The revisions that the database is at, and tables whose row-level security does not bind us."""

    revisions: tuple[str, ...]
    open_tables: tuple[str, ...]


def schema_state(session: Session) -> SchemaState:
    """Return which revisions were applied and whether the tenants' wall stands."""
    row = session.execute(SCHEMA).one()
    return SchemaState(tuple(row.revisions), tuple(row.open_tables))
