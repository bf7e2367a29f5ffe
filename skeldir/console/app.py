"""The Flask application that holds the console's pages."""

import hashlib
from pathlib import Path
from uuid import UUID, uuid4

import structlog
from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from skeldir.console.headers import add_headers
from skeldir.console.view import add_filters
from skeldir.settings import Settings

FORM_BYTES_MAX = 16_384
logger = structlog.get_logger(__name__)


def create_console(settings: Settings) -> Flask:
    """Build the console; it is mounted under a path of its own and links relative to that."""
    # Not before: the handlers that the pages call are compared with their contracts first.
    from skeldir.console import overview, sign_in  # noqa: PLC0415

    folder = template_folder()
    app = Flask("skeldir.console", template_folder=folder, static_folder=folder / "static")
    app.config.update(
        IS_PUBLIC_HTTPS=settings.public_url.startswith("https:"),
        MAX_CONTENT_LENGTH=FORM_BYTES_MAX,
        MAX_FORM_MEMORY_SIZE=FORM_BYTES_MAX,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    style = (folder / "static" / "console.css").read_bytes()
    app.jinja_env.globals["style_version"] = hashlib.sha256(style).hexdigest()[:12]
    add_filters(app)
    add_headers(app)
    app.register_blueprint(overview.pages)
    app.register_blueprint(sign_in.pages)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _failed)
    return app


def template_folder() -> Path:
    """Find the templates: inside the package once installed, else where the source tree keeps them."""
    installed = Path(__file__).parent / "templates"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "templates" / "console"


def correlation_id() -> UUID:
    """Return the id under which the logs of this request can be found, accepted or made."""
    try:
        return UUID(request.headers.get("X-Correlation-ID", ""))
    except ValueError:
        return uuid4()


def _refused(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    page = render_template(
        "problem.html", title=error.name, detail=error.description, status=status, reference=correlation_id()
    )
    headers = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    return page, status, headers  # Allow is one of them


def _failed(error: Exception) -> ResponseReturnValue:
    reference = correlation_id()
    logger.error("console_failed", correlation_id=str(reference), path=request.path, exc_info=error)
    detail = "It was noted, with the reference below. Nothing was changed."
    page = render_template(
        "problem.html", title="That did not work", detail=detail, status=500, reference=reference
    )
    return page, 500
