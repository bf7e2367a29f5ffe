"""The whole application in this process, for tests on the wire without a socket."""

import asyncio
from typing import Any

import httpx
from starlette.types import ASGIApp


class Api:
    """Sends requests to an ASGI application and hands back httpx responses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def send(self, method: str, path: str, *, token: str | None = None, **options: Any) -> httpx.Response:
        """Send one request, with a bearer token if one is given."""
        headers = dict(options.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return asyncio.run(self._send(method, path, headers=headers, **options))

    async def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://skeldir.test") as client:
            return await client.request(method, path, **options)
