"""Senders of the tenant's own deliver too: one more vendor."""

from alembic import op

revision = "0013"
down_revision = "0012"

TABLES = ("webhook_endpoints", "deliveries", "events", "dead_letters")
BEFORE = ("shopify", "stripe", "woocommerce", "paypal")


def upgrade() -> None:
    _allow(*BEFORE, "custom")


def downgrade() -> None:
    _allow(*BEFORE)


def _allow(*vendors: str) -> None:
    listed = ", ".join(f"'{vendor}'" for vendor in vendors)
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_vendor_check")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {table}_vendor_check CHECK (vendor IN ({listed}))")
