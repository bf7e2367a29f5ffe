"""The ledger's algebra, case by case."""

from datetime import UTC, datetime, timedelta
from typing import Any

from skeldir.domain.facts import Fact
from skeldir.domain.ledger import Booked, Entry, Slot, differences, targets

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def at(hours: int) -> datetime:
    """Return an instant that many hours after noon."""
    return NOON + timedelta(hours=hours)


def shop(kind: Any, amount_cents: int, hours: int = 0, reference: str = "1001", **more: Any) -> Fact:
    """Tell a fact as the shop does."""
    said: dict[str, Any] = {"currency": "USD", "effective_at": at(hours), "told_at": at(hours)} | more
    return Fact("shopify", "shop", "1001", kind, reference, amount_cents, **said)


def processor(kind: Any, amount_cents: int, hours: int = 0, reference: str = "pi_1", **more: Any) -> Fact:
    """Tell a fact as the payment processor does."""
    said: dict[str, Any] = {"currency": "USD", "effective_at": at(hours), "told_at": at(hours)} | more
    return Fact("stripe", "processor", "pi_1", kind, reference, amount_cents, **said)


def net(facts: list[Fact]) -> int:
    """Return what the entries for these facts add up to."""
    return sum(entry.effect_cents for entry in differences(targets(facts), {}))


def test_an_order_that_is_only_authorised_earns_nothing() -> None:
    assert net([shop("authorised", 10_000)]) == 0
    assert [entry.slot.kind for entry in differences(targets([shop("authorised", 10_000)]), {})] == [
        "authorised"
    ]


def test_one_capture_told_by_two_topics_is_one_entry_at_the_earlier_instant() -> None:
    wanted = targets([processor("captured", 10_000, hours=1), processor("captured", 10_000, hours=0)])

    assert wanted == {Slot("captured", "pi_1", "USD", at(0)): 10_000}


def test_the_amount_told_last_is_the_captures_amount() -> None:
    facts = [shop("captured", 10_000, told_at=at(0)), shop("captured", 9_000, told_at=at(2))]

    assert targets(facts) == targets(facts[::-1]) == {Slot("captured", "1001", "USD", at(0)): 9_000}


def test_totals_refunded_so_far_are_booked_as_what_each_added() -> None:
    facts = [
        processor("refunded", total, hours, "ch_1", cumulative=True)
        for total, hours in ((3_000, 1), (5_000, 2))
    ]

    assert targets(facts) == {
        Slot("refunded", "ch_1", "USD", at(1)): 3_000,
        Slot("refunded", "ch_1", "USD", at(2)): 2_000,
    }


def test_a_late_older_total_books_a_pair_that_moves_the_date() -> None:
    late = processor("refunded", 3_000, 1, "ch_1", cumulative=True)
    known = processor("refunded", 5_000, 2, "ch_1", cumulative=True)
    booked = {slot: Booked(cents, 1) for slot, cents in targets([known]).items()}

    entries = differences(targets([known, late]), booked)

    assert [(entry.slot.effective_at, entry.amount_cents, entry.correction) for entry in entries] == [
        (at(1), 3_000, 0),
        (at(2), -3_000, 1),
    ]
    assert sum(entry.effect_cents for entry in entries) == 0


def test_the_processors_amount_wins_by_an_adjustment_of_the_shops() -> None:
    facts = [shop("captured", 10_000), processor("captured", 9_700, hours=1)]

    assert targets(facts) == {
        Slot("captured", "1001", "USD", at(0)): 10_000,
        Slot("adjusted", "captured", "USD", at(1)): -300,
    }


def test_the_processors_currency_wins_too() -> None:
    facts = [shop("captured", 10_000), processor("captured", 9_200, hours=1, currency="EUR")]

    assert targets(facts) == {
        Slot("captured", "1001", "USD", at(0)): 10_000,
        Slot("adjusted", "captured", "USD", at(1)): -10_000,
        Slot("adjusted", "captured", "EUR", at(1)): 9_200,
    }


def test_a_refund_told_by_both_is_taken_back_once() -> None:
    facts = [
        shop("captured", 10_000),
        processor("captured", 10_000),
        shop("refunded", 3_000, 5, "r-1"),
        processor("refunded", 3_000, 6, "ch_1", cumulative=True),
    ]

    assert net(facts) == 7_000


def test_a_refund_that_the_processor_has_not_told_yet_counts_at_the_shops_word() -> None:
    facts = [
        shop("captured", 10_000),
        shop("refunded", 3_000, 5, "r-1"),
        processor("refunded", 3_000, 6, "ch_1", cumulative=True),
        shop("refunded", 2_000, 9, "r-2"),
    ]

    assert net(facts) == 5_000


def test_a_smaller_refund_at_the_processor_gives_revenue_back() -> None:
    facts = [shop("refunded", 3_000, 5, "r-1"), processor("refunded", 2_500, 6, "ch_1", cumulative=True)]

    assert net(facts) == -2_500


def test_a_lost_dispute_takes_its_amount_and_a_won_one_returns_it() -> None:
    disputed = processor("disputed", 10_000, 3, "dp_1")

    assert net([processor("captured", 10_000), disputed]) == 0
    assert (
        net([processor("captured", 10_000), disputed, processor("dispute_reversed", 10_000, 9, "dp_1")])
        == 10_000
    )


def test_a_dispute_that_the_shop_tells_too_counts_as_its_processor_tells_it() -> None:
    paid = [shop("captured", 10_000), processor("captured", 10_000)]
    by_shop = [shop("disputed", 4_000, 3, "claim-1"), shop("dispute_reversed", 4_000, 9, "claim-1")]

    assert net([*paid, *by_shop[:1]]) == 6_000
    assert net([*paid, *by_shop[:1], processor("disputed", 3_900, 3, "dp_1")]) == 6_100
    assert net([*paid, *by_shop, processor("disputed", 4_000, 3, "dp_1")]) == 6_000


def test_disputes_and_reversals_of_one_payment_are_compared_by_their_totals() -> None:
    first, second = processor("disputed", 6_000, 3, "PP-1"), processor("disputed", 4_000, 5, "PP-2")
    reverted = [processor("reversed", 6_000, 4, "REV-1"), processor("reversed", 4_000, 6, "REV-2")]

    assert net([first, reverted[0]]) == -6_000
    assert net([first, *reverted]) == net([first, second, reverted[0]]) == net(reverted) == -10_000
    assert net([first, *reverted, processor("dispute_reversed", 6_000, 9, "PP-1")]) == -4_000


def test_what_the_last_snapshot_does_not_show_is_taken_back() -> None:
    def shown(kind: Any, cents: int, second: int, reference: str = "1001") -> Fact:
        return Fact("woocommerce", "shop", "1001", kind, reference, cents, "USD", at(second), at(second))

    first = [shown("authorised", 100, 1), shown("captured", 100, 1), shown("refunded", 30, 1, "r-1")]
    of_the_same_second = [shown("authorised", 100, 1), shown("captured", 100, 1)]
    later = [shown("authorised", 100, 2), shown("captured", 100, 2)]

    assert net(first) == net([*first, *of_the_same_second]) == 70
    assert net([*first, *later]) == net([*later, *first]) == 100
    assert net([*first, shown("authorised", 100, 2)]) == 0


def test_what_is_booked_as_wanted_needs_no_entry() -> None:
    wanted = targets([shop("captured", 10_000)])

    assert differences(wanted, {slot: Booked(cents, 1) for slot, cents in wanted.items()}) == []


def test_an_order_whose_payments_moved_away_is_emptied() -> None:
    slot = Slot("captured", "pi_1", "USD", at(0))

    assert differences({}, {slot: Booked(10_000, 1)}) == [Entry(slot, 1, -10_000)]


def test_a_correction_has_another_key_than_what_it_corrects() -> None:
    slot = Slot("captured", "pi_1", "USD", at(0))

    assert Entry(slot, 0, 10_000).key("pi_1") != Entry(slot, 1, -10_000).key("pi_1")
