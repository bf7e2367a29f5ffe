"""Deliveries remember what of them was personal; the wall lets a personal key pass that holds nothing."""

from alembic import op

from migrations import pii_wall

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("ALTER TABLE deliveries ADD COLUMN personal_data jsonb")
    pii_wall.replace_path(nulls_are_refused=False)


def downgrade() -> None:
    pii_wall.replace_path(nulls_are_refused=True)
    op.execute("ALTER TABLE deliveries DROP COLUMN personal_data")
