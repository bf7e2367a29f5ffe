"""How certain the figures are, on the wire: asked for, answered by a worker, shown with the channels."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any
from uuid import UUID, uuid4

import pytest

from skeldir.app import create_app
from skeldir.db.session import tenant_session
from skeldir.repository import attribution
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import open_shop
from tests.identity import log_in, make_user
from tests.repository import attribution_world as worlds
from tests.repository.attribution_world import SETTINGS, Booking, Sale, Visit, World
from tests.vendors.payloads import UNIX, attributes, charge, payment_intent, shopify_order, stripe_event
from workers.uncertainty import refresh_intervals

PATH = "/api/attribution/uncertainty"
NOON = worlds.START.replace(hour=12)
DAYS = {"start_date": "2026-08-01", "end_date": "2026-08-31"}


def shop(journeys: int) -> World:
    """Return a shop with as many journeys: two in three by mail, the rest by an ad, all of 10.00."""
    numbers = range(1, journeys + 1)
    return World(
        [Visit(UUID(int=n), f"j-{n}", NOON, "email" if n % 3 else "tiktok_paid") for n in numbers],
        [Sale(f"o-{n}", f"j-{n}", NOON) for n in numbers],
        [Booking(UUID(int=n), f"o-{n}", "captured", 1_000, NOON) for n in numbers],
    )


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def manager(tenant: UUID) -> str:
    return log_in(make_user(tenant, "manager")).tokens.access.token


def store(database: Database, tenant: UUID, world: World) -> None:
    with database.connect() as connection:
        worlds.store(connection, tenant, world)
    attribute(database, tenant, world.journeys)


def attribute(database: Database, tenant: UUID, journeys: Sequence[str]) -> None:
    with tenant_session(tenant, isolation="repeatable read", engine=database.engine("app_worker")) as session:
        attribution.begin(session)
        attribution.attribute_journeys(session, journeys, SETTINGS)


def work(tenant: UUID) -> None:
    refresh_intervals.apply(kwargs={"tenant_id": str(tenant)}, task_id=str(uuid4())).get()


def channels(api: Api, token: str, **query: str) -> dict[str, dict[str, Any]]:
    reply = api.send("GET", "/api/attribution/channels", token=token, params=query)
    assert reply.status_code == 200, reply.text
    return {
        channel["channel_code"]: channel
        for part in reply.json()["currencies"]
        for channel in part["channels"]
    }


def test_get_channel_uncertainty_is_there_once_it_was_asked_for(
    api: Api, database: Database, tenant: UUID, manager: str
) -> None:
    """EstimateChannelUncertainty answers 202 and says where; the worker's answer is found there."""
    store(database, tenant, shop(100))
    asked = {"model": "linear", **DAYS}
    before = api.send("GET", PATH, token=manager, params=asked)
    assert before.json() == {"model": "linear", "model_version": "linear.1+30d", **DAYS, "currencies": []}

    accepted = api.send("POST", PATH, token=manager, json=asked)
    assert accepted.status_code == 202, accepted.text
    assert accepted.json()["currencies"] == []
    assert "checked_at" not in accepted.json()
    work(tenant)
    told = api.send("GET", accepted.headers["Location"], token=manager).json()
    assert told["requested_at"] <= told["computed_at"] == told["checked_at"]
    assert (told["draws"], told["level_ppm"], told["model_version"]) == (200, 950_000, "linear.1+30d")
    (euro,) = told["currencies"]
    mail, ad = euro["channels"]
    assert (mail["channel_code"], mail["revenue_cents"], mail["journey_count"]) == ("email", 67_000, 67)
    assert (ad["channel_code"], ad["revenue_cents"], ad["journey_count"]) == ("tiktok_paid", 33_000, 33)
    assert mail["certainty"]["low_cents"] < 67_000 < mail["certainty"]["high_cents"]
    assert mail["certainty"]["low_share_ppm"] < 670_000 < mail["certainty"]["high_share_ppm"]
    assert mail["certainty"]["confidence_ppm"] > 990_000

    again = api.send("POST", PATH, token=manager, json=asked).json()
    assert again["currencies"] == told["currencies"]
    assert again["requested_at"] > again["checked_at"]


def test_the_channels_show_their_intervals_in_exactly_that_window(
    api: Api, database: Database, tenant: UUID, manager: str
) -> None:
    """GetChannelAttribution has interval, confidence and their time where stored."""
    store(database, tenant, shop(60))
    work(tenant)
    shown = channels(api, manager)
    interval = shown["email"]["credible_interval"]
    assert interval["low_cents"] < shown["email"]["revenue_cents"] == 40_000 < interval["high_cents"]
    assert interval["level_ppm"] == 950_000
    assert shown["email"]["confidence_ppm"] > 900_000
    assert shown["email"]["interval_as_of"]
    assert channels(api, manager, model="first_touch")["email"]["credible_interval"]


CERTAINTY = ("credible_interval", "confidence_ppm", "interval_as_of", "interval_missing")


def beside(api: Api, token: str, model: str = "linear", **query: str) -> dict[str, dict[str, Any]]:
    """Ask compareModels, and return what it says of one model's channels."""
    reply = api.send("GET", "/api/attribution/comparison", token=token, params=query)
    assert reply.status_code == 200, reply.text
    return {
        channel["channel_code"]: revenue
        for part in reply.json()["currencies"]
        for channel in part["channels"]
        for revenue in channel["revenues"]
        if revenue["model"] == model
    }


def exported(api: Api, token: str, **query: str) -> dict[str, dict[str, Any]]:
    """Export revenue as JSON; return its channels, which must be what the manifest tells too."""
    asked = {"format": "json", "model": "linear"} | query
    reply = api.send("GET", "/api/export/revenue", token=token, params=asked)
    manifest = api.send("GET", f"/api/export/manifests/{reply.headers['export-id']}", token=token).json()
    [currency] = reply.json()["summary"]["currencies"]
    [kept] = manifest["currencies"]
    assert [certain(one) for one in kept["channels"]] == [certain(one) for one in currency["channels"]]
    return {channel["channel_code"]: channel for channel in currency["channels"]}


def certain(told: dict[str, Any]) -> list[Any]:
    return [told[name] for name in CERTAINTY]


@pytest.mark.parametrize("ask", [channels, beside, exported])
def test_reports_comparisons_and_exports_show_intervals_or_say_why_not(
    api: Api, database: Database, tenant: UUID, manager: str, ask: Callable[..., dict[str, Any]]
) -> None:
    """What is stored of these days, model and mode is what each of them shows, else a reason."""
    nothing = [None, None, None]
    store(database, tenant, shop(60))
    assert certain(ask(api, manager)["email"]) == [*nothing, "not_computed"]
    work(tenant)
    told, shown = ask(api, manager), channels(api, manager)
    assert told["email"]["credible_interval"]["low_cents"] < 40_000
    assert certain(told["email"]) == certain(shown["email"])
    assert certain(told["tiktok_paid"]) == [*nothing, "too_few_journeys"]
    assert certain(ask(api, manager, **DAYS)["email"]) == [*nothing, "not_computed"]
    assert certain(ask(api, manager, mode="accrual")["email"]) == [*nothing, "accrual_mode"]
    touch = Visit(UUID(int=99), "j-1", NOON, "referral")
    store(database, tenant, World([touch], [], []))
    assert certain(ask(api, manager)["referral"]) == [*nothing, "no_journeys"]


Webhook = tuple[str, str, dict[str, Any]]


def paid(number: int) -> list[Webhook]:
    """Return how Stripe tells of a payment of 100.00, and that 30.00 or all was refunded."""
    known = {"payment_intent": f"pi_{number}"}
    back = {"amount_refunded": 3_000 if number else 10_000, "created": UNIX + 7}
    events = [
        stripe_event("charge.succeeded", charge(f"ch_{number}", **known), f"evt_paid_{number}"),
        stripe_event("charge.refunded", charge(f"ch_{number}", **known, **back), f"evt_back_{number}"),
    ]
    return [("stripe", "", event) for event in events]


def ordered(number: int) -> list[Webhook]:
    """Return how Shopify tells of its order, and Stripe which order the payment was for."""
    order_id = 1000 + number
    made = shopify_order(order_id, total_price="100.00", note_attributes=attributes(journey_id=f"j-{number}"))
    intent = payment_intent(f"pi_{number}", metadata={"order_id": str(order_id)})
    link = stripe_event("payment_intent.succeeded", intent, f"evt_link_{number}", created=UNIX + 60)
    return [("shopify", "orders/paid", made), ("stripe", "", link)]


def test_payments_that_come_before_their_orders_change_no_interval(api: Api, database: Database) -> None:
    """What was booked of an unknown order and moved to the known one makes no journey of its own.

    A payment that was refunded to the last cent does: what it was credited with adds up to nothing, but it
    might have been otherwise.
    """
    told = []
    for parts in ((ordered, paid), (paid, ordered)):
        shop = open_shop(api)
        for vendor, topic, payload in chain.from_iterable(part(n) for n in range(30) for part in parts):
            reply = shop.shopify(topic, payload) if vendor == "shopify" else shop.stripe(payload)
            assert reply.json()["outcome"] == "booked", reply.text
        attribute(database, shop.tenant_id, [row[0] for row in shop.rows("SELECT journey_id FROM orders")])
        work(shop.tenant_id)
        token = log_in(make_user(shop.tenant_id, "manager")).tokens.access.token
        told.append(api.send("GET", PATH, token=token, params={"model": "linear"}).json()["currencies"])
    after, before = told
    assert after == before
    [[channel]] = [currency["channels"] for currency in after]
    assert (channel["revenue_cents"], channel["journey_count"]) == (29 * 7_000, 30)
    assert channel["certainty"]["low_cents"] < 29 * 7_000 < channel["certainty"]["high_cents"]


def test_days_that_run_backwards_are_refused(api: Api, manager: str) -> None:
    """The problem names the field, in the body as in the query."""
    asked = {"model": "linear", "start_date": "2026-08-31", "end_date": "2026-08-01"}
    for place, reply in (
        ("body", api.send("POST", PATH, token=manager, json=asked)),
        ("query", api.send("GET", PATH, token=manager, params=asked)),
    ):
        assert reply.status_code == 422
        assert reply.json()["errors"][0]["field"] == f"{place}.end_date"


@pytest.mark.parametrize(
    ("days", "at_fault"),
    [
        ({"start_date": "2200-01-01"}, "start_date"),
        ({"start_date": "2200-01-01", "end_date": "2200-01-02"}, "start_date"),
        ({"end_date": "1969-12-31"}, "end_date"),
        ({"start_date": "1960-01-01", "end_date": "1960-01-02"}, "end_date"),
    ],
)
def test_days_on_which_nothing_can_have_happened_are_refused(
    api: Api, manager: str, days: dict[str, str], at_fault: str
) -> None:
    """No worker is sent for a window outside of the commercial calendar; the bound at fault is named."""
    reply = api.send("POST", PATH, token=manager, json={"model": "linear", **days})
    [error] = reply.json()["errors"]
    assert (reply.status_code, error["code"]) == (422, "time_out_of_range")
    assert error["field"] == f"body.{at_fault}"


def test_a_viewer_reads_and_does_not_ask(api: Api, tenant: UUID) -> None:
    """Asking keeps workers busy: it takes a manager."""
    viewer = log_in(make_user(tenant, "viewer")).tokens.access.token
    assert api.send("POST", PATH, token=viewer, json={"model": "linear"}).status_code == 403
    assert api.send("GET", PATH, token=viewer, params={"model": "linear"}).status_code == 200
