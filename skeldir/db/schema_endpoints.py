"""The tables of webhook endpoints and their secrets, beside those of `schema.py`, which imports these."""

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, Text, Uuid, text

from skeldir.db.columns import INSTANT, column, key, optional, tenant_table

tenant_table(
    "webhook_endpoints",
    key("endpoint_id"),
    column("vendor", Text),
    column("key_hash", LargeBinary),
    column("key_hint", Text),
    column("created_at", INSTANT, default="now()"),
    optional("revoked_at", INSTANT),
    Index("webhook_endpoints_key_hash_idx", "key_hash"),
    of_tenants=True,
)
tenant_table(
    "webhook_secrets",
    key("secret_id"),
    column("endpoint_id", Uuid),
    column("sealed", LargeBinary),
    column("sealing_key_id", Text),
    column("created_at", INSTANT, default="now()"),
    optional("retired_at", INSTANT),
    ForeignKeyConstraint(
        ["tenant_id", "endpoint_id"],
        ["webhook_endpoints.tenant_id", "webhook_endpoints.endpoint_id"],
        name="webhook_secrets_endpoint_fkey",
    ),
    Index("webhook_secrets_endpoint_idx", "tenant_id", "endpoint_id"),
)
tenant_table(
    "endpoint_changes",
    key("change_id"),
    column("endpoint_id", Uuid),
    column("changed_at", INSTANT),
    optional("user_id", Uuid),
    column("action", Text),
    optional("secret_id", Uuid),
    Index("endpoint_changes_endpoint_idx", "tenant_id", "endpoint_id", text("changed_at DESC")),
)
