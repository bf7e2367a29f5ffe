"""What was exported, by whom, from which snapshot: a fact from the last byte on."""

from alembic import op

from migrations.ddl import TENANT_COLUMN, grant, isolate

revision = "0023"
down_revision = "0022"

# ends_at: when the transfer is broken off at the latest, so that one whose process died is known as aborted.
MANIFESTS = f"""
    {TENANT_COLUMN},
    export_id     uuid NOT NULL,
    dataset       text NOT NULL CHECK (dataset IN ('revenue', 'allocations')),
    format        text NOT NULL CHECK (format IN ('csv', 'json', 'ndjson', 'parquet', 'xlsx')),
    model         text NOT NULL,
    model_version text NOT NULL,
    mode          text NOT NULL CHECK (mode IN ('cash', 'accrual')),
    start_date    date,
    end_date      date,
    channels      text[],
    currency      char(3),
    requested_by  uuid,
    snapshot_at   timestamptz NOT NULL,
    ends_at       timestamptz NOT NULL,
    status        text NOT NULL DEFAULT 'streaming' CHECK (status IN ('streaming', 'complete', 'aborted')),
    finished_at   timestamptz,
    row_count     bigint CHECK (row_count >= 0),
    byte_count    bigint CHECK (byte_count >= 0),
    sha256        text CHECK (sha256 ~ '^[0-9a-f]{{64}}$'),
    totals        jsonb NOT NULL CHECK (jsonb_typeof(totals) = 'array'),
    PRIMARY KEY (tenant_id, export_id),
    CHECK ((status = 'streaming') = (finished_at IS NULL)),
    CHECK ((status = 'complete') = (sha256 IS NOT NULL AND row_count IS NOT NULL AND byte_count IS NOT NULL))
"""
INDEX = """
CREATE INDEX export_manifests_snapshot_idx ON export_manifests (tenant_id, snapshot_at DESC, export_id)
"""
FINISHED = ("status", "finished_at", "row_count", "byte_count", "sha256", "totals")


def upgrade() -> None:
    op.execute(f"CREATE TABLE export_manifests ({MANIFESTS})")
    isolate("export_manifests")
    # What is finished stays as it is: it can be seen, and no update finds it.
    op.execute(
        "CREATE POLICY unfinished ON export_manifests AS RESTRICTIVE FOR UPDATE"
        " USING (status = 'streaming') WITH CHECK (status <> 'streaming')"
    )
    op.execute(INDEX)
    grant("export_manifests", u="SI", r="S")
    op.execute(f"GRANT UPDATE ({', '.join(FINISHED)}) ON export_manifests TO app_rw")


def downgrade() -> None:
    op.execute("DROP TABLE export_manifests")
