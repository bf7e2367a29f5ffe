"""Celery's result tables, which otherwise the first worker to keep a result would make by itself.

Results are ignored unless a canvas (a chord, say) needs them, and what tasks return are counts and
outcomes: no tenant's data. So the rows have no tenant, there is no row-level security, and only the
workers' login has any right to them. They go after a day.
"""

from alembic import op

revision = "0031"
down_revision = "0030"

# As Celery's models have them, but for wider ids, and instants that mean the same in every time zone.
TABLES = (
    """CREATE TABLE skeldir_results.celery_taskmeta (
           id        bigint NOT NULL PRIMARY KEY,
           task_id   varchar(155) UNIQUE,
           status    varchar(50),
           result    bytea,
           date_done timestamptz,
           traceback text,
           children  bytea,
           name      varchar(155),
           args      bytea,
           kwargs    bytea,
           worker    varchar(155),
           retries   integer,
           queue     varchar(155),
           stamps    bytea
       )""",
    """CREATE TABLE skeldir_results.celery_tasksetmeta (
           id         bigint NOT NULL PRIMARY KEY,
           taskset_id varchar(155) UNIQUE,
           result     bytea,
           date_done  timestamptz
       )""",
    "CREATE INDEX celery_taskmeta_date_done_idx ON skeldir_results.celery_taskmeta (date_done)",
    "CREATE INDEX celery_tasksetmeta_date_done_idx ON skeldir_results.celery_tasksetmeta (date_done)",
    "CREATE SEQUENCE skeldir_results.task_id_sequence OWNED BY skeldir_results.celery_taskmeta.id",
    "CREATE SEQUENCE skeldir_results.taskset_id_sequence OWNED BY skeldir_results.celery_tasksetmeta.id",
)


def upgrade() -> None:
    op.execute("CREATE SCHEMA skeldir_results")
    for statement in TABLES:
        op.execute(statement)
    op.execute("GRANT USAGE ON SCHEMA skeldir_results TO app_worker")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA skeldir_results TO app_worker")
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA skeldir_results TO app_worker")


def downgrade() -> None:
    op.execute("DROP SCHEMA skeldir_results CASCADE")
