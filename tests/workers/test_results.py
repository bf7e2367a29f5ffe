"""Results, of the few tasks that keep one: in tables of the migrations, for workers alone, for a day."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from celery.backends.database.session import ResultModelBase
from sqlalchemy import Inspector, inspect

from skeldir.queue.results import SCHEMA, Results
from tests.conftest import Database
from workers.app import app

MAKE = f"CREATE TABLE {SCHEMA}.another ()"
WRITERS = "SELECT grantee, privilege_type FROM information_schema.table_privileges WHERE table_schema = %s"


def test_nobody_waits_for_a_chord_for_longer_than_results_are_kept() -> None:
    unlock = app.tasks["celery.chord_unlock"]
    assert unlock.max_retries * unlock.default_retry_delay < app.conf.result_expires.total_seconds()


@pytest.fixture
def results(database: Database) -> Iterator[Results]:
    yield Results(app, url=database.url("app_worker").render_as_string(hide_password=False))
    with database.connect() as connection:
        connection.execute(f"TRUNCATE {SCHEMA}.celery_taskmeta, {SCHEMA}.celery_tasksetmeta")


def test_the_tables_are_those_that_celery_looks_for(database: Database, results: Results) -> None:
    """Else it would add what is missing itself, for which the worker has no right."""
    assert results.task_cls.__table__.schema == SCHEMA
    found: Inspector = inspect(database.engine("app_worker"))
    for table in ResultModelBase.metadata.tables.values():
        there = {column["name"] for column in found.get_columns(table.name, schema=SCHEMA)}
        assert there == {column.name for column in table.columns}
    assert {"task_id_sequence", "taskset_id_sequence"} <= set(found.get_sequence_names(schema=SCHEMA))


def test_what_is_older_than_a_day_is_deleted(database: Database, results: Results) -> None:
    """By Celery's own task, which the schedule sends; results and saved groups alike."""
    for name in ("old", "young"):
        results.store_result(name, {"figure": 1}, "SUCCESS")
        results.save_group(name, app.GroupResult(name, []))
    with database.connect() as connection:
        for table, key in (("celery_taskmeta", "task_id"), ("celery_tasksetmeta", "taskset_id")):
            connection.execute(
                f"UPDATE {SCHEMA}.{table} SET date_done = now() - interval '25 hours' WHERE {key} = 'old'"
            )

    app.tasks["celery.backend_cleanup"].apply(throw=True)

    assert results.get_task_meta("young")["result"] == {"figure": 1}
    assert results.get_task_meta("old")["status"] == "PENDING"
    assert results.restore_group("young") is not None
    assert results.restore_group("old") is None


def test_only_workers_have_any_right_to_results(database: Database) -> None:
    with database.connect() as connection:
        rights = set(connection.execute(WRITERS, [SCHEMA]).fetchall())
    assert {right for right in rights if right[0] != "skeldir_owner"} == {
        ("app_worker", right) for right in ("SELECT", "INSERT", "UPDATE", "DELETE")
    }
    with database.engine("app_worker").connect() as worker, pytest.raises(Exception, match="denied"):
        worker.exec_driver_sql(MAKE)


def test_a_result_that_is_not_json_is_refused(results: Results) -> None:
    """Nothing is unpickled that workers did not mean to be read so."""
    with pytest.raises(Exception, match="JSON"):
        results.store_result(str(uuid4()), psycopg.Connection, "SUCCESS")
