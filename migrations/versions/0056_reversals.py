"""What was summed up and estimated is made anew: what reversals are, and what a journey is, has changed.

Until workers have done so, reports add up the rows, and say that no interval is computed yet.
"""

from alembic import op

revision = "0056"
down_revision = "0055"

# What lists a summary as complete; the summaries themselves are replaced when they are made anew.
LISTS = "summarised_versions, performance_versions, counted_days, counted_performance"

UNANSWERED = """
    UPDATE interval_estimates
       SET computed_at = NULL, checked_at = NULL, fingerprint = NULL, draws = NULL, level_ppm = NULL
"""


def upgrade() -> None:
    op.execute(f"TRUNCATE {LISTS}")
    op.execute("TRUNCATE channel_intervals")
    op.execute("ALTER TABLE interval_estimates NO FORCE ROW LEVEL SECURITY")  # everybody's, as their owner
    op.execute(UNANSWERED)
    op.execute("ALTER TABLE interval_estimates FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.execute(f"TRUNCATE {LISTS}")
