"""On every operation, one tenant reads nothing of another and changes nothing of it."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import uuid4

import orjson
import pytest

from generated.registry import CONTRACTS, Contract, Operation
from skeldir.app import create_app
from skeldir.queue import messages
from skeldir.queue.messages import QUEUES
from skeldir.queue.sending import send
from skeldir.settings import get_settings
from tests import waiting
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop
from tests.identity import PASSWORD, TestUser, log_in, make_user
from workers.attribution import attribute_marked
from workers.recomputing import recompute_window

OPERATIONS = [(contract, operation) for contract in CONTRACTS for operation in contract.operations]
WINDOW = {"model": "linear", "window_start": "2026-11-01T00:00:00Z", "window_end": "2026-12-01T00:00:00Z"}
TOUCH = {"journey_id": "theirs", "occurred_at": "2026-11-20T09:30:00Z", "utm_source": "google"}
CHANNEL = {
    "channel_code": "theirs", "channel_name": "Theirs", "family": "audio", "is_paid": True, "reason": "New.",
}  # fmt: skip
SPEND = {
    "channel_code": "facebook_paid",
    "campaign_id": "theirs-7700770079",
    "day": "2026-11-20",
    "currency": "EUR",
    "cost_cents": 7700770080,
}
PARTNER = "partner-of-theirs"
RULES = {"based_on_version": 0, "rules": [{"source": PARTNER, "channel_code": "referral"}]}
WINDOW_OF_RULES = {name: WINDOW[name] for name in ("window_start", "window_end")}
ORDER = {
    "id": 7700770077,
    "total_price": "77.07",
    "currency": "EUR",
    "created_at": "2026-11-21T10:00:00Z",
    "updated_at": "2026-11-21T10:00:00Z",
    "financial_status": "paid",
    "order_number": 1,
    "note_attributes": [{"name": "journey_id", "value": "theirs"}],
}


class Victim:
    """A tenant with something of everything, and names that must not appear elsewhere."""

    def __init__(self, api: Api, database: Database) -> None:
        self.database = database
        self.shop: Shop = open_shop(api)
        self.user: TestUser = make_user(self.shop.tenant_id, "admin")
        self.token = log_in(self.user).tokens.access.token
        self.touchpoint_id = uuid4()
        touch = TOUCH | {"touchpoint_id": str(self.touchpoint_id)}
        self._post(api, "touchpoints", {"touchpoints": [touch]})
        made = api.send("POST", "/api/channels", token=self.token, json=CHANNEL)
        assert made.status_code == 201, made.text
        correction = {"touchpoint_id": str(self.touchpoint_id), "to_channel": "email", "reason": "A letter."}
        kept = api.send("POST", "/api/channels/corrections", token=self.token, json=correction)
        self.correction_id: str = kept.json()["correction_id"]
        self._map(api)
        assert self.shop.shopify("orders/paid", ORDER).json()["outcome"] == "booked"
        dead = self.shop.shopify("orders/paid", ORDER | {"id": 7700770078, "currency": None})
        self.dead_letter_id: str = dead.json()["dead_letter_id"]
        listed = api.send("GET", "/api/webhooks/endpoints", token=self.token).json()["endpoints"]
        self.endpoint_id: str = listed[0]["endpoint_id"]
        self.secret_id: str = listed[0]["secrets"][0]["secret_id"]
        self.import_id: str = self._post(api, "ad-spend/imports", {"rows": [SPEND]})["import_id"]
        self.job_id: str = self._post(api, "recompute-jobs", WINDOW)["job_id"]
        self.export_id: str = api.send("GET", "/api/export/csv", token=self.token).headers["export-id"]
        with database.connect() as connection:  # as if the marks had rested
            connection.execute("UPDATE dirty_marks SET marked_at = marked_at - interval '1 hour'")
        attribute_marked.apply(kwargs={"tenant_id": str(self.shop.tenant_id)}, throw=True)
        self.failed_job_id = uuid4()
        failing = {"tenant_id": str(self.shop.tenant_id), "job_id": "none"}
        recompute_window.apply(kwargs=failing, task_id=str(self.failed_job_id))
        with database.connect() as connection:
            waiting.clear(connection)
            send(messages.prune_tenant(tenant_id=self.shop.tenant_id))
            (self.message_id,) = waiting.park(connection, *QUEUES)

    def _post(self, api: Api, path: str, body: object) -> dict[str, Any]:
        reply = api.send("POST", f"/api/attribution/{path}", token=self.token, json=body)
        assert reply.status_code in {200, 202}, reply.text
        answer: dict[str, Any] = reply.json()
        return answer

    def _map(self, api: Api) -> None:
        path, token = "/api/channel-rules", self.token
        dry = api.send("POST", f"{path}/dry-runs", token=token, json=RULES | WINDOW_OF_RULES).json()
        body = RULES | {"dry_run_token": dry["dry_run_token"], "reason": "A partner of ours."}
        assert api.send("PUT", path, token=token, json=body).status_code == 200

    def names(self) -> set[str]:
        """Return what only this tenant knows."""
        return {
            str(name)
            for name in (
                self.shop.tenant_id,
                self.user.user_id,
                self.touchpoint_id,
                self.job_id,
                self.correction_id,
                PARTNER,
                self.import_id,
                SPEND["campaign_id"],
                SPEND["cost_cents"],
                self.dead_letter_id,
                self.endpoint_id,
                self.secret_id,
                self.export_id,
                self.failed_job_id,
                ORDER["id"],
            )
        }

    def rows(self) -> dict[str, str]:
        """Return everything that is stored of this tenant, table by table."""
        with self.database.connect() as connection:
            tables = connection.execute(
                "SELECT table_name FROM information_schema.columns"
                " WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY 1"
            ).fetchall()
            parked = connection.execute("SELECT message_id FROM skeldir_broker.parked_messages").fetchall()
            return {"parked_messages": str(parked)} | {
                table: str(
                    connection.execute(
                        f"SELECT jsonb_agg(row ORDER BY row) FROM (SELECT to_jsonb(t) AS row"
                        f" FROM {table} AS t WHERE tenant_id = %s) AS rows",
                        (self.shop.tenant_id,),
                    ).fetchone()
                )
                for (table,) in tables
            }


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings()))


@pytest.fixture(scope="module")
def victim(api: Api, database: Database) -> Victim:
    return Victim(api, database)


@pytest.fixture(scope="module")
def stranger(api: Api) -> Shop:
    return open_shop(api)


@cache
def document(contract: Contract) -> Mapping[str, Any]:
    parsed: Mapping[str, Any] = orjson.loads((files("generated") / "bundles" / contract.bundle).read_bytes())
    return parsed


def aimed(operation: Operation, victim: Victim, stranger: Shop) -> tuple[str, Any]:
    """Return a request that a stranger would send to get at what is the victim's."""
    path = operation.path
    for placeholder, value in {
        "{job_id}": victim.job_id,
        "{import_id}": victim.import_id,
        "{dead_letter_id}": victim.dead_letter_id,
        "{endpoint_id}": victim.endpoint_id,
        "{secret_id}": victim.secret_id,
        "{export_id}": victim.export_id,
        "{failed_job_id}": str(victim.failed_job_id),
        "{message_id}": str(victim.message_id),
        "{endpoint_key}": stranger.key("shopify"),
        "{channel_code}": "theirs",
    }.items():
        path = path.replace(placeholder, value)
    bodies: dict[str, Any] = {
        "login": {"email": victim.user.email, "password": PASSWORD, "tenant_id": str(stranger.tenant_id)},
        "adminRevokeTokensBefore": {"user_id": str(victim.user.user_id)},
        "adminUpdateMembershipRole": {"user_id": str(victim.user.user_id), "role": "viewer"},
        "recordTouchpoints": {"touchpoints": [TOUCH | {"touchpoint_id": str(victim.touchpoint_id)}]},
        "createChannel": CHANNEL,
        "transitionChannel": {"to_state": "active", "reason": "It is not mine."},
        "correctChannel": {
            "touchpoint_id": str(victim.touchpoint_id),
            "to_channel": "email",
            "reason": "It is not mine.",
        },
        "recomputeWindow": WINDOW,
        "importAdSpend": {"rows": [SPEND | {"cost_cents": 1}]},
        "replayDeadLetter": {"dry_run": False},
        "replayDeadLetters": {"dry_run": False},
        "abandonDeadLetter": {"reason": "It is not mine."},
        "createWebhookEndpoint": {"vendor": "woocommerce", "generate_secret": True},
        "setWebhookSecret": {"secret": "whsec_0123456789abcdef0123456789"},
    }
    return path, bodies.get(operation.operation_id, {})


@pytest.mark.parametrize(
    ("contract", "operation"), OPERATIONS, ids=[operation.operation_id for _, operation in OPERATIONS]
)
def test_a_stranger_reads_and_changes_nothing(
    contract: Contract, operation: Operation, api: Api, victim: Victim, stranger: Shop
) -> None:
    """An administrator of another tenant who knows every id gets nothing of it out of any operation."""
    before = victim.rows()
    path, body = aimed(operation, victim, stranger)
    token = log_in(make_user(stranger.tenant_id, "admin")).tokens.access.token
    options = {} if operation.method == "GET" else {"json": body}

    reply = api.send(operation.method, path, token=token, **options)

    assert reply.status_code < 500, f"{operation.operation_id} of {contract.name}"
    told = reply.text.replace(str(body.get("user_id", "-")), "")  # an echo of what was sent tells nothing
    sent = set() if operation.operation_id != "recordTouchpoints" else {str(victim.touchpoint_id)}
    assert [name for name in victim.names() - sent if name in told and name not in path] == []
    assert victim.rows() == before


def test_what_the_stranger_may_read_is_really_there_for_its_owner(api: Api, victim: Victim) -> None:
    """The victim does see its rows: the test above does not pass for want of data."""
    channels = api.send("GET", "/api/attribution/channels", token=victim.token).json()
    assert [currency["ledger_net_cents"] for currency in channels["currencies"]] == [7707]
    assert channels["currencies"][0]["pending_cents"] == 0
    assert {name for name, rows in victim.rows().items() if rows != "(None,)"} >= {
        "ad_spend", "ad_spend_changes", "ad_spend_imports", "allocations", "channel_corrections",
        "channel_transitions", "dead_letters", "deliveries", "events", "facts", "ledger_entries", "orders",
        "recompute_jobs", "touchpoints",
    }  # fmt: skip


def test_every_secured_operation_is_aimed_at() -> None:
    """An operation with an id of something in its path or body needs a case of its own above."""
    placeholders = {
        part for _, operation in OPERATIONS for part in operation.path.split("/") if part.startswith("{")
    }
    assert placeholders == {
        "{job_id}", "{import_id}", "{dead_letter_id}", "{endpoint_id}", "{secret_id}", "{endpoint_key}",
        "{channel_code}", "{export_id}", "{failed_job_id}", "{message_id}",
    }  # fmt: skip
