"""Administrators manage where vendors deliver and what they sign with, and see nothing secret twice."""

import base64
import hmac
import json
import logging
from typing import Any

import httpx
import pytest

from skeldir.app import create_app
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import open_shop
from tests.identity import log_in, make_user
from tests.vendors.payloads import woocommerce_order

PATH = "/api/webhooks/endpoints"
GOOD = {
    "shopify": "shpss_0123456789abcdef0123456789abcdef",
    "stripe": "whsec_0123456789abcdefABCDEF0123456789",
    "woocommerce": "a secret of the shop & its webhook",
    "paypal": "0EH40505U7160970P",
    "custom": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}


class Office:
    """A tenant with an administrator who manages its endpoints."""

    def __init__(self, api: Api) -> None:
        self.shop = open_shop(api)
        self.user = make_user(self.shop.tenant_id, "admin")
        self.token = log_in(self.user).tokens.access.token

    def get(self, path: str = "") -> httpx.Response:
        """Ask as the administrator."""
        return self.shop.api.send("GET", PATH + path, token=self.token)

    def post(self, path: str = "", **body: Any) -> httpx.Response:
        """Act as the administrator."""
        return self.shop.api.send("POST", PATH + path, token=self.token, json=body)

    def create(self, vendor: str = "woocommerce", **body: Any) -> dict[str, Any]:
        """Make an endpoint."""
        reply = self.post(vendor=vendor, **body)
        assert reply.status_code == 201, reply.text
        made: dict[str, Any] = reply.json()
        return made

    def one(self, made: dict[str, Any]) -> dict[str, Any]:
        """Return how an endpoint is shown, with its audit trail."""
        reply = self.get(f"/{made['endpoint']['endpoint_id']}")
        assert reply.status_code == 200, reply.text
        shown: dict[str, Any] = reply.json()
        return shown

    def deliver(self, made: dict[str, Any], secret: str) -> int:
        """Deliver to the address that was shown, as WooCommerce does; return the status."""
        body = json.dumps(woocommerce_order()).encode()
        digest = base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
        headers = {"X-WC-Webhook-Signature": digest, "X-WC-Webhook-Topic": "order.updated"}
        return self.shop.post(made["url"].partition("8000")[2], body, headers).status_code


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def office(api: Api) -> Office:
    return Office(api)


def secret_path(made: dict[str, Any]) -> str:
    return f"/{made['endpoint']['endpoint_id']}/secrets"


def test_a_new_endpoint_takes_deliveries_at_the_address_that_is_shown_once(office: Office) -> None:
    made = office.create(generate_secret=True)

    assert office.deliver(made, made["secret"]) == 200
    assert office.deliver(made, "another one's") == 401
    told = office.get().text + json.dumps(office.one(made))
    assert made["secret"] not in told
    assert made["url"].rpartition("/")[2] not in told
    assert made["endpoint"]["key_hint"] == made["url"][-4:]


@pytest.mark.parametrize("vendor", GOOD)
def test_a_secret_of_each_vendor_is_taken_and_never_shown(office: Office, vendor: str) -> None:
    made = office.create(vendor, secret=GOOD[vendor])

    assert "secret" not in made
    assert GOOD[vendor] not in office.get().text + json.dumps(office.one(made))
    (shown,) = office.one(made)["endpoint"]["secrets"]
    assert shown["sealing_key_id"] == "seal-1"
    assert "valid_until" not in shown


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"vendor": "stripe", "secret": "sk_live_canary_of_ours"}, "body.secret"),
        ({"vendor": "woocommerce", "secret": "canary!"}, "body.secret"),
        ({"vendor": "paypal", "secret": "https://example.com/canary"}, "body.secret"),
        ({"vendor": "shopify", "secret": "canary canary canary"}, "body.secret"),
        ({"vendor": "stripe", "generate_secret": True}, "body.generate_secret"),
        (
            {"vendor": "woocommerce", "secret": "canary canary", "generate_secret": True},
            "body.generate_secret",
        ),
    ],
)
def test_what_cannot_be_the_secret_is_refused_by_its_field_and_not_repeated(
    office: Office, body: dict[str, Any], field: str
) -> None:
    before = len(office.get().json()["endpoints"])

    reply = office.post(**body)

    assert reply.status_code == 422
    assert [error["field"] for error in reply.json()["errors"]] == [field]
    assert "canary" not in reply.text
    assert len(office.get().json()["endpoints"]) == before


def test_what_is_malformed_by_the_contract_is_not_repeated_either(office: Office) -> None:
    for secret in ("", "canary" * 100, ["canary"], {"canary": 1}):
        reply = office.post(vendor="stripe", secret=secret)
        assert reply.status_code == 400
        assert "canary" not in reply.text


def test_while_a_secret_is_rotated_two_are_accepted_and_never_three(office: Office) -> None:
    made = office.create(secret="the first secret")
    for secret in ("the second secret", "the third secret"):
        reply = office.post(secret_path(made), secret=secret, grace_hours=1)
        assert reply.status_code == 201
        assert "secret" not in reply.json()

    accepted = [office.deliver(made, f"the {which} secret") for which in ("first", "second", "third")]

    assert accepted == [401, 200, 200]
    newest, former = office.one(made)["endpoint"]["secrets"]
    assert newest["secret_id"] == reply.json()["secret_id"]
    assert "valid_until" not in newest
    assert "valid_until" in former


def test_without_grace_a_new_secret_is_the_only_one(office: Office) -> None:
    made = office.create(secret="the first secret")
    office.post(secret_path(made), secret="the second secret", grace_hours=0)

    assert [office.deliver(made, f"the {which} secret") for which in ("first", "second")] == [401, 200]


def test_a_generated_secret_is_shown_once(office: Office) -> None:
    made = office.create(secret="the first secret")
    added = office.post(secret_path(made), generate_secret=True).json()

    assert office.deliver(made, added["secret"]) == 200
    assert added["secret"] not in office.get().text + json.dumps(office.one(made))


def test_to_set_a_secret_there_must_be_one(office: Office) -> None:
    reply = office.post(secret_path(office.create("stripe")))

    assert (reply.status_code, reply.json()["errors"][0]["field"]) == (422, "body.secret")


def test_a_retired_secret_ends_at_once_and_the_last_one_leaves_nothing_open(office: Office) -> None:
    made = office.create(secret="the first secret")
    (secret,) = office.one(made)["endpoint"]["secrets"]

    for _ in range(2):
        reply = office.post(f"{secret_path(made)}/{secret['secret_id']}/retire")
        assert (reply.status_code, reply.json()["secrets"]) == (200, [])

    assert office.deliver(made, "the first secret") == 401
    assert [change["action"] for change in office.one(made)["changes"]].count("secret_retired") == 1


def test_a_revoked_endpoint_refuses_everything_and_takes_no_secret(office: Office) -> None:
    made = office.create(secret="the first secret")

    reply = office.post(f"/{made['endpoint']['endpoint_id']}/revoke")

    assert reply.json()["valid_until"]
    assert office.deliver(made, "the first secret") == 401
    assert office.post(secret_path(made), secret="the second secret").status_code == 409
    assert made["endpoint"]["endpoint_id"] not in office.get().text


def test_an_endpoint_accepts_until_its_grace_ends_and_revoking_again_prolongs_nothing(
    office: Office,
) -> None:
    made = office.create(secret="the first secret")
    revoke = f"/{made['endpoint']['endpoint_id']}/revoke"

    first = office.post(revoke, grace_hours=1).json()["valid_until"]
    assert office.deliver(made, "the first secret") == 200
    assert office.post(revoke, grace_hours=168).json()["valid_until"] == first
    assert office.post(revoke, grace_hours=0).json()["valid_until"] < first
    assert office.deliver(made, "the first secret") == 401


def test_every_change_leaves_a_line_with_who_did_it(office: Office) -> None:
    made = office.create(secret="the first secret")
    office.post(secret_path(made), secret="the second secret")
    office.post(f"/{made['endpoint']['endpoint_id']}/revoke")

    changes = office.one(made)["changes"]

    assert [change["action"] for change in changes] == [
        "endpoint_revoked", "secret_added", "secret_added", "endpoint_created",
    ]  # fmt: skip
    assert {change["user_id"] for change in changes} == {str(office.user.user_id)}
    for endpoint in office.get().json()["endpoints"]:  # what was provisioned on the command line
        trail = office.one({"endpoint": endpoint})["changes"]
        assert [change["action"] for change in trail] == ["secret_added", "endpoint_created"]
        assert not any("user_id" in change for change in trail)


def test_an_endpoint_that_waits_for_its_secret_takes_no_delivery_from_the_one_that_has_one(
    office: Office,
) -> None:
    office.create("woocommerce")
    body = json.dumps(woocommerce_order()).encode()
    headers = office.shop.by_woocommerce(body, "order.updated")

    reply = office.shop.post(
        "/api/webhooks/woocommerce/order/updated",
        body,
        headers | {"X-Skeldir-Tenant-Key": office.shop.tenant.key},
    )

    assert reply.status_code == 200, reply.text


def test_a_tenant_has_so_many_endpoints_and_no_more(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skeldir.repository.endpoints.ENDPOINTS_MAX", len(office.shop.tenant.endpoints) + 1)
    made = office.create()

    assert office.post(vendor="stripe").status_code == 409
    office.post(f"/{made['endpoint']['endpoint_id']}/revoke")
    office.create("stripe")


@pytest.mark.parametrize("role", ["viewer", "manager"])
def test_only_administrators_see_or_change_endpoints(office: Office, role: Any) -> None:
    made = office.create()
    token = log_in(make_user(office.shop.tenant_id, role)).tokens.access.token
    one = f"/{made['endpoint']['endpoint_id']}"

    for method, path in [
        ("GET", ""),
        ("POST", ""),
        ("GET", one),
        ("POST", f"{one}/secrets"),
        ("POST", f"{one}/secrets/{office.user.user_id}/retire"),
        ("POST", f"{one}/revoke"),
    ]:
        reply = office.shop.api.send(method, PATH + path, token=token, json={"vendor": "stripe"})
        assert reply.status_code == 403, (method, path)


def test_nothing_secret_is_logged_or_printed_or_stored_as_it_is(
    office: Office,
    database: Database,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with caplog.at_level(logging.DEBUG):
        made = office.create(secret="canary & canary")
        office.post(secret_path(made), secret="CANARY & CANARY")
        office.post(vendor="stripe", secret="canary")
        office.deliver(made, "canary & canary")
    ours = [record.getMessage() for record in caplog.records if record.name != "httpx"]  # the test's client
    logged = "".join((*capsys.readouterr(), *ours))
    assert "createWebhookEndpoint" in logged
    with database.connect() as connection:
        stored = "".join(
            str(connection.execute(f"SELECT jsonb_agg(to_jsonb(t)) FROM {table} AS t").fetchone())
            for table in ("webhook_endpoints", "webhook_secrets", "endpoint_changes", "deliveries")
        )

    hidden = ("canary", b"canary & canary".hex(), made["url"].rpartition("/")[2].lower())
    assert not [text for text in hidden if text in logged.lower() + stored.lower()]
