"""What the ledger added up to before an instant that no entry can be booked before any more."""

from alembic import op

from migrations.ddl import TENANT_COLUMN, grant, isolate

revision = "0042"
down_revision = "0041"

# `awaited` are the transactions that ran when `next_before` was proposed: once all have ended, what is booked
# before it is complete. `kinds` and `orders` are sums per currency.
CLOSINGS = f"""
    {TENANT_COLUMN},
    closed_before timestamptz NOT NULL DEFAULT '-infinity',
    kinds         jsonb NOT NULL DEFAULT '[]',
    orders        jsonb NOT NULL DEFAULT '{{}}',
    next_before   timestamptz NOT NULL,
    awaited       text[] NOT NULL,
    PRIMARY KEY (tenant_id)
"""


def upgrade() -> None:
    op.execute(f"CREATE TABLE ledger_closings ({CLOSINGS})")
    isolate("ledger_closings")
    grant("ledger_closings", u="S", w="SIU", r="S")
    op.execute("CREATE INDEX ledger_entries_booked_idx ON ledger_entries (tenant_id, booked_at)")


def downgrade() -> None:
    op.execute("DROP INDEX ledger_entries_booked_idx")
    op.execute("DROP TABLE ledger_closings")
