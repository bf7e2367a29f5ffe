"""Too many webhooks of one tenant are put off, never lost; forged ones cost it nothing."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from skeldir.app import create_app
from skeldir.http import rate_limits
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop, receipt
from tests.vendors.payloads import charge, stripe_event


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """Open a shop that may receive two webhooks per minute."""
    changed = get_settings().model_copy(update={"webhooks_per_minute_max": 2})
    monkeypatch.setattr(rate_limits, "get_settings", lambda: changed)
    rate_limits.forget_leases()
    yield open_shop(api)
    rate_limits.forget_leases()


def test_a_webhook_too_many_is_put_off_and_booked_when_it_is_delivered_again(
    shop: Shop, database: Database
) -> None:
    events = [
        stripe_event("charge.succeeded", charge(id=f"ch_{number}"), f"evt_{number}") for number in range(3)
    ]
    answers = [shop.stripe(event) for event in events]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["RateLimit"] for answer in answers[:2]] == [
        '"webhooks";r=1;t=30',
        '"webhooks";r=0;t=30',
    ]
    assert int(answers[2].headers["Retry-After"]) >= 1
    assert shop.counts()["deliveries"] == 2

    with database.connect() as connection:
        connection.execute(
            "UPDATE rate_limits SET full_at = full_at - interval '1 minute' WHERE tenant_id = %s",
            [shop.tenant_id],
        )
    rate_limits.forget_leases()
    with receipt(shop.stripe(events[2])) as told:
        assert told["outcome"] == "booked"
    assert shop.net() == {"USD": 30000}


def test_a_forged_webhook_is_not_counted(shop: Shop) -> None:
    for _ in range(3):
        forged = shop.stripe({"id": "evt_1"}, **{"Stripe-Signature": "t=1,v1=00"})
        assert forged.status_code == 401
        assert "RateLimit" not in forged.headers

    with receipt(shop.stripe(stripe_event("charge.succeeded", charge(), "evt_1"))) as told:
        assert told["outcome"] == "booked"


def test_webhooks_and_requests_to_the_api_are_counted_apart(shop: Shop) -> None:
    for number in range(3):
        shop.stripe(stripe_event("charge.succeeded", charge(), f"evt_{number}"))

    touch = {"touchpoint_id": str(uuid4()), "journey_id": "j-1", "occurred_at": "2026-11-20T09:30:00Z"}
    recorded = shop.api.send(
        "POST",
        "/api/attribution/touchpoints",
        headers={"X-Skeldir-Tenant-Key": shop.tenant.key},
        json={"touchpoints": [touch]},
    )
    assert (recorded.status_code, recorded.headers["RateLimit"][:6]) == (200, '"api";')
