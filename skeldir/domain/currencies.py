"""ISO 4217: the minor-unit exponent of every currency in use, and where a vendor counts otherwise."""

from collections.abc import Mapping
from typing import Final

_TWO_DECIMALS: Final = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
    CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ
    GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD
    MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON
    RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS
    UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
_NO_DECIMALS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DECIMALS: Final = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DECIMALS: Final = "CLF UYW"

EXPONENTS: Final[Mapping[str, int]] = {
    code: exponent
    for exponent, codes in ((2, _TWO_DECIMALS), (0, _NO_DECIMALS), (3, _THREE_DECIMALS), (4, _FOUR_DECIMALS))
    for code in codes.split()
}

# The exponents in which a vendor counts, where they differ from ISO's. Stripe made ISK and UGX
# zero-decimal but still wants two digits for them, and counts the ariary whole; PayPal knows no
# fractions of the forint and of the Taiwan dollar.
VENDOR_EXPONENTS: Final[Mapping[str, Mapping[str, int]]] = {
    "paypal": {"HUF": 0, "TWD": 0},
    "stripe": {"ISK": 2, "UGX": 2, "MGA": 0},
}


def vendor_exponent(vendor: str, currency: str) -> int:
    """Return how many digits of a known currency a vendor counts by."""
    return VENDOR_EXPONENTS.get(vendor, {}).get(currency, EXPONENTS[currency])
