"""What keeps channels in order, whoever writes: their lifecycle, and that only active ones are mapped to."""

from alembic import op

# Nothing leaves archived, and what is deprecated is not taken up again: reports of the past would change
# their meaning. This is the one place that says so; see also skeldir.domain.channel_states.
_MAY_GO = """
CREATE FUNCTION public.channel_may_go(p_from text, p_to text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (p_from, p_to) IN (('draft', 'active'), ('active', 'deprecated'), ('active', 'archived'),
                            ('deprecated', 'archived'))
$$
"""
# A state changes only by the insert of a transition, whose trigger is the outer one of two.
_KEEP_STATE = """
CREATE FUNCTION public.keep_channel_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'draft' THEN
      RAISE EXCEPTION 'a channel begins as a draft' USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (SELECT FROM public.channel_taxonomy WHERE code = NEW.code) THEN
      RAISE EXCEPTION 'the taxonomy has a channel %', NEW.code USING ERRCODE = 'unique_violation';
    END IF;
  ELSIF NEW.code <> OLD.code THEN
    RAISE EXCEPTION 'a channel keeps its code' USING ERRCODE = 'restrict_violation';
  ELSIF NEW.state <> OLD.state THEN
    IF pg_trigger_depth() < 2 THEN
      RAISE EXCEPTION 'a channel changes its state by a transition' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NOT public.channel_may_go(OLD.state, NEW.state) THEN
      RAISE EXCEPTION 'a channel does not go from % to %', OLD.state, NEW.state
        USING ERRCODE = 'restrict_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$
"""
# The transition that has no state before it is the channel's creation.
_APPLY = """
CREATE FUNCTION public.apply_channel_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.from_state IS NULL THEN
    IF NEW.to_state <> 'draft' OR EXISTS (
         SELECT FROM public.channel_transitions WHERE tenant_id = NEW.tenant_id AND code = NEW.code) THEN
      RAISE EXCEPTION 'a channel is made once, as a draft' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
  END IF;
  UPDATE public.tenant_channels SET state = NEW.to_state
   WHERE tenant_id = NEW.tenant_id AND code = NEW.code AND state = NEW.from_state
     AND state <> NEW.to_state;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no channel % goes from % to %', NEW.code, NEW.from_state, NEW.to_state
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF EXISTS (
       SELECT FROM public.channel_rules
        WHERE tenant_id = NEW.tenant_id AND channel_code = NEW.code
          AND version = (SELECT max(version) FROM public.channel_rule_sets WHERE tenant_id = NEW.tenant_id))
  THEN
    RAISE EXCEPTION 'rules in force lead to channel %', NEW.code USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""
_APPLY_TO_TAXONOMY = """
CREATE FUNCTION public.apply_taxonomy_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE public.channel_taxonomy SET state = NEW.to_state
   WHERE code = NEW.code AND state = NEW.from_state AND state <> NEW.to_state;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no channel % goes from % to %', NEW.code, NEW.from_state, NEW.to_state
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""
# FOR SHARE: a tenant's channel that is being retired at this moment is waited for.
_REQUIRE_ACTIVE = """
CREATE FUNCTION public.require_active_channel() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  named text := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
  PERFORM FROM public.channel_taxonomy WHERE code = named AND state = 'active';
  IF NOT FOUND THEN
    PERFORM FROM public.tenant_channels
      WHERE tenant_id = NEW.tenant_id AND code = named AND state = 'active' FOR SHARE;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'there is no active channel %', named USING ERRCODE = 'restrict_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$
"""
# In place of a foreign key, which cannot lead to two tables: once per statement, not once per touch.
_REQUIRE_KNOWN = """
CREATE FUNCTION public.require_known_channels() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  stranger text;
BEGIN
  IF current_user = 'skeldir_eraser' THEN
    RETURN NULL;  -- it may not write channels
  END IF;
  SELECT told.channel_code INTO stranger
    FROM (SELECT DISTINCT tenant_id, channel_code FROM touched) AS told
    LEFT JOIN public.channel_taxonomy AS shared ON shared.code = told.channel_code
    LEFT JOIN public.tenant_channels AS own
           ON own.tenant_id = told.tenant_id AND own.code = told.channel_code
   WHERE shared.code IS NULL AND own.code IS NULL
   LIMIT 1;
  IF stranger IS NOT NULL THEN
    RAISE EXCEPTION 'there is no channel %', stranger USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$
"""
_FUNCTIONS = (_MAY_GO, _KEEP_STATE, _APPLY, _APPLY_TO_TAXONOMY, _REQUIRE_ACTIVE, _REQUIRE_KNOWN)
_TRIGGERS = (
    ("keep_state", "BEFORE INSERT OR UPDATE ON tenant_channels", "keep_channel_state()"),
    ("keep_state", "BEFORE UPDATE ON channel_taxonomy", "keep_channel_state()"),
    ("apply", "BEFORE INSERT ON channel_transitions", "apply_channel_transition()"),
    ("apply", "BEFORE INSERT ON taxonomy_transitions", "apply_taxonomy_transition()"),
    ("active", "BEFORE INSERT ON channel_rules", "require_active_channel('channel_code')"),
    ("active", "BEFORE INSERT ON channel_corrections", "require_active_channel('to_channel')"),
)
_CHANGES = ("INSERT", "UPDATE")


def hold() -> None:
    """Create the functions and put the triggers on their tables."""
    for statement in _FUNCTIONS:
        op.execute(statement)
    for name, when, function in _TRIGGERS:
        op.execute(f"CREATE TRIGGER {name} {when} FOR EACH ROW EXECUTE FUNCTION public.{function}")
    for change in _CHANGES:
        op.execute(
            f"CREATE TRIGGER known_channels_{change.lower()} AFTER {change} ON touchpoints "
            "REFERENCING NEW TABLE AS touched "
            "FOR EACH STATEMENT EXECUTE FUNCTION public.require_known_channels()"
        )


def release() -> None:
    """Drop the functions; of the tables that stay, the triggers too."""
    for change in _CHANGES:
        op.execute(f"DROP TRIGGER known_channels_{change.lower()} ON touchpoints")
    op.execute("DROP TRIGGER keep_state ON channel_taxonomy")
    op.execute("DROP FUNCTION public.require_known_channels(), public.require_active_channel()")
    op.execute("DROP FUNCTION public.apply_taxonomy_transition(), public.apply_channel_transition()")
    op.execute("DROP FUNCTION public.keep_channel_state(), public.channel_may_go(text, text)")
