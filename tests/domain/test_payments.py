"""Which payment a name means and which order it paid, whatever was told first."""

from itertools import permutations

from skeldir.domain.facts import PaymentAlias
from skeldir.domain.payments import Claim, Payments


def test_a_payment_that_nobody_links_stands_as_its_own_under_its_one_name() -> None:
    payments = Payments([PaymentAlias("ch_1", "pi_1")])

    assert payments.order_of("ch_1") == payments.order_of("pi_1") == "pi_1"
    assert Payments().order_of("ch_2") == "ch_2"


def test_a_link_to_any_name_links_the_payment() -> None:
    for named in ("ch_1", "ch_2", "pi_1"):
        aliases = [PaymentAlias("ch_1", "pi_1"), PaymentAlias("ch_2", "pi_1")]
        payments = Payments(aliases, [Claim(named, "1001", "shop")])

        assert {payments.order_of(name) for name in ("ch_1", "ch_2", "pi_1")} == {"1001"}


def test_the_shops_word_is_the_best_and_of_two_alike_the_lesser() -> None:
    claims = [
        Claim("pi_1", "cart-1", "processor"),
        Claim("ch_1", "1002", "shop"),
        Claim("ch_1", "1001", "shop"),
    ]
    for told in permutations(claims):
        assert Payments([PaymentAlias("ch_1", "pi_1")], told).order_of("pi_1") == "1001"


def test_aliases_that_contradict_each_other_end_in_one_answer() -> None:
    aliases = [PaymentAlias("ch_1", "pi_2"), PaymentAlias("ch_1", "pi_1"), PaymentAlias("pi_1", "pi_3")]

    assert {Payments(told).payment_of("ch_1") for told in permutations(aliases)} == {"pi_1"}
