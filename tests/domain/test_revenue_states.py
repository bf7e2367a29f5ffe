"""An order's state and its transitions follow from what its entries add up to."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from skeldir.domain.ledger import Slot
from skeldir.domain.revenue_states import standings, state, transitions

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def slots(*moved: tuple[str, int, int], currency: str = "USD") -> dict[Slot, int]:
    """Hold amounts of kinds, each some hours after noon; adjustments name what they adjust."""
    held = {}
    for number, (kind, cents, hours) in enumerate(moved):
        name, _, adjusts = kind.partition(" ")
        effective_at = NOON + timedelta(hours=hours)
        slot: Any = Slot(name, adjusts or f"r{number}", currency, effective_at)  # type: ignore[arg-type]
        held[slot] = cents
    return held


PAID = ("captured", 100, 0)


@pytest.mark.parametrize(
    ("held", "states"),
    [
        ([("authorised", 100, 0)], []),
        ([("authorised", 100, 0), PAID], ["captured"]),
        ([("authorised", 100, -5), PAID], ["captured"]),
        ([PAID, ("captured", 50, 2)], ["captured"]),
        ([PAID, ("refunded", 30, 1)], ["captured", "partially_refunded"]),
        (
            [PAID, ("refunded", 30, 1), ("refunded", 70, 2)],
            ["captured", "partially_refunded", "refunded"],
        ),
        ([PAID, ("refunded", 100, 1)], ["captured", "refunded"]),
        ([PAID, ("adjusted captured", -40, 1), ("refunded", 60, 2)], ["captured", "refunded"]),
        ([PAID, ("refunded", 100, 1), ("adjusted refunded", 30, 1)], ["captured", "partially_refunded"]),
        ([("refunded", 30, 1)], ["refunded"]),
        ([("refunded", 30, 1), ("captured", 100, 2)], ["refunded", "partially_refunded"]),
        ([PAID, ("disputed", 100, 1)], ["captured", "disputed"]),
        ([PAID, ("disputed", 40, 1), ("dispute_reversed", 40, 9)], ["captured", "disputed", "captured"]),
        ([PAID, ("disputed", 40, 9), ("dispute_reversed", 40, 9)], ["captured"]),
        (
            [PAID, ("refunded", 30, 1), ("disputed", 70, 2), ("dispute_reversed", 70, 3)],
            ["captured", "partially_refunded", "disputed", "partially_refunded"],
        ),
    ],
)
def test_an_order_goes_through_the_states_that_its_entries_mean(
    held: list[tuple[str, int, int]], states: list[str]
) -> None:
    found = transitions(slots(*held))

    assert [told.to_state for told in found] == states
    assert [told.from_state for told in found] == ["authorised", *states][: len(states)]
    assert state(standings(slots(*held)).values()) == (states or ["authorised"])[-1]


def test_a_currency_that_was_only_misread_does_not_count() -> None:
    """The shop counted dollars, the processor took euros, and gave them all back."""
    held = slots(("captured", 100, 0), ("adjusted captured", -100, 1))
    held |= slots(("adjusted captured", 92, 1), ("refunded", 92, 2), currency="EUR")

    assert {code: told.net_cents for code, told in standings(held).items()} == {"EUR": 0, "USD": 0}
    assert state(standings(held).values()) == "refunded"


def test_an_order_is_refunded_only_when_every_currency_is() -> None:
    held = slots(PAID, ("refunded", 100, 1)) | slots(PAID, currency="EUR")

    assert state(standings(held).values()) == "partially_refunded"
    assert state(standings(held | slots(("refunded", 100, 2), currency="EUR")).values()) == "refunded"
