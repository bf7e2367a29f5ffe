"""How certain a channel's figure is: exact, the same everywhere, and honest."""

import hashlib
import os
import random
import subprocess
import sys
from dataclasses import astuple

import pytest

from skeldir.domain.bootstrap import DRAWS, JOURNEYS_MIN, QUANTILES, ChannelInterval, Figure, estimate
from tests.domain.bootstrap_by_hand import TABLE, by_hand

CHANNELS = ("direct", "email", "organic", "tiktok_paid")
GOLDEN = "079caf18a6f8eafc68c049bf80d6e8ac8143dbdfead9b434a25d8828e4c10b11"


def flat(found: list[ChannelInterval]) -> list[tuple[object, ...]]:
    """Return intervals in the form in which the reference tells them."""
    return [(*astuple(one)[:4], one.certainty and astuple(one.certainty)) for one in found]


def world(seed: int, journeys: int) -> list[Figure]:
    """Make figures of small and enormous amounts, refunds, several currencies, and campaigns apart."""
    chance = random.Random(seed)
    figures: list[Figure] = []
    for number in range(journeys):
        for currency in chance.choice((("EUR",), ("EUR",), ("EUR", "USD"))):
            for _ in range(chance.choice((1, 1, 2, 5))):
                cents = chance.choice(
                    (0, 1, -1, 99, 10_000, -5_000, chance.randrange(1, 10**7), 10**15, -(10**15))
                )
                figures.append((f"j-{number}-ü", currency, chance.choice(CHANNELS), cents))
    return figures


def shuffled(figures: list[Figure], seed: int) -> list[Figure]:
    """Tell the journeys in another order, and each one's figures too."""

    def place(*told: object) -> bytes:
        return hashlib.sha256(repr((seed, told)).encode()).digest()

    return sorted(figures, key=lambda figure: (place(figure[0]), place(*figure)))


def test_the_table_holds_the_quantiles_of_the_exponential_distribution() -> None:
    """Each weight is the formula's, rounded; mean and variance are those of Exp(1) within 0.2 %."""
    assert list(QUANTILES) == TABLE
    mean = sum(QUANTILES) / 256
    variance = sum(weight**2 for weight in QUANTILES) / 256 - mean**2
    assert mean == pytest.approx(38, rel=0.002)
    assert variance == pytest.approx(mean**2, rel=0.002)


@pytest.mark.parametrize("seed", range(12))
def test_it_equals_the_draws_made_one_by_one(seed: int) -> None:
    """All figures are those of an independent implementation, to the cent and the millionth."""
    figures = world(seed, random.Random(seed).choice((1, 2, 31, 60, 120)))
    assert flat(estimate(figures)) == by_hand(figures)


def test_ties_and_the_largest_amounts_equal_them_too() -> None:
    """Channels that are level share a place; amounts at the ends of 64 bits do not run into each other."""
    alike = (("direct", 700), ("email", 700), ("organic", 1))
    level = [(f"j-{number}", "EUR", *alike[number % 3]) for number in range(120)]
    assert flat(estimate(level)) == by_hand(level)
    largest = [
        (f"j-{number}", "EUR", CHANNELS[number % 2], (2**63 - 1) * (-1 if number % 5 else 1))
        for number in range(80)
    ]
    assert flat(estimate(largest)) == by_hand(largest)


def test_the_order_of_what_is_told_changes_nothing() -> None:
    """Journeys in any order, and the figures of each in any order, give the same intervals."""
    figures = world(5, 200)
    found = estimate(figures)
    assert all(estimate(shuffled(figures, seed)) == found for seed in range(5))
    assert estimate(iter(figures)) == found


@pytest.mark.parametrize("hash_seed", ["0", "1", "4711"])
def test_every_process_finds_the_same(hash_seed: str) -> None:
    """Whatever the hash seed, the language and the time zone: the very bytes that are written down here."""
    program = "from tests.domain import test_bootstrap; print(test_bootstrap.digest())"
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "LC_ALL": "C", "TZ": "Pacific/Apia"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == GOLDEN


def digest() -> str:
    """Digest all that is found of some figures that no library had a part in."""
    figures = [
        (f"j-{number}", ("EUR", "USD")[number % 3 == 0], CHANNELS[number % 4], number**3 % 99_991 - 9_000)
        for number in range(400)
    ]
    return hashlib.sha256(repr(flat(estimate(figures))).encode()).hexdigest()


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Of 400 shops with known rates, in about 95 % each channel's true revenue and share are inside.

    The bounds are four standard deviations of 400 throws that hit in 95 %. An interval of half the width
    would hold the truth in two of three.
    """
    chance = random.Random(20261126)
    rates = {"email": 0.5, "organic": 0.3, "direct": 0.2}
    journeys, shops = 300, 400
    mean = 15_000 / 2  # of an amount that is as likely everywhere up to 150.00
    inside = {(channel, kind): 0 for channel in rates for kind in ("revenue", "share")}
    for shop in range(shops):
        channels = chance.choices(list(rates), list(rates.values()), k=journeys)
        figures = [
            (f"{shop}-{number}", "EUR", channel, chance.randrange(15_001))
            for number, channel in enumerate(channels)
        ]
        for found in estimate(figures):
            known, rate = found.certainty, rates[found.channel_code]
            assert known is not None
            is_inside = known.low_cents <= journeys * rate * mean <= known.high_cents
            inside[found.channel_code, "revenue"] += is_inside
            is_inside = known.low_share_ppm <= rate * 1_000_000 <= known.high_share_ppm
            inside[found.channel_code, "share"] += is_inside
    tolerance = 4 * (0.95 * 0.05 * shops) ** 0.5
    assert all(abs(hits - 0.95 * shops) <= tolerance for hits in inside.values()), inside


def test_too_few_journeys_say_nothing() -> None:
    """A channel that fewer than 30 journeys speak of has its figure, and neither interval nor confidence."""
    email = [(f"e-{number}", "EUR", "email", 1_000) for number in range(JOURNEYS_MIN)]
    direct = [(f"d-{number}", "EUR", "direct", 1_000) for number in range(JOURNEYS_MIN - 1)]
    few, enough = estimate([*email, *direct])
    assert (few.channel_code, few.revenue_cents, few.journey_count, few.certainty) == (
        "direct",
        29_000,
        29,
        None,
    )
    assert enough.certainty is not None
    assert estimate([]) == []


def test_confidence_says_how_certain_the_place_is() -> None:
    """Who is far ahead is certain of its place; two that are level are not; who is alone cannot lose it."""

    def told(**amounts: int) -> dict[str, int]:
        figures = [
            (f"{channel}-{number}", "EUR", channel, cents)
            for channel, cents in amounts.items()
            for number in range(100)
        ]
        return {one.channel_code: one.certainty.confidence_ppm for one in estimate(figures) if one.certainty}

    confidence = told(email=100_000, organic=1_000, direct=1_001)
    assert confidence["email"] == 1_000_000
    assert 300_000 < confidence["organic"] < 700_000
    assert confidence["organic"] == confidence["direct"]
    assert told(email=1) == {"email": 1_000_000}


def test_who_lost_more_than_it_gained_has_an_interval_too() -> None:
    """Refunds make figures negative; the interval stays in order, around the figure."""
    figures = [(f"j-{number}", "EUR", "email", -500 if number % 3 else 400) for number in range(120)]
    (found,) = estimate(figures)
    assert found.certainty is not None
    assert found.revenue_cents == -24_000
    assert found.certainty.low_cents < found.revenue_cents < found.certainty.high_cents < 0
    assert DRAWS >= 200
