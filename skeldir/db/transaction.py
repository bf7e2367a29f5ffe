"""A transaction on the driver alone, as `skeldir.db.session` opens it."""

from collections.abc import Callable, Sequence

import psycopg


class Transaction:
    """What runs between a begin and a commit; both are the opener's."""

    __slots__ = ("_last", "_then", "driver")

    def __init__(self, driver: psycopg.Connection) -> None:
        """Run on a connection."""
        self.driver = driver
        self._last: tuple[bytes, Sequence[object]] | None = None
        self._then: list[Callable[[], None]] = []

    def leave(self, statement: bytes, parameters: Sequence[object]) -> None:
        """Have a statement sent together with the commit: nobody waits for its answer, nothing follows it."""
        self._last = (statement, parameters)

    def after_commit(self, call: Callable[[], None]) -> None:
        """Have something done once the transaction is committed."""
        self._then.append(call)

    def commit(self) -> None:
        """Commit, the last statement with it; then do what waits for that."""
        if self._last is None:
            self.driver.execute(b"COMMIT", prepare=False)
        else:
            with self.driver.pipeline(), psycopg.RawCursor(self.driver) as cursor:
                cursor.execute(*self._last)
                cursor.execute(b"COMMIT", prepare=False)
        for call in self._then:
            call()
