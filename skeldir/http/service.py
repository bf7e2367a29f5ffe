"""Putting an application together from bundles and routes: the service's own, a test's, a benchmark's."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from skeldir.http.connexion_31 import serve_contracts
from skeldir.http.documents import Documents
from skeldir.http.endpoint import Endpoint
from skeldir.http.parameters import UnservableContract
from skeldir.http.plan import OperationPlan, Route, operation_plans
from skeldir.http.pool import HandlerPool
from skeldir.http.security import SecurityFunctions, security_map
from skeldir.http.streams import Streams
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
    streams = Streams(settings.exports_max, settings.export_seconds_max)
    documents = {name: orjson.loads(body) for name, body in bundles.items()}
    application = serve_contracts(
        documents,
        _plans(documents, routes, settings),
        Endpoint(pool, streams, settings.body_bytes_max),
        security=security_map(functions, pool),
        fallback=Documents(bundles).answer,
        lifespan=_ending(pool, streams.pool),
    )
    return Mounts(application, mounts) if mounts else application


def _plans(
    documents: Mapping[str, Mapping[str, Any]], routes: Mapping[str, Route], settings: Settings
) -> list[OperationPlan]:
    """Work out every operation; a name twice would let one operation answer, and guard, for another."""
    plans: dict[str, OperationPlan] = {}
    for name, document in documents.items():
        for plan in operation_plans(name, document, routes, validate_responses=settings.validate_responses):
            other = plans.setdefault(plan.operation_id, plan)
            if other is not plan:
                where = f"{other.contract} ({other.path}) and {name} ({plan.path})"
                raise UnservableContract(f"operation {plan.operation_id} is both in {where}")
    return list(plans.values())


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


def _ending(*pools: HandlerPool) -> Callable[[object], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        yield
        for pool in pools:
            pool.close()

    return lifespan
