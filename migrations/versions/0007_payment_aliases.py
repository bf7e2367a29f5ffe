"""Payments with several names, and withdrawals that name no dispute."""

from alembic import op

from migrations.ddl import TENANT_COLUMN, grant, isolate

revision = "0007"
down_revision = "0006"

ALIASES = f"""
CREATE TABLE payment_aliases (
  {TENANT_COLUMN},
  alias       text NOT NULL,
  payment_key text NOT NULL,
  event_id    uuid,
  PRIMARY KEY (tenant_id, alias, payment_key)
)
"""
KINDS = ("authorised", "captured", "refunded", "disputed", "dispute_reversed")


def upgrade() -> None:
    op.execute(ALIASES)
    isolate("payment_aliases")
    grant("payment_aliases", u="SI", w="S", r="S")
    op.execute("CREATE INDEX payment_aliases_payment_idx ON payment_aliases (tenant_id, payment_key)")
    _allow(*KINDS, "reversed")


def downgrade() -> None:
    _allow(*KINDS)
    op.execute("DROP TABLE payment_aliases")


def _allow(*kinds: str) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.execute("ALTER TABLE facts DROP CONSTRAINT facts_kind_check")
    op.execute(f"ALTER TABLE facts ADD CONSTRAINT facts_kind_check CHECK (kind IN ({listed}))")
