"""Personal data is recognised by name and by value, and vendor ids are not mistaken for it."""

import pytest

from skeldir.domain.pii import personal_key, personal_value, without_personal_data


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


def test_what_remains_of_a_payload_holds_no_personal_data_at_any_depth() -> None:
    payload = {
        "id": 1,
        "customer": {"email": "a@b.co"},
        "nested": [{"deep": {"Contact_Phone": "x", "kept": "yes"}}, "203.0.113.9"],
        "note_attributes": [
            {"name": "utm_source", "value": "google"},
            {"name": "customer_email", "value": "hidden"},
            {"name": "utm_term", "value": "jane@example.com"},
        ],
        "none": None,
    }

    assert without_personal_data(payload) == {
        "id": 1,
        "nested": [{"deep": {"kept": "yes"}}],
        "note_attributes": [{"name": "utm_source", "value": "google"}, {}, {"name": "utm_term"}],
        "none": None,
    }
