"""What the revisions say over and over: a tenant's wall around a table, and who may do what with it.

Revisions rely on these forever, so they are only added to, never changed.
"""

from alembic import op

TENANT = "(select nullif(current_setting('app.current_tenant_id', true), '')::uuid)"
"""The tenant of this transaction. After a transaction-local setting ends it reads '', which is no
uuid: hence the nullif. The sub-select keeps plans apart from the tenant they were first made for."""

TENANT_COLUMN = "tenant_id uuid NOT NULL DEFAULT public.current_tenant_id()"

_ROLES = {"u": "app_rw", "w": "app_worker", "a": "app_admin", "r": "app_ro"}
_RIGHTS = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE"}


def isolate(table: str) -> None:
    """Let a table show and take only the rows of the transaction's tenant, from its owner too."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant_isolation ON {table} USING (tenant_id = {TENANT})")


def grant(table: str, **rights: str) -> None:
    """Grant rights by initials, as in `grant("events", u="SI", w="S")`, to the roles of `_ROLES`."""
    for who, letters in rights.items():
        named = ", ".join(_RIGHTS[letter] for letter in letters)
        op.execute(f"GRANT {named} ON {table} TO {_ROLES[who]}")


def append_only(table: str) -> None:
    """Refuse every change to what a table holds, whoever tries."""
    op.execute(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change()"
    )


def analyse_often(table: str) -> None:
    """Have statistics follow bulk changes closely: a stale guess at a tenant's size costs a factor of 500."""
    op.execute(
        f"ALTER TABLE {table} SET (autovacuum_analyze_scale_factor = 0.005,"
        " autovacuum_analyze_threshold = 500, autovacuum_vacuum_scale_factor = 0.05,"
        " autovacuum_vacuum_insert_scale_factor = 0.05)"
    )


def lookup(signature: str, returns: str, body: str, *, to: str, writes: bool = False) -> None:
    """Create a function of skeldir_lookup that looks across tenants, executable by one role only.

    It runs as the role that owns it, so everything in it is named with its schema.
    """
    name = f"skeldir_lookup.{signature}"
    volatility = "VOLATILE" if writes else "STABLE"
    op.execute("SET LOCAL ROLE skeldir_lookup")
    op.execute(
        f"CREATE FUNCTION {name} RETURNS {returns} LANGUAGE sql {volatility} SECURITY DEFINER "
        f"SET search_path = pg_catalog, pg_temp AS $$ {body} $$"
    )
    op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO {to}")
    op.execute("SET LOCAL ROLE skeldir_owner")


def drop_lookup(signature: str) -> None:
    """Drop a function that `lookup` made."""
    op.execute("SET LOCAL ROLE skeldir_lookup")
    op.execute(f"DROP FUNCTION skeldir_lookup.{signature}")
    op.execute("SET LOCAL ROLE skeldir_owner")


def visible_to_lookups(*tables: str) -> None:
    """Let the functions of skeldir_lookup read every tenant's rows of a table."""
    for table in tables:
        op.execute(f"GRANT SELECT ON {table} TO skeldir_lookup")
        op.execute(f"CREATE POLICY lookup ON {table} FOR SELECT TO skeldir_lookup USING (true)")
