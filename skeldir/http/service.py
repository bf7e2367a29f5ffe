"""Putting an application together from bundles and routes: the service's own, a test's, a benchmark's."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from skeldir.http.connexion_31 import serve_contracts
from skeldir.http.documents import Documents
from skeldir.http.endpoint import Endpoint
from skeldir.http.plan import Route, operation_plans
from skeldir.http.pool import HandlerPool
from skeldir.http.security import SecurityFunctions, security_map
from skeldir.settings import Settings


def assemble(
    bundles: Mapping[str, bytes],
    routes: Mapping[str, Route],
    *,
    settings: Settings,
    functions: SecurityFunctions,
    mounts: Mapping[str, ASGIApp] | None = None,
) -> ASGIApp:
    """Serve bundles, by contract name, with routes, by operationId, and applications under prefixes.

    Raises UnservableContract, naming operation and contract, for an operation that cannot be served.
    """
    pool = HandlerPool(settings.database_pool_size)
    documents = {name: orjson.loads(body) for name, body in bundles.items()}
    plans = [
        plan
        for name, document in documents.items()
        for plan in operation_plans(name, document, routes, validate_responses=settings.validate_responses)
    ]
    application = serve_contracts(
        documents,
        plans,
        Endpoint(pool, settings.body_bytes_max),
        security=security_map(functions, pool),
        fallback=Documents(bundles).answer,
        lifespan=_ending(pool),
    )
    return Mounts(application, mounts) if mounts else application


@dataclass(frozen=True, slots=True)
class Mounts:
    """Hands whole prefixes to other applications; everything else is the contracts'."""

    application: ASGIApp
    mounts: Mapping[str, ASGIApp]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find the application of a path."""
        if scope["type"] == "http":
            path: str = scope["path"]
            for prefix, mounted in self.mounts.items():
                if path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in {"", "/"}:
                    # ASGI: `path` keeps the whole path, `root_path` says which part of it is the mount.
                    await mounted({**scope, "root_path": scope.get("root_path", "") + prefix}, receive, send)
                    return
        await self.application(scope, receive, send)


def _ending(pool: HandlerPool) -> Callable[[object], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        yield
        pool.close()

    return lifespan
