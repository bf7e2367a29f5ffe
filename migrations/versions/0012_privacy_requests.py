"""Privacy requests, and the one role that may take out of facts what points to a person."""

from alembic import op

from migrations.ddl import (
    TENANT_COLUMN,
    drop_lookup,
    grant,
    isolate,
    lookup,
    visible_to_lookups,
)

revision = "0012"
down_revision = "0011"

TABLES = {
    "privacy_requests": f"""
        {TENANT_COLUMN},
        request_id        uuid NOT NULL,
        event_id          uuid NOT NULL,
        kind              text NOT NULL CHECK (kind IN
                          ('customer_data_request', 'customer_redaction', 'shop_redaction')),
        vendor            text NOT NULL,
        vendor_request_id text,
        order_ids         text[] NOT NULL,
        state             text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'completed')),
        requested_at      timestamptz NOT NULL,
        completed_at      timestamptz,
        row_counts        jsonb,
        PRIMARY KEY (tenant_id, request_id),
        CONSTRAINT privacy_requests_completed_check CHECK (
            (state = 'completed') = (completed_at IS NOT NULL AND row_counts IS NOT NULL))
    """,
    "erased_orders": f"""
        {TENANT_COLUMN},
        order_key text NOT NULL,
        erased_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (tenant_id, order_key)
    """,
}
INDEX = (
    "CREATE INDEX privacy_requests_requested_idx ON privacy_requests (tenant_id, requested_at, request_id)"
)

# What the role may do on its own: read what it searches, and change these columns, none of which says
# anything about money.
READS = ("webhook_endpoints", "events", "dead_letters", "order_hints", "orders", "touchpoints")
CHANGES = {
    "events": "payload",
    "dead_letters": "payload",
    "order_hints": "journey_id",
    "orders": "journey_id, updated_at",
    "touchpoints": "journey_id, session_id",
    "dirty_marks": "journey_id",
    "webhook_endpoints": "revoked_at",
}
# Still a statement's trigger: whoever is not the eraser is refused before any row is looked at.
REFUSE_CHANGE = """
CREATE OR REPLACE FUNCTION public.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  {erasure}RAISE EXCEPTION '% on % is refused: its rows are facts', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$
"""
ERASURE = """IF TG_OP = 'UPDATE' AND TG_TABLE_NAME IN ('events', 'order_hints')
     AND current_user = 'skeldir_eraser' THEN
    RETURN NULL;
  END IF;
  """
KEEP_STATE = """
CREATE OR REPLACE FUNCTION public.keep_dead_letter_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  {erasure}IF TG_OP = 'INSERT' THEN
    IF NEW.status = 'pending' THEN RETURN NEW; END IF;
    RAISE EXCEPTION 'a dead letter begins as pending' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.status = 'resolved' OR (NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
       ('pending', 'in_progress'), ('pending', 'abandoned'),
       ('in_progress', 'resolved'), ('in_progress', 'abandoned'), ('in_progress', 'pending'),
       ('abandoned', 'in_progress'), ('abandoned', 'resolved'))) THEN
    RAISE EXCEPTION 'a dead letter does not go from % to %', OLD.status, NEW.status
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""
ERASURE_OF_LETTER = """IF current_user = 'skeldir_eraser' THEN
    RETURN NEW;  -- its grant is for the payload alone
  END IF;
  """
# Journeys and sessions that lead to the orders get a fresh pseudonym, the same everywhere, so that all
# that is computed over them stays; nobody keeps which was whose. Erased orders keep the one they have.
# Payloads go with their order; only those of no order are searched for the names.
ERASE = r"""
CREATE FUNCTION skeldir_eraser.erase(p_keys text[], p_dead_letters uuid[], p_vendor text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan SET enable_nestloop = off AS $$
DECLARE
  names text[];
  pseudonyms text[];
  orders text[];
  touched bigint;
  counts jsonb := '{}';
BEGIN
  names := ARRAY(
    SELECT journey_id FROM public.order_hints AS hint
     WHERE order_key = ANY(p_keys) AND journey_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM public.erased_orders AS erased
                        WHERE erased.tenant_id = hint.tenant_id AND erased.order_key = hint.order_key)
     UNION
    SELECT journey_id FROM public.orders AS placed
     WHERE order_id = ANY(p_keys) AND journey_id <> 'order:' || order_id
       AND NOT EXISTS (SELECT FROM public.erased_orders AS erased
                        WHERE erased.tenant_id = placed.tenant_id AND erased.order_key = placed.order_id));
  names := names || ARRAY(
    SELECT DISTINCT session_id FROM public.touchpoints
     WHERE journey_id = ANY(names) AND session_id IS NOT NULL AND session_id <> ALL(names));
  pseudonyms := ARRAY(SELECT 'erased:' || gen_random_uuid() FROM unnest(names));

  orders := p_keys || ARRAY(
    SELECT order_key FROM public.order_hints WHERE journey_id = ANY(names)
    UNION
    SELECT order_id FROM public.orders WHERE journey_id = ANY(names));
  INSERT INTO public.erased_orders (order_key)
  SELECT DISTINCT unnest(orders) ON CONFLICT (tenant_id, order_key) DO NOTHING;

  UPDATE public.events SET payload = '{}'
   WHERE payload <> '{}'
     AND event_id = ANY(ARRAY(
       SELECT event_id FROM public.events WHERE order_id = ANY(orders)
       UNION ALL
       SELECT event_id FROM public.events WHERE vendor = p_vendor
       UNION ALL
       SELECT event_id
         FROM (SELECT event_id, said #>> '{}' AS word
                 FROM public.events, jsonb_path_query(payload, 'strict $.** ? (@.type() == "string")') AS said
                WHERE order_id IS NULL
               OFFSET 0) AS told
         JOIN unnest(names) AS sought (name) ON sought.name = told.word));
  GET DIAGNOSTICS touched = ROW_COUNT;
  counts := counts || jsonb_build_object('events', touched);

  UPDATE public.dead_letters SET payload = NULL
   WHERE payload IS NOT NULL
     AND (dead_letter_id = ANY(p_dead_letters) OR vendor = p_vendor
          OR dead_letter_id = ANY(ARRAY(
            SELECT dead_letter_id
              FROM (SELECT dead_letter_id, said #>> '{}' AS word
                      FROM public.dead_letters,
                           jsonb_path_query(payload, 'strict $.** ? (@.type() == "string")') AS said
                    OFFSET 0) AS told
              JOIN unnest(names) AS sought (name) ON sought.name = told.word)));
  GET DIAGNOSTICS touched = ROW_COUNT;
  counts := counts || jsonb_build_object('dead_letters', touched);

  UPDATE public.order_hints AS row SET journey_id = given.pseudonym
    FROM unnest(names, pseudonyms) AS given (name, pseudonym) WHERE row.journey_id = given.name;
  GET DIAGNOSTICS touched = ROW_COUNT;
  counts := counts || jsonb_build_object('order_hints', touched);

  UPDATE public.orders AS row SET journey_id = given.pseudonym, updated_at = now()
    FROM unnest(names, pseudonyms) AS given (name, pseudonym) WHERE row.journey_id = given.name;
  GET DIAGNOSTICS touched = ROW_COUNT;
  counts := counts || jsonb_build_object('orders', touched);

  UPDATE public.touchpoints AS row
     SET journey_id = coalesce(journey.pseudonym, row.journey_id),
         session_id = coalesce(session.pseudonym, row.session_id)
    FROM public.touchpoints AS old
    LEFT JOIN unnest(names, pseudonyms) AS journey (name, pseudonym) ON journey.name = old.journey_id
    LEFT JOIN unnest(names, pseudonyms) AS session (name, pseudonym) ON session.name = old.session_id
   WHERE row.tenant_id = old.tenant_id AND row.touchpoint_id = old.touchpoint_id
     AND (old.journey_id = ANY(names) OR old.session_id = ANY(names));
  GET DIAGNOSTICS touched = ROW_COUNT;
  counts := counts || jsonb_build_object('touchpoints', touched);

  UPDATE public.dirty_marks AS row SET journey_id = given.pseudonym
    FROM unnest(names, pseudonyms) AS given (name, pseudonym) WHERE row.journey_id = given.name;

  WITH revoked AS (
    UPDATE public.webhook_endpoints SET revoked_at = now()
     WHERE vendor = p_vendor AND (revoked_at IS NULL OR revoked_at > now())
    RETURNING endpoint_id
  )
  INSERT INTO public.endpoint_changes (change_id, endpoint_id, changed_at, action)
  SELECT gen_random_uuid(), endpoint_id, now(), 'endpoint_revoked' FROM revoked;
  GET DIAGNOSTICS touched = ROW_COUNT;
  RETURN counts || jsonb_build_object('webhook_endpoints', touched);
END $$
"""
# Where something is erased, something may have been linked to it since.
WAITING = """
    SELECT tenant_id FROM public.privacy_requests WHERE state = 'pending'
    UNION
    SELECT tenant_id FROM public.erased_orders
    ORDER BY tenant_id
"""


def upgrade() -> None:
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE {table} ({columns})")
        isolate(table)
    op.execute(INDEX)
    grant("privacy_requests", u="SI", w="S", r="S")
    op.execute("GRANT UPDATE (state, requested_at, completed_at, row_counts) ON privacy_requests TO app_rw")
    op.execute("GRANT UPDATE (state, completed_at, row_counts) ON privacy_requests TO app_worker")
    grant("erased_orders", u="S", w="S")
    _let_the_eraser_in()
    op.execute(REFUSE_CHANGE.format(erasure=ERASURE))
    op.execute(KEEP_STATE.format(erasure=ERASURE_OF_LETTER))
    visible_to_lookups("privacy_requests", "erased_orders")
    lookup("tenants_with_privacy_requests()", "TABLE (tenant_id uuid)", WAITING, to="app_worker")


def downgrade() -> None:
    drop_lookup("tenants_with_privacy_requests()")
    op.execute(KEEP_STATE.format(erasure=""))
    op.execute(REFUSE_CHANGE.format(erasure=""))
    _shut_the_eraser_out()
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")


def _let_the_eraser_in() -> None:
    """Give the role its schema, its function and no more than that needs."""
    op.execute("CREATE SCHEMA skeldir_eraser AUTHORIZATION skeldir_eraser")
    for table in (*READS, "dirty_marks", "erased_orders"):
        op.execute(f"GRANT SELECT ON {table} TO skeldir_eraser")
    op.execute("GRANT INSERT ON erased_orders, endpoint_changes TO skeldir_eraser")
    for table, columns in CHANGES.items():
        op.execute(f"GRANT UPDATE ({columns}) ON {table} TO skeldir_eraser")
    op.execute("SET LOCAL ROLE skeldir_eraser")
    op.execute("GRANT USAGE ON SCHEMA skeldir_eraser TO app_worker")
    op.execute(ERASE)
    op.execute("REVOKE ALL ON FUNCTION skeldir_eraser.erase(text[], uuid[], text) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION skeldir_eraser.erase(text[], uuid[], text) TO app_worker")
    op.execute("SET LOCAL ROLE skeldir_owner")


def _shut_the_eraser_out() -> None:
    op.execute("SET LOCAL ROLE skeldir_eraser")
    op.execute("DROP FUNCTION skeldir_eraser.erase(text[], uuid[], text)")
    op.execute("DROP SCHEMA skeldir_eraser")
    op.execute("SET LOCAL ROLE skeldir_owner")
    for table, columns in CHANGES.items():
        op.execute(f"REVOKE UPDATE ({columns}) ON {table} FROM skeldir_eraser")
    op.execute("REVOKE INSERT ON endpoint_changes FROM skeldir_eraser")
    for table in (*READS, "dirty_marks"):
        op.execute(f"REVOKE SELECT ON {table} FROM skeldir_eraser")
