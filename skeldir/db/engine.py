"""One engine per role and process: its login, its pool, and what must happen when a process forks."""

import atexit
import os
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal, cast

import psycopg
from psycopg.abc import Buffer
from psycopg.types.datetime import DatetimeDumper
from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.pool import NullPool

from skeldir.db.roles import Role
from skeldir.settings import Settings, get_settings

_engines: dict[Role | Literal["ingress"], tuple[Settings, Engine]] = {}


def get_engine(role: Role) -> Engine:
    """Return this process's engine for a role; `tenant_session` is what opens transactions on it.

    Connections do not begin transactions by themselves: `tenant_session` sends BEGIN together with
    the tenant. The owner's engine, for migrations, does and keeps no connections.
    """
    return _get(role, role)


def get_ingress_engine() -> Engine:
    """Return this process's engine for the webhooks alone; `tenant_transaction` opens transactions on it.

    Nobody else's slow reads keep a delivery waiting for one of these connections. And nobody else rolls
    back on them, after which the driver would throw away what is prepared.
    """
    return _get("ingress", "app_user")


def _get(name: Role | Literal["ingress"], role: Role) -> Engine:
    settings = get_settings()
    made = _engines.get(name)
    if made is None or made[0] is not settings:
        if made is not None:
            made[1].dispose()  # else its idle connections stay open until somebody collects them
        made = _engines[name] = (settings, _make_engine(role, get_url(role), settings))
    return made[1]


def get_url(role: Role) -> URL:
    """Return the URL that connects as a role: its own login's, or another's that takes the role on."""
    settings = get_settings()
    if settings.database_url is None:
        if role == "skeldir_owner":
            return _taking_on(role, _lease().url())
        return cast("URL", _lease().url(role))
    own = {"app_user": None, "app_worker": settings.worker_database_url}
    given = own.get(role, settings.owner_database_url) or settings.database_url
    return _taking_on(role, _with_driver(given))


def bootstrap_url() -> URL:
    """Return the URL of a login that may create roles."""
    settings = get_settings()
    if settings.database_url is None:
        return cast("URL", _lease().url())
    return _with_driver(settings.owner_database_url or settings.database_url)


def login_passwords() -> dict[str, str]:
    """Return the passwords that the embedded server's logins must have; none for a server of others."""
    return {} if get_settings().database_url else _lease().home.passwords()


def dispose_engines() -> None:
    """Close every pooled connection of this process."""
    for _, engine in _engines.values():
        engine.dispose()
    _engines.clear()


def _make_engine(role: Role, url: URL, settings: Settings) -> Engine:
    if role == "skeldir_owner":
        return create_engine(url, poolclass=NullPool, hide_parameters=True)
    threshold = settings.database_prepare_threshold or None
    return create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,  # what a statement carries is nobody's business who reads an error
        pool_size=settings.database_pool_size + settings.exports_max,  # what a stream holds no handler lacks
        max_overflow=0,
        pool_timeout=10,
        pool_use_lifo=True,  # what a quiet service does not use can grow old and be closed
        pool_recycle=1_800,
        skip_autocommit_rollback=False,  # only BEGIN is ours: there still is much to roll back
        connect_args={"prepare_threshold": threshold, "connect_timeout": 10, "application_name": role},
    )


def _with_driver(url: str) -> URL:
    return make_url(url).set(drivername="postgresql+psycopg")


def _taking_on(role: Role, url: URL) -> URL:
    """Add the start-up option that sets the role, unless the login is the role (poolers refuse options).

    Without a space, which libpq and SQLAlchemy write differently in a URL.
    """
    if url.username == role:
        return url
    present = url.query.get("options", "")
    options = " ".join([*([present] if isinstance(present, str) else present), f"-crole={role}"])
    return url.update_query_dict({"options": options.strip()})


@cache
def _lease() -> Any:  # noqa: ANN401  (its module is for POSIX only, and needed only without DATABASE_URL)
    """Return this process's share in the embedded server, kept for the rest of its life."""
    from skeldir.db import embedded  # noqa: PLC0415

    lease = embedded.acquire(get_settings().data_dir)
    atexit.register(lease.release)
    atexit.register(dispose_engines)  # runs first: a server is quicker to stop without clients
    return lease


class _UtcDumper(DatetimeDumper):
    """Write instants in UTC: RFC 3339 knows offsets (19:27, say) that PostgreSQL does not."""

    def dump(self, obj: datetime) -> Buffer | None:
        return super().dump(obj.astimezone(UTC))


psycopg.adapters.register_dumper(datetime, _UtcDumper)


def _forget_connections() -> None:
    """Leave the parent's connections to the parent: two processes on one socket garble each other."""
    for _, engine in _engines.values():
        engine.dispose(close=False)
    _engines.clear()


os.register_at_fork(after_in_child=_forget_connections)
