"""What is served beside the contracts: their bundles, byte for byte, and the pages that show them."""

import hashlib
import mimetypes
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Final

import orjson

from skeldir.domain.errors import NotFound
from skeldir.http.answers import Header, HttpAnswer, encoded
from skeldir.http.boundary import holds
from skeldir.http.exchange import Exchange
from skeldir.http.problems import MethodNotAllowed
from skeldir.http.routing import raw_path_of

_CONTRACTS: Final = "/api/contracts"
_DOCS: Final = "/docs"
_PAGE: Final = "index.html"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


class Documents:
    """The documents of some bundles, each digested once."""

    def __init__(self, bundles: Mapping[str, bytes]) -> None:
        """Prepare every answer."""
        self._by_path: dict[bytes, HttpAnswer] = {
            path.encode(): answer for path, answer in (*_contracts(bundles), *_pages())
        }

    def answer(self, exchange: Exchange) -> HttpAnswer:
        """Answer GET and HEAD for a document; raises NotFound where there is none."""
        document = self._by_path.get(raw_path_of(exchange.scope))
        if document is None:
            raise NotFound("There is nothing at this path.")
        if exchange.scope["method"] not in {"GET", "HEAD"}:
            raise MethodNotAllowed(headers={"Allow": "GET, HEAD"})
        tag = document.header(b"etag")
        if tag is not None and holds(exchange.headers.get(b"if-none-match"), tag):
            return HttpAnswer(304, [header for header in document.headers if header[0] != b"content-type"])
        return document


def _contracts(bundles: Mapping[str, bytes]) -> Iterator[tuple[str, HttpAnswer]]:
    listed = []
    for name, body in sorted(bundles.items()):
        url, digest = f"{_CONTRACTS}/{name}.json", hashlib.sha256(body).hexdigest()
        listed.append({"name": name, "url": url, "digest": f"sha256={digest}"})
        yield url, _document(body, "application/json", {"X-Contract-Digest": f"sha256={digest}"})
    yield _CONTRACTS, _document(orjson.dumps({"contracts": listed}), "application/json", {})


def _pages() -> Iterator[tuple[str, HttpAnswer]]:
    for file in (files("skeldir.http") / "assets").iterdir():
        media_type = mimetypes.guess_type(file.name)[0] or "text/plain"
        if file.name == _PAGE:
            policy = {"Content-Security-Policy": _POLICY}
            yield _DOCS, _document(file.read_bytes(), "text/html; charset=utf-8", policy)
        else:
            yield f"{_DOCS}/assets/{file.name}", _document(file.read_bytes(), media_type, {})


def _document(body: bytes, media_type: str, more: Mapping[str, str]) -> HttpAnswer:
    tag = f'"{hashlib.sha256(body).hexdigest()}"'
    told = {"Content-Type": media_type, "Cache-Control": "no-cache", "ETag": tag, **more}
    headers: list[Header] = encoded(told.items())
    return HttpAnswer(200, headers, body)
