"""One of several processes leads: the one whose connection holds a lock, for as long as that lives.

What a leader does it does over that very connection. So whoever was cut off does nothing any more, and
nobody else leads before the server has given the connection up.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from skeldir.db.engine import get_url
from skeldir.db.pooled import driver_under
from skeldir.db.roles import Role
from skeldir.db.session import transaction_over

SILENCE_SECONDS_MAX: Final = 5
"""A leader says something more often than that, or the server ends its connection: it may hang."""

_KEEPALIVE: Final[dict[str, Any]] = {
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "connect_timeout": 10,
}
_AS_LEADER: Final = f"""
    SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
    SET idle_session_timeout = '{SILENCE_SECONDS_MAX}s';
    SET idle_in_transaction_session_timeout = '{SILENCE_SECONDS_MAX}s'
"""
_TRY: Final = "SELECT pg_try_advisory_lock(hashtextextended('skeldir leader: ' || %s, 0))"
_PING: Final = "SELECT 1"


class Leadership:
    """This process's share in being the leader; it needs a direct connection, no pooler's."""

    def __init__(self, name: str, role: Role) -> None:
        """Take part, by name; nothing is connected to before the first `take`."""
        self._name, self._role = name, role
        self._connection: Connection | None = None
        self._is_held = False

    def take(self) -> bool:
        """Lead, if nobody else does; tell whether this process leads. Raises what a lost connection raises.

        To be called more often than every SILENCE_SECONDS_MAX.
        """
        if self._connection is None:
            self._connection = self._connect()
        driver = driver_under(self._connection.connection)
        if self._is_held:
            driver.execute(_PING)
        else:
            row = driver.execute(_TRY, [self._name]).fetchone()
            self._is_held = row is not None and row[0]
        return self._is_held

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a transaction that commits only as the leader's: its connection is the one with the lock."""
        if self._connection is None or not self._is_held:
            raise RuntimeError("only the leader works over its connection")
        with transaction_over(self._connection) as session:
            yield session

    def resign(self) -> None:
        """Lead no more; whoever takes part next may."""
        connection, self._connection, self._is_held = self._connection, None, False
        if connection is not None:
            with suppress(SQLAlchemyError, psycopg.Error):
                connection.close()

    def _connect(self) -> Connection:
        who = f"skeldir_{self._name} {os.getpid()}@{socket.gethostname()}"  # so that activity tells who leads
        engine = create_engine(
            get_url(self._role),
            isolation_level="AUTOCOMMIT",
            poolclass=NullPool,
            hide_parameters=True,
            skip_autocommit_rollback=False,
            connect_args={**_KEEPALIVE, "application_name": who[:63]},
        )
        connection = engine.connect()
        driver_under(connection.connection).execute(_AS_LEADER)
        return connection
