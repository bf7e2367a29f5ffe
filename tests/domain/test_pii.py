"""Personal data is recognised by name and by value, and vendor ids are not mistaken for it."""

from random import Random
from uuid import UUID

import pytest

from skeldir.domain.pii import personal_key, personal_kind, personal_value


@pytest.mark.parametrize(
    "key",
    [
        "email",
        "Email",
        "customerEmail",
        "receipt_email",
        "e-mail",
        "phone",
        "phoneNumber",
        "PHONE_NUMBER",
        "ssn",
        "SocialSecurityNumber",
        "ip",
        "clientIp",
        "ip_address",
        "IPAddress",
        "first_name",
        "lastName",
        "FullName",
        "name",
        "shipping_address",
        "billingAddress",
        "streetAddress",
        "userAgent",
        "customer_name",
    ],
)
def test_a_personal_key_is_recognised_however_it_is_written(key: str) -> None:
    assert personal_key(key)


@pytest.mark.parametrize(
    "key",
    [
        "id",
        "order_id",
        "campaign_name",
        "utm_source",
        "currency",
        "total_price",
        "zipper_count",
        "description",
        "shipping_total",
        "session_id",
        "journey_id",
        "capture_method",
        "skip",
        "tip",
    ],
)
def test_an_ordinary_key_is_left_alone(key: str) -> None:
    assert not personal_key(key)


@pytest.mark.parametrize(
    "value",
    [
        "jane.doe@example.com",
        "call jane%40example.com now",
        "Jane <j@x.co>",
        "+1 415 555 2671",
        "+14155552671",
        "(415) 555-2671",
        "415-555-2671",
        "0044 20 7946 0958",
        "044 668 18 00",
        "078-05-1120",
        "203.0.113.9",
        "from 203.0.113.9:443",
        "2001:db8::8a2e:370:7334",
        "4111 1111 1111 1111",
        "5500-0000-0000-0004",
        "378282246310005",
    ],
)
def test_a_personal_value_is_recognised_wherever_it_stands(value: str) -> None:
    assert personal_value(value)


@pytest.mark.parametrize(
    "value",
    [
        "google",
        "black-friday",
        "2026-11-23",
        "01-02-2024",
        "12:30:45",
        "spring sale 50%",
        "v1.2.3",
        "#1001",
        "23851234567890123",
        "120208937482910",
        "4111111111111112",
        "q4_2026",
        "A/B",
        "50% @ night",
        "1.2.3.4.5",
    ],
)
def test_an_ordinary_value_is_left_alone(value: str) -> None:
    assert not personal_value(value)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("jane@example.org", "email"),
        ("u:jane.doe@shop.example", "email"),
        ("x:@y.zz", "email"),
        ("JANE%40EXAMPLE.ORG", "email"),
        ("jane+%40example.org", "email"),
        ("+49 170 1234567", "phone"),
        ("0049 170 1234567", "phone"),
        ("spring-001 23.11.2026", "phone"),
        ("078-05-1120", "ssn"),
        ("5500-0000-0000-0004", "card"),
        ("203.0.113.9", "ip"),
    ],
)
def test_the_kind_is_named_so_that_its_sender_can_be_told(value: str, kind: str) -> None:
    assert personal_kind(value) == kind


@pytest.mark.parametrize(
    "pseudonym",
    ["j-7f3a", "1234567890.1699999999", "7012345678901", "order:1001", "user@host", "a%40b", "12-34"],
)
def test_a_pseudonym_passes(pseudonym: str) -> None:
    assert personal_kind(pseudonym) is None


def test_a_uuid_is_never_mistaken_for_a_telephone_number() -> None:
    """One in two thousand has the digits of one between its hyphens."""
    random = Random(7)
    drawn = (str(UUID(int=random.getrandbits(128), version=4)) for _ in range(20_000))

    assert not [drawn_id for drawn_id in drawn if personal_value(drawn_id)]
    assert personal_value("call 0198c0de-0123-4567-8901-000000000001 or +1 415 555 2671")


@pytest.mark.parametrize("part", ["y", "a@", "+1", "1", "1-", "0 1", ":", "a.", "a@.", "%", "é", "200 "])
def test_a_long_text_is_judged_in_time_that_grows_with_its_length_only(part: str) -> None:
    """With every position tried against every other one, each of these would take hours."""
    personal_kind(part * (1_000_000 // len(part)))
