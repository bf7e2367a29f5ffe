"""Amounts as people read them."""

import pytest

from skeldir.domain.money_text import amount_text, money_text


@pytest.mark.parametrize(
    ("cents", "currency", "text"),
    [
        (432100, "EUR", "4,321.00"),
        (5, "EUR", "0.05"),
        (-5, "EUR", "-0.05"),
        (-123456789, "USD", "-1,234,567.89"),
        (432100, "JPY", "432,100"),
        (-1500, "KWD", "-1.500"),
        (0, "EUR", "0.00"),
    ],
)
def test_the_currency_decides_the_decimals(cents: int, currency: str, text: str) -> None:
    """Each currency shows its own number of decimals, whatever the sign."""
    assert amount_text(cents, currency) == text
    assert money_text(cents, currency) == f"{text} {currency}"
