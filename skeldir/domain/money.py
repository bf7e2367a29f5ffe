"""Amounts as integer minor units: exactly converted, or refused with a reason."""

import re
from typing import Final

from skeldir.domain.currencies import EXPONENTS, vendor_exponent
from skeldir.domain.refusals import AMOUNT_OUT_OF_RANGE, CURRENCY_UNKNOWN, MALFORMED_VALUE, Refusal

# Far above any order, and low enough that thousands of such amounts still add up in 64 bits.
AMOUNT_CENTS_MAX: Final = 10**14

_DECIMAL: Final = re.compile(r"(-?)([0-9]{1,30})(?:\.([0-9]{1,30}))?")


def known_currency(code: object) -> str:
    """Return the ISO code in upper case; refuses what ISO 4217 does not know."""
    if not isinstance(code, str):
        raise Refusal(MALFORMED_VALUE)
    upper = code.upper()
    if upper not in EXPONENTS:
        raise Refusal(CURRENCY_UNKNOWN)
    return upper


def minor_units(amount: object, currency: str) -> int:
    """Convert a decimal string such as "129.99" to minor units of a known currency, exactly."""
    written = _DECIMAL.fullmatch(amount) if isinstance(amount, str) else None
    if written is None:
        raise Refusal(MALFORMED_VALUE)
    sign, whole, fraction = written.group(1), written.group(2), written.group(3) or ""
    exponent = EXPONENTS[currency]
    if fraction[exponent:].strip("0"):
        raise Refusal(MALFORMED_VALUE)  # more precise than the currency: rounding would invent money
    cents = int(whole + fraction[:exponent].ljust(exponent, "0"))
    return bounded(-cents if sign else cents)


def vendor_units(amount: object, currency: str, vendor: str) -> int:
    """Convert a vendor's integer amount to ISO minor units of a known currency, exactly."""
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise Refusal(MALFORMED_VALUE)
    shift = EXPONENTS[currency] - vendor_exponent(vendor, currency)
    if shift >= 0:
        return bounded(amount * 10**shift)
    cents, remainder = divmod(amount, 10**-shift)
    if remainder:
        raise Refusal(MALFORMED_VALUE)
    return bounded(cents)


def bounded(cents: int) -> int:
    """Return an amount that an order can have; refuses a negative or an enormous one."""
    if not 0 <= cents <= AMOUNT_CENTS_MAX:
        raise Refusal(AMOUNT_OUT_OF_RANGE)
    return cents
