"""The wall judges a row as a whole first, and searches only those that it suspects."""

from migrations import pii_wall

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    pii_wall.suspect_first()


def downgrade() -> None:
    pii_wall.search_always()
