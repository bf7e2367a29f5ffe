"""The same facts give the same rows: in whatever order they come, to whichever server and worker."""

import hashlib
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import URL, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from skeldir.db import embedded, migrate, roles
from skeldir.db.binaries import run_as
from skeldir.db.session import tenant_session
from skeldir.domain.ids import uuid7
from skeldir.repository import attribution, attribution_orders, recompute_inputs
from tests.conftest import QUICK, Database
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import SETTINGS, World
from tests.repository.test_attribution_digests import EVERYTHING

WORLD = worlds.make(seed=31, journeys=80)
ODD_SESSION = (
    "SET TimeZone = 'Pacific/Apia'",
    "SET DateStyle = 'SQL, DMY'",
    "SET IntervalStyle = 'sql_standard'",
    "SET extra_float_digits = -3",
    "SET bytea_output = 'escape'",
)
ROWS = """
    SELECT model_version, entry_id, order_id, channel_code, campaign_id, allocated_cents, currency,
           extract(epoch FROM effective_at), touch_count, fallback
      FROM allocations WHERE tenant_id = %s
"""
# Numbers by their value and letters by none of their marks; where I is no capital of i; what is at hand most.
LANGUAGES = (
    "LOCALE_PROVIDER icu ICU_LOCALE 'de-u-kn-ks-level1'",
    "LOCALE_PROVIDER libc LOCALE 'tr_TR.UTF-8'",
    "LOCALE_PROVIDER libc LOCALE 'en_US.UTF-8'",
)
UrlOf = Callable[[str | None], URL]
# What a worker does, with a small appetite, until nothing is marked; another one does the same meanwhile.
WORKER = """
import sys, uuid, workers.attribution as work
from skeldir.db.engine import get_engine
from skeldir.db.session import tenant_session
from sqlalchemy import text
work.JOURNEYS_MAX, work.send = 7, lambda *_, **__: None
tenant = sys.argv[1]
while True:
    work.attribute_marked.apply(kwargs={"tenant_id": tenant}, task_id=str(uuid.uuid4())).get()
    with tenant_session(uuid.UUID(tenant), engine=get_engine("app_worker")) as session:
        if not session.execute(text("SELECT EXISTS (SELECT FROM dirty_marks)")).scalar_one():
            break
"""


def digest(connection: psycopg.Connection, tenant: UUID) -> str:
    """Digest a tenant's allocations, every column, in an order that no server decides."""
    rows = sorted(repr(row) for row in connection.execute(ROWS, (tenant,)).fetchall())
    assert rows
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def told(database: Database, tenant: UUID, world: World) -> None:
    with database.connect() as connection:
        worlds.store(connection, tenant, world)


def attribute(engine: Engine, tenant: UUID, journeys: list[str], *settings: str) -> str:
    """Attribute journeys in a session of these settings; return the fingerprint of all that went in."""
    with tenant_session(tenant, isolation="repeatable read", engine=engine) as session:
        for setting in settings:
            session.execute(text(setting.replace("SET ", "SET LOCAL ")))
        attribution.begin(session)
        attribution.attribute_journeys(session, journeys, SETTINGS)
    with tenant_session(tenant, read_only=True, engine=engine) as session:
        return recompute_inputs.fingerprint(recompute_inputs.of_window(session, EVERYTHING))


@pytest.fixture(scope="module")
def reference(database: Database) -> tuple[str, str]:
    """Return the digest of the rows, and of their inputs, of a world told and attributed at once."""
    tenant = uuid7()
    with database.connect() as connection:
        connection.execute("INSERT INTO tenants (tenant_id, name) VALUES (%s, 'Reference')", (tenant,))
        told(database, tenant, WORLD)
        inputs = attribute(database.engine("app_worker"), tenant, WORLD.journeys)
        return digest(connection, tenant), inputs


def test_neither_the_order_of_telling_nor_the_session_shows(
    database: Database, tenant: UUID, reference: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told shuffled, attributed a few orders at a time, in a session of another time zone and style."""
    monkeypatch.setattr(attribution_orders, "SCOPE_MAX", 9)
    told(database, tenant, WORLD.shuffled(seed=5))
    journeys = WORLD.journeys
    random.Random(6).shuffle(journeys)
    inputs = attribute(database.engine("app_worker"), tenant, journeys, *ODD_SESSION)
    with database.connect() as connection:
        assert (digest(connection, tenant), inputs) == reference


def test_neither_the_number_of_workers_nor_their_hashes_show(
    database: Database, make_tenant: Callable[[], UUID], reference: tuple[str, str]
) -> None:
    """One worker, and two at once, each of another hash seed and time zone, leave the same rows."""
    crowds = {make_tenant(): ("1",), make_tenant(): ("2", "random")}
    started = []
    for tenant, seeds in crowds.items():
        told(database, tenant, WORLD.shuffled(seed=7))
        with database.connect() as connection:
            worlds.mark(connection, tenant, WORLD.journeys)
        for seed in seeds:
            environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": f"XYZ{len(started)}"}
            started.append(
                subprocess.Popen(
                    [sys.executable, "-c", WORKER, str(tenant)],
                    cwd=Path(__file__).parents[2],
                    env=environment | {"PYTHONPATH": str(Path(__file__).parents[2])},
                )
            )
    assert [process.wait(120) for process in started] == [0, 0, 0]
    with database.connect() as connection:
        assert {digest(connection, tenant) for tenant in crowds} == {reference[0]}


@pytest.fixture
def foreign(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[UrlOf]:
    """Yield how a login (None: the superuser) reaches a fresh database of a server of another language."""
    name = f"{database.name}_foreign"

    def beside(login: str | None) -> URL:
        url = database.url("app_worker") if login else database.superuser
        return url.set(database=name)

    with ExitStack() as left, database.connect() as connection:
        if _create(connection, name):
            left.callback(connection.execute, f"DROP DATABASE {name} WITH (FORCE)")
            yield beside
            return
        folder = left.enter_context(embedded.ephemeral_folder())
        if not _compiled(folder / "tr_TR.UTF-8"):
            pytest.skip("neither the server nor the system knows, or can be taught, another language")
        taught = ["env", f"LOCPATH={folder}"]
        monkeypatch.setattr(embedded, "run_as", lambda what, *who, **how: run_as(taught + what, *who, **how))
        lease = left.enter_context(embedded.acquire(folder, options=QUICK))
        roles.bootstrap(lease.url(database="postgres"), passwords=lease.home.passwords())
        with psycopg.connect(_plain(lease.url(database="postgres")), autocommit=True) as own:
            assert _create(own, name)
        yield lambda login: lease.url(login or embedded.SUPERUSER, name)


def _compiled(language: Path) -> bool:
    """Compile a language of the C library's sources, where a system has these; tell whether it has."""
    command = ["localedef", "-i", language.stem, "-f", "UTF-8", "--no-archive", str(language)]
    return (
        shutil.which("localedef") is not None
        and subprocess.run(command, check=False, capture_output=True).returncode == 0
    )


def _create(connection: psycopg.Connection, name: str) -> bool:
    """Create a database of the first language that the server knows; tell whether it knows one."""
    for language in LANGUAGES:
        with suppress(psycopg.Error):
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' {language}")
            return True
    return False


def _plain(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def test_a_server_of_another_language_gives_the_same_rows(foreign: UrlOf, reference: tuple[str, str]) -> None:
    """In a database that sorts as a dictionary does, not a cent differs, nor what went in."""
    migrate.upgrade(foreign(None))
    tenant = uuid7()
    engine = create_engine(foreign("app_worker"), poolclass=NullPool)
    with psycopg.connect(_plain(foreign(None)), autocommit=True) as connection:
        assert connection.execute("SELECT 'a' < 'B', 'a' < 'B' COLLATE \"C\"").fetchone() == (True, False)
        connection.execute("INSERT INTO tenants (tenant_id, name) VALUES (%s, 'Laden')", (tenant,))
        worlds.store(connection, tenant, WORLD.shuffled(seed=8))
        inputs = attribute(engine, tenant, WORLD.journeys)
        assert (digest(connection, tenant), inputs) == reference
