"""What is sent is what is registered: names, arguments, queues, and who may work without a tenant."""

import inspect
import json
import re
from uuid import UUID, uuid4

import pytest
from celery import Task
from celery.schedules import crontab
from sqlalchemy import event

from skeldir.queue.messages import PRODUCERS, QUEUES, Message
from tests.conftest import Database
from tests.db.rows import ROWS
from workers.app import app
from workers.base import SystemTask, TenantTask
from workers.schedule import BEAT_SCHEDULE, DAY

SYSTEM_TASKS = {
    "housekeeping.sweep",
    "housekeeping.prune_tenants",
    "housekeeping.enforce_retention",
    "housekeeping.fulfil_privacy_requests",
    "housekeeping.audit_tenants",
    "housekeeping.scan_tenants",
    "housekeeping.refresh_summaries",
    "housekeeping.refresh_intervals",
    "housekeeping.fill_back",
    "housekeeping.refit_tenants",
    "housekeeping.reclassify_tenants",
    "housekeeping.measure_unknown_shares",
}


def tasks() -> dict[str, Task]:
    app.loader.import_default_modules()
    return {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}


def produced() -> list[Message]:
    """Call every producer with an id for each of its ids."""
    messages = []
    for producer in PRODUCERS:
        parameters = inspect.signature(producer).parameters.values()
        assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in parameters)
        ids = {parameter.name: uuid4() for parameter in parameters if parameter.name.endswith("_id")}
        messages.append(producer(**ids))
    return messages


def test_every_producer_names_a_task_and_gives_what_it_takes() -> None:
    """A message's arguments are exactly the task's keyword-only parameters."""
    registered = tasks()
    for message in produced():
        parameters = inspect.signature(registered[message.name].run).parameters.values()
        assert {p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY} == set(
            message.arguments
        )
        assert message.queue in QUEUES
        assert message.name.startswith(message.queue + ".")


def test_every_task_is_sent_by_somebody() -> None:
    """A task is produced or scheduled; the schedule's messages expire and go to a queue that is consumed."""
    scheduled = {entry["task"] for entry in BEAT_SCHEDULE.values()} - {"celery.backend_cleanup"}
    assert {message.name for message in produced()} | scheduled == set(tasks())
    for entry in BEAT_SCHEDULE.values():
        assert entry["options"]["queue"] in QUEUES
        period = DAY if isinstance(entry["schedule"], crontab) else entry["schedule"]
        assert entry["options"]["jitter"] < entry["options"]["expires"] <= period


def test_only_listed_tasks_work_without_a_tenant() -> None:
    """Everything else is a tenant's task, whose arguments are keywords and begin with the tenant."""
    for name, task in tasks().items():
        if name in SYSTEM_TASKS:
            assert isinstance(task, SystemTask)
            continue
        assert isinstance(task, TenantTask)
        names = [p.name for p in inspect.signature(task.run).parameters.values()]
        assert names[0] == "tenant_id"


def test_a_system_task_touches_no_table_of_tenants(database: Database, tenant: UUID) -> None:
    """It asks functions who there is, and sends."""
    assert tenant
    said: list[str] = []

    def listen(_1: object, _2: object, statement: str, *_: object) -> None:
        said.append(statement)

    engine = database.engine("app_worker")
    event.listen(engine, "before_cursor_execute", listen)
    try:
        for name in SYSTEM_TASKS:
            tasks()[name].apply(throw=True)
    finally:
        event.remove(engine, "before_cursor_execute", listen)

    words = {word for statement in said for word in re.findall(r"\w+", statement)}
    assert "list_tenants" in words
    assert not words & set(ROWS)


def test_a_task_refuses_positional_arguments() -> None:
    """An argument without its name would mean something else after the next change of the signature."""
    with pytest.raises(TypeError, match="keyword arguments only"):
        tasks()["maintenance.prune_tenant"].apply(args=(str(uuid4()),), throw=True)
    with pytest.raises(TypeError, match="keyword arguments only"):
        tasks()["housekeeping.sweep"].apply(args=("everybody",), throw=True)


def test_arguments_are_keywords_that_json_keeps_as_they_are() -> None:
    """What a task receives is what was sent: ids and instants as text, never an object."""
    for message in produced():
        assert json.loads(json.dumps(message.arguments)) == message.arguments
    for name, task in tasks().items():
        for parameter in inspect.signature(task.run).parameters.values():
            assert parameter.kind is inspect.Parameter.KEYWORD_ONLY, name
            assert parameter.annotation in {"str", str}, name
    for entry in BEAT_SCHEDULE.values():
        assert not entry.keys() & {"args", "kwargs"}


def test_the_worker_consumes_every_queue() -> None:
    """The queues of the application are those that producers may name."""
    assert {queue.name for queue in app.conf.task_queues} == set(QUEUES)
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_acks_late
    assert app.conf.worker_prefetch_multiplier == 1
