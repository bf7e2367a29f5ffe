"""An HTTP answer before it is sent."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


@dataclass(slots=True)
class HttpAnswer:
    """Status, headers and body; a body without a media type has no Content-Type."""

    status: int
    body: bytes = b""
    media_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    async def send(self, send: Send, *, correlation_id: str, without_body: bool = False) -> None:
        """Send the answer; `without_body` answers a HEAD request."""
        headers = [(b"x-correlation-id", correlation_id.encode())]
        if self.status not in _WITHOUT_BODY:
            headers.append((b"content-length", str(len(self.body)).encode()))
        if self.media_type is not None:
            headers.append((b"content-type", self.media_type.encode()))
        headers += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if without_body else self.body})
