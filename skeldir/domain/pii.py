"""Personal data: recognised by what a field is called and by what a value looks like.

This is the second sieve. The first is the allow-list of each vendor's mapping: what it does not name
is never kept. Here is judged what remains. Fields typed as id, amount, time or currency are not shown
to `personal_value`, because one 13-digit id in ten has a valid card checksum.
"""

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from itertools import pairwise
from typing import Final, Literal
from urllib.parse import unquote, unquote_plus

Kind = Literal["email", "phone", "ssn", "card", "ip"]

_PERSONAL_WORDS: Final = frozenset(
    word
    for words in (
        "email mail emailaddress phone phonenumber telephone tel mobile fax msisdn",
        "ip ipaddress ipv4 ipv6 useragent fingerprint latitude longitude",
        "surname firstname lastname fullname middlename givenname familyname nickname username",
        "customername billingname shippingname gender birthday birthdate dob",
        "address address1 address2 street streetaddress zip zipcode postcode postal",
        "ssn passport iban pan cvc cvv cardnumber",
    )
    for word in words.split()
)
# Words that are personal only together: "name" alone may be a product's.
_PERSONAL_PAIRS: Final = frozenset(
    pair
    for words, last in (
        (("first", "last", "full", "middle", "given", "family", "nick", "user"), "name"),
        (("customer", "billing", "shipping", "client", "buyer"), "name"),
        (("social",), "security"),
        (("user",), "agent"),
        (("card",), "number"),
        (("client",), "details"),
    )
    for pair in ((word, last) for word in words)
)
# Also personal when it is the whole key, for there it names a person.
_PERSONAL_WHOLE: Final = frozenset(("name", "customer"))

# Whatever the database's own wall would refuse must be found here: there it costs the whole delivery.
# One character stands for all before the sign: a repetition there would be tried from every position.
_EMAIL: Final = re.compile(r"[^\s@<>,;]@[^\s@<>,;]+\.[^\s@<>,;.]{2,}|[^\s@]@\[[0-9a-fA-F.:]+\]")
# Every pattern asks for a digit or for a sign that is not among these, and most texts are words.
_WORDS_ONLY: Final = re.compile(r"[A-Za-z_/ -]*")
# Looked through, since one UUID in two thousand has the digits of a telephone number between its hyphens.
_UUID: Final = re.compile(
    r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Za-z])"
)
_SSN: Final = re.compile(r"(?<![0-9])(?!000|666|9)[0-9]{3}[- ](?!00)[0-9]{2}[- ](?!0000)[0-9]{4}(?![0-9])")
_PHONE: Final = re.compile(
    r"""(?<![0-9A-Za-z])(?:
        (?:\+|00)[ ]?[1-9](?:[ ./()-]{0,3}[0-9]){6,14}          # +1 415 555 2671
      | \(?[2-9][0-9]{2}\)?[ .-]+[2-9][0-9]{2}[ .-][0-9]{4}     # (415) 555-2671
      | 0[1-9](?:[ ./-]?[0-9]){1,4}[ ./-](?:[ ./-]?[0-9]){5,8}  # 044 668 18 00
    )(?![0-9A-Za-z])""",
    re.VERBOSE,
)
_DATE: Final = re.compile(r"[0-9]{2}[./-][0-9]{2}[./-][0-9]{4}")
_DIGIT_RUN: Final = re.compile(r"(?<![0-9A-Za-z])[0-9](?:[ -]?[0-9]){12,18}(?![0-9A-Za-z])")
_IPV4: Final = re.compile(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9]|\.[0-9])")
_IPV6: Final = re.compile(r"(?<![0-9A-Za-z:])[0-9A-Fa-f:]{3,39}(?![0-9A-Za-z:])")
# Card issuers by prefix and length.
_CARD: Final = re.compile(
    r"4[0-9]{12}(?:[0-9]{3}){0,2}|(?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"
    r"|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:6011|64[4-9][0-9]|65[0-9]{2})[0-9]{12,15}"
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12,15}|62[0-9]{14,17}"
)


def personal_key(key: str) -> bool:
    """Tell whether a field of this name holds personal data, however the name is written."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+[0-9]*|[0-9]+", key)
    lowered = [word.lower() for word in words]
    if "".join(lowered) in _PERSONAL_WHOLE:
        return True
    pairs = set(pairwise(lowered))
    return (
        not _PERSONAL_WORDS.isdisjoint(lowered)
        or not _PERSONAL_PAIRS.isdisjoint(pairs)
        or "".join(lowered) in _PERSONAL_WORDS
    )


def personal_kind(value: str) -> Kind | None:
    """Return which kind of personal data a text holds, if any: the first that is found."""
    if _WORDS_ONLY.fullmatch(value):
        return None
    forms = {_UUID.sub(" ", form) for form in (value, unquote(value), unquote_plus(value))}
    return next((kind for kind, holds in _HOLDS.items() if any(holds(form) for form in forms)), None)


def personal_value(value: str) -> bool:
    """Tell whether a text holds an e-mail address, telephone, IP, social security or card number."""
    return personal_kind(value) is not None


def _has_phone(text: str) -> bool:
    return any(map(_is_phone, (found.group() for found in _PHONE.finditer(text))))


def _is_phone(candidate: str) -> bool:
    if candidate.startswith(("+", "00")):
        return True
    return sum(map(str.isdigit, candidate)) >= 7 and not _DATE.search(candidate)  # noqa: PLR2004


def _has_address(text: str) -> bool:
    candidates = _IPV4.findall(text) + [token for token in _IPV6.findall(text) if token.count(":") > 1]
    return any(_is_address(candidate) for candidate in candidates)


def _is_address(candidate: str) -> bool:
    try:
        ip_address(candidate)
    except ValueError:
        return False
    return True


def _has_card(text: str) -> bool:
    for run in _DIGIT_RUN.findall(text):
        digits = run.replace(" ", "").replace("-", "")
        if _CARD.fullmatch(digits) and _luhn(digits):
            return True
    return False


def _luhn(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + position % 2)
        total += number - 9 * (number > 9)  # noqa: PLR2004 -- the digit sum of a doubled digit
    return total % 10 == 0


_HOLDS: Final[Mapping[Kind, Callable[[str], object]]] = {
    "email": _EMAIL.search,
    "ssn": _SSN.search,
    "phone": _has_phone,
    "card": _has_card,
    "ip": _has_address,
}
