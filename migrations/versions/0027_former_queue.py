"""Drop the tables of kombu's own transport, which the queue replaces: it loses what a killed worker held."""

from alembic import op

revision = "0027"
down_revision = "0026"

FORMER = (
    "CREATE SEQUENCE queue_id_sequence",
    "CREATE SEQUENCE message_id_sequence",
    """CREATE TABLE kombu_queue (
           id   integer NOT NULL PRIMARY KEY,
           name varchar(200) CONSTRAINT kombu_queue_name_key UNIQUE
       )""",
    """CREATE TABLE kombu_message (
           id        integer NOT NULL PRIMARY KEY,
           visible   boolean,
           timestamp timestamp without time zone,
           payload   text NOT NULL,
           version   smallint NOT NULL,
           queue_id  integer CONSTRAINT "FK_kombu_message_queue" REFERENCES kombu_queue (id)
       )""",
    "CREATE INDEX ix_kombu_message_visible ON kombu_message (visible)",
    "CREATE INDEX ix_kombu_message_timestamp ON kombu_message (timestamp)",
    "CREATE INDEX ix_kombu_message_timestamp_id ON kombu_message (timestamp, id)",
    """CREATE FUNCTION public.stamp_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.timestamp := coalesce(NEW.timestamp, clock_timestamp() AT TIME ZONE 'UTC');
  RETURN NEW;
END $$
""",
    """CREATE TRIGGER stamp BEFORE INSERT ON kombu_message
       FOR EACH ROW EXECUTE FUNCTION public.stamp_message()""",
    """INSERT INTO kombu_queue (id, name)
       SELECT nextval('queue_id_sequence'), name
         FROM unnest(ARRAY['attribution', 'llm', 'maintenance', 'housekeeping']) AS name""",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON kombu_queue, kombu_message TO app_rw, app_worker",
    "GRANT USAGE ON SEQUENCE queue_id_sequence, message_id_sequence TO app_rw, app_worker",
)
# What waited there was no more than wake-ups; the sweep makes up for them.
END_FORMER = (
    "DROP TABLE kombu_message, kombu_queue",
    "DROP FUNCTION public.stamp_message()",
    "DROP SEQUENCE message_id_sequence, queue_id_sequence",
)


def upgrade() -> None:
    for statement in END_FORMER:
        op.execute(statement)


def downgrade() -> None:
    for statement in FORMER:
        op.execute(statement)
