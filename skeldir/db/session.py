"""The one place that opens transactions, sets the tenant, commits and rolls back."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, PoolProxiedConnection, text
from sqlalchemy.orm import Session

from skeldir.db.engine import get_engine
from skeldir.db.pooled import HAS_SERVED, broke_while_idle, driver_under
from skeldir.db.transaction import Transaction
from skeldir.domain.errors import Unauthorized

Isolation = Literal["read committed", "repeatable read"]

_TENANT: Final = "SET LOCAL app.current_tenant_id = '{tenant_id}'"
_UTC: Final = "SET LOCAL TimeZone = 'UTC'"
"""Per transaction: servers may be in another zone, and poolers take no options of connections."""

_NOT_DURABLE: Final = "SET LOCAL synchronous_commit = off"
_EXPORT: Final = text("SELECT pg_export_snapshot(), current_setting('app.current_tenant_id')")
_SNAPSHOT: Final = "SET TRANSACTION SNAPSHOT '{}'"
_LOCK: Final = "SELECT pg_advisory_xact_lock({:d})"
_REVOKED: Final = """
SELECT NOT EXISTS (SELECT FROM public.tenants WHERE status = 'active')
    OR EXISTS (SELECT FROM public.access_token_denylist WHERE jti IN ({ids}))
    OR EXISTS (SELECT FROM public.token_cutoffs
                WHERE user_id = '{user_id}' AND tokens_invalid_before >= '{issued_at}')
"""


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """What must be known of an access token to tell whether it was revoked.

    Either the token itself can be denied, or the session (the login) that it descends from.
    """

    jti: UUID
    user_id: UUID
    issued_at: datetime
    session_id: UUID | None = None


@contextmanager
def tenant_session(
    tenant_id: UUID,
    *,
    read_only: bool = False,
    isolation: Isolation | None = None,
    token: TokenCheck | None = None,
    is_durable: bool = True,
    settings: Mapping[str, str] = MappingProxyType({}),
    engine: Engine | None = None,
) -> Iterator[Session]:
    """Open one transaction as one tenant: committed on a clean exit, rolled back on a raise.

    Read-only transactions see one snapshot (REPEATABLE READ) unless told otherwise. The transaction,
    the tenant, the server's settings that are to hold in it (constants of ours) and the check of the token
    are one round trip. One that is not durable commits without waiting for the disk, and a crash may undo it.
    Raises Unauthorized for a revoked token, and for any token of a suspended tenant.
    """
    begun = [_begin(read_only, isolation), *([] if is_durable else [_NOT_DURABLE])]
    begun += [f"SET LOCAL {name} TO '{value}'" for name, value in settings.items()]
    tenant = _TENANT.format(tenant_id=_checked(tenant_id))
    script = [*begun, tenant, *([_revoked(token)] if token else [])]
    with _transaction("; ".join(script), token, engine) as session:
        yield session


@contextmanager
def tenant_transaction(tenant_id: UUID, *, locks: Sequence[int] = ()) -> Iterator[Transaction]:
    """Open one transaction as one tenant on the driver alone, its first advisory locks with its beginning.

    For the path that is taken hundreds of times a second: what the toolkit does for a session costs there
    as much as the work itself.
    """
    begin = (_begin(read_only=False, isolation=None), _TENANT.format(tenant_id=_checked(tenant_id)))
    transaction = Transaction("; ".join((*begin, *map(_LOCK.format, locks))))
    try:
        yield transaction
        transaction.commit()
    finally:
        transaction.close()


@contextmanager
def session_beside(session: Session) -> Iterator[Session]:
    """Open a read-only transaction of the same tenant that sees what this REPEATABLE READ one began with.

    For what may be computed while the other writes; what that one has written it does not see.
    """
    snapshot, tenant_id = session.execute(_EXPORT).one()
    begin = _begin(read_only=True, isolation="repeatable read")
    tenant = _TENANT.format(tenant_id=UUID(tenant_id))
    script = "; ".join((begin, _SNAPSHOT.format(snapshot), tenant))
    with _transaction(script, None, session.connection().engine) as beside:
        yield beside


@contextmanager
def lookup_session(*, engine: Engine | None = None) -> Iterator[Session]:
    """Open a read-only transaction of no tenant: for the functions of schema skeldir_lookup only."""
    with _transaction(_begin(read_only=True, isolation="read committed"), None, engine) as session:
        yield session


@contextmanager
def transaction_over(connection: Connection) -> Iterator[Session]:
    """Open a transaction of no tenant over a connection of the caller's: a leader's, or an operator's."""
    _run(connection.connection, _begin(read_only=False, isolation=None))
    with Session(connection, autoflush=False) as session:
        yield session
        _refuse_half(driver_of(session))
        session.commit()


@contextmanager
def _transaction(script: str, token: TokenCheck | None, engine: Engine | None) -> Iterator[Session]:
    with (engine or get_engine("app_user")).connect() as connection:
        revoked = _send(connection, script) and token is not None
        with Session(connection, autoflush=False) as session:
            if revoked:
                raise Unauthorized("The access token was revoked.")
            yield session
            _refuse_half(driver_of(session))  # and have it take part: else it would not commit, unless used
            session.commit()


def driver_of(work: Session | Transaction) -> psycopg.Connection:
    """Return the driver's connection that a transaction runs on."""
    return work.driver if isinstance(work, Transaction) else driver_under(work.connection().connection)


def _begin(read_only: bool, isolation: Isolation | None) -> str:  # noqa: FBT001
    level = isolation or ("repeatable read" if read_only else "read committed")
    mode = "READ ONLY" if read_only else "READ WRITE"
    return f"BEGIN ISOLATION LEVEL {level.upper()} {mode}; {_UTC}"


def _revoked(token: TokenCheck) -> str:
    return _REVOKED.format(
        ids=", ".join(f"'{_checked(one)}'" for one in (token.jti, token.session_id) if one),
        user_id=_checked(token.user_id),
        issued_at=token.issued_at.astimezone().isoformat(),
    )


def _checked(value: UUID) -> UUID:
    """Refuse what is not a UUID: it is written into the statement, which takes no parameters here."""
    if not isinstance(value, UUID):
        raise TypeError("a tenant, token or user is named by a UUID")
    return value


def _send(connection: Connection, script: str) -> bool:
    """Begin the transaction; return what the script's last statement selected.

    Several statements in one round trip need the simple protocol, so the driver's cursor is used and
    told not to prepare.
    """
    while True:
        pooled = connection.connection
        try:
            return _run(pooled, script)
        except psycopg.OperationalError as error:
            if not broke_while_idle(pooled):
                raise
            connection.invalidate(error)


def _run(pooled: PoolProxiedConnection, script: str) -> bool:
    with driver_under(pooled).cursor() as cursor:
        cursor.execute(script.encode(), prepare=False)
        cursor.set_result(-1)
        row = cursor.fetchone() if cursor.pgresult and cursor.pgresult.nfields else None
    pooled.info[HAS_SERVED] = True
    return bool(row and row[0])


def _refuse_half(driver: psycopg.Connection) -> None:
    """Raise RuntimeError for a transaction in which something failed that nobody minded.

    The server would answer its COMMIT by rolling back, without an error: what was told as kept would be lost.
    """
    if driver.pgconn.transaction_status == TransactionStatus.INERROR:
        raise RuntimeError("a statement failed, and its transaction was to be committed all the same")
