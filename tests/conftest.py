"""A database for each test process: cloned from a migrated template, on one server for the run.

A test is isolated by having a tenant of its own, so nothing is ever truncated. Without DATABASE_URL
the server is the embedded one; with it, its login must be one that may create databases and roles.
"""

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL, Engine, make_url, text

from skeldir.db import embedded, migrate, roles
from skeldir.db.engine import dispose_engines, get_engine, get_url
from skeldir.db.roles import Role
from skeldir.db.session import tenant_session
from skeldir.domain.ids import uuid7
from skeldir.settings import get_settings

TREE = Path(__file__).parents[1]
SCHEMA_SOURCES = (*sorted((TREE / "migrations").rglob("*.py")), TREE / "skeldir" / "db" / "roles.py")
VARIABLES = ("DATABASE_URL", "SKELDIR_WORKER_DATABASE_URL", "SKELDIR_OWNER_DATABASE_URL")
# Tests outlive no power failure; waiting for the disk would only make them slower.
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}


@dataclass(frozen=True)
class Database:
    """This process's database, and who may be whom in it."""

    name: str
    superuser: URL

    def url(self, role: Role) -> URL:
        """Return the URL that the settings give for a role."""
        return get_url(role)

    def engine(self, role: Role) -> Engine:
        """Return the pooled engine of a role, the one that the service itself uses."""
        return get_engine(role)

    def connect(self) -> psycopg.Connection:
        """Connect as the superuser, who sees every tenant's rows, outside of any transaction."""
        return _connect(self.superuser)

    def wait_for_lock(self) -> None:
        """Wait until somebody waits for another's transaction, or for a lock that it holds."""
        waiting = """SELECT count(*) FROM pg_stat_activity
                      WHERE wait_event IN ('transactionid', 'advisory') AND datname = %s"""
        deadline = time.monotonic() + 30
        with self.connect() as connection:
            while connection.execute(waiting, [self.name]).fetchone() == (0,):
                assert time.monotonic() < deadline, "nobody waits"
                time.sleep(0.01)


def pytest_configure(config: pytest.Config) -> None:
    """Keep whatever the service writes (keys, an embedded server) away from the user's own data."""
    folder = tempfile.TemporaryDirectory(prefix="skeldir-test-", ignore_cleanup_errors=True)
    Path(folder.name).chmod(0o711)
    os.environ["SKELDIR_DATA_DIR"] = folder.name
    get_settings.cache_clear()
    config.add_cleanup(folder.cleanup)


@pytest.fixture(scope="session")
def database() -> Iterator[Database]:
    """Point the settings of this process, and of those it starts, to a fresh migrated database."""
    with _server() as (url_of, is_ours):
        superuser = url_of(None, "postgres")
        name = f"skeldir_test_{os.getpid()}"
        with _connect(superuser) as connection:
            if is_ours:
                _drop_databases_of_dead_processes(connection)
            _clone_template(connection, superuser, name)
        with _settings(url_of, name):
            yield Database(name, superuser.set(database=name))
            dispose_engines()
        with _connect(superuser) as connection:
            _drop(connection, name)


@pytest.fixture
def make_tenant(database: Database) -> Callable[[], UUID]:
    """Return a function that provisions a tenant and returns its id."""

    def make(name: str = "A shop") -> UUID:
        tenant_id = uuid7()
        with tenant_session(tenant_id, engine=database.engine("app_admin")) as session:
            session.execute(
                text("INSERT INTO tenants (tenant_id, name) VALUES (:tenant_id, :name)"),
                {"tenant_id": tenant_id, "name": name},
            )
        return tenant_id

    return make


@pytest.fixture
def tenant(make_tenant: Callable[[], UUID]) -> UUID:
    """Return the id of a fresh tenant."""
    return make_tenant()


UrlOf = Callable[[str | None, str], URL]


@contextmanager
def _server() -> Iterator[tuple[UrlOf, bool]]:
    """Yield how a login (None: the roles' creator) reaches a database, and whether the server is ours."""
    given = os.environ.get("SKELDIR_OWNER_DATABASE_URL") or os.environ.get("DATABASE_URL")
    if given:
        base = make_url(given).set(drivername="postgresql+psycopg")
        yield lambda _login, name: base.set(database=name), False
        return
    folder = Path(tempfile.gettempdir()) / f"skeldir-tests-{os.geteuid()}"
    folder.mkdir(mode=0o711, exist_ok=True)
    assert folder.stat().st_uid == os.geteuid(), f"{folder} belongs to somebody else"
    with embedded.acquire(folder, options=QUICK) as lease:
        roles.bootstrap(lease.url(database="postgres"), passwords=lease.home.passwords())
        yield lambda login, name: lease.url(login or embedded.SUPERUSER, name), True


@contextmanager
def _settings(url_of: UrlOf, name: str) -> Iterator[None]:
    before = {variable: os.environ.get(variable) for variable in VARIABLES}
    for variable, login in zip(VARIABLES, ("app_user", "app_worker", None), strict=True):
        os.environ[variable] = url_of(login, name).render_as_string(hide_password=False)
    get_settings.cache_clear()
    try:
        yield
    finally:
        for variable, value in before.items():
            os.environ.pop(variable, None)
            if value is not None:
                os.environ[variable] = value
        get_settings.cache_clear()


def _clone_template(connection: psycopg.Connection, superuser: URL, name: str) -> None:
    """Clone the schema of this tree, migrated once and kept until the tree's schema is another."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in SCHEMA_SOURCES)).hexdigest()[:12]
    template, building = f"skeldir_template_{digest}", "skeldir_template_building"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('skeldir test template'))")
        known = {row[0] for row in cursor.execute("SELECT datname FROM pg_database").fetchall()}
        if template not in known:
            for old in (other for other in known if other.startswith("skeldir_template_")):
                _drop(connection, old)
            cursor.execute(f"CREATE DATABASE {building}")
            migrate.upgrade(superuser.set(database=building))
            cursor.execute(f"ALTER DATABASE {building} RENAME TO {template}")
        _drop(connection, name)
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {template}")


def _drop_databases_of_dead_processes(connection: psycopg.Connection) -> None:
    for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall():
        prefix, _, pid = name.rpartition("_")
        if prefix == "skeldir_test" and pid.isdigit() and not _lives(int(pid)):
            _drop(connection, name)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _drop(connection: psycopg.Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _connect(url: URL) -> psycopg.Connection:
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)
