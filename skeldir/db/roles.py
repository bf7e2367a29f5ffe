"""The database's roles. They belong to the server, not to one database, so no migration makes them.

`skeldir_owner` owns the tables, `skeldir_lookup` the functions that look across tenants, `skeldir_eraser`
the one that erases what privacy requests name and `skeldir_pruner` the one that deletes what is older than
its policy allows; none of them can log in. `app_user` (the API), `app_worker` and `app_admin`
(provisioning) log in; none is a superuser, none may bypass row-level security. `app_rw` and `app_ro` are
groups that hold grants.
"""

from collections.abc import Mapping
from typing import Final, Literal

from psycopg import sql
from sqlalchemy import URL, create_engine
from sqlalchemy.pool import NullPool

Role = Literal["app_user", "app_worker", "app_admin", "skeldir_owner"]

GROUPS: Final = ("skeldir_owner", "skeldir_lookup", "skeldir_eraser", "skeldir_pruner", "app_rw", "app_ro")
LOGINS: Final = ("app_user", "app_worker", "app_admin")

# NOINHERIT: the owner may become skeldir_lookup, skeldir_eraser or skeldir_pruner to make their functions,
# but does not see what they see, nor change what they change.
_ATTRIBUTES: Final = "NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION"
_CREATE: Final = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
    CREATE ROLE {role} {attributes};
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""
# A superuser is every role already; anybody else must be a member of those he takes on.
_BECOME: Final = """
DO $$ BEGIN
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = session_user) THEN
    EXECUTE format('GRANT skeldir_owner, app_user, app_worker, app_admin TO %I', session_user);
  END IF;
END $$
"""
_DATABASE: Final = """
DO $$ BEGIN
  EXECUTE format('GRANT CREATE ON DATABASE %I TO skeldir_owner', current_database());
END $$
"""
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('skeldir roles'))"


def bootstrap(url: URL, *, passwords: Mapping[str, str] | None = None) -> None:
    """Make the roles that are missing and what they need in this database; repeating it is harmless.

    `url` must log in as somebody who may create roles. Logins get the passwords that are given; the
    others keep theirs, or have none and are only reached by `SET ROLE`.
    """
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.begin() as connection:
            connection.execution_options(no_parameters=True)  # a percent sign is only that
            connection.exec_driver_sql(_LOCK)
            for statement in _statements():
                connection.exec_driver_sql(statement)
            for login, password in (passwords or {}).items():
                if login in LOGINS:
                    command = sql.SQL("ALTER ROLE {} PASSWORD {}")
                    filled = command.format(sql.Identifier(login), sql.Literal(password))
                    connection.exec_driver_sql(filled.as_string(None))
    finally:
        engine.dispose()


def _statements() -> list[str]:
    groups = [_CREATE.format(role=role, attributes=f"NOLOGIN NOINHERIT {_ATTRIBUTES}") for role in GROUPS]
    logins = [_CREATE.format(role=role, attributes=f"LOGIN {_ATTRIBUTES}") for role in LOGINS]
    return [
        *groups,
        *logins,
        "GRANT app_rw TO app_user",
        "GRANT skeldir_lookup, skeldir_eraser, skeldir_pruner TO skeldir_owner",
        _BECOME,
        _DATABASE,
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        "GRANT USAGE, CREATE ON SCHEMA public TO skeldir_owner",
    ]
