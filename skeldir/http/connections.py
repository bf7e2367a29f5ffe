"""Connections that wait for nobody for ever: uvicorn's protocol, with deadlines for its clients.

uvicorn itself limits only how long a connection rests between two requests. A head, a body or an answer
that dribbles would hold its connection, and what is kept for it, as long as the client likes.
"""

from asyncio import TimerHandle, Transport
from http import HTTPStatus
from typing import Final, Literal
from uuid import uuid4

import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from skeldir.domain.errors import SkeldirError
from skeldir.http.problems import problem_answer
from skeldir.settings import get_settings

CHECK_SECONDS: Final = 0.5
"""A connection looks at its clock this often; requests cost no timer of their own."""

HEAD_BYTES_MAX: Final = 65_536
"""Twice what browsers and proxies send at most."""

Phase = Literal["head", "body"]
_log = structlog.get_logger("skeldir.http")


class RequestTimeout(SkeldirError):
    """The request did not arrive in time."""

    status, code = HTTPStatus.REQUEST_TIMEOUT, "request_timeout"


class HeadTooLarge(SkeldirError):
    """The request's head is too large."""

    status, code = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_large"


class Deadlines:
    """What a client is waiting to send, or is not taking, and since when."""

    __slots__ = ("head_bytes", "phase", "since", "taken_at", "unsent")

    def __init__(self, now: float) -> None:
        """Begin as a new connection, from which a head is expected."""
        self.phase: Phase | None = "head"
        self.since = now
        self.head_bytes = 0
        self.unsent = 0
        self.taken_at = now

    def begin(self, phase: Phase, now: float) -> None:
        """Expect the rest of a head or of a body."""
        self.phase, self.since = phase, now

    def is_stalled(self, unsent: int, now: float, seconds: float) -> bool:
        """Tell whether nothing of an answer has been taken for so long."""
        if unsent == 0 or unsent != self.unsent:
            self.unsent, self.taken_at = unsent, now
        return unsent > 0 and now - self.taken_at > seconds


class PatientProtocol(HttpToolsProtocol):
    """One connection, which is closed when its client is too slow."""

    deadlines: Deadlines
    _check_timer: TimerHandle

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        """Expect a first request."""
        super().connection_made(transport)
        self.deadlines = Deadlines(self.loop.time())
        settings = get_settings()
        self._seconds_max: dict[Phase, float] = {
            "head": settings.request_head_seconds_max,
            "body": settings.request_body_seconds_max,
        }
        self._check_timer = self.loop.call_later(CHECK_SECONDS, self._check)

    def connection_lost(self, exc: Exception | None) -> None:
        """Look at the clock no more."""
        self._check_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came: empty lines before a request count as its head."""
        deadlines = self.deadlines
        if deadlines.phase is None:
            deadlines.begin("head", self.loop.time())
        super().data_received(data)
        if deadlines.phase == "head":
            deadlines.head_bytes += len(data)
            if deadlines.head_bytes > HEAD_BYTES_MAX:
                self._refuse(HeadTooLarge(f"It has more than {HEAD_BYTES_MAX} bytes."))

    def on_message_begin(self) -> None:
        """Expect the rest of a head that may have begun behind another request."""
        if self.deadlines.phase is None:
            self.deadlines.begin("head", self.loop.time())
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Expect a body, if there is one."""
        self.deadlines.begin("body", self.loop.time())
        self.deadlines.head_bytes = 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Expect nothing: it is the service's turn."""
        self.deadlines.phase = None
        super().on_message_complete()

    def _check(self) -> None:
        now, deadlines = self.loop.time(), self.deadlines
        self._check_timer = self.loop.call_later(CHECK_SECONDS, self._check)
        unsent = self.transport.get_write_buffer_size()
        if deadlines.is_stalled(unsent, now, self._seconds_max["body"]):
            self.transport.abort()
        elif self.flow.read_paused:  # it is we who do not take what the client sends
            deadlines.since = now
        elif deadlines.phase is not None and now - deadlines.since > self._seconds_max[deadlines.phase]:
            self._give_up(deadlines.phase)

    def _give_up(self, phase: Phase) -> None:
        """Close a connection whose request does not end, and say why if nothing was answered yet."""
        cycle, is_silent = self.cycle, phase == "head" and self.deadlines.head_bytes == 0
        is_answering = cycle is not None and not cycle.response_complete
        if is_answering and (phase == "head" or cycle.response_started):
            cycle.keep_alive = False  # it is closed when the answer is out
        elif is_silent or (phase == "body" and cycle.response_complete):
            self.transport.close()
        else:
            self._refuse(RequestTimeout(f"Its {phase} was not whole in {self._seconds_max[phase]} seconds."))

    def _refuse(self, error: SkeldirError) -> None:
        """Answer in the place of the application, which finds its client gone, and close."""
        if self.transport.is_closing():
            return
        correlation_id = uuid4()
        _log.info("request_refused", status=error.status, code=error.code, correlation_id=str(correlation_id))
        answer = problem_answer(error, correlation_id)
        headers = [
            *self.server_state.default_headers,
            *answer.headers,
            (b"x-correlation-id", str(correlation_id).encode()),
            (b"content-length", str(len(answer.body)).encode()),
            (b"connection", b"close"),
        ]
        lines = [name + b": " + value for name, value in headers]
        self.transport.write(
            b"\r\n".join([STATUS_LINE[error.status] + lines[0], *lines[1:], b"", answer.body])
        )
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()
