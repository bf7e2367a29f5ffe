"""Ratios are rounded once, half to even, and absent where they would say nothing."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from skeldir.domain.performance import LARGEST, Figures, Outcome, Spend, half_even


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**9))
def test_dividing_rounds_as_exact_fractions_do(numerator: int, denominator: int) -> None:
    """Python's own rounding of fractions is half to even, too."""
    assert half_even(numerator, denominator) == round(Fraction(numerator, denominator))


def test_halves_go_to_the_even_neighbour() -> None:
    assert [half_even(n, 2) for n in (1, 3, 5, -1, -3)] == [0, 2, 2, 0, -2]


def test_nothing_is_divided_by_nothing_and_nothing_leaves_64_bits() -> None:
    assert half_even(1, 0) is None
    assert half_even(10**30, 1) == LARGEST
    assert half_even(-(10**30), 1) == -LARGEST


def test_click_ratios_are_of_the_rows_that_tell_both_sides() -> None:
    """A day without clicks told makes neither a click dearer nor a rate lower."""
    told = Spend(1_000, 500, 10, 1_000, 500, 10)
    untold = Spend(9_000, 4_500, None)
    figures = Figures(spend=told + untold)
    assert (figures.spend.spend_cents, figures.spend.impressions, figures.spend.clicks) == (10_000, 5_000, 10)
    assert (figures.cpc_cents, figures.ctr_ppm) == (100, 20_000)
    assert (Figures(spend=untold).cpc_cents, Figures(spend=untold).ctr_ppm) == (None, None)


def test_a_cost_per_acquisition_is_per_attributed_conversion() -> None:
    """Of two orders of which one half each was won here, the spend was for one."""
    figures = Figures(Outcome(0, 2, 1, 1_000_000, 500_000), Spend(2_500))
    assert (figures.cpa_cents, figures.new_cpa_cents) == (2_500, 5_000)
    assert (Figures(spend=Spend(2_500)).cpa_cents, Figures(Outcome(5)).roas_ppm) == (None, None)
