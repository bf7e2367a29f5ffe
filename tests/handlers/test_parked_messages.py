"""A message that keeps ending its workers is put aside, until somebody of its tenant deals with it."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from typer.testing import CliRunner

from skeldir import cli
from skeldir.app import create_app
from skeldir.broker import store
from skeldir.queue import messages
from skeldir.queue.messages import QUEUES, Message
from skeldir.queue.sending import send
from skeldir.settings import get_settings
from tests import waiting
from tests.asgi import Api
from tests.conftest import Database
from tests.identity import log_in, make_user

PATH = "/api/health/parked-messages"


@pytest.fixture
def superuser(database: Database) -> Iterator[psycopg.Connection]:
    with database.connect() as connection:
        waiting.clear(connection)
        connection.execute("DELETE FROM skeldir_broker.parked_messages")
        yield connection
        connection.execute("DELETE FROM skeldir_broker.parked_messages")


@pytest.fixture
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


def parked(superuser: psycopg.Connection, message: Message) -> int:
    send(message)
    (message_id,) = waiting.park(superuser, *QUEUES)
    return message_id


def admin(tenant: UUID) -> str:
    return log_in(make_user(tenant, "admin")).tokens.access.token


def ready(superuser: psycopg.Connection) -> list[tuple[Any, ...]]:
    return superuser.execute("SELECT queue, attempts, body FROM skeldir_broker.messages").fetchall()


def test_an_administrator_lists_what_was_parked_without_what_it_may_quote(
    superuser: psycopg.Connection, api: Api, tenant: UUID
) -> None:
    arguments = {"tenant_id": str(tenant), "job_id": "ada@example.com"}
    message_id = parked(superuser, Message("attribution.recompute_window", "attribution", arguments))

    (told,) = api.send("GET", PATH, token=admin(tenant)).json()["parked_messages"]

    assert (told["message_id"], told["task_name"], told["queue"], told["attempts"]) == (
        message_id,
        "attribution.recompute_window",
        "attribution",
        store.ATTEMPTS_MAX,
    )
    assert told["arguments"] == {"tenant_id": str(tenant), "job_id": "[redacted]"}


EXPIRED = """
    UPDATE skeldir_broker.parked_messages
       SET body = CAST(jsonb_set(CAST(body AS jsonb), '{headers,expires}', '"2026-01-01T00:00:00Z"') AS text)
"""


def test_what_is_put_back_is_run_whatever_its_expiry_was(
    superuser: psycopg.Connection, api: Api, tenant: UUID
) -> None:
    message_id, token = parked(superuser, messages.prune_tenant(tenant_id=tenant)), admin(tenant)
    superuser.execute(EXPIRED)  # as Celery's own senders have it
    (before,) = superuser.execute("SELECT body FROM skeldir_broker.parked_messages").fetchone() or ("{}",)

    assert api.send("POST", f"{PATH}/{message_id}/requeue", token=token).status_code == 200

    ((queue, attempts, body),) = ready(superuser)
    was, now = json.loads(before), json.loads(body)
    assert (queue, attempts) == ("maintenance", 0)
    assert (was["headers"].pop("expires") is None, now["headers"].pop("expires")) == (False, None)
    assert was == now
    assert api.send("GET", PATH, token=token).json()["parked_messages"] == []
    assert api.send("POST", f"{PATH}/{message_id}/requeue", token=token).status_code == 404
    assert len(ready(superuser)) == 1


def test_what_is_thrown_away_is_gone(superuser: psycopg.Connection, api: Api, tenant: UUID) -> None:
    message_id, token = parked(superuser, messages.prune_tenant(tenant_id=tenant)), admin(tenant)

    told = api.send("POST", f"{PATH}/{message_id}/discard", token=token)

    assert (told.status_code, told.json()["message_id"]) == (200, message_id)
    assert api.send("GET", PATH, token=token).json()["parked_messages"] == []
    assert ready(superuser) == []


def test_another_tenants_message_is_not_there(superuser: psycopg.Connection, api: Api, tenant: UUID) -> None:
    """Nor is one that tells of two tenants, nor the system's."""
    mixed = {"tenant_id": str(tenant)}
    parked(superuser, messages.prune_tenant(tenant_id=uuid4()))
    parked(superuser, Message("housekeeping.sweep", "housekeeping"))
    theirs = parked(superuser, Message("maintenance.prune_tenant", "maintenance", mixed))
    superuser.execute(
        "UPDATE skeldir_broker.parked_messages SET body = replace(body, %s, %s) WHERE message_id = %s",
        [f'\\"{tenant}\\"', f'\\"{uuid4()}\\"', theirs],
    )
    token = admin(tenant)

    assert api.send("GET", PATH, token=token).json()["parked_messages"] == []
    there = superuser.execute("SELECT message_id FROM skeldir_broker.parked_messages").fetchall()
    for (message_id,) in there:
        for verb in ("requeue", "discard"):
            assert api.send("POST", f"{PATH}/{message_id}/{verb}", token=token).status_code == 404
    assert len(there) == 3
    assert superuser.execute("SELECT message_id FROM skeldir_broker.parked_messages").fetchall() == there


def test_who_is_no_administrator_sees_and_settles_nothing(
    superuser: psycopg.Connection, api: Api, tenant: UUID
) -> None:
    message_id = parked(superuser, messages.prune_tenant(tenant_id=tenant))
    token = log_in(make_user(tenant, "manager")).tokens.access.token
    assert api.send("GET", PATH, token=token).status_code == 403
    assert api.send("POST", f"{PATH}/{message_id}/discard", token=token).status_code == 403


def test_a_message_whose_queue_is_no_more_cannot_be_put_back(
    superuser: psycopg.Connection, api: Api, tenant: UUID
) -> None:
    message_id, token = parked(superuser, messages.prune_tenant(tenant_id=tenant)), admin(tenant)
    superuser.execute("UPDATE skeldir_broker.parked_messages SET queue = 'former'")
    assert api.send("POST", f"{PATH}/{message_id}/requeue", token=token).status_code == 409
    assert api.send("POST", f"{PATH}/{message_id}/discard", token=token).status_code == 200


def test_pages_follow_each_other_without_a_gap(superuser: psycopg.Connection, api: Api, tenant: UUID) -> None:
    for _ in range(5):
        send(messages.prune_tenant(tenant_id=tenant))
    sent, token = waiting.park(superuser, *QUEUES), admin(tenant)
    found, cursor = [], {}
    while True:
        page = api.send("GET", PATH, token=token, params={"limit": 2, **cursor}).json()
        found += [message["message_id"] for message in page["parked_messages"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found == sent[::-1]


def told(*arguments: str) -> Any:
    done = CliRunner().invoke(cli.app, ["jobs", "parked", *arguments, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_operators_see_everybodys_and_the_systems(superuser: psycopg.Connection, tenant: UUID) -> None:
    """Also what nobody can read."""
    theirs = parked(superuser, messages.prune_tenant(tenant_id=tenant))
    systems = parked(superuser, Message("housekeeping.sweep", "housekeeping"))
    broken = parked(superuser, Message("housekeeping.sweep", "housekeeping"))
    superuser.execute(
        "UPDATE skeldir_broker.parked_messages SET body = 'no JSON' WHERE message_id = %s", [broken]
    )

    assert [
        (message["message_id"], message["task_name"], message["tenant_id"])
        for message in told("list")["parked_messages"]
    ] == [
        (broken, "", None),
        (systems, "housekeeping.sweep", None),
        (theirs, "maintenance.prune_tenant", str(tenant)),
    ]
    assert told("requeue", str(systems))["message_id"] == systems
    assert [row[0] for row in ready(superuser)] == ["housekeeping"]
    for message_id in (theirs, broken):
        assert told("discard", str(message_id))["message_id"] == message_id
    assert told("list")["parked_messages"] == []


@pytest.mark.parametrize("call", ["all_parked_tasks(1, NULL)", "settle_any_parked(1, false)", "as_json('1')"])
@pytest.mark.parametrize("role", ["app_user", "app_worker"])
def test_logins_reach_no_other_tenants_messages(database: Database, role: Any, call: str) -> None:
    with (
        database.engine(role).connect() as connection,
        pytest.raises(Exception, match="permission denied for function"),
    ):
        connection.exec_driver_sql(f"SELECT skeldir_broker.{call}")
