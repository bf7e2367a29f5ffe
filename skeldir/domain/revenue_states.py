"""What has become of an order's money: states and transitions, derived from its entries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Literal

from skeldir.domain.ledger import EFFECT_SIGNS, Slot

RevenueState = Literal["authorised", "captured", "partially_refunded", "refunded", "disputed"]


@dataclass(slots=True)
class Standing:
    """How an order stands in one currency."""

    captured_cents: int = 0
    refunded_cents: int = 0
    disputed_cents: int = 0

    @property
    def net_cents(self) -> int:
        """Return what is left of the order."""
        return self.captured_cents - self.refunded_cents - self.disputed_cents

    def move(self, slot: Slot, amount_cents: int) -> None:
        """Count an amount in; an adjustment counts as what it adjusts."""
        kind = slot.reference if slot.kind == "adjusted" else slot.kind
        effect_cents = EFFECT_SIGNS[slot.kind] * amount_cents
        if kind == "captured":
            self.captured_cents += effect_cents
        elif kind == "refunded":
            self.refunded_cents -= effect_cents
        elif kind in ("disputed", "dispute_reversed"):
            self.disputed_cents -= effect_cents


@dataclass(frozen=True, slots=True)
class Transition:
    """An order went from one state to another."""

    from_state: RevenueState
    to_state: RevenueState
    effective_at: datetime


def standings(slots: Mapping[Slot, int]) -> dict[str, Standing]:
    """Return how an order stands in each currency, given what its slots hold."""
    found: dict[str, Standing] = defaultdict(Standing)
    for slot, amount_cents in slots.items():
        found[slot.currency].move(slot, amount_cents)
    return dict(sorted(found.items()))


def state(found: Iterable[Standing]) -> RevenueState:
    """Return the state that an order is in: what is disputed comes first, then what is refunded."""
    told = list(found)
    if any(standing.disputed_cents > 0 for standing in told):
        return "disputed"
    if any(standing.refunded_cents > 0 for standing in told):
        is_whole = all(standing.refunded_cents >= standing.captured_cents for standing in told)
        return "refunded" if is_whole else "partially_refunded"
    return "captured" if any(standing.captured_cents > 0 for standing in told) else "authorised"


def transitions(slots: Mapping[Slot, int]) -> list[Transition]:
    """Return how an order came to its state, instant by instant; every order begins as authorised.

    What was taken back again left no trace in the slots, so the order of arrival leaves none here.
    """

    def instant(held: tuple[Slot, int]) -> datetime:
        return held[0].effective_at

    found: list[Transition] = []
    now: RevenueState = "authorised"
    so_far: dict[str, Standing] = defaultdict(Standing)
    for effective_at, moved in groupby(sorted(slots.items(), key=instant), key=instant):
        for slot, amount_cents in moved:
            so_far[slot.currency].move(slot, amount_cents)
        before, now = now, state(so_far.values())
        if now != before:
            found.append(Transition(before, now, effective_at))
    return found
