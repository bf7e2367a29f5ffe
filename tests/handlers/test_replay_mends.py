"""A mapping breaks, a thousand deliveries become dead letters, it is mended: as if nothing had broken."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from starlette.types import ASGIApp

from skeldir.app import create_app
from skeldir.domain import money
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.desk import Desk, replay_all
from tests.handlers.senders import SENDERS, Sender
from tests.handlers.webhooks import Shop, open_shop
from tests.vendors import paypal_authority
from tests.wire import Wire, plain, served

DEAD_LETTERS = 1_000
BATCH = 150
CLIENTS = 2

Delivery = tuple[Sender, str, bytes]

ORDERS = """
    SELECT order_id, journey_id, ordered_at, hint_source, hint_medium, hint_channel_code, hint_campaign_id
      FROM orders ORDER BY order_id
"""
FACTS = """
    SELECT source, order_key, kind, reference, amount_cents, currency, effective_at, told_at
      FROM facts ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
"""
LINKS = "SELECT payment_key, order_id, authority FROM order_links ORDER BY 1, 2, 3"
EVENTS = "SELECT vendor, topic, vendor_event_id, occurred_at, payload FROM events ORDER BY 1, 2, 3, 4"
# What a broken mapping and its replay must leave as it would have been.
TOLD = {"orders": ORDERS, "facts": FACTS, "links": LINKS, "events": EVENTS}


@pytest.fixture(scope="module")
def app(database: Database) -> ASGIApp:  # noqa: ARG001  (the settings point to it)
    return create_app(get_settings().model_copy(update={"validate_responses": True}))


@pytest.fixture(scope="module")
def wire(app: ASGIApp) -> Iterator[Wire]:
    with paypal_authority.trusted(), served(app) as wire:
        yield wire


def test_a_mended_mapping_and_a_replay_leave_the_ledger_as_if_nothing_had_broken(
    wire: Wire, app: ASGIApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, twin = Desk(Api(app)), open_shop(Api(app))
    before, meanwhile = deliveries()
    assert set(deliver(wire, desk.shop, before)) == {None}
    with monkeypatch.context() as broken:
        broken.setattr(money, "EXPONENTS", {})
        refused = deliver(wire, desk.shop, meanwhile)
    assert refused["currency_unknown"] == DEAD_LETTERS
    assert set(deliver(wire, twin, [*before, *meanwhile])) == {None}
    assert told(desk.shop)["sums"] != told(twin)["sums"]

    for sender in SENDERS:
        replay_as_foretold(desk, vendor=sender.vendor)

    assert told(desk.shop) == told(twin)
    assert desk.shop.net() == twin.net()
    assert desk.shop.rows("SELECT DISTINCT status FROM dead_letters") == [("resolved",)]
    assert desk.shop.rows("SELECT count(*) FROM deliveries WHERE outcome = 'dead_lettered'") == [(0,)]
    state = desk.state()
    assert [result["resolved_count"] for result in replay_all(desk, dry_run=False, limit=200)] == [0]
    assert set(deliver(wire, desk.shop, meanwhile[:50])) <= {None, "currency_unknown"}  # the first receipts
    assert told(desk.shop) == told(twin)
    assert state.count("resolved") >= DEAD_LETTERS


def deliveries() -> tuple[list[Delivery], list[Delivery]]:
    """Return what is delivered before the mapping breaks and while it is broken, orders mixed up."""
    random, found = Random(7), []
    for sender in SENDERS:
        for number in range(95):
            found += [
                (sender, topic, json.dumps(payload).encode())
                for topic, payload in sender.life(number)
                if topic != "checkouts/update"  # tells no money, so nothing of it can break
            ]
    random.shuffle(found)
    return found[DEAD_LETTERS:], found[:DEAD_LETTERS]


def deliver(wire: Wire, shop: Shop, told: Sequence[Delivery]) -> Counter[str | None]:
    """Deliver by several clients at once; returns how many were refused for which reason."""

    def work(part: Sequence[Delivery]) -> list[str | None]:
        own = replace(wire, _socket=None)
        answers = [_sent(own, shop, one) for one in part]
        own.close()
        return answers

    with ThreadPoolExecutor(CLIENTS) as pool:
        parts = [told[start::CLIENTS] for start in range(CLIENTS)]
        return Counter(code for codes in pool.map(work, parts) for code in codes)


def _sent(wire: Wire, shop: Shop, delivery: Delivery) -> str | None:
    sender, topic, body = delivery
    headers = [(b"Content-Type", b"application/json"), *plain(sender.sign(shop, body, topic))]
    answer = wire.send(b"POST", sender.path(shop).encode(), headers, body)
    assert answer.status == 200, answer
    reason_code: str | None = json.loads(answer.body).get("reason_code")
    return reason_code


def replay_as_foretold(desk: Desk, **chosen: Any) -> None:
    """Replay batch by batch; a dry run before each says exactly what it then does to the ledger."""
    cursor: dict[str, str] = {}
    dry_cursor: dict[str, str] = {}
    while cursor is not None:
        before = desk.shop.net()
        foretold = desk.post("/replay", **chosen, dry_run=True, limit=BATCH, **dry_cursor).json()
        assert desk.shop.net() == before
        done = desk.post("/replay", **chosen, dry_run=False, limit=BATCH, **cursor).json()
        assert done["failures"] == []
        assert foretold | {"dry_run": False, "next_cursor": done["next_cursor"]} == done
        after = desk.shop.net()
        differences = {one["currency"]: one["effect_cents"] for one in done["ledger_differences"]}
        assert differences == {
            code: after[code] - before.get(code, 0) for code in after if code in differences
        }
        assert all(after[code] == before.get(code, 0) for code in after if code not in differences)
        cursor = done["next_cursor"] and {"cursor": done["next_cursor"]}
        dry_cursor = foretold["next_cursor"] and {"cursor": foretold["next_cursor"]}


def told(shop: Shop) -> dict[str, Any]:
    """Return what the shop's tables say, but for ids that the tenant is part of and times of arrival."""
    return {"sums": shop.sums(), **{name: shop.rows(statement) for name, statement in TOLD.items()}}
