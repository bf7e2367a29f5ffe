"""A transaction on the driver alone, as `skeldir.db.session` opens it: two statements are two round trips.

The simple protocol takes several statements at once, so the begin travels with the first statement and the
commit with the last. What is sent is prepared on its connection by name and executed with one text, a
literal: the driver's own way (extended protocol, cursor, pipeline) costs three to four times the
processor time, measured.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import psycopg
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, Escaping, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import PoolProxiedConnection

from skeldir.db.engine import get_ingress_engine
from skeldir.db.pooled import HAS_SERVED, broke_while_idle, driver_under

Row = tuple[Any, ...] | None
_Call = tuple[str, bytes]

_PREPARED: Final = "skeldir.prepared"
_PLAN_ONCE: Final = b"SET plan_cache_mode = force_generic_plan"
_DONE: Final = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK, ExecStatus.EMPTY_QUERY)


class Transaction:
    """What runs between a begin and a commit; both are the opener's. All raise psycopg's errors."""

    __slots__ = ("_before", "_begin", "_last", "_pooled", "_then")

    def __init__(self, begin: str) -> None:
        """Begin, with the first statement, by these statements."""
        self._begin = begin.encode()
        self._pooled: PoolProxiedConnection | None = None
        self._last: _Call | None = None
        self._before: list[Callable[[], None]] = []
        self._then: list[Callable[[], None]] = []

    @property
    def driver(self) -> psycopg.Connection:
        """The driver's connection, in the transaction."""
        return driver_under(self._pooled or self._first(None)[0])

    def execute(self, statement: str, document: bytes) -> Row:
        """Execute a statement of one parameter, $1, a text; return its first row, if it has one."""
        call = (statement, document)
        if self._pooled is None:
            pooled, result = self._first(call)
        else:
            pooled, result = self._pooled, _sent(self._pooled, _called(self._pooled, call))
        if not result.ntuples:
            return None
        transformer = Transformer(driver_under(pooled))
        transformer.set_pgresult(result)
        return transformer.load_row(0, tuple)

    def leave(self, statement: str, document: bytes) -> None:
        """Have a statement executed together with the commit: nothing follows it, and it answers nothing."""
        self._last = (statement, document)

    def before_commit(self, call: Callable[[], None]) -> None:
        """Have something done as the last thing before the commit, after the last statement."""
        self._before.append(call)

    def after_commit(self, call: Callable[[], None]) -> None:
        """Have something done once the transaction is committed."""
        self._then.append(call)

    def commit(self) -> None:
        """Commit, the last statement with it; then do what waits for that.

        Raises RuntimeError where a statement failed that nobody minded: the server answers such a COMMIT by
        rolling back, without an error, and what was told as kept would be lost.
        """
        if self._pooled is None and self._last is None:
            return
        pooled = self._pooled or self._first(None)[0]
        last = [] if self._last is None else [_called(pooled, self._last)]
        if self._before:
            _sent(pooled, b"; ".join(last))
            last = []
            for call in self._before:
                call()
        if _sent(pooled, b"; ".join((*last, b"COMMIT"))).command_status != b"COMMIT":
            raise RuntimeError("a statement failed, and its transaction was to be committed all the same")
        for call in self._then:
            call()

    def close(self) -> None:
        """Roll back what was not committed, and give the connection back."""
        if self._pooled is None:
            return
        driver = driver_under(self._pooled)
        if driver.closed:
            self._pooled.invalidate()
        elif driver.pgconn.transaction_status != TransactionStatus.IDLE:
            driver.pgconn.exec_(b"ROLLBACK")  # not the driver's, which would throw away what is prepared
        self._pooled.close()

    def _first(self, call: _Call | None) -> tuple[PoolProxiedConnection, PGresult]:
        """Begin, on a connection that is alive, and execute the first statement in the same breath."""
        while True:
            pooled = self._pooled = get_ingress_engine().raw_connection()
            try:
                if HAS_SERVED not in pooled.info:
                    _sent(pooled, _PLAN_ONCE)
                calls = [] if call is None else [_called(pooled, call)]
                result = _sent(pooled, b"; ".join((self._begin, *calls)))
            except psycopg.OperationalError as error:
                if not broke_while_idle(pooled):
                    raise
                pooled.invalidate(error)
                self._pooled = None  # there may be no other
            else:
                pooled.info[HAS_SERVED] = True
                return pooled, result


def _called(pooled: PoolProxiedConnection, call: _Call) -> bytes:
    """Write a call of a statement, which is prepared if its connection does not know it yet.

    Where nothing may be prepared (a pooler in transaction mode), write the statement itself.
    """
    statement, document = call
    driver = driver_under(pooled)
    literal = Escaping(driver.pgconn).escape_literal(document)
    if driver.prepare_threshold is None:
        return statement.encode().replace(b"$1", literal)
    prepared = pooled.info.setdefault(_PREPARED, set())
    name = _name(statement)
    if name not in prepared:
        _sent(pooled, b"PREPARE %b (text) AS %b" % (name, statement.encode()))
        prepared.add(name)
    return b"EXECUTE %b (%b)" % (name, literal)


@cache
def _name(statement: str) -> bytes:
    return b"skeldir_" + hashlib.sha256(statement.encode()).hexdigest()[:16].encode()


def _sent(pooled: PoolProxiedConnection, script: bytes) -> PGresult:
    """Send a script; return what its last statement answered, raise what its first fault is."""
    driver = driver_under(pooled)
    result = driver.pgconn.exec_(script)
    if result.status in _DONE:
        return result
    error = error_from_result(result, driver.info.encoding)
    if driver.pgconn.status == ConnStatus.BAD and not isinstance(error, psycopg.OperationalError):
        raise psycopg.OperationalError(str(error)) from error
    raise error
