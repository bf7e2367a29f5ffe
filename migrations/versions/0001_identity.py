"""Tenants, their keys and users, tokens, and webhook endpoints with their sealed secrets."""

from alembic import op

from migrations.ddl import TENANT_COLUMN, drop_lookup, grant, isolate, lookup, visible_to_lookups

revision = "0001"
down_revision = None

CURRENT_TENANT = """
CREATE FUNCTION public.current_tenant_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('app.current_tenant_id', true), '')::uuid $$
"""

TABLES = {
    "tenants": """
        tenant_id  uuid NOT NULL PRIMARY KEY,
        name       text NOT NULL CHECK (btrim(name) <> ''),
        status     text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
        created_at timestamptz NOT NULL DEFAULT now()
    """,
    "tenant_keys": f"""
        {TENANT_COLUMN} REFERENCES tenants,
        key_id     uuid NOT NULL,
        key_hash   bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        revoked_at timestamptz,
        PRIMARY KEY (tenant_id, key_id)
    """,
    "users": """
        user_id       uuid NOT NULL PRIMARY KEY,
        login_hash    bytea NOT NULL CONSTRAINT users_login_hash_key UNIQUE,
        username      text NOT NULL,
        password_hash text NOT NULL,
        is_active     boolean NOT NULL DEFAULT true,
        created_at    timestamptz NOT NULL DEFAULT now()
    """,
    "memberships": f"""
        {TENANT_COLUMN} REFERENCES tenants,
        user_id    uuid NOT NULL REFERENCES users,
        role       text NOT NULL CHECK (role IN ('admin', 'manager', 'viewer')),
        status     text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'revoked')),
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (tenant_id, user_id)
    """,
    "refresh_tokens": f"""
        {TENANT_COLUMN},
        token_id    uuid NOT NULL,
        user_id     uuid NOT NULL,
        family_id   uuid NOT NULL,
        secret_hash bytea NOT NULL,
        issued_at   timestamptz NOT NULL,
        expires_at  timestamptz NOT NULL,
        rotated_at  timestamptz,
        revoked_at  timestamptz,
        replaced_by uuid,
        PRIMARY KEY (tenant_id, token_id),
        CONSTRAINT refresh_tokens_membership_fkey
            FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id)
    """,
    "access_token_denylist": f"""
        {TENANT_COLUMN},
        jti        uuid NOT NULL,
        user_id    uuid NOT NULL,
        revoked_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, jti)
    """,
    "token_cutoffs": f"""
        {TENANT_COLUMN},
        user_id               uuid NOT NULL,
        tokens_invalid_before timestamptz NOT NULL,
        updated_by            uuid,
        PRIMARY KEY (tenant_id, user_id)
    """,
    # No reference to tenants: a failed login at a tenant that does not exist must cost the same.
    "login_failures": f"""
        {TENANT_COLUMN},
        login_hash        bytea NOT NULL,
        failures          integer NOT NULL CHECK (failures >= 0),
        window_started_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, login_hash)
    """,
    "webhook_endpoints": f"""
        {TENANT_COLUMN} REFERENCES tenants,
        endpoint_id uuid NOT NULL,
        vendor      text NOT NULL CHECK (vendor IN ('shopify', 'stripe', 'woocommerce', 'paypal')),
        key_hash    bytea NOT NULL,
        key_hint    text NOT NULL,
        created_at  timestamptz NOT NULL DEFAULT now(),
        revoked_at  timestamptz,
        PRIMARY KEY (tenant_id, endpoint_id)
    """,
    "webhook_secrets": f"""
        {TENANT_COLUMN},
        secret_id      uuid NOT NULL,
        endpoint_id    uuid NOT NULL,
        sealed         bytea NOT NULL,
        sealing_key_id text NOT NULL,
        created_at     timestamptz NOT NULL DEFAULT now(),
        retired_at     timestamptz,
        PRIMARY KEY (tenant_id, secret_id),
        CONSTRAINT webhook_secrets_endpoint_fkey
            FOREIGN KEY (tenant_id, endpoint_id) REFERENCES webhook_endpoints (tenant_id, endpoint_id)
    """,
}

# Not unique: a unique index without the tenant would tell one tenant of another's key.
INDEXES = (
    "CREATE INDEX tenant_keys_key_hash_idx ON tenant_keys (key_hash)",
    "CREATE INDEX memberships_user_id_idx ON memberships (user_id)",
    "CREATE INDEX refresh_tokens_family_idx ON refresh_tokens (tenant_id, family_id)",
    "CREATE INDEX refresh_tokens_user_idx ON refresh_tokens (tenant_id, user_id)",
    "CREATE INDEX webhook_endpoints_key_hash_idx ON webhook_endpoints (key_hash)",
    "CREATE INDEX webhook_secrets_endpoint_idx ON webhook_secrets (tenant_id, endpoint_id)",
)

MEMBER_OF_THIS_TENANT = "EXISTS (SELECT FROM memberships m WHERE m.user_id = users.user_id)"

ENDPOINT_ROWS = """TABLE (tenant_id uuid, tenant_status text, endpoint_id uuid,
                          secret_id uuid, sealed bytea, sealing_key_id text)"""
ENDPOINT_BY_KEY = """
    SELECT e.tenant_id, t.status, e.endpoint_id, s.secret_id, s.sealed, s.sealing_key_id
      FROM public.webhook_endpoints e
      JOIN public.tenants t ON t.tenant_id = e.tenant_id
      LEFT JOIN public.webhook_secrets s ON s.tenant_id = e.tenant_id AND s.endpoint_id = e.endpoint_id
                                        AND (s.retired_at IS NULL OR s.retired_at > now())
     WHERE e.key_hash = p_key_hash AND e.vendor = p_vendor AND (e.revoked_at IS NULL OR e.revoked_at > now())
     ORDER BY s.created_at DESC, s.secret_id DESC
"""
ENDPOINT_BY_TENANT_KEY = """
    SELECT e.tenant_id, t.status, e.endpoint_id, s.secret_id, s.sealed, s.sealing_key_id
      FROM public.tenant_keys k
      JOIN public.tenants t ON t.tenant_id = k.tenant_id
      JOIN public.webhook_endpoints e ON e.tenant_id = k.tenant_id
      LEFT JOIN public.webhook_secrets s ON s.tenant_id = e.tenant_id AND s.endpoint_id = e.endpoint_id
                                        AND (s.retired_at IS NULL OR s.retired_at > now())
     WHERE k.key_hash = p_key_hash AND (k.revoked_at IS NULL OR k.revoked_at > now())
       AND e.vendor = p_vendor AND (e.revoked_at IS NULL OR e.revoked_at > now())
     ORDER BY e.created_at DESC, e.endpoint_id DESC, s.created_at DESC, s.secret_id DESC
"""
LOGIN = """
    SELECT u.user_id, u.username, u.password_hash, m.role
      FROM public.users u
      JOIN public.memberships m ON m.user_id = u.user_id AND m.status = 'active'
      JOIN public.tenants t ON t.tenant_id = m.tenant_id AND t.status = 'active'
     WHERE m.tenant_id = p_tenant_id AND u.login_hash = p_login_hash AND u.is_active
"""
WRITERS = ("renew_password_hash", "prune_login_failures")
# Whoever knows a hash may replace it by a stronger one of the same password.
RENEW_HASH = """
    UPDATE public.users SET password_hash = p_renewed WHERE user_id = p_user_id AND password_hash = p_known
"""
PRUNE_FAILURES = """
    WITH gone AS (DELETE FROM public.login_failures WHERE window_started_at < p_before RETURNING 1)
    SELECT count(*) FROM gone
"""


def upgrade() -> None:
    op.execute(CURRENT_TENANT)
    for table, columns in TABLES.items():
        kind = "UNLOGGED TABLE" if table == "login_failures" else "TABLE"
        op.execute(f"CREATE {kind} {table} ({columns})")
        if table != "users":
            isolate(table)
    for index in INDEXES:
        op.execute(index)
    _wall_users()
    _grant()
    op.execute("CREATE SCHEMA skeldir_lookup AUTHORIZATION skeldir_lookup")
    _create_lookups()


def downgrade() -> None:
    for signature in _lookups():
        drop_lookup(signature)
    op.execute("SET LOCAL ROLE skeldir_lookup")
    op.execute("DROP SCHEMA skeldir_lookup")
    op.execute("SET LOCAL ROLE skeldir_owner")
    op.execute("DROP POLICY member ON users")  # it reads memberships
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION public.current_tenant_id()")


def _wall_users() -> None:
    """Show a user, who may be of several tenants, only where he is a member; let him be added anywhere."""
    op.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE users FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY member ON users USING ({MEMBER_OF_THIS_TENANT})")
    op.execute("CREATE POLICY provisioning ON users FOR INSERT TO app_admin WITH CHECK (true)")


def _grant() -> None:
    grant("alembic_version", u="S")  # readiness compares it with the code's own revisions
    grant("tenants", u="S", w="S", a="SIU", r="S")
    grant("tenant_keys", u="S", a="SIU")
    grant("users", a="SIU")
    grant("memberships", u="S", a="SIU")
    op.execute("GRANT UPDATE (role, updated_at) ON memberships TO app_rw")
    grant("refresh_tokens", u="SIU", w="SD")
    grant("access_token_denylist", u="SI", w="SD")
    grant("token_cutoffs", u="SIU", a="SIU")
    grant("login_failures", u="SIUD", w="SD")
    grant("webhook_endpoints", u="S", a="SIU")
    grant("webhook_secrets", u="S", a="SIU")
    visible_to_lookups(
        "tenants",
        "tenant_keys",
        "users",
        "memberships",
        "webhook_endpoints",
        "webhook_secrets",
        "login_failures",
    )
    op.execute("GRANT UPDATE (password_hash) ON users TO skeldir_lookup")
    op.execute("CREATE POLICY renewal ON users FOR UPDATE TO skeldir_lookup USING (true)")
    op.execute("GRANT DELETE ON login_failures TO skeldir_lookup")
    op.execute("CREATE POLICY pruning ON login_failures FOR DELETE TO skeldir_lookup USING (true)")


def _lookups() -> dict[str, tuple[str, str, str]]:
    key = "SELECT k.tenant_id, t.status FROM public.tenant_keys k JOIN public.tenants t USING (tenant_id)"
    return {
        "tenant_by_key(p_key_hash bytea)": (
            "TABLE (tenant_id uuid, status text)",
            f"{key} WHERE k.key_hash = p_key_hash AND (k.revoked_at IS NULL OR k.revoked_at > now())",
            "app_rw",
        ),
        "endpoint_by_key(p_key_hash bytea, p_vendor text)": (ENDPOINT_ROWS, ENDPOINT_BY_KEY, "app_rw"),
        "endpoint_by_tenant_key(p_key_hash bytea, p_vendor text)": (
            ENDPOINT_ROWS,
            ENDPOINT_BY_TENANT_KEY,
            "app_rw",
        ),
        "login(p_tenant_id uuid, p_login_hash bytea)": (
            "TABLE (user_id uuid, username text, password_hash text, role text)",
            LOGIN,
            "app_rw",
        ),
        "user_by_login(p_login_hash bytea)": (
            "TABLE (user_id uuid)",
            "SELECT u.user_id FROM public.users u WHERE u.login_hash = p_login_hash",
            "app_admin",
        ),
        "list_tenants()": (
            "TABLE (tenant_id uuid)",
            "SELECT t.tenant_id FROM public.tenants t WHERE t.status = 'active' ORDER BY t.tenant_id",
            "app_worker",
        ),
        "all_tenants()": (
            "TABLE (tenant_id uuid, name text, status text, created_at timestamptz)",
            """SELECT t.tenant_id, t.name, t.status, t.created_at FROM public.tenants t
                ORDER BY t.created_at, t.tenant_id""",
            "app_admin",
        ),
        "renew_password_hash(p_user_id uuid, p_known text, p_renewed text)": ("void", RENEW_HASH, "app_rw"),
        "prune_login_failures(p_before timestamptz)": ("bigint", PRUNE_FAILURES, "app_worker"),
    }


def _create_lookups() -> None:
    op.execute("SET LOCAL ROLE skeldir_lookup")
    op.execute("GRANT USAGE ON SCHEMA skeldir_lookup TO app_rw, app_worker, app_admin")
    op.execute("SET LOCAL ROLE skeldir_owner")
    for signature, (returns, body, role) in _lookups().items():
        lookup(signature, returns, body, to=role, writes=signature.startswith(WRITERS))
