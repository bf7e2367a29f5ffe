"""Whatever a body holds: never a fault, never a loss, and nothing that spoils the next delivery."""

import json
import os
from collections.abc import Iterator
from datetime import UTC
from typing import Any, get_args
from uuid import UUID

import pytest
from starlette.types import ASGIApp

from skeldir.app import create_app
from skeldir.domain.facts import Fact, PaymentAlias
from skeldir.domain.payments import Claim
from skeldir.domain.refusals import ReasonCode
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.body_fuzz import Case, Fuzzer
from tests.handlers.desk import Desk, replay_all
from tests.handlers.senders import SENDERS, Sender
from tests.handlers.webhooks import Shop
from tests.lives.book import Book
from tests.vendors import paypal_authority
from tests.wire import Answer, Wire, plain, served

# The long run of `tox run -e conformance` looks further than every change can afford to.
IS_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
CASES = (20_000 if IS_LONG else 3_000) // len(SENDERS)
SEED = os.environ.get("SKELDIR_TEST_SEED", "1")
ORDERS = 20 + CASES // 25
FACTS = """
    SELECT source, authority, order_key, kind, reference, amount_cents, currency, effective_at, told_at,
           cumulative
      FROM facts
"""
GOOD_EVERY = 100
UNSIGNED_EVERY = 8


@pytest.fixture(scope="module")
def app(database: Database) -> ASGIApp:  # noqa: ARG001  (the settings point to it)
    return create_app(get_settings().model_copy(update={"validate_responses": True}))


@pytest.fixture(scope="module")
def wire(app: ASGIApp) -> Iterator[Wire]:
    with paypal_authority.trusted(), served(app) as wire:
        yield wire


@pytest.fixture
def desk(app: ASGIApp) -> Desk:
    return Desk(Api(app))


@pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.vendor)
def test_every_signed_body_is_booked_recorded_or_a_dead_letter_that_says_why(
    wire: Wire, desk: Desk, sender: Sender
) -> None:
    shop, fuzzer = desk.shop, Fuzzer(sender, SEED, ORDERS)
    receipts: dict[str, dict[str, Any]] = {}
    for number in range(CASES):
        case = fuzzer.case()
        if number % UNSIGNED_EVERY == 0:
            assert refused(wire, sender, shop, case) in {401, 413}, (number, case)
        elif len(case.body) > get_settings().body_bytes_max:
            assert post(wire, sender, shop, case).status == 413, number
        else:
            told = accepted(post(wire, sender, shop, case), f"case {number}: {case}")
            assert receipts.setdefault(told["delivery_id"], told) == told
        if number % GOOD_EVERY == 0:
            deliver_well(wire, sender, shop, ORDERS + number, receipts)

    assert_stored(shop, receipts)
    assert_ledger_is_what_the_facts_say(shop)
    assert_everything_can_be_read_and_replayed(desk)


def post(wire: Wire, sender: Sender, shop: Shop, case: Case) -> Answer:
    """Deliver a case, signed."""
    headers = [(b"Content-Type", b"application/json"), *plain(sender.sign(shop, case.body, case.topic))]
    return wire.send(b"POST", sender.path(shop).encode(), headers, case.body)


def refused(wire: Wire, sender: Sender, shop: Shop, case: Case) -> int:
    """Deliver a case with the signature of another body."""
    headers = plain(sender.sign(shop, case.body + b" ", case.topic))
    return wire.send(b"POST", sender.path(shop).encode(), headers, case.body).status


def accepted(answer: Answer, what: str) -> dict[str, Any]:
    """Return the receipt."""
    assert answer.status == 200, f"{answer.status} {answer.body.decode()[:500]} for {what[:4_000]}"
    told: dict[str, Any] = json.loads(answer.body)
    assert told["outcome"] in {"booked", "recorded", "dead_lettered"}, what
    assert (told["outcome"] == "dead_lettered") == (told.get("reason_code") in get_args(ReasonCode)), what
    return told


def deliver_well(
    wire: Wire, sender: Sender, shop: Shop, number: int, receipts: dict[str, dict[str, Any]]
) -> None:
    """Deliver the whole life of an order that nothing else tells of: it is booked as if it were alone."""
    before = shop.net()
    for topic, payload in sender.life(number):
        case = Case(topic, json.dumps(payload).encode(), "good")
        told = accepted(post(wire, sender, shop, case), str(case))
        assert told["outcome"] != "dead_lettered", told
        receipts[told["delivery_id"]] = told
    assert sum(shop.net().values()) > sum(before.values())


def assert_stored(shop: Shop, receipts: dict[str, dict[str, Any]]) -> None:
    """Show that each delivery that was answered has one row, with its receipt, and that there is no other."""
    stored = shop.rows("SELECT delivery_id::text, receipt, outcome, reason_code FROM deliveries")
    assert {key: receipt for key, receipt, _, _ in stored} == receipts
    for key, receipt, outcome, reason_code in stored:
        assert (receipt["outcome"], receipt.get("reason_code")) == (outcome, reason_code), key
    letters = {row[0] for row in shop.rows("SELECT dead_letter_id FROM dead_letters")}
    events = {row[0] for row in shop.rows("SELECT event_id FROM events")}
    assert letters == {UUID(told["dead_letter_id"]) for told in receipts.values() if "dead_letter_id" in told}
    assert events == {UUID(told["event_id"]) for told in receipts.values() if "event_id" in told}


def assert_ledger_is_what_the_facts_say(shop: Shop) -> None:
    """Show that what is booked of an order is what the domain makes of all that is stored of it."""
    book = Book()
    for *told, effective_at, told_at, cumulative in shop.rows(FACTS):
        book.facts.add(Fact(*told, effective_at.astimezone(UTC), told_at.astimezone(UTC), cumulative))
    book.aliases = {PaymentAlias(*row) for row in shop.rows("SELECT alias, payment_key FROM payment_aliases")}
    book.claims = {
        Claim(*row) for row in shop.rows("SELECT payment_key, order_id, authority FROM order_links")
    }
    book.settle()
    assert shop.sums() == book.daily_sums()


def assert_everything_can_be_read_and_replayed(desk: Desk) -> None:
    """Show that no page, dead letter or replay fails for what is in it, and that nothing comes of it."""
    booked = desk.shop.rows("SELECT * FROM ledger_entries ORDER BY entry_id")
    for path in ("/api/webhooks/deliveries", "/api/webhooks/dead-letters"):
        cursor: dict[str, str] = {}
        while cursor is not None:
            reply = desk.shop.api.send("GET", path, token=desk.token, params={"limit": 200} | cursor)
            assert reply.status_code == 200, reply.text
            cursor = reply.json()["next_cursor"] and {"cursor": reply.json()["next_cursor"]}
    for (dead_letter_id,) in desk.shop.rows("SELECT dead_letter_id FROM dead_letters LIMIT 50"):
        assert desk.get(f"/{dead_letter_id}").status_code == 200
    for dry_run in (True, False):
        results = replay_all(desk, dry_run=dry_run, limit=100)
        assert [result for result in results if result["resolved_count"]] == []
    assert desk.shop.rows("SELECT * FROM ledger_entries ORDER BY entry_id") == booked
