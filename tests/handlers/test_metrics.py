"""What is told of the queues, in health and for Prometheus, is what is in them."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import create_engine

from handlers import watch
from skeldir.app import create_app
from skeldir.broker import store
from skeldir.db import engine as engines
from skeldir.db.session import tenant_session
from skeldir.domain.journeys import Touch
from skeldir.queue import messages
from skeldir.queue.sending import send
from skeldir.repository import touchpoints
from skeldir.settings import get_settings
from tests import waiting
from tests.asgi import Api
from tests.conftest import Database
from workers import channels

PREFIX = "skeldir_queue_"


@pytest.fixture
def superuser(database: Database) -> Iterator[psycopg.Connection]:
    with database.connect() as connection:
        waiting.clear(connection)
        watch.look.forget()
        yield connection
        waiting.clear(connection)
        watch.look.forget()


@pytest.fixture
def api(superuser: psycopg.Connection) -> Api:  # noqa: ARG001 - an empty queue before the first question
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


def scraped(api: Api) -> dict[tuple[str, ...], float]:
    """Return each sample of the queues by its name and labels' values."""
    answer = api.send("GET", "/metrics", headers={"Accept": "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain")
    return {
        (sample.name.removeprefix(PREFIX), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name.startswith(PREFIX)
    }


def test_each_queue_tells_what_waits_what_is_held_and_what_was_put_aside(
    superuser: psycopg.Connection, api: Api, tenant: UUID
) -> None:
    for _ in range(4):
        send(messages.attribute_marked(tenant_id=tenant))
    send(messages.attribute_marked(tenant_id=tenant, delay_seconds=60))
    waiting.age(superuser, 20)
    lease = store.take_lease(superuser)
    held = store.claim(superuser, lease, ["attribution"], 3, [], 0)
    superuser.execute(
        "UPDATE skeldir_broker.messages SET attempts = 5 WHERE message_id = %s", [held[0].message_id]
    )
    store.release(superuser, lease, [held[0].message_id], begun=True)

    told = scraped(api)

    states = {state: told["messages", "attribution", state] for state in ("ready", "in_flight", "scheduled")}
    assert states == {"ready": 1, "in_flight": 2, "scheduled": 1}
    assert told["messages", "attribution", "parked"] == 1
    assert 20 <= told["oldest_message_age_seconds", "attribution"] < 80
    assert told["oldest_message_age_seconds", "housekeeping"] == 0
    (shown,) = (
        queue for queue in api.send("GET", "/api/health").json()["queues"] if queue["queue"] == "attribution"
    )
    assert shown["oldest_seconds"] == int(told["oldest_message_age_seconds", "attribution"])
    assert {name: shown[name] for name in states} == states
    superuser.execute("DELETE FROM skeldir_broker.parked_messages")


def test_replies_and_broadcasts_are_nobodys_to_watch(superuser: psycopg.Connection, api: Api) -> None:
    """Their queues have a name of their own each: as a label they would never end."""
    store.declare_queue(superuser, "a reply", store.take_lease(superuser))
    waiting.fill(superuser, "a reply", 1)

    assert {labels[1] for labels in scraped(api)} >= {"attribution", "llm", "maintenance", "housekeeping"}
    assert "a reply" not in {labels[1] for labels in scraped(api)}
    store.delete_queue(superuser, "a reply")


def audited(api: Api) -> dict[str, float]:
    watch.look.forget()
    return {
        sample.name.removeprefix("skeldir_audit_"): sample.value
        for family in text_string_to_metric_families(api.send("GET", "/metrics").text)
        for sample in family.samples
        if sample.name.startswith("skeldir_audit_")
    }


def test_audits_are_told_by_how_the_last_one_of_each_tenant_ended(
    superuser: psycopg.Connection, api: Api, tenant: UUID
) -> None:
    """What is right again is wrong no more; one at work has not ended; a suspended tenant has none."""
    day = 86_400
    audit = """INSERT INTO attribution_audits (tenant_id, audit_id, started_at, completed_at, left_out_count)
               VALUES (%s, gen_random_uuid(), now() - %s * interval '1 day',
                       CASE WHEN %s THEN now() - %s * interval '1 day' END, %s)"""
    superuser.execute("DELETE FROM attribution_audits")
    superuser.execute("UPDATE tenants SET created_at = now()")
    assert audited(api) == {"wrong_tenants": 0, "oldest_age_seconds": pytest.approx(0, abs=600)}

    superuser.execute(
        "UPDATE tenants SET created_at = now() - interval '9 days' WHERE tenant_id = %s", [tenant]
    )
    assert audited(api) == {"wrong_tenants": 0, "oldest_age_seconds": pytest.approx(9 * day, abs=600)}
    superuser.execute(audit, [tenant, 8, True, 8, 1])
    assert audited(api) == {"wrong_tenants": 1, "oldest_age_seconds": pytest.approx(8 * day, abs=600)}
    superuser.execute(audit, [tenant, 7, False, 7, 0])
    assert audited(api) == {"wrong_tenants": 1, "oldest_age_seconds": pytest.approx(8 * day, abs=600)}
    superuser.execute("UPDATE tenants SET status = 'suspended' WHERE tenant_id = %s", [tenant])
    assert audited(api) == {"wrong_tenants": 0, "oldest_age_seconds": pytest.approx(0, abs=600)}
    superuser.execute("UPDATE tenants SET status = 'active' WHERE tenant_id = %s", [tenant])
    superuser.execute(audit, [tenant, 6, True, 6, 0])
    assert audited(api) == {"wrong_tenants": 0, "oldest_age_seconds": pytest.approx(6 * day, abs=600)}


def test_no_tenant_and_no_message_is_told(superuser: psycopg.Connection, api: Api, tenant: UUID) -> None:
    send(messages.prune_tenant(tenant_id=tenant))
    (headers,) = waiting.headers(superuser)

    told = api.send("GET", "/metrics").text + json.dumps(api.send("GET", "/api/health").json()["queues"])

    assert str(tenant) not in told
    assert headers["id"] not in told


def test_a_backlog_is_asked_for_once_in_a_while(superuser: psycopg.Connection, api: Api) -> None:
    """Who asks every second does not have a hundred thousand messages counted every second."""
    assert scraped(api)["messages", "llm", "ready"] == 0
    waiting.fill(superuser, "llm", 1)
    assert scraped(api)["messages", "llm", "ready"] == 0
    watch.look.forget()
    assert scraped(api)["messages", "llm", "ready"] == 1


def test_the_login_that_counts_cannot_read(database: Database) -> None:
    with (
        database.engine("app_user").connect() as connection,
        pytest.raises(Exception, match="permission denied") as refused,
    ):
        connection.exec_driver_sql("SELECT body FROM skeldir_broker.messages")
    assert isinstance(refused.value.__cause__, InsufficientPrivilege)


def test_without_a_database_nothing_is_told(
    database: Database, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prometheus takes the scrape for a failed one, which the rules notice."""
    nowhere = create_engine(database.superuser.set(port=1), isolation_level="AUTOCOMMIT")
    monkeypatch.setitem(engines._engines, "app_user", (get_settings(), nowhere))
    watch.look.forget()
    assert api.send("GET", "/metrics").status_code == 503


RULES = yaml.safe_load((Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yaml").read_text())


def test_alerts_watch_what_there_is(superuser: psycopg.Connection, api: Api) -> None:
    """Every metric and label that a rule names is told; a rule over a wrong name would never fire."""
    tell_of_everything(superuser)
    labels = {
        sample.name: {*sample.labels, *sample.labels.values()}
        for family in text_string_to_metric_families(api.send("GET", "/metrics").text)
        for sample in family.samples
    }
    rules = [rule for group in RULES["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        (name,) = re.findall(r"skeldir_\w+", rule["expr"])
        assert name in labels, rule["alert"]
        assert set(re.findall(r"by \((\w+)\)", rule["expr"])) <= labels[name], rule["alert"]
        assert set(re.findall(r"(\w+)=", rule["expr"])) <= labels[name], rule["alert"]
        used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        assert used <= set(re.findall(r"by \((\w+)\)", rule["expr"])), rule["alert"]


def tell_of_everything(superuser: psycopg.Connection) -> None:
    superuser.execute(
        """INSERT INTO task_figures (task_name, outcome, bucket_counts, duration_seconds)
           VALUES ('odd.task', 'failed', '{1,0,0,0,0,0,0,0,0,0,0}', 0.001) ON CONFLICT DO NOTHING"""
    )
    watch.look.forget()


@pytest.mark.parametrize(
    ("unknown", "level"), [(0, "ok"), (5, "ok"), (6, "warning"), (10, "warning"), (11, "error")]
)
def test_tenants_are_told_by_how_much_no_rule_can_tell_apart(
    superuser: psycopg.Connection, api: Api, tenant: UUID, unknown: int, level: str
) -> None:
    """By number and level; whose it is stands in the worker's log alone."""
    superuser.execute("DELETE FROM unknown_shares")
    now = datetime.now(UTC)
    touches = [
        Touch(uuid4(), f"j-{n}", now - timedelta(days=1), "unknown" if n < unknown else "email")
        for n in range(100)
    ]
    too_old = [Touch(uuid4(), "j", now - timedelta(days=8), "unknown") for _ in range(50)]
    with tenant_session(tenant) as session:
        touchpoints.record(session, touches + too_old)

    for _ in range(2):
        channels.measure_unknown_share.apply(kwargs={"tenant_id": str(tenant)}, throw=True)

    found = {
        sample.labels["level"]: sample.value
        for family in text_string_to_metric_families(api.send("GET", "/metrics").text)
        for sample in family.samples
        if sample.name == "skeldir_unknown_share_tenants"
    }
    assert found == {"ok": 0, "warning": 0, "error": 0} | {level: 1}
