"""The trail names where something personal stood, and never what it was."""

from typing import Any

import pytest

from skeldir.domain.pii_trail import PATH_LENGTH_MAX, PLACES_MAX, Trail, Withheld, Withholding, stripped
from tests.vendors.payloads import PERSONAL, shopify_order


@pytest.mark.parametrize(
    ("payload", "paths"),
    [
        ({"email": "x"}, ["email"]),
        ({"customer": {"email": "x", "id": 7}}, ["customer"]),
        ({"charge": {"billing_details": {"customerEmail": "x"}}}, ["charge.billing_details.customerEmail"]),
        ({"lines": [{"phone": 1}, {"phone": 2}, {"sku": 3}]}, ["lines[].phone"]),
        ({"matrix": [[{"ip": "x"}]]}, ["matrix[][].ip"]),
        ([{"ssn": "x"}], ["[].ssn"]),
        ({"meta": [{"key": "Phone", "value": "1"}]}, ["meta[].Phone"]),
        ({"note": {"name": "contact_email", "value": {"a": 1}}}, ["note.contact_email"]),
        ({"pair": {"name": "utm_source", "value": "google"}, "item": {"name": "Jane"}}, ["item.name"]),
        ({"receipt_email": None, "phone": "", "ip": False}, ["ip"]),
        ({"billing": {"email": None, "phone": None}}, []),
        ({"jane@example.com": 1}, ["?"]),
        ({"of 203.0.113.77": {"total": 1}}, ["?"]),
        ({"Jane Q. Canary": {"email": "x"}}, ["?.email"]),
        ({"4111111111111111": {"deep": {"email": "x"}}}, ["?"]),
        ({"7012345678901": {"email": "x"}}, ["?.email"]),
        ("jane@example.com", []),
        (None, []),
    ],
)
def test_a_personal_key_is_told_by_its_path(payload: Any, paths: list[str]) -> None:
    assert list(stripped(payload)) == paths


def test_a_real_order_tells_its_keys_and_none_of_its_values() -> None:
    told = stripped(shopify_order())

    assert set(told) == {
        "name", "email", "contact_email", "phone", "browser_ip", "client_details", "customer",
        "billing_address", "payment_details.credit_card_number",
    }  # fmt: skip
    assert not [value for value in PERSONAL if value in str(told)]


def test_the_trail_is_bounded_however_the_payload_is_made() -> None:
    """In places, in length and in depth."""
    many = {f"email_{number}": "x" for number in range(1_000)}
    long: dict[str, Any] = {"phone": "x"}
    for _ in range(30):
        long = {"a" * 40: long}
    deep: dict[str, Any] = {"phone": "x"}
    for _ in range(5_000):
        deep = {"a": [deep]}

    assert len(stripped(many)) == PLACES_MAX
    assert [len(path) for path in stripped(long)] == [PATH_LENGTH_MAX]
    assert stripped(deep) == ()


def test_what_is_withheld_is_told_by_place_and_kind() -> None:
    withholding = Withholding()
    for path, value in (
        ("a", "jane@example.com"),
        ("b", "+1 415 555 2671"),
        ("b", "+1 415 555 2672"),
        ("c", 4111111111111111),
        ("d", "kettle"),
        ("e", ["jane@example.com"]),
        ("f", None),
        ("g", 12),
    ):
        withholding.note(path, value)

    assert withholding.places() == (Withheld("a", "email"), Withheld("b", "phone"), Withheld("c", "card"))


def test_a_trail_without_anything_tells_nothing() -> None:
    assert Trail().told() == {}
    assert Trail(("email",), (Withheld("a", "ip"),), "events.payload.b").told() == {
        "stripped": ["email"],
        "withheld": [{"path": "a", "kind": "ip"}],
        "refused": "events.payload.b",
    }


def test_a_key_of_any_length_is_judged_by_its_beginning() -> None:
    assert stripped({"k" * 1_000_000: "x", "email" + " " * 1_000_000: "x"}) == ("?",)
