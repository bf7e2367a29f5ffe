"""The queue's tables: messages, where they go, and who works on them.

Messages hold no tenant's data but ids, and belong to no tenant: no row-level security. Logins have no
right to these tables; they call the owner's functions.
"""

from alembic import op

revision = "0025"
down_revision = "0024"

TABLES = (
    # A transient queue (replies, broadcasts to one worker) dies with the lease of who declared it.
    """CREATE TABLE skeldir_broker.queues (
           queue text NOT NULL PRIMARY KEY,
           lease integer
       )""",
    """CREATE TABLE skeldir_broker.bindings (
           exchange    text NOT NULL,
           routing_key text NOT NULL,
           queue       text NOT NULL REFERENCES skeldir_broker.queues ON DELETE CASCADE,
           pattern     text,
           PRIMARY KEY (exchange, routing_key, queue)
       )""",
    # The lane is a number made of the tenant: who claims goes from lane to lane, not along one.
    """CREATE TABLE skeldir_broker.messages (
           message_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
           queue      text NOT NULL,
           priority   smallint NOT NULL,
           lane       integer NOT NULL,
           lease      integer,
           attempts   smallint NOT NULL DEFAULT 0,
           sent_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
           expires_at timestamptz,
           body       text NOT NULL
       ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
               autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0,
               autovacuum_analyze_threshold = 1000000)""",
    """CREATE INDEX messages_ready_idx ON skeldir_broker.messages (queue, priority DESC, lane, message_id)
           WHERE lease IS NULL""",
    "CREATE INDEX messages_lease_idx ON skeldir_broker.messages (lease) WHERE lease IS NOT NULL",
    """CREATE TABLE skeldir_broker.scheduled_messages (
           message_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
           due_at     timestamptz NOT NULL,
           queue      text NOT NULL,
           priority   smallint NOT NULL,
           lane       integer NOT NULL,
           expires_at timestamptz,
           body       text NOT NULL
       )""",
    "CREATE INDEX scheduled_messages_due_idx ON skeldir_broker.scheduled_messages (due_at)",
    """CREATE TABLE skeldir_broker.parked_messages (
           message_id bigint NOT NULL PRIMARY KEY,
           queue      text NOT NULL,
           priority   smallint NOT NULL,
           lane       integer NOT NULL,
           attempts   smallint NOT NULL,
           sent_at    timestamptz NOT NULL,
           parked_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
           body       text NOT NULL
       )""",
    # Lost in a crash like the sleepers themselves.
    """CREATE UNLOGGED TABLE skeldir_broker.sleepers (
           lease  integer NOT NULL PRIMARY KEY,
           queues text[] NOT NULL
       )""",
    "CREATE SEQUENCE skeldir_broker.leases AS integer CYCLE",
    """INSERT INTO skeldir_broker.queues (queue)
       VALUES ('attribution'), ('llm'), ('maintenance'), ('housekeeping')""",
    """INSERT INTO skeldir_broker.bindings (exchange, routing_key, queue)
       SELECT 'tasks', queue, queue FROM skeldir_broker.queues""",
)


def upgrade() -> None:
    op.execute("CREATE SCHEMA skeldir_broker")
    for statement in TABLES:
        op.execute(statement)
    op.execute("GRANT USAGE ON SCHEMA skeldir_broker TO app_rw, app_worker")


def downgrade() -> None:
    op.execute("DROP SCHEMA skeldir_broker CASCADE")
