"""The answers to requests that carried an Idempotency-Key, for a while."""

from alembic import op

from migrations.ddl import TENANT_COLUMN, grant, isolate

revision = "0011"
down_revision = "0010"

# The key's hash, not the key: callers may choose anything for one. Without an answer it is claimed: its
# operation is at work in transactions of its own, or its process died, which the end of the claim tells.
IDEMPOTENCY_KEYS = f"""
CREATE TABLE idempotency_keys (
  {TENANT_COLUMN},
  key_hash      bytea NOT NULL,
  operation     text NOT NULL,
  fingerprint   bytea NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  claimed_until timestamptz,
  status        smallint CHECK (status BETWEEN 200 AND 499),
  headers       jsonb,
  body          bytea,
  PRIMARY KEY (tenant_id, key_hash),
  CONSTRAINT idempotency_keys_answer_check CHECK (num_nonnulls(status, headers, body) IN (0, 3)),
  CONSTRAINT idempotency_keys_claim_check CHECK ((status IS NULL) = (claimed_until IS NOT NULL))
)
"""


def upgrade() -> None:
    op.execute(IDEMPOTENCY_KEYS)
    op.execute("CREATE INDEX idempotency_keys_created_idx ON idempotency_keys (tenant_id, created_at)")
    isolate("idempotency_keys")
    grant("idempotency_keys", u="SIUD", w="SD")


def downgrade() -> None:
    op.execute("DROP TABLE idempotency_keys")
