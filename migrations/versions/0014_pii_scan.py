"""A scan of all that is stored, should personal data have got past every wall; its findings name places."""

from alembic import op

from migrations import pii_wall
from migrations.ddl import TENANT_COLUMN, append_only, grant, isolate

revision = "0014"
down_revision = "0013"

TABLES = {
    # row_key: the row's id, or a digest of its key where that is a text from outside.
    "pii_findings": f"""
        {TENANT_COLUMN},
        table_name  text NOT NULL,
        row_key     text NOT NULL,
        path        text NOT NULL,
        column_name text NOT NULL,
        kind        text NOT NULL CHECK (kind IN ('key', 'email', 'phone', 'ssn', 'card', 'ip')),
        found_at    timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (tenant_id, table_name, row_key, path)
    """,
    "pii_scans": f"""
        {TENANT_COLUMN},
        table_name   text NOT NULL,
        after_key    text[],
        started_at   timestamptz NOT NULL DEFAULT now(),
        completed_at timestamptz,
        row_count    bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (tenant_id)
    """,
}
INDEX = "CREATE INDEX pii_findings_found_idx ON pii_findings (tenant_id, found_at, table_name, row_key, path)"


def upgrade() -> None:
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE {table} ({columns})")
        isolate(table)
    op.execute(INDEX)
    append_only("pii_findings")
    grant("pii_findings", u="S", w="SI", r="S")
    grant("pii_scans", u="S", w="SIU", r="S")
    pii_wall.tell_all()


def downgrade() -> None:
    pii_wall.tell_one()
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
