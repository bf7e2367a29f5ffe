"""What is served beside the contracts: their bundles, byte for byte, and the pages that show them."""

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from skeldir.domain.errors import NotFound
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import holds
from skeldir.http.problems import MethodNotAllowed
from skeldir.observability import correlation

_CONTRACTS: Final = "/api/contracts"
_DOCS: Final = "/docs"
_ASSETS: Final = f"{_DOCS}/assets/"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True, slots=True)
class Documents:
    """Serves the documents, and hands every other path on."""

    bundles: Mapping[str, bytes]
    mounts: Mapping[str, ASGIApp]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer GET and HEAD for a document; a mounted application takes its whole prefix."""
        path: str = scope["path"]
        for prefix, application in self.mounts.items():
            if path == prefix or path.startswith(f"{prefix}/"):
                await application(_mounted(scope, prefix), receive, send)
                return
        answer = self._find(path)
        if scope["method"] not in {"GET", "HEAD"}:
            raise MethodNotAllowed(headers={"Allow": "GET, HEAD"})
        headers = dict(scope["headers"])
        tag = answer.headers.get("ETag", "")
        if tag and holds(headers.get(b"if-none-match", b"").decode("latin-1") or None, tag):
            answer = HttpAnswer(304, headers=answer.headers)
        correlation_id = str(correlation.current())
        await answer.send(send, correlation_id=correlation_id, without_body=scope["method"] == "HEAD")

    def _find(self, path: str) -> HttpAnswer:
        if path == _CONTRACTS:
            return _document(orjson.dumps({"contracts": self._listed()}), "application/json")
        if path.startswith(f"{_CONTRACTS}/") and path.endswith(".json"):
            name = path.removeprefix(f"{_CONTRACTS}/").removesuffix(".json")
            if name in self.bundles:
                return _bundle(self.bundles[name])
        if path == _DOCS:
            return _page()
        if path.startswith(_ASSETS):
            return _asset(path.removeprefix(_ASSETS))
        raise NotFound("There is nothing at this path.")

    def _listed(self) -> list[dict[str, str]]:
        return [
            {"name": name, "url": f"{_CONTRACTS}/{name}.json", "digest": _digest(body)}
            for name, body in sorted(self.bundles.items())
        ]


def _mounted(scope: Scope, prefix: str) -> Scope:
    # ASGI: `path` keeps the whole path, `root_path` says which part of it is the mount.
    return {**scope, "root_path": scope.get("root_path", "") + prefix}


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _document(body: bytes, media_type: str, **headers: str) -> HttpAnswer:
    return HttpAnswer(200, body, media_type, {"ETag": f'"{_digest(body)}"', "Cache-Control": "no-cache", **headers})


def _bundle(body: bytes) -> HttpAnswer:
    return _document(body, "application/json", **{"X-Contract-Digest": f"sha256={_digest(body)}"})


def _page() -> HttpAnswer:
    return _document(_read("index.html"), "text/html; charset=utf-8", **{"Content-Security-Policy": _POLICY})


def _asset(name: str) -> HttpAnswer:
    folder = files("skeldir.http") / "assets"
    if "/" in name or name.startswith(".") or not (folder / name).is_file():
        raise NotFound("There is nothing at this path.")
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return _document(_read(name), media_type, **{"X-Content-Type-Options": "nosniff"})


@cache
def _read(name: str) -> bytes:
    return (files("skeldir.http") / "assets" / name).read_bytes()
