"""Amounts convert exactly to minor units, or are refused with the reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skeldir.domain.currencies import EXPONENTS
from skeldir.domain.money import AMOUNT_CENTS_MAX, known_currency, minor_units, vendor_units
from skeldir.domain.refusals import Refusal


@pytest.mark.parametrize(
    ("amount", "currency", "cents"),
    [
        ("129.99", "USD", 12999),
        ("100.00", "USD", 10000),
        ("0.99", "USD", 99),
        ("1234.56", "USD", 123456),
        ("1.1", "USD", 110),
        ("1", "USD", 100),
        ("0", "USD", 0),
        ("129.990", "USD", 12999),
        ("5000", "JPY", 5000),
        ("5000.00", "JPY", 5000),
        ("1.234", "KWD", 1234),
    ],
)
def test_a_decimal_string_becomes_minor_units_of_its_currency(amount: str, currency: str, cents: int) -> None:
    assert minor_units(amount, currency) == cents


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("abc.def", "USD"),
        ("129.999", "USD"),
        ("", "USD"),
        ("1,50", "USD"),
        ("1e3", "USD"),
        (" 1", "USD"),
        ("+1", "USD"),
        ("1.", "USD"),
        (".5", "USD"),
        ("٣", "USD"),
        ("0.5", "JPY"),
        (12.5, "USD"),
        (12, "USD"),
        (None, "USD"),
        ("NaN", "USD"),
        ("1\n", "USD"),
    ],
)
def test_what_is_not_an_exact_amount_is_malformed(amount: object, currency: str) -> None:
    with pytest.raises(Refusal) as refused:
        minor_units(amount, currency)

    assert refused.value.reason_code == "malformed_value"


@pytest.mark.parametrize("amount", ["-0.01", "10000000000000.01", "9" * 30])
def test_an_amount_that_no_order_has_is_out_of_range(amount: str) -> None:
    with pytest.raises(Refusal) as refused:
        minor_units(amount, "USD")

    assert refused.value.reason_code == "amount_out_of_range"


@pytest.mark.parametrize(
    ("amount", "currency", "cents"),
    [
        (10000, "USD", 10000),
        (500, "JPY", 500),
        (500, "ISK", 5),
        (700, "UGX", 7),
        (3, "MGA", 300),
        (1230, "KWD", 1230),
    ],
)
def test_stripes_amounts_become_iso_minor_units(amount: int, currency: str, cents: int) -> None:
    assert vendor_units(amount, currency, "stripe") == cents


@pytest.mark.parametrize(
    ("amount", "currency", "reason"),
    [
        (501, "ISK", "malformed_value"),
        ("500", "USD", "malformed_value"),
        (True, "USD", "malformed_value"),
        (1.0, "USD", "malformed_value"),
        (-1, "USD", "amount_out_of_range"),
        (AMOUNT_CENTS_MAX + 1, "USD", "amount_out_of_range"),
    ],
)
def test_a_vendors_integer_is_refused_rather_than_rounded(amount: object, currency: str, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        vendor_units(amount, currency, "stripe")

    assert refused.value.reason_code == reason


@pytest.mark.parametrize(
    ("code", "reason"), [("XXX", "currency_unknown"), ("usdt", "currency_unknown"), (840, "malformed_value")]
)
def test_a_currency_that_iso_does_not_know_is_named_as_such(code: object, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        known_currency(code)

    assert refused.value.reason_code == reason


@given(cents=st.integers(0, AMOUNT_CENTS_MAX), currency=st.sampled_from(sorted(EXPONENTS)))
def test_every_amount_survives_being_written_and_read(cents: int, currency: str) -> None:
    exponent = EXPONENTS[currency]
    digits = str(cents).rjust(exponent + 1, "0")
    written = f"{digits[:-exponent]}.{digits[-exponent:]}" if exponent else digits

    assert minor_units(written, currency) == cents
