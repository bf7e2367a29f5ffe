"""Operators find dead letters, mend what was wrong, and replay them into the ledger, once."""

import threading
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from handlers.webhooks import replay
from handlers.webhooks.contracts import contract_digest
from skeldir.app import create_app
from skeldir.db.session import tenant_session
from skeldir.domain import money
from skeldir.settings import get_settings
from skeldir.vendors import shopify
from skeldir.vendors.kept import read_again
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.desk import PATH, WITHOUT_DOLLARS, Desk, code_of, replay_all
from tests.identity import log_in, make_user
from tests.vendors.payloads import PERSONAL, attributes, charge, shopify_order, shopify_refund, stripe_event


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def desk(api: Api) -> Desk:
    return Desk(api)


def test_dead_letters_are_listed_newest_first_under_filters_and_page_by_page(desk: Desk) -> None:
    for number in range(5):
        desk.shop.shopify("orders/paid", shopify_order(number + 1, currency=None))
    desk.shop.stripe(stripe_event("charge.succeeded", charge(currency="zzz")))
    middle = desk.get().json()["dead_letters"][2]["received_at"]

    seen: list[str] = []
    params: dict[str, Any] = {"limit": 2, "vendor": "shopify", "reason_code": "missing_required_field"}
    while True:
        page = desk.get(**params, status="pending").json()
        seen += [letter["dead_letter_id"] for letter in page["dead_letters"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]

    newest = desk.get().json()["dead_letters"]
    assert [letter["dead_letter_id"] for letter in newest][1:] == seen
    assert (newest[0]["vendor"], newest[0]["reason_code"]) == ("stripe", "currency_unknown")
    assert newest[0]["contract_digest"] == contract_digest("stripe")
    assert len(desk.get(received_from=middle).json()["dead_letters"]) == 3
    assert len(desk.get(received_before=middle).json()["dead_letters"]) == 3
    assert desk.get(status="abandoned").json() == {"dead_letters": [], "next_cursor": None}


def test_a_cursor_is_good_for_its_own_filter_only(desk: Desk) -> None:
    for number in range(2):
        desk.shop.shopify("orders/paid", shopify_order(number + 1, currency=None))
    cursor = desk.get(limit=1).json()["next_cursor"]

    assert desk.get(limit=1, cursor=cursor).status_code == 200
    assert desk.get(limit=1, cursor=cursor, vendor="stripe").status_code == 400
    assert desk.post("/replay", dry_run=True, cursor=cursor).status_code == 422


def test_another_tenants_dead_letters_cannot_be_seen_replayed_or_abandoned(
    desk: Desk, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter_id, stranger = desk.break_one(monkeypatch), Desk(api)
    before = desk.state()

    assert stranger.get().json()["dead_letters"] == []
    assert code_of(stranger.get(f"/{letter_id}")) == (404, "not_found")
    assert code_of(stranger.post(f"/{letter_id}/replay", dry_run=False)) == (404, "not_found")
    assert code_of(stranger.post(f"/{letter_id}/abandon", reason="x")) == (404, "not_found")
    assert stranger.post("/replay", dry_run=False).json()["resolved_count"] == 0
    assert desk.state() == before


def test_who_may_only_look_can_neither_replay_nor_abandon(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter_id = desk.break_one(monkeypatch)
    viewer = log_in(make_user(desk.shop.tenant_id)).tokens.access.token

    def sent(path: str, body: object) -> int:
        return desk.shop.api.send("POST", f"{PATH}{path}", token=viewer, json=body).status_code

    assert desk.shop.api.send("GET", f"{PATH}/{letter_id}", token=viewer).status_code == 200
    assert sent("/replay", {"dry_run": True}) == 403
    assert sent(f"/{letter_id}/replay", {"dry_run": True}) == 403
    assert sent(f"/{letter_id}/abandon", {"reason": "x"}) == 403


def test_a_dry_run_shows_the_difference_and_changes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter_id = desk.break_one(monkeypatch)
    before = desk.state()

    told = desk.post(f"/{letter_id}/replay", dry_run=True).json()

    assert told == {
        "dead_letter_id": str(letter_id),
        "dry_run": True,
        "outcome": "resolved",
        "ledger_differences": [{"currency": "USD", "effect_cents": 12999, "entry_count": 2}],
    }
    assert desk.state() == before
    assert desk.trail() == [(desk.user.user_id, True, "resolved", None, None, None)]


def test_a_dry_run_of_a_batch_adds_up_as_the_batch_will(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The processor corrects the shop: what each would do alone does not add up to what both do."""
    desk.break_one(monkeypatch, note_attributes=attributes(payment_intent="pi_1"))
    with monkeypatch.context() as broken:
        broken.setattr(money, "EXPONENTS", WITHOUT_DOLLARS)
        desk.shop.stripe(stripe_event("charge.succeeded", charge(payment_intent="pi_1")))
    desk.shop.stripe(stripe_event("charge.succeeded", charge("ch_2", amount=None), "evt_2"))
    desk.shop.shopify("orders/paid", b"{")
    before = desk.state()

    (rehearsed,) = replay_all(desk, dry_run=True)
    unchanged = desk.state() == before
    (done,) = replay_all(desk, dry_run=False)

    assert unchanged
    assert rehearsed["ledger_differences"] == done["ledger_differences"]
    assert [one["effect_cents"] for one in done["ledger_differences"]] == [10000]
    assert desk.shop.net() == {"USD": 10000}
    assert (done["resolved_count"], done["skipped_count"]) == (2, 0)
    assert rehearsed["failures"] == done["failures"]
    assert [(one["reason_code"], one["is_replayable"]) for one in done["failures"]] == [
        ("missing_required_field", True),
        ("invalid_json", False),
    ]


def test_a_thousand_replayed_dead_letters_leave_the_ledger_in_which_nothing_broke(
    desk: Desk, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Break a mapping, dead-letter 1,000 events, mend it, replay by filter, and replay again."""
    lucky = Desk(api)
    orders = [shopify_order(number, total_price=f"{number}.25") for number in range(1, 901)]
    refunds = [shopify_refund(5000 + number, number) for number in range(1, 101)]
    sent = [("orders/paid", order) for order in orders] + [("refunds/create", refund) for refund in refunds]
    for topic, payload in sent:
        assert lucky.shop.shopify(topic, payload).json()["outcome"] == "booked"
    with monkeypatch.context() as broken:
        broken.setattr(shopify, "SHAPES", {})
        broken.setattr(shopify, "_UNREADABLE", shopify.ORDER)
        for topic, payload in sent[:900]:
            assert desk.shop.shopify(topic, payload).json()["outcome"] == "dead_lettered"
        broken.setattr(shopify, "_UNREADABLE", shopify.REFUND)
        for topic, payload in sent[900:]:
            assert desk.shop.shopify(topic, payload).json()["outcome"] == "dead_lettered"

    results = replay_all(
        desk, dry_run=False, vendor="shopify", reason_code="unknown_provider_event", limit=200
    )

    assert [result["resolved_count"] for result in results] == [200] * 5
    booked = "SELECT order_id, kind, reference, correction, amount_cents, effective_at FROM ledger_entries"
    assert sorted(desk.shop.rows(booked)) == sorted(lucky.shop.rows(booked))
    assert desk.shop.net() == lucky.shop.net()
    events = "SELECT vendor_event_id, topic, order_id, occurred_at, payload::text FROM events"
    assert sorted(desk.shop.rows(events)) == sorted(lucky.shop.rows(events))
    assert desk.shop.rows("SELECT DISTINCT outcome, reason_code FROM deliveries") == [("booked", None)]

    before = desk.state()
    (again,) = replay_all(desk, dry_run=False, vendor="shopify")
    assert (again["resolved_count"], again["ledger_differences"]) == (0, [])
    assert desk.state() == before
    assert len(desk.trail()) == 1000


def test_a_replayed_delivery_is_booked_and_keeps_its_first_receipt(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter_id = desk.break_one(monkeypatch)
    first = desk.shop.rows("SELECT delivery_id, receipt FROM deliveries")

    told = desk.post(f"/{letter_id}/replay", dry_run=False).json()

    assert told["outcome"] == "resolved"
    assert desk.shop.rows("SELECT delivery_id, receipt FROM deliveries") == first
    assert desk.shop.rows("SELECT outcome, event_id, dead_letter_id, reason_code FROM deliveries") == [
        ("booked", UUID(told["event_id"]), letter_id, None)
    ]
    assert desk.shop.shopify("orders/paid", shopify_order(1)).json()["outcome"] == "dead_lettered"
    assert desk.shop.net() == {"USD": 12999}
    letter = desk.get(f"/{letter_id}").json()["dead_letter"]
    assert (letter["status"], letter["attempt_count"], "resolved_at" in letter) == ("resolved", 2, True)


def test_what_still_does_not_map_stays_pending_with_its_new_reason(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter_id = desk.break_one(monkeypatch, created_at="yesterday")

    told = desk.post(f"/{letter_id}/replay", dry_run=False).json()

    assert (told["outcome"], told["reason_code"], told["reason_field"]) == (
        "still_failing", "malformed_value", "created_at",
    )  # fmt: skip
    assert told["ledger_differences"] == []
    letter = desk.get(f"/{letter_id}").json()["dead_letter"]
    assert (letter["status"], letter["attempt_count"]) == ("pending", 2)
    assert (letter["reason_code"], letter["reason_field"]) == ("malformed_value", "created_at")
    assert desk.shop.rows("SELECT outcome, reason_field FROM deliveries") == [("dead_lettered", "created_at")]
    assert desk.shop.counts() == {"deliveries": 1, "dead_letters": 1}
    assert desk.trail() == [
        (desk.user.user_id, False, "still_failing", "malformed_value", "created_at", None)
    ]


def test_what_is_resolved_stays_resolved(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    letter_id = desk.break_one(monkeypatch)
    desk.post(f"/{letter_id}/replay", dry_run=False)
    before = desk.state()

    for dry_run in (False, True):
        refused = desk.post(f"/{letter_id}/replay", dry_run=dry_run)
        assert code_of(refused) == (409, "dead_letter_resolved")
    assert code_of(desk.post(f"/{letter_id}/abandon", reason="x")) == (409, "dead_letter_resolved")
    assert desk.state() == before


def test_what_was_not_kept_cannot_be_replayed(desk: Desk) -> None:
    letter_id = desk.shop.shopify("orders/paid", b"{").json()["dead_letter_id"]

    for dry_run in (False, True):
        assert code_of(desk.post(f"/{letter_id}/replay", dry_run=dry_run)) == (409, "payload_not_kept")
    letter = desk.get(f"/{letter_id}").json()
    assert (letter["dead_letter"]["is_replayable"], "payload" in letter) == (False, False)
    assert letter["dead_letter"]["attempt_count"] == 1


def test_an_abandoned_dead_letter_has_a_reason_and_can_be_taken_up_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter_id = desk.break_one(monkeypatch)

    assert desk.post(f"/{letter_id}/abandon").status_code == 400
    assert desk.post(f"/{letter_id}/abandon", reason="").status_code == 400
    assert desk.post(f"/{letter_id}/abandon", reason="  ").status_code == 422
    assert desk.post(f"/{letter_id}/abandon", reason=f"ask {PERSONAL[0]}").status_code == 422
    told = desk.post(f"/{letter_id}/abandon", reason=" A test order. ").json()
    assert (told["status"], told["abandoned_reason"]) == ("abandoned", "A test order.")
    assert code_of(desk.post(f"/{letter_id}/abandon", reason="x")) == (409, "dead_letter_abandoned")
    assert desk.post("/replay", dry_run=False).json()["resolved_count"] == 0

    assert desk.post(f"/{letter_id}/replay", dry_run=False).json()["outcome"] == "resolved"
    attempts = desk.get(f"/{letter_id}").json()["attempts"]
    assert [(attempt["outcome"], attempt.get("note")) for attempt in attempts] == [
        ("resolved", None), ("abandoned", "A test order."),
    ]  # fmt: skip
    assert {attempt["user_id"] for attempt in attempts} == {str(desk.user.user_id)}


def test_of_two_replays_at_once_one_works_and_the_other_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter_id, arrived, go_on = desk.break_one(monkeypatch), threading.Event(), threading.Event()

    def slowly(kept: Any) -> Any:
        arrived.set()
        assert go_on.wait(30)
        return read_again(kept)

    monkeypatch.setattr(replay, "read_again", slowly)
    replies: list[httpx.Response] = []
    first = threading.Thread(target=lambda: replies.append(desk.post(f"/{letter_id}/replay", dry_run=False)))
    first.start()
    assert arrived.wait(30)

    for dry_run in (False, True):
        second = desk.post(f"/{letter_id}/replay", dry_run=dry_run)
        assert code_of(second) == (409, "replay_in_progress")
    assert code_of(desk.post(f"/{letter_id}/abandon", reason="x")) == (409, "replay_in_progress")
    assert desk.post("/replay", dry_run=False).json()["skipped_count"] == 1
    go_on.set()
    first.join(30)

    assert replies[0].json()["outcome"] == "resolved"
    assert desk.shop.net() == {"USD": 12999}
    assert len(desk.trail()) == 1


@pytest.mark.parametrize(
    "change",
    [
        "status = 'resolved', resolved_at = now()",  # without having been in progress
        "status = 'abandoned'",  # without a reason
        "status = 'lost'",
    ],
)
def test_the_database_refuses_what_the_state_machine_does_not_know(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    desk.break_one(monkeypatch)

    with pytest.raises(IntegrityError), tenant_session(desk.shop.tenant_id) as session:
        session.execute(text(f"UPDATE dead_letters SET {change}"))


def test_the_database_lets_nobody_reopen_or_rewrite(
    desk: Desk, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter_id = desk.break_one(monkeypatch)
    desk.post(f"/{letter_id}/replay", dry_run=False)

    with database.connect() as superuser:
        for status in ("pending", "in_progress", "abandoned"):
            with pytest.raises(psycopg.errors.RestrictViolation):
                superuser.execute(
                    "UPDATE dead_letters SET status = %s WHERE dead_letter_id = %s", [status, letter_id]
                )
        for change in ("UPDATE dead_letter_attempts SET note = NULL", "DELETE FROM dead_letter_attempts"):
            with pytest.raises(psycopg.errors.RestrictViolation):
                superuser.execute(change)
    for column in ("payload", "received_at", "vendor", "event_id"):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            tenant_session(desk.shop.tenant_id) as session,
        ):
            session.execute(text(f"UPDATE dead_letters SET {column} = NULL"))


def test_personal_data_appears_nowhere(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the dead letter, nor its replay, nor any answer shows what the payload was full of."""
    letter_id = desk.break_one(monkeypatch, financial_status=PERSONAL[0])
    other_id = desk.break_one(monkeypatch, 2)

    told = [
        desk.post(f"/{letter_id}/replay", dry_run=False).text,
        desk.post(f"/{other_id}/replay", dry_run=False).text,
        desk.get().text,
        desk.get(f"/{letter_id}").text,
        desk.get(f"/{other_id}").text,
        desk.state(),
        str(desk.shop.rows("SELECT to_jsonb(t) FROM dead_letter_attempts AS t")),
    ]

    assert '"malformed_value"' in told[0]
    assert '"resolved"' in told[1]
    assert [value for value in PERSONAL for text in told if value in text] == []


def test_a_batch_takes_only_what_its_filter_names(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = desk.break_one(monkeypatch), desk.break_one(monkeypatch, 2)
    received_at = desk.get(f"/{second}").json()["dead_letter"]["received_at"]

    for nothing in (
        {"vendor": "stripe"},
        {"reason_code": "malformed_value"},
        {"received_from": "2100-01-01T00:00:00Z"},
    ):
        assert desk.post("/replay", dry_run=False, **nothing).json()["resolved_count"] == 0
    told = desk.post("/replay", dry_run=False, received_before=received_at, vendor="shopify").json()

    assert told["resolved_count"] == 1
    assert desk.get(f"/{first}").json()["dead_letter"]["status"] == "resolved"
    assert desk.get(f"/{second}").json()["dead_letter"]["status"] == "pending"


def test_what_does_not_exist_is_not_found(desk: Desk) -> None:
    unknown = uuid4()

    assert code_of(desk.get(f"/{unknown}")) == (404, "not_found")
    assert code_of(desk.post(f"/{unknown}/replay", dry_run=True)) == (404, "not_found")
    assert desk.get("/replay").status_code == 405
    assert desk.get(received_from="2026-11-23").status_code == 400
