"""One request on its way through the application, and in the end its answer."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final
from uuid import UUID

from starlette.types import Scope

from skeldir.http.answers import Header, HttpAnswer
from skeldir.http.context import RequestFacts
from skeldir.http.rate_limits import Charge, asking
from skeldir.observability import correlation
from skeldir.security.principal import Principal

if TYPE_CHECKING:
    from skeldir.http.plan import OperationPlan
    from skeldir.http.streams import Sending

EXCHANGE: Final = "skeldir.exchange"
"""Its key in the ASGI scope."""


class Exchange:
    """What the parts of the application tell each other about a request."""

    __slots__ = (
        *("answer", "charge", "correlation_id", "headers", "plan", "principal", "scope", "segments"),
        "stream",
    )

    plan: "OperationPlan"
    """Found by routing; unset for what is not an operation."""

    def __init__(self, scope: Scope) -> None:
        """Begin with what the server read."""
        self.scope = scope
        self.headers = _by_name(scope["headers"])
        sent, trace = self.headers.get(b"x-correlation-id"), self.headers.get(b"traceparent")
        self.correlation_id: UUID = correlation.accept_or_make(
            None if sent is None else sent.decode("latin-1"),
            None if trace is None else trace.decode("latin-1"),
        )
        self.segments: list[bytes] = []
        self.principal: Principal | None = None
        self.charge: Charge | None = None
        asking.set(self)
        self.answer: HttpAnswer | None = None
        self.stream: Sending | None = None

    def known_plan(self) -> "OperationPlan | None":
        """Return the operation that the request is for, or None."""
        return getattr(self, "plan", None)

    def charge_headers(self) -> Sequence[Header]:
        """Return what the answer says of the rate limit, if one was charged."""
        return () if self.charge is None else self.charge.headers()

    def facts(self, body: bytes) -> RequestFacts:
        """Return the request as handlers see it."""
        client = self.scope.get("client")
        return RequestFacts(
            method=self.scope["method"],
            path=self.scope["path"],
            headers=HeaderTexts(self.headers),
            body=body,
            client_address=client[0] if client else "",
        )


class HeaderTexts(Mapping[str, str]):
    """Headers by lower-case name, decoded when somebody asks."""

    def __init__(self, headers: Mapping[bytes, bytes]) -> None:
        """Show these headers."""
        self._headers = headers

    def __getitem__(self, name: str) -> str:
        return self._headers[name.encode("latin-1")].decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._headers)

    @cached_property
    def _names(self) -> list[str]:
        return [name.decode("latin-1") for name in self._headers]


def _by_name(pairs: list[Header]) -> dict[bytes, bytes]:
    """Index headers by name, joining repeated ones as RFC 9110 §5.3 and RFC 9113 §8.2.3 say."""
    headers = dict(pairs)
    if len(headers) != len(pairs):
        headers = {}
        for name, value in pairs:
            between = b"; " if name == b"cookie" else b", "
            headers[name] = headers[name] + between + value if name in headers else value
    return headers
