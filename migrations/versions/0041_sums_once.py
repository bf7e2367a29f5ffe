"""Sums checked once per update: what rows were and what they are is one look, and duplicates are hashed."""

from alembic import op

revision = "0041"
down_revision = "0040"

# As before (see the revision that made it) but for how the touched entries are gathered.
CHECK_SUM = """
CREATE OR REPLACE FUNCTION public.check_allocation_sum() RETURNS trigger LANGUAGE plpgsql
SET enable_nestloop = off AS $$
DECLARE
  versions text[];
  entries uuid[];
  wrong record;
BEGIN
  {gather}
  IF entries IS NULL THEN
    RETURN NULL;
  END IF;
  EXECUTE $query$
    SELECT present.entry_id, present.model_version, present.cents, entry.effect_cents
      FROM (SELECT tenant_id, model_version, entry_id, sum(allocated_cents) AS cents,
                   min(currency) AS low, max(currency) AS high
              FROM public.allocations
             WHERE model_version = ANY($1) AND entry_id = ANY($2)
             GROUP BY tenant_id, model_version, entry_id) AS present
      LEFT JOIN (SELECT tenant_id, entry_id, effect_cents, currency
                   FROM public.ledger_entries
                  WHERE entry_id = ANY($2)) AS entry USING (tenant_id, entry_id)
     WHERE entry.entry_id IS NULL OR present.cents <> entry.effect_cents
        OR present.low <> entry.currency OR present.high <> entry.currency
     LIMIT 1
  $query$ INTO wrong USING versions, entries;
  IF wrong.entry_id IS NOT NULL THEN
    RAISE EXCEPTION 'allocations of entry % by % sum to %, the ledger says %',
      wrong.entry_id, wrong.model_version, wrong.cents,
      coalesce(CAST(wrong.effect_cents AS text), 'there is no such entry')
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""
SORTED = (
    "SELECT array_agg(DISTINCT model_version), array_agg(DISTINCT entry_id) INTO versions, entries "
    "FROM touched;"
)
HASHED = """IF TG_OP = 'UPDATE' THEN
    SELECT array_agg(DISTINCT model_version), array_agg(entry_id) INTO versions, entries
      FROM (SELECT model_version, entry_id FROM touched
            UNION
            SELECT model_version, entry_id FROM former) AS part;
  ELSE
    SELECT array_agg(DISTINCT model_version), array_agg(entry_id) INTO versions, entries
      FROM (SELECT model_version, entry_id FROM touched GROUP BY model_version, entry_id) AS part;
  END IF;"""


def upgrade() -> None:
    op.execute(CHECK_SUM.format(gather=HASHED))
    op.execute("DROP TRIGGER sum_of_left ON allocations")
    op.execute("DROP TRIGGER sum_of_reached ON allocations")
    _check_updates("updated", "OLD TABLE AS former NEW TABLE AS touched")


def downgrade() -> None:
    op.execute("DROP TRIGGER sum_of_updated ON allocations")
    _check_updates("left", "OLD TABLE AS touched")
    _check_updates("reached", "NEW TABLE AS touched")
    op.execute(CHECK_SUM.format(gather=SORTED))


def _check_updates(name: str, rows: str) -> None:
    op.execute(
        f"CREATE TRIGGER sum_of_{name} AFTER UPDATE ON allocations REFERENCING {rows} "
        "FOR EACH STATEMENT EXECUTE FUNCTION public.check_allocation_sum()"
    )
