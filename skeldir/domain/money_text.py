"""Amounts as people read them."""

from skeldir.domain.currencies import EXPONENTS


def amount_text(cents: int, currency: str) -> str:
    """Write minor units as a grouped decimal: 432100 EUR is 4,321.00, 432100 JPY is 432,100."""
    exponent = EXPONENTS.get(currency, 2)
    whole, fraction = divmod(abs(cents), 10**exponent)
    decimals = f".{fraction:0{exponent}d}" if exponent else ""
    return f"{'-' if cents < 0 else ''}{whole:,}{decimals}"


def money_text(cents: int, currency: str) -> str:
    """Write minor units with their currency behind them: 4,321.00 EUR."""
    return f"{amount_text(cents, currency)} {currency}"
