"""All tables as SQLAlchemy sees them: what `alembic check` holds the migrations against.

The service speaks SQL and never uses these as models. Policies, grants, triggers and CHECKs are not
in them; tests read those from the catalogue.
"""

from typing import Any

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem

METADATA = MetaData()
INSTANT = DateTime(timezone=True)


def _column(name: str, kind: Any, **options: Any) -> Column[Any]:  # noqa: ANN401  (any column type)
    """Make a column that is NOT NULL unless told otherwise."""
    default = options.pop("default", None)
    if default is not None:
        options["server_default"] = text(default)
    return Column(name, kind, **{"nullable": False, **options})


def _optional(name: str, kind: Any) -> Column[Any]:  # noqa: ANN401
    return _column(name, kind, nullable=True)


def _key(name: str, kind: Any = Uuid, **options: Any) -> Column[Any]:  # noqa: ANN401
    return _column(name, kind, primary_key=True, **options)


def _tenant_table(name: str, *items: SchemaItem, of_tenants: bool = False) -> Table:
    """Declare a table of a tenant's rows; `of_tenants`: the tenant must exist."""
    tenant: Column[Any] = _key("tenant_id", default="current_tenant_id()")
    if of_tenants:
        tenant.append_foreign_key(ForeignKey("tenants.tenant_id"))
    return Table(name, METADATA, tenant, *items)


Table(
    "tenants",
    METADATA,
    _key("tenant_id"),
    _column("name", Text),
    _column("status", Text, default="'active'"),
    _column("created_at", INSTANT, default="now()"),
)
_tenant_table(
    "tenant_keys",
    _key("key_id"),
    _column("key_hash", LargeBinary),
    _column("created_at", INSTANT, default="now()"),
    _optional("revoked_at", INSTANT),
    Index("tenant_keys_key_hash_idx", "key_hash"),
    of_tenants=True,
)
Table(
    "users",
    METADATA,
    _key("user_id"),
    _column("login_hash", LargeBinary),
    _column("username", Text),
    _column("password_hash", Text),
    _column("is_active", Boolean, default="true"),
    _column("created_at", INSTANT, default="now()"),
    UniqueConstraint("login_hash", name="users_login_hash_key"),
)
_tenant_table(
    "memberships",
    Column("user_id", Uuid, ForeignKey("users.user_id"), primary_key=True),
    _column("role", Text),
    _column("status", Text, default="'active'"),
    _column("created_at", INSTANT, default="now()"),
    _column("updated_at", INSTANT, default="now()"),
    Index("memberships_user_id_idx", "user_id"),
    of_tenants=True,
)
_tenant_table(
    "refresh_tokens",
    _key("token_id"),
    _column("user_id", Uuid),
    _column("family_id", Uuid),
    _column("secret_hash", LargeBinary),
    _column("issued_at", INSTANT),
    _column("expires_at", INSTANT),
    _optional("rotated_at", INSTANT),
    _optional("revoked_at", INSTANT),
    _optional("replaced_by", Uuid),
    ForeignKeyConstraint(
        ["tenant_id", "user_id"],
        ["memberships.tenant_id", "memberships.user_id"],
        name="refresh_tokens_membership_fkey",
    ),
    Index("refresh_tokens_family_idx", "tenant_id", "family_id"),
    Index("refresh_tokens_user_idx", "tenant_id", "user_id"),
)
_tenant_table(
    "access_token_denylist",
    _key("jti"),
    _column("user_id", Uuid),
    _column("revoked_at", INSTANT, default="now()"),
    _column("expires_at", INSTANT),
)
_tenant_table(
    "token_cutoffs",
    _key("user_id"),
    _column("tokens_invalid_before", INSTANT),
    _optional("updated_by", Uuid),
)
_tenant_table(
    "login_failures",
    _key("login_hash", LargeBinary),
    _column("failures", Integer),
    _column("window_started_at", INSTANT),
)
_tenant_table(
    "webhook_endpoints",
    _key("endpoint_id"),
    _column("vendor", Text),
    _column("key_hash", LargeBinary),
    _column("key_hint", Text),
    _column("created_at", INSTANT, default="now()"),
    _optional("revoked_at", INSTANT),
    Index("webhook_endpoints_key_hash_idx", "key_hash"),
    of_tenants=True,
)
_tenant_table(
    "webhook_secrets",
    _key("secret_id"),
    _column("endpoint_id", Uuid),
    _column("sealed", LargeBinary),
    _column("sealing_key_id", Text),
    _column("created_at", INSTANT, default="now()"),
    _optional("retired_at", INSTANT),
    ForeignKeyConstraint(
        ["tenant_id", "endpoint_id"],
        ["webhook_endpoints.tenant_id", "webhook_endpoints.endpoint_id"],
        name="webhook_secrets_endpoint_fkey",
    ),
    Index("webhook_secrets_endpoint_idx", "tenant_id", "endpoint_id"),
)

_tenant_table(
    "deliveries",
    _key("delivery_id"),
    _optional("endpoint_id", Uuid),
    _column("vendor", Text),
    _column("topic", Text),
    _column("outcome", Text),
    _optional("reason_code", Text),
    _optional("reason_field", Text),
    _optional("event_id", Uuid),
    _optional("dead_letter_id", Uuid),
    _column("receipt", JSONB),
    _column("received_at", INSTANT),
    _column("redeliveries", Integer, default="0"),
    _column("last_received_at", INSTANT),
    Index("deliveries_received_idx", "tenant_id", text("received_at DESC"), "delivery_id"),
)
_tenant_table(
    "events",
    _key("event_id"),
    _column("vendor", Text),
    _column("topic", Text),
    _column("vendor_event_id", Text),
    _optional("order_id", Text),
    _column("occurred_at", INSTANT),
    _column("received_at", INSTANT),
    _column("payload", JSONB),
    Index("events_order_idx", "tenant_id", "order_id"),
)
_tenant_table(
    "facts",
    _key("fact_id"),
    _column("event_id", Uuid),
    _column("order_key", Text),
    _column("source", Text),
    _column("authority", Text),
    _column("kind", Text),
    _column("reference", Text),
    _column("amount_cents", BigInteger),
    _column("cumulative", Boolean, default="false"),
    _column("currency", CHAR(3)),
    _column("effective_at", INSTANT),
    _column("told_at", INSTANT),
    Index("facts_order_idx", "tenant_id", "order_key"),
)
_tenant_table(
    "order_links",
    _key("payment_key", Text),
    _key("order_id", Text),
    _key("authority", Text),
    _optional("event_id", Uuid),
    Index("order_links_order_idx", "tenant_id", "order_id"),
)
_tenant_table(
    "order_hints",
    _key("hint_id"),
    _column("event_id", Uuid),
    _column("order_key", Text),
    _column("told_at", INSTANT),
    _optional("journey_id", Text),
    _optional("source", Text),
    _optional("medium", Text),
    _optional("campaign", Text),
    Index("order_hints_order_idx", "tenant_id", "order_key"),
)
_tenant_table(
    "orders",
    _key("order_id", Text),
    _column("journey_id", Text),
    _column("ordered_at", INSTANT),
    _optional("hint_touchpoint_id", Uuid),
    _optional("hint_source", Text),
    _optional("hint_medium", Text),
    _optional("hint_channel_code", Text),
    _optional("hint_campaign_id", Text),
    _column("updated_at", INSTANT, default="now()"),
    Index("orders_journey_idx", "tenant_id", "journey_id"),
)
_tenant_table(
    "ledger_entries",
    _key("entry_id"),
    _column("order_id", Text),
    _column("kind", Text),
    _column("reference", Text),
    _column("correction", Integer, default="0"),
    _column("amount_cents", BigInteger),
    _column("effect_cents", BigInteger),
    _column("currency", CHAR(3)),
    _column("effective_at", INSTANT),
    _column("booked_at", INSTANT),
    _column("source", Text),
    _optional("event_id", Uuid),
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
)
_tenant_table(
    "dead_letters",
    _key("dead_letter_id"),
    _optional("delivery_id", Uuid),
    _column("vendor", Text),
    _column("topic", Text),
    _column("reason_code", Text),
    _optional("reason_field", Text),
    _optional("detail", Text),
    _optional("payload", JSONB),
    _optional("contract_digest", Text),
    _column("attempts", Integer, default="1"),
    _column("status", Text, default="'pending'"),
    _column("received_at", INSTANT),
    _optional("event_id", Uuid),
    *(_optional(name, Text) for name in ("vendor_event_id", "resolution_note", "abandoned_reason")),
    *(_optional(name, INSTANT) for name in ("last_attempted_at", "resolved_at")),
    Index("dead_letters_received_idx", "tenant_id", text("received_at DESC"), "dead_letter_id"),
    Index("dead_letters_status_idx", "tenant_id", "status", "received_at", "dead_letter_id"),
)
_tenant_table(
    "dead_letter_attempts",
    _key("attempt_id"),
    _column("dead_letter_id", Uuid),
    _column("attempted_at", INSTANT),
    _optional("user_id", Uuid),
    _column("is_dry_run", Boolean),
    _column("outcome", Text),
    *(_optional(name, Text) for name in ("reason_code", "reason_field", "note")),
    Index("dead_letter_attempts_letter_idx", "tenant_id", "dead_letter_id", "attempted_at"),
)

Table(
    "channel_taxonomy",
    METADATA,
    _key("code", Text),
    _column("family", Text),
    _column("is_paid", Boolean),
    _column("display_name", Text),
    _column("state", Text, default="'active'"),
)
_tenant_table(
    "touchpoints",
    _key("touchpoint_id"),
    _column("journey_id", Text),
    _optional("session_id", Text),
    _column("occurred_at", INSTANT),
    Column("channel_code", Text, ForeignKey("channel_taxonomy.code"), nullable=False),
    _column("campaign_id", Text, default="''"),
    _optional("source", Text),
    _optional("medium", Text),
    _column("recorded_at", INSTANT, default="now()"),
    Index(
        "touchpoints_journey_idx",
        "tenant_id",
        "journey_id",
        "occurred_at",
        "touchpoint_id",
        postgresql_include=["channel_code", "campaign_id"],
    ),
)
_tenant_table(
    "dirty_marks",
    _key("mark_id"),
    _column("journey_id", Text),
    _column("earliest", INSTANT),
    _column("marked_at", INSTANT, default="clock_timestamp()"),
    Index("dirty_marks_journey_idx", "tenant_id", "journey_id", "marked_at"),
)
_tenant_table(
    "allocations",
    _key("model_version", Text),
    _key("entry_id"),
    _column("order_id", Text),
    _key("channel_code", Text),
    _key("campaign_id", Text, default="''"),
    _column("allocated_cents", BigInteger),
    _column("currency", CHAR(3)),
    _column("effective_at", INSTANT),
    _column("touch_count", Integer),
    _optional("fallback", Text),
    Index(
        "allocations_effective_idx",
        "tenant_id",
        "model_version",
        "effective_at",
        postgresql_include=["channel_code", "currency", "order_id", "allocated_cents"],
    ),
)
_tenant_table(
    "recompute_jobs",
    _key("job_id"),
    _column("window_start", INSTANT),
    _column("window_end", INSTANT),
    _column("model", Text),
    _column("model_version", Text),
    _column("lookback_days", Integer),
    _column("status", Text, default="'queued'"),
    _column("run_count", Integer, default="0"),
    _column("start_count", Integer, default="0"),
    _optional("last_outcome", Text),
    _optional("fingerprint", Text),
    _column("requested_at", INSTANT, default="now()"),
    _optional("started_at", INSTANT),
    _optional("finished_at", INSTANT),
    _optional("error", Text),
    UniqueConstraint(
        "tenant_id", "window_start", "window_end", "model_version", name="recompute_jobs_window_key"
    ),
    Index("recompute_jobs_status_idx", "tenant_id", "status"),
)
_tenant_table(
    "task_effects",
    _key("task_id"),
    _column("task_name", Text),
    _column("done_at", INSTANT, default="now()"),
)

Sequence("queue_id_sequence", metadata=METADATA)
Sequence("message_id_sequence", metadata=METADATA)
Table(
    "kombu_queue",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(200)),
    UniqueConstraint("name", name="kombu_queue_name_key"),
)
Table(
    "kombu_message",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("visible", Boolean, index=True),
    Column("timestamp", DateTime, index=True),
    Column("payload", Text, nullable=False),
    Column("version", SmallInteger, nullable=False),
    Column("queue_id", Integer, ForeignKey("kombu_queue.id", name="FK_kombu_message_queue")),
    Index("ix_kombu_message_timestamp_id", "timestamp", "id"),
)
