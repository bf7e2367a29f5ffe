"""Answers that are sent while they are made: how many at once, and how they reach their clients.

A stream holds a database connection as long as its client takes to read it. So streams have threads and
connections of their own, which no other request waits for; and who asks for one too many is told at once.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Generator
from threading import Lock
from typing import Final
from uuid import UUID

import structlog
from starlette.types import Receive, Send

from skeldir.domain.errors import TooManyRequests, Unauthorized, Unavailable
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.exchange import Exchange
from skeldir.http.pool import HandlerPool

RETRY_AFTER_SECONDS: Final = 5

_log = structlog.get_logger("skeldir.http")


class Streams:
    """The streams of a process; all of it but the pulling is on the event loop, so no lock is needed."""

    def __init__(self, streams_max: int, seconds_max: float) -> None:
        """Allow so many at once, each for so long; half of them to one tenant, so that others find room."""
        self.seconds_max = seconds_max
        self.pool = HandlerPool(streams_max)
        self._streams_max = streams_max
        self._tenant_max = (streams_max + 1) // 2
        self._held: Counter[UUID] = Counter()

    async def open(self, exchange: Exchange, route: Callable[[Call], HttpAnswer], call: Call) -> HttpAnswer:
        """Run a handler; what it streams has its place until `release`.

        Raises TooManyRequests or Unavailable when there is none.
        """
        if exchange.principal is None:
            raise Unauthorized
        tenant_id = exchange.principal.tenant_id
        self._take(tenant_id)
        try:
            answer = await self.pool.run(route, call)
        except BaseException:  # also a caller who is gone: the place is given back
            self.release(tenant_id)
            raise
        if answer.chunks is None:
            self.release(tenant_id)
        else:
            exchange.stream = Sending(self, tenant_id, answer.chunks)
        return answer

    def release(self, tenant_id: UUID) -> None:
        """Give a place back."""
        self._held[tenant_id] -= 1
        if self._held[tenant_id] == 0:
            del self._held[tenant_id]

    def _take(self, tenant_id: UUID) -> None:
        later = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        if self._held[tenant_id] >= self._tenant_max:
            raise TooManyRequests(
                f"{self._tenant_max} of the tenant's are being sent already.", headers=later
            )
        if self._held.total() >= self._streams_max:
            raise Unavailable(f"{self._streams_max} are being sent already.", headers=later)
        self._held[tenant_id] += 1


class Sending:
    """One stream on its way: it ends with its client, at its time, or whole."""

    def __init__(self, streams: Streams, tenant_id: UUID, chunks: Generator[bytes]) -> None:
        """Hold a place until `to` is done."""
        self._streams = streams
        self._tenant_id = tenant_id
        self._chunks = chunks
        self._is_held = True
        self._pulling = Lock()  # a chunk may still be in the making when the stream is given up

    async def to(self, receive: Receive, send: Send) -> None:
        """Send the chunks and the end; without it the server breaks the connection off."""
        pump = asyncio.ensure_future(self._pump(send))
        gone = asyncio.ensure_future(_gone(receive))
        try:
            waiting = {pump, gone}
            await asyncio.wait(
                waiting, timeout=self._streams.seconds_max, return_when=asyncio.FIRST_COMPLETED
            )
            if not pump.done():
                _log.info("stream_given_up", reason="client_gone" if gone.done() else "too_slow")
            elif (error := pump.exception()) is not None:
                _log.error("stream_broken", exc_info=error)
        finally:
            pump.cancel()
            gone.cancel()
            await asyncio.shield(self._close())

    async def _pump(self, send: Send) -> None:
        while (chunk := await self._streams.pool.run(self._pull)) is not None:
            if chunk:  # uvicorn waits here while the client does not take what it was sent
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        self._release()  # whoever has seen the end may ask for the next one
        await send({"type": "http.response.body", "body": b""})

    def _pull(self) -> bytes | None:
        with self._pulling:
            return next(self._chunks, None)

    async def _close(self) -> None:
        try:
            await self._streams.pool.run(self._shut)
        except Exception as error:  # noqa: BLE001 - there is nobody left to tell
            _log.error("stream_not_closed", exc_info=error)
        finally:
            self._release()

    def _release(self) -> None:
        if self._is_held:
            self._is_held = False
            self._streams.release(self._tenant_id)

    def _shut(self) -> None:
        with self._pulling:
            self._chunks.close()


async def _gone(receive: Receive) -> None:
    """Return when the client has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass
