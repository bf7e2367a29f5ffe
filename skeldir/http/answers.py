"""An HTTP answer: complete before anything of it is sent, or a body that is made while it is sent."""

from collections.abc import Generator, Iterable
from typing import Final

Header = tuple[bytes, bytes]

JSON: Final = "application/json"
NO_STORE: Final[Header] = (b"cache-control", b"no-store")
_UNFIT: Final = frozenset("\r\n\x00")


class HttpAnswer:
    """Status, headers with names in lower case, body; length and correlation id are added when it is sent.

    With `chunks`, they are the body, and whoever has the answer closes them.
    """

    __slots__ = ("body", "chunks", "headers", "status")

    def __init__(
        self,
        status: int,
        headers: list[Header],
        body: bytes = b"",
        chunks: Generator[bytes] | None = None,
    ) -> None:
        """Keep what will be sent."""
        self.status = status
        self.headers = headers
        self.body = body
        self.chunks = chunks

    def header(self, name: bytes) -> bytes | None:
        """Return the value of a header, or None."""
        return next((value for known, value in self.headers if known == name), None)


def encoded(headers: Iterable[tuple[str, str]]) -> list[Header]:
    """Write headers as ASGI wants them; raises ValueError for one that would break out of its line."""
    written = []
    for name, value in headers:
        if not _UNFIT.isdisjoint(value):
            raise ValueError(f"the value of the header {name} holds a line break or a NUL")
        written.append((name.lower().encode("ascii"), value.encode("latin-1", "replace")))
    return written
