"""Putting an application together from bundles and routes: the service's own, a test's, a benchmark's."""

from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import cast

import orjson
from starlette.types import ASGIApp

from skeldir.http.connexion_31 import serve_contracts
from skeldir.http.documents import Documents
from skeldir.http.endpoint import Endpoint, Route
from skeldir.http.security import Credentials, SecurityFunctions
from skeldir.settings import Settings


def assemble(
    bundles: Mapping[str, bytes],
    routes: Mapping[str, Route],
    *,
    settings: Settings,
    functions: SecurityFunctions,
    mounts: Mapping[str, ASGIApp] | None = None,
) -> ASGIApp:
    """Serve bundles, by contract name, with routes, by operationId.

    Raises LookupError, naming operation and contract, for an operation without a route.
    """
    executor = ThreadPoolExecutor(settings.database_pool_size, thread_name_prefix="handler")
    documents = {name: orjson.loads(body) for name, body in bundles.items()}
    for name, document in documents.items():
        _check_routes(name, document, routes)
    return serve_contracts(
        documents,
        Endpoint(routes, executor, settings.body_bytes_max, settings.validate_responses),
        credentials=Credentials(functions, executor),
        fallback=Documents(bundles, mounts or {}),
        lifespan=_ending(executor),
    )


def _check_routes(contract: str, document: Mapping[str, object], routes: Mapping[str, Route]) -> None:
    paths = cast("Mapping[str, Mapping[str, Mapping[str, str]]]", document.get("paths", {}))
    for item in paths.values():
        for operation in item.values():
            if "operationId" in operation and operation["operationId"] not in routes:
                raise LookupError(f"operation {operation['operationId']} of contract {contract} has no route")


def _ending(executor: ThreadPoolExecutor) -> Callable[[object], object]:
    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        yield
        executor.shutdown(cancel_futures=True)

    return lifespan
