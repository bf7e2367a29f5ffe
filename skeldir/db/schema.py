"""All tables as SQLAlchemy sees them: what `alembic check` holds the migrations against.

The service speaks SQL and never uses these as models. Policies, grants, triggers and CHECKs are not
in them; tests read those from the catalogue.
"""

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from skeldir.db import (  # noqa: F401 - they declare tables too
    schema_attribution,
    schema_channels,
    schema_endpoints,
    schema_exports,
    schema_intervals,
    schema_models,
    schema_privacy,
    schema_requests,
    schema_spend,
    schema_summaries,
    schema_workers,
)
from skeldir.db.columns import INSTANT, METADATA, column, key, optional, tenant_table

__all__ = ["METADATA"]

Table(
    "tenants",
    METADATA,
    key("tenant_id"),
    column("name", Text),
    column("status", Text, default="'active'"),
    column("created_at", INSTANT, default="now()"),
)
tenant_table(
    "tenant_keys",
    key("key_id"),
    column("key_hash", LargeBinary),
    column("created_at", INSTANT, default="now()"),
    optional("revoked_at", INSTANT),
    Index("tenant_keys_key_hash_idx", "key_hash"),
    of_tenants=True,
)
Table(
    "users",
    METADATA,
    key("user_id"),
    column("login_hash", LargeBinary),
    column("username", Text),
    column("password_hash", Text),
    column("is_active", Boolean, default="true"),
    column("created_at", INSTANT, default="now()"),
    UniqueConstraint("login_hash", name="users_login_hash_key"),
)
tenant_table(
    "memberships",
    Column("user_id", Uuid, ForeignKey("users.user_id"), primary_key=True),
    column("role", Text),
    column("status", Text, default="'active'"),
    column("created_at", INSTANT, default="now()"),
    column("updated_at", INSTANT, default="now()"),
    Index("memberships_user_id_idx", "user_id"),
    of_tenants=True,
)
tenant_table(
    "refresh_tokens",
    key("token_id"),
    column("user_id", Uuid),
    column("family_id", Uuid),
    column("secret_hash", LargeBinary),
    column("issued_at", INSTANT),
    column("expires_at", INSTANT),
    optional("rotated_at", INSTANT),
    optional("revoked_at", INSTANT),
    optional("replaced_by", Uuid),
    ForeignKeyConstraint(
        ["tenant_id", "user_id"],
        ["memberships.tenant_id", "memberships.user_id"],
        name="refresh_tokens_membership_fkey",
    ),
    Index("refresh_tokens_family_idx", "tenant_id", "family_id"),
    Index("refresh_tokens_user_idx", "tenant_id", "user_id"),
)
tenant_table(
    "access_token_denylist",
    key("jti"),
    column("user_id", Uuid),
    column("revoked_at", INSTANT, default="now()"),
    column("expires_at", INSTANT),
)
tenant_table(
    "token_cutoffs",
    key("user_id"),
    column("tokens_invalid_before", INSTANT),
    optional("updated_by", Uuid),
)
tenant_table(
    "login_failures",
    key("login_hash", LargeBinary),
    column("failures", Integer),
    column("window_started_at", INSTANT),
)

tenant_table(
    "deliveries",
    key("delivery_id"),
    optional("endpoint_id", Uuid),
    column("vendor", Text),
    column("topic", Text),
    column("outcome", Text),
    optional("reason_code", Text),
    optional("reason_field", Text),
    optional("event_id", Uuid),
    optional("dead_letter_id", Uuid),
    column("receipt", JSONB),
    optional("personal_data", JSONB),
    column("received_at", INSTANT),
    column("redeliveries", Integer, default="0"),
    column("last_received_at", INSTANT),
    Index("deliveries_received_idx", "tenant_id", text("received_at DESC"), "delivery_id"),
    Index(
        "deliveries_unbooked_idx",
        "tenant_id",
        "received_at",
        "delivery_id",
        postgresql_where=text("event_id IS NULL"),
    ),
)
tenant_table(
    "events",
    key("event_id"),
    column("vendor", Text),
    column("topic", Text),
    column("vendor_event_id", Text),
    optional("order_id", Text),
    column("occurred_at", INSTANT),
    column("received_at", INSTANT),
    column("payload", JSONB),
    Index("events_order_idx", "tenant_id", "order_id"),
)
tenant_table(
    "facts",
    key("fact_id"),
    column("event_id", Uuid),
    column("order_key", Text),
    column("source", Text),
    column("authority", Text),
    column("kind", Text),
    column("reference", Text),
    column("amount_cents", BigInteger),
    column("cumulative", Boolean, default="false"),
    column("currency", CHAR(3)),
    column("effective_at", INSTANT),
    column("told_at", INSTANT),
    Index("facts_order_idx", "tenant_id", "order_key"),
)
tenant_table(
    "order_links",
    key("payment_key", Text),
    key("order_id", Text),
    key("authority", Text),
    optional("event_id", Uuid),
    Index("order_links_order_idx", "tenant_id", "order_id"),
)
tenant_table(
    "payment_aliases",
    key("alias", Text),
    key("payment_key", Text),
    optional("event_id", Uuid),
    Index("payment_aliases_payment_idx", "tenant_id", "payment_key"),
)
tenant_table(
    "order_hints",
    key("hint_id"),
    column("event_id", Uuid),
    column("order_key", Text),
    column("told_at", INSTANT),
    optional("journey_id", Text),
    optional("source", Text),
    optional("medium", Text),
    optional("campaign", Text),
    Index("order_hints_order_idx", "tenant_id", "order_key"),
)
tenant_table(
    "orders",
    key("order_id", Text),
    column("journey_id", Text),
    column("ordered_at", INSTANT),
    optional("hint_touchpoint_id", Uuid),
    optional("hint_source", Text),
    optional("hint_medium", Text),
    optional("hint_channel_code", Text),
    optional("hint_campaign_id", Text),
    column("updated_at", INSTANT, default="now()"),
    Index("orders_journey_idx", "tenant_id", "journey_id", "ordered_at"),
)
tenant_table(
    "ledger_entries",
    key("entry_id"),
    column("order_id", Text),
    column("kind", Text),
    column("reference", Text),
    column("correction", Integer, default="0"),
    column("amount_cents", BigInteger),
    column("effect_cents", BigInteger),
    column("currency", CHAR(3)),
    column("effective_at", INSTANT),
    column("booked_at", INSTANT),
    column("source", Text),
    optional("event_id", Uuid),
    UniqueConstraint(
        "tenant_id",
        "order_id",
        "kind",
        "reference",
        "correction",
        "currency",
        "effective_at",
        name="ledger_entries_identity_key",
    ),
    Index(
        "ledger_entries_effective_idx",
        "tenant_id",
        "effective_at",
        "entry_id",
        postgresql_include=["order_id", "effect_cents", "currency"],
    ),
    Index("ledger_entries_booked_idx", "tenant_id", "booked_at"),
)
tenant_table(
    "ledger_closings",
    column("closed_before", INSTANT, default="'-infinity'"),
    column("kinds", JSONB, default="'[]'"),
    column("orders", JSONB, default="'{}'"),
    column("next_before", INSTANT),
    column("awaited", ARRAY(Text)),
)
tenant_table(
    "dead_letters",
    key("dead_letter_id"),
    optional("delivery_id", Uuid),
    column("vendor", Text),
    column("topic", Text),
    column("reason_code", Text),
    optional("reason_field", Text),
    optional("detail", Text),
    optional("payload", JSONB),
    optional("contract_digest", Text),
    column("attempts", Integer, default="1"),
    column("status", Text, default="'pending'"),
    column("received_at", INSTANT),
    optional("event_id", Uuid),
    *(optional(name, Text) for name in ("vendor_event_id", "resolution_note", "abandoned_reason")),
    *(optional(name, INSTANT) for name in ("last_attempted_at", "resolved_at")),
    Index("dead_letters_received_idx", "tenant_id", text("received_at DESC"), "dead_letter_id"),
    Index("dead_letters_status_idx", "tenant_id", "status", "received_at", "dead_letter_id"),
)
tenant_table(
    "dead_letter_attempts",
    key("attempt_id"),
    column("dead_letter_id", Uuid),
    column("attempted_at", INSTANT),
    optional("user_id", Uuid),
    column("is_dry_run", Boolean),
    column("outcome", Text),
    *(optional(name, Text) for name in ("reason_code", "reason_field", "note")),
    Index("dead_letter_attempts_letter_idx", "tenant_id", "dead_letter_id", "attempted_at"),
)

tenant_table(
    "touchpoints",
    key("touchpoint_id"),
    column("journey_id", Text),
    optional("session_id", Text),
    column("occurred_at", INSTANT),
    column("channel_code", Text),
    column("campaign_id", Text, default="''"),
    optional("source", Text),
    optional("medium", Text),
    column("recorded_at", INSTANT, default="now()"),
    optional("referrer_host", Text),
    optional("click_id", Text),
    Index("touchpoints_occurred_idx", "tenant_id", "occurred_at"),
    Index(
        "touchpoints_journey_idx",
        "tenant_id",
        "journey_id",
        "occurred_at",
        "touchpoint_id",
        postgresql_include=["channel_code", "campaign_id"],
    ),
)
tenant_table(
    "dirty_marks",
    key("mark_id"),
    column("journey_id", Text),
    column("earliest", INSTANT),
    column("marked_at", INSTANT, default="clock_timestamp()"),
    Index("dirty_marks_journey_idx", "tenant_id", "journey_id", "marked_at"),
)
tenant_table(
    "allocations",
    key("model_version", Text),
    key("entry_id"),
    column("order_id", Text),
    key("channel_code", Text),
    key("campaign_id", Text, default="''"),
    column("allocated_cents", BigInteger),
    column("currency", CHAR(3)),
    column("effective_at", INSTANT),
    column("touch_count", Integer),
    optional("fallback", Text),
    Index("allocations_effective_idx", "tenant_id", "model_version", "effective_at"),
)
tenant_table(
    "recompute_jobs",
    key("job_id"),
    column("window_start", INSTANT),
    column("window_end", INSTANT),
    column("model", Text),
    column("model_version", Text),
    column("parameters", JSONB),
    column("status", Text, default="'queued'"),
    column("run_count", Integer, default="0"),
    column("start_count", Integer, default="0"),
    optional("last_outcome", Text),
    optional("fingerprint", Text),
    column("requested_at", INSTANT, default="now()"),
    optional("started_at", INSTANT),
    optional("finished_at", INSTANT),
    optional("error", Text),
    optional("computed_revision", BigInteger),
    optional("computed_at", INSTANT),
    optional("computed_run_count", Integer),
    optional("computed_task_id", Uuid),
    optional("taxonomy_version", Integer),
    optional("rule_set_version", Integer),
    optional("correction_count", BigInteger),
    optional("settings_version", Integer),
    optional("fit_version", Integer),
    UniqueConstraint(
        "tenant_id", "window_start", "window_end", "model_version", name="recompute_jobs_window_key"
    ),
    Index("recompute_jobs_status_idx", "tenant_id", "status"),
)
tenant_table(
    "task_effects",
    key("task_id"),
    column("task_name", Text),
    column("done_at", INSTANT, default="now()"),
)
