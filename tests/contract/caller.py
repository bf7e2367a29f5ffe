"""Who calls operations with generated cases, and has everything that it takes to get inside."""

import random
from collections.abc import Callable
from functools import cached_property
from typing import Any
from uuid import UUID

import psycopg
import requests
from schemathesis.checks import CHECKS
from schemathesis.core.parameters import ParameterLocation

from skeldir.db.engine import get_engine, get_url
from skeldir.db.session import tenant_session
from skeldir.queue.messages import Message
from skeldir.queue.sending import send
from skeldir.repository import failed_jobs
from skeldir.repository.failed_jobs import Failure
from tests import waiting
from tests.asgi import Api
from tests.handlers.senders import SENDERS
from tests.handlers.webhooks import Shop
from tests.identity import PASSWORD, log_in, make_user
from tests.vendors.payloads import shopify_order
from workers.maintenance import prune_tenant
from workers.recomputing import recompute_window

ENDPOINTS_MAX = 60
SPEND = {"channel_code": "facebook_paid", "day": "2026-11-20", "currency": "EUR", "cost": "80.5"}
SPEND_TABLE = f"{','.join(SPEND)}\r\n{','.join(SPEND.values())}\r\n"
OF_ORDER = ("getOrderRevenue", "getConversionJourney")
RECOMPUTE = {"model": "linear", "window_start": "2026-11-01T00:00:00Z", "window_end": "2026-12-01T00:00:00Z"}

CHANNEL = {"channel_name": "A channel", "family": "audio", "is_paid": True, "reason": "It is new."}
DAYS = {name: RECOMPUTE[name] for name in ("window_start", "window_end")}


class Stock:
    """What operations are about, made when a case needs it."""

    def __init__(self, app: Any, shop: Shop, token: str) -> None:
        self._api = Api(app)
        self._shop = shop
        self._token = token
        self._endpoints: list[dict[str, Any]] = []
        self._orders = iter(range(1, 1_000_000))

    def dead_letter_id(self) -> str:
        """Have another delivery become a dead letter, which can be replayed and will fail again."""
        order = shopify_order(next(self._orders), currency="ZZZ")
        told: str = self._shop.shopify("orders/paid", order).json()["dead_letter_id"]
        return told

    @cached_property
    def order_id(self) -> str:
        """Have an order booked."""
        assert self._shop.shopify("orders/paid", shopify_order(99)).json()["outcome"] == "booked"
        return "99"

    @cached_property
    def job_id(self) -> str:
        """Have a window computed anew."""
        reply = self._api.send("POST", "/api/attribution/recompute-jobs", token=self._token, json=RECOMPUTE)
        job_id: str = reply.json()["job_id"]
        recompute_window.apply(kwargs={"tenant_id": str(self._shop.tenant_id), "job_id": job_id}, throw=True)
        return job_id

    def failed_job_id(self) -> str:
        """Have another task fail for good, which can be sent again."""
        tenant_id, task_id = self._shop.tenant_id, UUID(int=next(self._orders))
        arguments = {"tenant_id": str(tenant_id)}
        failure = Failure(
            task_id, prune_tenant.name, "maintenance", arguments, "ValueError", "application", "", 1
        )
        with tenant_session(tenant_id, engine=get_engine("app_worker")) as session:
            failed_jobs.add(session, failure)
        return str(task_id)

    def message_id(self) -> int:
        """Have a task end its workers until it is parked; in a queue where nothing else waits."""
        send(Message(prune_tenant.name, "llm", {"tenant_id": str(self._shop.tenant_id)}))
        url = get_url("app_worker").set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as worker:
            return waiting.park(worker, "llm")[-1]

    @cached_property
    def import_id(self) -> str:
        """Have ad spend imported."""
        path, body = "/api/attribution/ad-spend/imports", {"rows": [SPEND]}
        import_id: str = self._api.send("POST", path, token=self._token, json=body).json()["import_id"]
        return import_id

    @cached_property
    def export_id(self) -> str:
        """Have everything exported."""
        export_id: str = self._api.send("GET", "/api/export/csv", token=self._token).headers["export-id"]
        return export_id

    @cached_property
    def touchpoint_id(self) -> str:
        """Have a touch recorded."""
        touch = {"touchpoint_id": str(UUID(int=1)), "journey_id": "j", "occurred_at": "2026-11-20T09:30:00Z"}
        batch = {"touchpoints": [touch]}
        self._api.send("POST", "/api/attribution/touchpoints", token=self._token, json=batch)
        return str(touch["touchpoint_id"])

    def channel_code(self) -> str:
        """Return a code that no channel has yet."""
        return f"channel_{next(self._orders)}"

    @cached_property
    def known_channel(self) -> str:
        """Have a channel made."""
        return self.draft()

    def draft(self) -> str:
        """Have a channel made, which can be activated."""
        code = self.channel_code()
        self._api.send("POST", "/api/channels", token=self._token, json=CHANNEL | {"channel_code": code})
        return code

    def asked_for(self) -> dict[str, Any]:
        """Return what to ask for in a dry run of the rules in force."""
        known = self._api.send("GET", "/api/channel-rules", token=self._token).json()
        return {"based_on_version": known["version"], "rules": known["rules"]} | DAYS

    def dry_run(self) -> dict[str, Any]:
        """Have a dry run made of the rules in force."""
        body = self.asked_for()
        told = self._api.send("POST", "/api/channel-rules/dry-runs", token=self._token, json=body).json()
        based = {name: body[name] for name in ("based_on_version", "rules")}
        return based | {"dry_run_token": told["dry_run_token"]}

    def endpoint(self) -> dict[str, Any]:
        """Make an endpoint that nobody delivers to; a tenant may only have so many."""
        if len(self._endpoints) < ENDPOINTS_MAX:
            wanted = {"vendor": "woocommerce", "generate_secret": True}
            reply = self._api.send("POST", "/api/webhooks/endpoints", token=self._token, json=wanted)
            self._endpoints.append(reply.json()["endpoint"])
            return self._endpoints[-1]
        return random.Random(len(self._endpoints)).choice(self._endpoints)


class Caller:
    """Sends generated cases; what a case did not mean to be wrong is put right first."""

    def __init__(self, app: Any, shop: Shop) -> None:
        self._shop = shop
        self._user = make_user(shop.tenant_id, "admin")
        self._other = make_user(shop.tenant_id, "viewer")
        self._token = log_in(self._user).tokens.access.token
        self._stock = Stock(app, shop, self._token)
        self.answers: dict[str, set[int]] = {}
        self.options = {"app": app, "headers": {"Authorization": f"Bearer {self._token}"}}

    def prepare(self, case: Any) -> None:
        """Put keys, signatures, cursors and tables where the case did not mean to be wrong."""
        if _is_meant_well(case, ParameterLocation.BODY) and case.media_type == "text/csv":
            case.body = SPEND_TABLE  # no schema says which texts are tables
        self._name_afresh(case)
        if _is_meant_well(case, ParameterLocation.QUERY) and "cursor" in case.query:
            self._turn_the_page(case)
        if _is_meant_well(case, ParameterLocation.PATH) and "endpoint_key" in case.path_parameters:
            case.path_parameters["endpoint_key"] = self._shop.key(case.path.split("/")[3])
        if _is_meant_well(case, ParameterLocation.HEADER):
            if case.operation.definition.raw.get("x-raw-body"):
                self._sign(case)
            if "X-Skeldir-Tenant-Key" in case.headers:
                case.headers["X-Skeldir-Tenant-Key"] = self._shop.tenant.key

    def supply(self, case: Any) -> None:
        """Name what there is: no generator can guess an id or a password."""
        operation_id = _operation(case)
        if _is_meant_well(case, ParameterLocation.QUERY) and operation_id in OF_ORDER:
            case.query["order_id"] = self._stock.order_id
        if _is_meant_well(case, ParameterLocation.PATH):
            self._name(case.path_parameters)
        if _is_meant_well(case, ParameterLocation.BODY) and isinstance(case.body, dict):
            case.body |= self._known(operation_id)
            if operation_id == "correctChannel" and "touchpoint_id" in case.body:
                case.body |= {"touchpoint_id": self._stock.touchpoint_id, "to_channel": "email"}

    def check(self, case: Any) -> None:
        """Send a case and apply every check that Schemathesis has."""
        self.supply(case)
        self.prepare(case)
        name = _operation(case)
        options = self.options
        if name == "refreshToken":  # its token is good for one call
            token = log_in(self._user).tokens.refresh.text()
            options = options | {"headers": {"Authorization": f"Bearer {token}"}}
        response = case.call_and_validate(**options, checks=CHECKS.get_all())
        self.answers.setdefault(name, set()).add(response.status_code)

    def _name_afresh(self, case: Any) -> None:
        """Do what can be done once to something new each time, so that a case does the same every time."""
        operation_id = _operation(case)
        if operation_id == "createChannel" and _is_meant_well(case, ParameterLocation.BODY):
            case.body["channel_code"] = self._stock.channel_code()
        elif operation_id == "transitionChannel" and _is_meant_well(case, ParameterLocation.PATH):
            case.path_parameters["channel_code"] = self._stock.draft()
        else:
            return
        if _is_meant_well(case, ParameterLocation.HEADER):
            case.headers.pop("Idempotency-Key", None)

    def _name(self, names: dict[str, Any]) -> None:
        if "endpoint_id" in names:
            endpoint = self._stock.endpoint()
            names["endpoint_id"] = endpoint["endpoint_id"]
            if "secret_id" in names:
                names["secret_id"] = endpoint["secrets"][0]["secret_id"]
        known: dict[str, Callable[[], str | int]] = {
            "dead_letter_id": self._stock.dead_letter_id,
            "job_id": lambda: self._stock.job_id,
            "import_id": lambda: self._stock.import_id,
            "export_id": lambda: self._stock.export_id,
            "channel_code": lambda: self._stock.known_channel,
            "failed_job_id": self._stock.failed_job_id,
            "message_id": self._stock.message_id,
        }
        names |= {name: make() for name, make in known.items() if name in names}

    def _known(self, operation_id: str) -> dict[str, Any]:
        """Return what a body must say for its operation to do anything."""
        tenant_id = str(self._shop.tenant_id)
        login = {"email": self._user.email, "password": PASSWORD, "tenant_id": tenant_id}
        other = {"user_id": str(self._other.user_id)}
        made: dict[str, Callable[[], dict[str, Any]]] = {
            "dryRunChannelRules": self._stock.asked_for,
            "replaceChannelRules": self._stock.dry_run,
        }
        if operation_id in made:
            return made[operation_id]()
        known: dict[str, dict[str, Any]] = {
            "login": login,
            "adminUpdateMembershipRole": other,
            "adminRevokeTokensBefore": other,
            "importAdSpend": {"rows": [SPEND]},
            "transitionChannel": {"to_state": "active"},
        }
        return known.get(operation_id, {})

    def _turn_the_page(self, case: Any) -> None:
        """Use the cursor that the first page of the same query gives: cursors are signed, too."""
        query = {name: value for name, value in case.query.items() if name != "cursor"}
        first = Api(self.options["app"]).send(
            "GET", case.formatted_path, params=query | {"limit": 1}, headers=self.options["headers"]
        )
        cursor = first.json().get("next_cursor")
        case.query = query if cursor is None else query | {"cursor": cursor}

    def _sign(self, case: Any) -> None:
        """Sign the body as it will be sent."""
        sent = requests.Request(**case.as_transport_kwargs(base_url="http://skeldir.test")).prepare().body
        body = sent.encode() if isinstance(sent, str) else sent or b""
        sender = next(known for known in SENDERS if known.vendor == case.path.split("/")[3])
        topics = [value for name, value in case.headers.items() if name.lower().endswith("-topic")]
        case.headers.update(sender.sign(self._shop, body, topics[0] if topics else next(iter(sender.shapes))))


def _operation(case: Any) -> str:
    operation_id: str = case.operation.definition.raw["operationId"]
    return operation_id


def _is_meant_well(case: Any, location: ParameterLocation) -> bool:
    component = case.meta.components.get(location) if case.meta else None
    return component is None or component.mode.is_positive
