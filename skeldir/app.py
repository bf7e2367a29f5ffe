"""The ASGI application: the contracts, their documents and the console, in one process."""

from collections.abc import Mapping
from importlib.resources import files
from typing import cast

from a2wsgi import WSGIMiddleware
from a2wsgi.wsgi_typing import WSGIApp
from starlette.types import ASGIApp

from generated.registry import CONTRACTS
from skeldir.http.credentials import ServiceCredentials
from skeldir.http.plan import Route
from skeldir.http.service import assemble
from skeldir.http.startup import check_handlers
from skeldir.observability.logging import configure_logging
from skeldir.settings import Settings, get_settings


def create_app(settings: Settings | None = None) -> ASGIApp:
    """Build the whole application now: a missing or different handler stops the process here."""
    settings = settings or get_settings()
    configure_logging(settings)
    check_handlers(CONTRACTS)
    # Both import handlers, which are checked first so that the message names the operation.
    from generated.routes import ROUTES  # noqa: PLC0415
    from skeldir.console import create_console  # noqa: PLC0415

    folder = files("generated") / "bundles"
    bundles = {contract.name: (folder / contract.bundle).read_bytes() for contract in CONTRACTS}
    console = WSGIMiddleware(cast("WSGIApp", create_console(settings)), workers=settings.database_pool_size)
    return assemble(
        bundles,
        cast("Mapping[str, Route]", ROUTES),
        settings=settings,
        functions=ServiceCredentials(),
        mounts={"/console": cast("ASGIApp", console)},
    )
