"""What fails for good is kept, without what it may quote, until somebody deals with it."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner

from skeldir import cli
from skeldir.app import create_app
from skeldir.db.session import tenant_session
from skeldir.queue.messages import Message
from skeldir.queue.sending import send
from skeldir.repository import failed_jobs, recompute_jobs
from skeldir.settings import get_settings
from tests import waiting
from tests.asgi import Api
from tests.conftest import Database
from tests.identity import log_in, make_user
from tests.workers.attributing import job_of, request_window, sent, tell
from tests.workers.conftest import eventually
from workers.base import TenantTask
from workers.maintenance import prune_tenant
from workers.recomputing import STARTS_MAX, recompute_window

PATH = "/api/health/failed-jobs"


@pytest.fixture
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


def run(task: TenantTask, **arguments: object) -> UUID:
    """Run a task here and now, as a worker would; returns its id."""
    task_id = uuid4()
    task.apply(kwargs=arguments, task_id=str(task_id))
    return task_id


def kept(tenant: UUID) -> list[failed_jobs.FailedJob]:
    with tenant_session(tenant, read_only=True) as session:
        return failed_jobs.page(session, 10)


def quote(*_: object) -> None:
    raise LookupError("ada@example.com is not there")


@pytest.fixture
def failed(tenant: UUID, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """Return a task that failed, quoting somebody."""
    monkeypatch.setattr("workers.maintenance.task_effects.forget", quote)
    return run(prune_tenant, tenant_id=str(tenant))


def test_a_failure_is_kept_without_its_message(tenant: UUID, failed: UUID) -> None:
    (job,) = kept(tenant)

    assert (job.failed_job_id, job.task_name, job.queue) == (
        failed,
        "maintenance.prune_tenant",
        "maintenance",
    )
    assert (job.error_type, job.error_kind, job.attempts, job.status) == (
        "LookupError",
        "application",
        1,
        "pending",
    )
    assert job.error_place.startswith("workers/maintenance.py:")
    assert job.error_place.endswith(" in prune_tenant")
    assert job.arguments == {"tenant_id": str(tenant)}
    assert "ada" not in repr(job)


def test_arguments_that_are_no_ids_are_not_kept(tenant: UUID) -> None:
    run(recompute_window, tenant_id=str(tenant), job_id="ada@example.com")

    (job,) = kept(tenant)
    assert job.arguments == {"tenant_id": str(tenant), "job_id": "[redacted]"}


def test_an_administrator_lists_retries_and_discards(
    database: Database, api: Api, tenant: UUID, failed: UUID
) -> None:
    """What is sent again is a row of the transaction that marks the job; once only."""
    token = log_in(make_user(tenant, "admin")).tokens.access.token
    with database.connect() as superuser:
        waiting.clear(superuser)
        (listed,) = api.send("GET", PATH, token=token, params={"status": "pending"}).json()["failed_jobs"]
        assert listed["failed_job_id"] == str(failed)

        retried = api.send("POST", f"{PATH}/{failed}/retry", token=token)
        assert (retried.status_code, retried.json()["status"]) == (200, "retried")
        (again,) = waiting.headers(superuser)
        assert (again["task"], again["expires"]) == ("maintenance.prune_tenant", None)
        assert api.send("POST", f"{PATH}/{failed}/retry", token=token).status_code == 409
        assert api.send("POST", f"{PATH}/{failed}/discard", token=token).status_code == 409
        assert api.send("POST", f"{PATH}/{uuid4()}/discard", token=token).status_code == 404
        assert len(waiting.headers(superuser)) == 1
    assert api.send("GET", PATH, token=token, params={"status": "pending"}).json()["failed_jobs"] == []


def test_what_was_not_kept_cannot_be_sent_again(api: Api, tenant: UUID) -> None:
    failed = run(recompute_window, tenant_id=str(tenant), job_id="ada@example.com")
    token = log_in(make_user(tenant, "admin")).tokens.access.token

    assert api.send("POST", f"{PATH}/{failed}/retry", token=token).status_code == 409
    assert api.send("POST", f"{PATH}/{failed}/discard", token=token).json()["status"] == "discarded"


def test_pages_follow_each_other_without_a_gap(api: Api, tenant: UUID) -> None:
    sent = {str(run(recompute_window, tenant_id=str(tenant), job_id="x")) for _ in range(5)}
    token = log_in(make_user(tenant, "admin")).tokens.access.token
    found, cursor = [], {}
    while True:
        page = api.send("GET", PATH, token=token, params={"limit": 2, **cursor}).json()
        found += [job["failed_job_id"] for job in page["failed_jobs"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert (len(found), set(found)) == (5, sent)


def test_the_command_line_does_the_same(database: Database, tenant: UUID, failed: UUID) -> None:
    def told(*arguments: str) -> Any:
        done = CliRunner().invoke(cli.app, ["jobs", *arguments, "--tenant", str(tenant), "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    (listed,) = told("list")["failed_jobs"]
    assert listed["failed_job_id"] == str(failed)
    with database.connect() as superuser:
        waiting.clear(superuser)
        assert told("retry", str(failed))["status"] == "retried"
        assert len(waiting.headers(superuser)) == 1
    assert told("list")["failed_jobs"] == []
    assert len(told("list", "--all")["failed_jobs"]) == 1


def failed_recompute(tenant: UUID, job_id: UUID, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """Have a window's run fail for good; returns the failed job's id."""
    with monkeypatch.context() as patched:
        patched.setattr("workers.recomputing._compute", quote)
        return run(recompute_window, tenant_id=str(tenant), job_id=str(job_id))


@pytest.mark.parametrize("way", ["api", "command line"])
def test_a_recompute_that_is_retried_is_computed(
    database: Database, api: Api, tenant: UUID, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """It waits from the moment when it is retried, with all its starts."""
    tell(database, tenant)
    job_id = request_window(tenant).job_id
    failed = failed_recompute(tenant, job_id, monkeypatch)
    with database.connect() as superuser:
        superuser.execute("UPDATE recompute_jobs SET start_count = %s", [STARTS_MAX])
        waiting.clear(superuser)
    assert job_of(tenant, job_id).status == "failed"

    if way == "api":
        token = log_in(make_user(tenant, "admin")).tokens.access.token
        assert api.send("POST", f"{PATH}/{failed}/retry", token=token).status_code == 200
    else:
        done = CliRunner().invoke(cli.app, ["jobs", "retry", str(failed), "--tenant", str(tenant)])
        assert done.exit_code == 0, done.output
    assert job_of(tenant, job_id).status == "queued"
    assert sent(database, tenant) == [recompute_jobs.TASK]

    run(recompute_window, tenant_id=str(tenant), job_id=str(job_id))
    job = job_of(tenant, job_id)
    assert (job.status, job.last_outcome, job.error) == ("succeeded", "computed", None)


def test_a_window_that_was_computed_meanwhile_stays_so(
    database: Database, api: Api, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(database, tenant)
    job_id = request_window(tenant).job_id
    failed = failed_recompute(tenant, job_id, monkeypatch)
    request_window(tenant)
    run(recompute_window, tenant_id=str(tenant), job_id=str(job_id))

    token = log_in(make_user(tenant, "admin")).tokens.access.token
    assert api.send("POST", f"{PATH}/{failed}/retry", token=token).status_code == 200
    assert job_of(tenant, job_id).status == "succeeded"


@pytest.mark.usefixtures("worker")
def test_a_worker_keeps_what_it_could_not_do(tenant: UUID) -> None:
    send(
        Message("attribution.recompute_window", "attribution", {"tenant_id": str(tenant), "job_id": "no id"})
    )

    (job,) = eventually(lambda: kept(tenant) or None)
    assert (job.error_kind, job.queue) == ("invalid_argument", "attribution")
