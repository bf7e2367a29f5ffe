"""Tasks that failed for good: what was to be done, where it failed, and what became of it."""

from alembic import op

from migrations.ddl import TENANT_COLUMN, grant, isolate

revision = "0030"
down_revision = "0029"

TABLE = f"""
    CREATE TABLE worker_failed_jobs (
        {TENANT_COLUMN},
        failed_job_id  uuid NOT NULL,
        task_name      text NOT NULL,
        queue          text NOT NULL,
        arguments      jsonb NOT NULL,
        error_type     text NOT NULL,
        error_kind     text NOT NULL CHECK (error_kind IN ('transient', 'database', 'invalid_argument',
                                                           'time_limit', 'worker_lost', 'application')),
        error_place    text NOT NULL,
        attempts       integer NOT NULL CHECK (attempts > 0),
        correlation_id uuid,
        status         text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'retried', 'discarded')),
        failed_at      timestamptz NOT NULL DEFAULT now(),
        settled_at     timestamptz,
        settled_by     uuid,
        PRIMARY KEY (tenant_id, failed_job_id)
    )
"""
INDEX = """
    CREATE INDEX worker_failed_jobs_failed_idx
        ON worker_failed_jobs (tenant_id, failed_at DESC, failed_job_id)
"""


def upgrade() -> None:
    op.execute(TABLE)
    isolate("worker_failed_jobs")
    op.execute(INDEX)
    grant("worker_failed_jobs", u="S", w="SID", r="S")
    op.execute("GRANT UPDATE (status, settled_at, settled_by) ON worker_failed_jobs TO app_rw")


def downgrade() -> None:
    op.execute("DROP TABLE worker_failed_jobs")
