"""Administrators manage webhook endpoints and secrets by the API, and every change leaves a line."""

from alembic import op

from migrations.ddl import TENANT_COLUMN, append_only, drop_lookup, grant, isolate, lookup

revision = "0009"
down_revision = "0008"

# It refers to endpoints and users by no foreign key: the trail outlives them.
CHANGES = f"""
CREATE TABLE endpoint_changes (
  {TENANT_COLUMN},
  change_id   uuid NOT NULL,
  endpoint_id uuid NOT NULL,
  changed_at  timestamptz NOT NULL,
  user_id     uuid,
  action      text NOT NULL CHECK (action IN
              ('endpoint_created', 'endpoint_revoked', 'secret_added', 'secret_retired')),
  secret_id   uuid,
  PRIMARY KEY (tenant_id, change_id),
  CONSTRAINT endpoint_changes_secret_check CHECK ((secret_id IS NOT NULL) = (action LIKE 'secret%'))
)
"""
INDEX = (
    "CREATE INDEX endpoint_changes_endpoint_idx ON endpoint_changes (tenant_id, endpoint_id, changed_at DESC)"
)
BY_TENANT_KEY = "endpoint_by_tenant_key(p_key_hash bytea, p_vendor text)"
ENDPOINT_ROWS = """TABLE (tenant_id uuid, tenant_status text, endpoint_id uuid,
                          secret_id uuid, sealed bytea, sealing_key_id text)"""
ENDPOINT = """
    SELECT e.tenant_id, t.status, e.endpoint_id, s.secret_id, s.sealed, s.sealing_key_id
      FROM public.tenant_keys k
      JOIN public.tenants t ON t.tenant_id = k.tenant_id
      JOIN public.webhook_endpoints e ON e.tenant_id = k.tenant_id
      LEFT JOIN public.webhook_secrets s ON s.tenant_id = e.tenant_id AND s.endpoint_id = e.endpoint_id
                                        AND (s.retired_at IS NULL OR s.retired_at > now())
     WHERE k.key_hash = p_key_hash AND (k.revoked_at IS NULL OR k.revoked_at > now())
       AND e.vendor = p_vendor AND (e.revoked_at IS NULL OR e.revoked_at > now())
     ORDER BY {first}e.created_at DESC, e.endpoint_id DESC, s.created_at DESC, s.secret_id DESC
"""
# An endpoint that waits for its secret does not take the tenant's key away from the one that has one.
READY_FIRST = "(s.secret_id IS NULL), "


def upgrade() -> None:
    op.execute(CHANGES)
    op.execute(INDEX)
    isolate("endpoint_changes")
    append_only("endpoint_changes")
    grant("endpoint_changes", u="SI", a="SI", r="S")
    op.execute("GRANT INSERT, UPDATE (revoked_at) ON webhook_endpoints TO app_rw")
    op.execute("GRANT INSERT, UPDATE (retired_at) ON webhook_secrets TO app_rw")
    drop_lookup(BY_TENANT_KEY)
    lookup(BY_TENANT_KEY, ENDPOINT_ROWS, ENDPOINT.format(first=READY_FIRST), to="app_rw")


def downgrade() -> None:
    drop_lookup(BY_TENANT_KEY)
    lookup(BY_TENANT_KEY, ENDPOINT_ROWS, ENDPOINT.format(first=""), to="app_rw")
    op.execute("REVOKE INSERT, UPDATE (retired_at) ON webhook_secrets FROM app_rw")
    op.execute("REVOKE INSERT, UPDATE (revoked_at) ON webhook_endpoints FROM app_rw")
    op.execute("DROP TABLE endpoint_changes")
