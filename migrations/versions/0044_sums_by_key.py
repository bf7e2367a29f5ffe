"""Sums checked by looking each touched entry up: never by reading all that a version or a tenant has."""

from importlib import import_module

from alembic import op

revision = "0044"
down_revision = "0043"

# Each entry is found by the whole key of its table. Reading by arrays of ids, the planner took whatever index
# looked cheapest while it believed the tenant small, and read the tenant whole for every statement. The order
# that the key alone offers, with sorting off, leaves it no choice (see skeldir.repository.attribution_scope).
CHECK_SUM = """
CREATE OR REPLACE FUNCTION public.check_allocation_sum() RETURNS trigger LANGUAGE plpgsql
SET enable_nestloop = on SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
AS $$
DECLARE
  wrong record;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    {update}
  ELSE
    {other}
  END IF;
  IF wrong.entry_id IS NOT NULL THEN
    RAISE EXCEPTION 'allocations of entry % by % sum to %, the ledger says %',
      wrong.entry_id, wrong.model_version, wrong.cents,
      coalesce(CAST(wrong.effect_cents AS text), 'there is no such entry')
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""
LOOK = """
    SELECT asked.entry_id, asked.model_version, present.cents, entry.effect_cents INTO wrong
      FROM ({touched}) AS asked
     CROSS JOIN LATERAL (
           SELECT count(*) AS parts, sum(allocated_cents) AS cents,
                  min(currency) AS low, max(currency) AS high
             FROM (SELECT allocated_cents, currency
                     FROM public.allocations AS part
                    WHERE part.tenant_id = asked.tenant_id
                      AND part.model_version = asked.model_version
                      AND part.entry_id = asked.entry_id
                    ORDER BY channel_code, campaign_id) AS row) AS present
      LEFT JOIN LATERAL (
           SELECT effect_cents, currency
             FROM public.ledger_entries AS known
            WHERE known.tenant_id = asked.tenant_id
              AND known.entry_id BETWEEN asked.entry_id AND asked.entry_id
            ORDER BY known.entry_id) AS entry ON true
     WHERE present.parts > 0
       AND (entry.effect_cents IS NULL OR present.cents <> entry.effect_cents
            OR present.low <> entry.currency OR present.high <> entry.currency)
     LIMIT 1;
"""
KEY = "tenant_id, model_version, entry_id"
UPDATED = f"SELECT {KEY} FROM touched UNION SELECT {KEY} FROM former"
TOUCHED = f"SELECT {KEY} FROM touched GROUP BY {KEY}"


def upgrade() -> None:
    op.execute(CHECK_SUM.format(update=LOOK.format(touched=UPDATED), other=LOOK.format(touched=TOUCHED)))


def downgrade() -> None:
    before = import_module("migrations.versions.0041_sums_once")
    op.execute(before.CHECK_SUM.format(gather=before.HASHED))
