"""Where workers keep results, of the few tasks whose result is not ignored: the parts of a chord, say."""

from datetime import timedelta
from typing import Any, Final

from celery.backends.database import DatabaseBackend

from skeldir.db.engine import get_url
from skeldir.observability.quoting import REDACTED

SCHEMA: Final = "skeldir_results"

KEPT: Final = timedelta(days=1)

UNLOCK_SECONDS: Final = 1.0
# Celery looks every so often whether a chord's parts are done, and would for ever: a part that was parked or
# that expired leaves no result. Half of the tries that fit in while results are kept, as a try begins late
# where workers have much to do. What was to follow has failed then, and is logged.
UNLOCK_TRIES_MAX: Final = int(KEPT.total_seconds() / UNLOCK_SECONDS / 2)

OPTIONS: Final[dict[str, object]] = {
    "result_expires": KEPT,
    "result_chord_retry_interval": UNLOCK_SECONDS,
    "task_annotations": {"celery.chord_unlock": {"max_retries": UNLOCK_TRIES_MAX}},
    "result_serializer": "json",
    "database_create_tables_at_setup": False,  # they came by a migration, and nobody here may make any
    "database_table_schemas": {"task": SCHEMA, "group": SCHEMA},
    "database_engine_options": {"hide_parameters": True, "pool_pre_ping": True, "pool_size": 1},
}


class Results(DatabaseBackend):  # type: ignore[misc]
    """Celery's own backend over the database of the application's role, found when it is first needed."""

    def __init__(self, app: Any, url: str | None = None, **options: Any) -> None:  # noqa: ANN401 - Celery's
        known = url or get_url(app.role).render_as_string(hide_password=False)
        super().__init__(app=app, url=known, **options)

    def prepare_exception(self, exc: Any, serializer: str | None = None) -> Any:  # noqa: ANN401
        """Keep an error's kind without its message, which may quote data."""
        kept = super().prepare_exception(exc, serializer)
        return kept | {"exc_message": REDACTED} if isinstance(kept, dict) else kept

    def _store_result(
        self,
        task_id: str,
        result: Any,  # noqa: ANN401
        state: str,
        traceback: str | None = None,  # noqa: ARG002 - its last line is the message
        request: Any = None,  # noqa: ANN401
        **options: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        return super()._store_result(task_id, result, state, traceback=None, request=request, **options)
