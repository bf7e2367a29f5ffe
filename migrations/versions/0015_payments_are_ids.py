"""The wall takes the fields that name payments, and lists of orders, for the ids that they are."""

from migrations import pii_wall

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    pii_wall.take_payments_for_ids(are_ids=True)


def downgrade() -> None:
    pii_wall.take_payments_for_ids(are_ids=False)
