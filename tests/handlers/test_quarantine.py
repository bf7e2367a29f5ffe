"""What a suspended tenant is sent is held apart, and booked when it is resumed."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from handlers.webhooks import quarantine
from handlers.webhooks.quarantine import Released
from skeldir.app import create_app
from skeldir.commands import provisioning
from skeldir.db.session import tenant_session
from skeldir.domain import money
from skeldir.repository import endpoints, tenants
from skeldir.repository.endpoints import Endpoint
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.desk import WITHOUT_DOLLARS, Desk
from tests.handlers.webhooks import Shop, open_shop
from tests.vendors.payloads import PERSONAL, charge, shopify_order, shopify_refund, stripe_event

HELD = {"lane": "quarantine"}


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def desk(api: Api) -> Desk:
    return Desk(api)


def tell(shop: Shop) -> None:
    """Tell two orders, a refund and what Stripe says of it, the refund first."""
    shop.shopify("refunds/create", shopify_refund(order_id=1))
    shop.shopify("orders/paid", shopify_order(1))
    shop.shopify("orders/paid", shopify_order(2))
    paid = charge("ch_1", payment_intent="pi_1", amount=12999, amount_captured=12999, currency="usd")
    shop.stripe(stripe_event("charge.succeeded", paid | {"metadata": {"order_id": "2"}}))


def resume(shop: Shop) -> Released:
    """Do as `skeldir tenant resume` does."""
    provisioning.set_status(shop.tenant_id, "active")
    return quarantine.release(shop.tenant_id)


def test_released_the_ledger_is_the_one_of_a_tenant_that_was_never_suspended(api: Api) -> None:
    suspended, served = open_shop(api), open_shop(api)
    provisioning.set_status(suspended.tenant_id, "suspended")
    tell(suspended)
    tell(served)
    assert suspended.entries() == []

    assert resume(suspended) == Released(booked_count=4, dead_letter_count=0)

    assert suspended.entries() == served.entries()
    assert suspended.rows("SELECT outcome FROM deliveries ORDER BY received_at") == [("booked",)] * 4
    assert resume(suspended) == Released(0, 0)
    assert suspended.entries() == served.entries()


def test_what_is_held_is_kept_apart_from_what_needs_somebody(desk: Desk) -> None:
    provisioning.set_status(desk.shop.tenant_id, "suspended")
    tell(desk.shop)
    broken = desk.shop.shopify("orders/paid", shopify_order(3, currency=None)).json()
    provisioning.set_status(desk.shop.tenant_id, "active")  # and nobody has released anything yet

    for_review, held = desk.get().json()["dead_letters"], desk.get(**HELD).json()["dead_letters"]

    assert [letter["dead_letter_id"] for letter in for_review] == [broken["dead_letter_id"]]
    assert (broken["reason_code"], for_review[0]["lane"]) == ("missing_required_field", "review")
    assert {(letter["reason_code"], letter["lane"]) for letter in held} == {
        ("tenant_suspended", "quarantine")
    }
    assert len(held) == len(desk.get(reason_code="tenant_suspended").json()["dead_letters"]) == 4
    assert desk.get(reason_code="tenant_suspended", lane="review").json()["dead_letters"] == []


def test_a_replay_by_filter_leaves_the_quarantine_alone_unless_it_is_meant(desk: Desk) -> None:
    provisioning.set_status(desk.shop.tenant_id, "suspended")
    tell(desk.shop)
    provisioning.set_status(desk.shop.tenant_id, "active")

    assert desk.post("/replay", dry_run=False).json()["resolved_count"] == 0
    assert desk.shop.entries() == []
    assert desk.post("/replay", dry_run=False, **HELD).json()["resolved_count"] == 4
    assert quarantine.release(desk.shop.tenant_id) == Released(0, 0)


def test_what_cannot_be_booked_after_all_becomes_an_ordinary_dead_letter(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    provisioning.set_status(desk.shop.tenant_id, "suspended")
    tell(desk.shop)
    with monkeypatch.context() as broken:
        broken.setattr(money, "EXPONENTS", WITHOUT_DOLLARS)
        assert resume(desk.shop) == Released(booked_count=0, dead_letter_count=4)

    assert desk.get(**HELD).json()["dead_letters"] == []
    letters = desk.get().json()["dead_letters"]
    assert {(letter["reason_code"], letter["lane"]) for letter in letters} == {("currency_unknown", "review")}
    assert desk.post("/replay", dry_run=False).json()["resolved_count"] == 4


def test_a_release_that_breaks_off_is_finished_by_the_next(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = open_shop(api)
    provisioning.set_status(shop.tenant_id, "suspended")
    tell(shop)
    with monkeypatch.context() as broken:
        broken.setattr(quarantine, "BATCH", 1)
        broken.setattr(quarantine, "Place", None)
        with pytest.raises(TypeError):  # after the first batch
            resume(shop)

    assert resume(shop) == Released(booked_count=3, dead_letter_count=0)


def test_in_small_batches_nothing_is_left_behind(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = open_shop(api)
    provisioning.set_status(shop.tenant_id, "suspended")
    tell(shop)
    monkeypatch.setattr(quarantine, "BATCH", 1)

    assert resume(shop) == Released(booked_count=4, dead_letter_count=0)


def test_nothing_personal_waits_in_quarantine(api: Api) -> None:
    shop = open_shop(api)
    provisioning.set_status(shop.tenant_id, "suspended")
    shop.shopify("orders/paid", shopify_order(1))

    assert not [personal for personal in PERSONAL if personal in shop.everything()]


def test_a_delivery_that_comes_while_the_tenant_is_being_resumed_is_booked(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was looked up as a suspended tenant's; in quarantine after the release nobody would come for it."""
    shop = open_shop(api)
    provisioning.set_status(shop.tenant_id, "suspended")
    confirm = endpoints.confirm

    def resumed_meanwhile(session: object, endpoint: Endpoint) -> None:
        monkeypatch.setattr(endpoints, "confirm", confirm)
        assert resume(shop) == Released(0, 0)
        confirm(session, endpoint)  # type: ignore[arg-type]

    monkeypatch.setattr(endpoints, "confirm", resumed_meanwhile)

    assert shop.shopify("orders/paid", shopify_order(1)).json()["outcome"] == "booked"


def test_a_tenant_is_not_resumed_between_a_delivery_and_its_quarantine(api: Api, database: Database) -> None:
    shop = open_shop(api)
    provisioning.set_status(shop.tenant_id, "suspended")

    def resume_impatiently() -> None:
        with tenant_session(shop.tenant_id, engine=database.engine("app_admin")) as session:
            session.execute(text("SET LOCAL lock_timeout = '50ms'"))
            tenants.set_status(session, "active")

    with tenant_session(shop.tenant_id) as session:
        tenants.hold_status(session)
        with pytest.raises(OperationalError, match="lock timeout"):
            resume_impatiently()
    resume_impatiently()
