"""The ledger converges: neither order, duplication nor mixture of deliveries changes what it adds up to."""

from random import Random

import pytest

from tests.lives.book import Book, book_of
from tests.lives.lives import life
from tests.lives.told import Told

LIVES, BATCHES = 2_000, 20


def book(storm: list[Told]) -> Book:
    """Book deliveries one after another."""
    return book_of(told.event for told in storm)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_random_lives_end_in_the_same_sums_and_the_true_net_in_any_order(batch: int) -> None:
    for seed in range(batch, LIVES, BATCHES):
        lived, chance = life(seed), Random(seed)
        books = [book(lived.storm(chance)) for _ in range(2)]

        assert books[0].daily_sums() == books[1].daily_sums(), (seed, *lived.deliveries)
        assert [one.net() for one in books] == [lived.net] * 2, (seed, *lived.deliveries)
