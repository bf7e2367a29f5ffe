"""Dead letters that can be dealt with: their states, what a replay needs, and who tried what."""

from alembic import op

from migrations import pii_wall
from migrations.ddl import TENANT_COLUMN, append_only, grant, isolate

revision = "0005"
down_revision = "0004"

# event_id and vendor_event_id: what the event would have been called, had it been booked at once.
COLUMNS = {
    "event_id": "uuid",
    "vendor_event_id": "text",
    "last_attempted_at": "timestamptz",
    "resolved_at": "timestamptz",
    "resolution_note": "text CHECK (length(resolution_note) <= 500)",
    "abandoned_reason": "text CHECK (length(abandoned_reason) BETWEEN 1 AND 500)",
}
CHECKS = {
    "dead_letters_resolved_check": "(status = 'resolved') = (resolved_at IS NOT NULL)",
    "dead_letters_abandoned_check": "(status = 'abandoned') = (abandoned_reason IS NOT NULL)",
}
# A dead letter's story can go on, but what it is stays as it came.
UPDATABLE = (
    "reason_code, reason_field, contract_digest, attempts, status, last_attempted_at, resolved_at,"
    " resolution_note, abandoned_reason"
)
KEEP_STATE = """
CREATE FUNCTION public.keep_dead_letter_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.status = 'pending' THEN RETURN NEW; END IF;
    RAISE EXCEPTION 'a dead letter begins as pending' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.status = 'resolved' OR (NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
       ('pending', 'in_progress'), ('pending', 'abandoned'),
       ('in_progress', 'resolved'), ('in_progress', 'abandoned'), ('in_progress', 'pending'),
       ('abandoned', 'in_progress'), ('abandoned', 'resolved'))) THEN
    RAISE EXCEPTION 'a dead letter does not go from % to %', OLD.status, NEW.status
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""
# It refers to dead letters by no foreign key: the trail outlives the letter.
ATTEMPTS = f"""
CREATE TABLE dead_letter_attempts (
  {TENANT_COLUMN},
  attempt_id     uuid NOT NULL,
  dead_letter_id uuid NOT NULL,
  attempted_at   timestamptz NOT NULL,
  user_id        uuid,
  is_dry_run     boolean NOT NULL,
  outcome        text NOT NULL CHECK (outcome IN ('resolved', 'still_failing', 'abandoned')),
  reason_code    text,
  reason_field   text,
  note           text CHECK (length(note) <= 500),
  PRIMARY KEY (tenant_id, attempt_id)
)
"""
INDEXES = (
    """CREATE INDEX dead_letter_attempts_letter_idx
       ON dead_letter_attempts (tenant_id, dead_letter_id, attempted_at)""",
    "CREATE INDEX dead_letters_status_idx ON dead_letters (tenant_id, status, received_at, dead_letter_id)",
)


def upgrade() -> None:
    for column, kind in COLUMNS.items():
        op.execute(f"ALTER TABLE dead_letters ADD COLUMN {column} {kind}")
    for name, condition in CHECKS.items():
        op.execute(f"ALTER TABLE dead_letters ADD CONSTRAINT {name} CHECK ({condition})")
    op.execute(KEEP_STATE)
    op.execute(
        "CREATE TRIGGER keep_state BEFORE INSERT OR UPDATE ON dead_letters "
        "FOR EACH ROW EXECUTE FUNCTION public.keep_dead_letter_state()"
    )
    op.execute(f"GRANT UPDATE ({UPDATABLE}) ON dead_letters TO app_rw")
    op.execute(ATTEMPTS)
    isolate("dead_letter_attempts")
    append_only("dead_letter_attempts")
    grant("dead_letter_attempts", u="SI", w="S", r="S")
    for index in INDEXES:
        op.execute(index)
    op.execute("DROP TRIGGER refuse_pii ON dead_letters")
    pii_wall.guard("dead_letters", "payload", "detail", "resolution_note", "abandoned_reason")
    pii_wall.guard("dead_letter_attempts", "note")


def downgrade() -> None:
    op.execute("DROP TABLE dead_letter_attempts")
    op.execute("DROP INDEX dead_letters_status_idx")
    op.execute("DROP TRIGGER refuse_pii ON dead_letters")
    pii_wall.guard("dead_letters", "payload", "detail")
    op.execute("DROP TRIGGER keep_state ON dead_letters")
    op.execute("DROP FUNCTION public.keep_dead_letter_state()")
    op.execute(f"REVOKE UPDATE ({UPDATABLE}) ON dead_letters FROM app_rw")
    for name in CHECKS:
        op.execute(f"ALTER TABLE dead_letters DROP CONSTRAINT {name}")
    for column in COLUMNS:
        op.execute(f"ALTER TABLE dead_letters DROP COLUMN {column}")
