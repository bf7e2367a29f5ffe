"""What workers report every few seconds: that they live, and what became of the tasks they ran.

Sums over all workers, of no tenant: names of tasks and queues, and numbers. So there is no row-level
security. Counts only ever grow, as Prometheus expects of them, whichever worker comes and goes.
"""

from alembic import op

from migrations.ddl import grant

revision = "0037"
down_revision = "0036"

TABLES = (
    """CREATE TABLE worker_heartbeats (
           worker_id     uuid NOT NULL PRIMARY KEY,
           worker_name   text NOT NULL,
           queues        text[] NOT NULL,
           process_count integer NOT NULL,
           seen_at       timestamptz NOT NULL
       )""",
    # How many tasks took how long: a count per bucket, the bounds are BOUNDS_SECONDS of
    # skeldir/domain/task_figures.py. Whoever changes these empties the table.
    """CREATE TABLE task_figures (
           task_name        text NOT NULL,
           outcome          text NOT NULL,
           bucket_counts    bigint[] NOT NULL,
           duration_seconds double precision NOT NULL,
           PRIMARY KEY (task_name, outcome)
       )""",
    """CREATE TABLE queue_redeliveries (
           queue         text NOT NULL PRIMARY KEY,
           message_count bigint NOT NULL
       )""",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    grant("worker_heartbeats", u="S", w="SIUD")
    grant("task_figures", u="S", w="SIU")
    grant("queue_redeliveries", u="S", w="SIU")


def downgrade() -> None:
    op.execute("DROP TABLE queue_redeliveries, task_figures, worker_heartbeats")
