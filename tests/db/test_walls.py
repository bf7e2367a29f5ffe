"""What the tables themselves refuse: changed facts, wrong sums, personal data."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from random import Random
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.conftest import Database

NOW = "2026-01-01T00:00:00Z"


@pytest.fixture
def superuser(database: Database, tenant: UUID) -> Iterator[psycopg.Connection]:
    """Connect as one whom row-level security does not stop, with the tenant as the default."""
    with database.connect() as connection:
        connection.execute(f"SET app.current_tenant_id = '{tenant}'")
        yield connection


def add_event(connection: psycopg.Connection, payload: object) -> UUID:
    event_id = uuid4()
    connection.execute(
        """INSERT INTO events (event_id, vendor, topic, vendor_event_id, occurred_at, received_at, payload)
           VALUES (%s, 'shopify', 'orders/create', '1', now(), now(), %s)""",
        [event_id, Jsonb(payload)],
    )
    return event_id


def add_entry(
    connection: psycopg.Connection, kind: str, amount: int, effect: int, correction: int = 0
) -> UUID:
    entry_id = uuid4()
    connection.execute(
        """INSERT INTO ledger_entries (entry_id, order_id, kind, reference, correction, amount_cents,
                                       effect_cents, currency, effective_at, booked_at, source)
           VALUES (%s, '1', %s, %s, %s, %s, %s, 'EUR', %s, now(), 'shopify')""",
        [entry_id, kind, str(entry_id), correction, amount, effect, NOW],
    )
    return entry_id


def allocate(
    connection: psycopg.Connection, entry_id: UUID, cents: dict[str, int], currency: str = "EUR"
) -> None:
    connection.execute(
        """INSERT INTO allocations (model_version, entry_id, order_id, channel_code, allocated_cents,
                                    currency, effective_at, touch_count)
           SELECT 'linear.1+30d', %s, '1', key, value::bigint, %s, %s, 1 FROM jsonb_each_text(%s)""",
        [entry_id, currency, NOW, Jsonb(cents)],
    )


@pytest.mark.parametrize(
    "table",
    [
        "events", "facts", "ledger_entries", "dead_letter_attempts", "endpoint_changes", "channel_rule_sets",
        "channel_rules", "channel_transitions", "channel_corrections",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "change", ["UPDATE {} SET tenant_id = tenant_id", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
def test_facts_cannot_be_changed_by_anybody(superuser: psycopg.Connection, table: str, change: str) -> None:
    with pytest.raises(psycopg.errors.RestrictViolation):
        superuser.execute(change.format(table))


@pytest.mark.parametrize(
    ("entry", "fits"),
    [
        (("captured", 5, 5, 0), True),
        (("captured", 5, -5, 0), False),
        (("captured", -5, -5, 0), False),
        (("captured", -5, -5, 1), True),
        (("refunded", 5, -5, 0), True),
        (("refunded", 5, 5, 0), False),
        (("disputed", 5, -5, 0), True),
        (("dispute_reversed", 5, 5, 0), True),
        (("authorised", 5, 0, 0), True),
        (("authorised", 5, 5, 0), False),
        (("adjusted", -5, -5, 0), True),
        (("adjusted", 5, -5, 0), False),
    ],
)
def test_an_entrys_effect_follows_from_its_kind(
    superuser: psycopg.Connection, *, entry: tuple[str, int, int, int], fits: bool
) -> None:
    with nullcontext() if fits else pytest.raises(psycopg.errors.CheckViolation):
        add_entry(superuser, *entry)


class TestAllocations:
    def test_that_sum_to_the_entry_are_taken(self, superuser: psycopg.Connection) -> None:
        entry_id = add_entry(superuser, "refunded", 10, -10)

        allocate(superuser, entry_id, {"email": -7, "direct": -3})

    @pytest.mark.parametrize("cents", [{"email": 9}, {"email": 11}, {"email": 5, "direct": 4}, {"email": 0}])
    def test_that_do_not_are_refused(self, superuser: psycopg.Connection, cents: dict[str, int]) -> None:
        entry_id = add_entry(superuser, "captured", 10, 10)

        with pytest.raises(psycopg.errors.CheckViolation, match="sum to"):
            allocate(superuser, entry_id, cents)

    def test_of_no_entry_are_refused(self, superuser: psycopg.Connection) -> None:
        with pytest.raises(psycopg.errors.CheckViolation, match="no such entry"):
            allocate(superuser, uuid4(), {"email": 10})

    def test_in_another_currency_are_refused(self, superuser: psycopg.Connection) -> None:
        with pytest.raises(psycopg.errors.CheckViolation):
            allocate(superuser, add_entry(superuser, "captured", 10, 10), {"email": 10}, currency="USD")

    def test_cannot_be_taken_away_in_part(self, superuser: psycopg.Connection) -> None:
        entry_id = add_entry(superuser, "captured", 10, 10)
        allocate(superuser, entry_id, {"email": 7, "direct": 3})

        for change in (
            "DELETE FROM allocations WHERE channel_code = 'email' AND entry_id = %s",
            "UPDATE allocations SET allocated_cents = allocated_cents + 1 WHERE entry_id = %s",
            "UPDATE allocations SET model_version = 'other' WHERE channel_code = 'email' AND entry_id = %s",
        ):
            with pytest.raises(psycopg.errors.CheckViolation):
                superuser.execute(change, [entry_id])
        superuser.execute("DELETE FROM allocations WHERE entry_id = %s", [entry_id])

    def test_are_checked_with_the_rows_that_were_there_before(self, superuser: psycopg.Connection) -> None:
        entry_id = add_entry(superuser, "captured", 10, 10)
        allocate(superuser, entry_id, {"email": 10})

        with pytest.raises(psycopg.errors.CheckViolation):
            allocate(superuser, entry_id, {"direct": 10})

    def test_are_replaced_in_one_statement(self, superuser: psycopg.Connection) -> None:
        entry_id = add_entry(superuser, "captured", 10, 10)
        allocate(superuser, entry_id, {"email": 10})

        superuser.execute(
            """WITH gone AS (DELETE FROM allocations WHERE entry_id = %s RETURNING *)
               INSERT INTO allocations (model_version, entry_id, order_id, channel_code, allocated_cents,
                                        currency, effective_at, touch_count)
               SELECT model_version, entry_id, order_id, code, 5, currency, effective_at, 1
                 FROM gone, unnest(ARRAY['direct', 'organic']) AS code""",
            [entry_id],
        )


PERSONAL = [
    ({"email": "x"}, "email"),
    ({"Email": ""}, "Email"),
    ({"E-MAIL": "x"}, "E-MAIL"),
    ({"customerEmail": "x"}, "customerEmail"),
    ({"emailaddress": "x"}, "emailaddress"),
    ({"lines": [{"meta": {"IPAddress": "x"}}]}, "lines[0].meta.IPAddress"),
    ({"first_name": "x"}, "first_name"),
    ({"fullName": "x"}, "fullName"),
    ({"billing-address": {}}, "billing-address"),
    ({"phoneNumber": "x"}, "phoneNumber"),
    ({"socialSecurityNumber": "x"}, "socialSecurityNumber"),
    ({"card": {"cardNumber": "x"}}, "card.cardNumber"),
    ({"attributes": [{"name": "Phone", "value": "1"}]}, "attributes[0].Phone"),
    ({"meta": [{"key": "contact_email", "value": "1"}]}, "meta[0].contact_email"),
    ({"attributes": [{"name": "utm_source", "value": "joe@example.com"}]}, "attributes[0].utm_source"),
    ({"note": "write to joe@example.com"}, "note"),
    ({"note": "joe%40example.com"}, "note"),
    ({"note": "+1 415 555 2671"}, "note"),
    ({"note": "(415) 555-2671"}, "note"),
    ({"note": "078-05-1120"}, "note"),
    ({"note": "4111 1111 1111 1111"}, "note"),
    ({"note": "from 10.1.2.3"}, "note"),
    ({"note": "2001:db8::1"}, "note"),
    ({"notes": ["fine", "fe80:0:0:0:0:0:0:1"]}, "notes[1]"),
    ({"joe@example.com": 1}, "?"),
]
HARMLESS = [
    {"id": "4111111111111111"},
    {"order_id": 4111111111111111},
    {"checkoutId": "4222222222222"},
    {"ids": ["4111111111111111"]},
    {"amount": "4111111111111111", "total_price": "12.00", "currency": "EUR"},
    {"created_at": "2026-11-24T10:00:00+00:00", "created": 1690000000000},
    {"attributes": [{"name": "checkout_id", "value": "4111111111111111"}]},
    {"attributes": [{"name": "utm_medium", "value": "email"}]},
    {"lines": [{"name": "T-Shirt", "quantity": 1}]},
    {"reference": "550e8400-e29b-41d4-a716-446655440000", "version": "1.2.3", "clock": "12:30:45"},
    {"note": "4111 1111 1111 1112"},
    {"utm_campaign": "0198c0de-0012-3456-8901-000000000001"},
    {"receipt_email": None, "billing": {"Phone": None}},
    {"tip": "1", "shipping": "post", "description": "Foo::Bar"},
]


class TestPersonalData:
    @pytest.mark.parametrize(("payload", "path"), PERSONAL)
    def test_in_an_event_is_refused_by_its_path(
        self, superuser: psycopg.Connection, payload: dict[str, Any], path: str
    ) -> None:
        with pytest.raises(psycopg.errors.CheckViolation) as refused:
            add_event(superuser, payload)

        said = refused.value.diag.message_primary or ""
        assert said == f"personal data is refused: events.payload.{path}"
        assert not any(str(value) in said for value in payload.values() if len(str(value)) > 1)

    @pytest.mark.parametrize("payload", HARMLESS, ids=json.dumps)
    def test_is_not_seen_where_it_is_not(
        self, superuser: psycopg.Connection, payload: dict[str, Any]
    ) -> None:
        add_event(superuser, payload)

    def test_in_a_dead_letter_is_refused_when_it_comes_and_when_it_changes(
        self, superuser: psycopg.Connection
    ) -> None:
        add = """INSERT INTO dead_letters (
                     dead_letter_id, vendor, topic, reason_code, received_at, detail, payload)
                 VALUES (gen_random_uuid(), 'stripe', 't', 'malformed_value', now(), %s, %s)"""
        for detail, payload in (("no amount for joe@example.com", {}), ("no amount", {"a": {"ssn": 1}})):
            with pytest.raises(psycopg.errors.CheckViolation, match="personal data is refused: dead_letters"):
                superuser.execute(add, [detail, Jsonb(payload)])
        superuser.execute(add, ["no amount", None])

        with pytest.raises(psycopg.errors.CheckViolation, match=r"dead_letters\.payload\.email"):
            superuser.execute(
                "UPDATE dead_letters SET payload = %s WHERE tenant_id = current_tenant_id()",
                [Jsonb({"email": "x"})],
            )

    def test_is_suspected_wherever_it_would_be_found(self, superuser: psycopg.Connection) -> None:
        """The look at a row as a whole may suspect too much, and never too little."""
        chance = Random(7)
        rows = [Jsonb(_document(chance)) for _ in range(3_000)]

        found, missed, spared = superuser.execute(
            """SELECT count(*) FILTER (WHERE pii_path(row) IS NOT NULL),
                      count(*) FILTER (WHERE pii_path(row) IS NOT NULL AND NOT pii_suspect(row)),
                      count(*) FILTER (WHERE NOT pii_suspect(row))
                 FROM unnest(%s) AS row""",
            [rows],
        ).fetchone() or (0, 0, 0)

        assert missed == 0
        assert found > 500
        assert spared > 500


def _document(chance: Random) -> Any:
    """Make a document of keys and texts that are personal, nearly so, or not at all."""
    keys = (
        *(key for payload, _ in PERSONAL for key in payload),
        "first\nname",
        "x",
        "id",
        "name",
        "key",
        "a b",
        "a&b",
        "first&name",
    )
    texts = (
        *("kettle", "+1 415 555 2671", "joe@example.com", "4111111111111111", "10.1.2.3", "a\nb", "Phone"),
        *("firstName", "user agent", "00123456789", "2026-11-24T10:00:00+00:00", "1.2.3", "", "iPad"),
    )

    def value(depth: int) -> Any:
        if depth and chance.random() < 0.5:
            return {key(): value(depth - 1) for _ in range(chance.randrange(3))}
        if depth and chance.random() < 0.4:
            return [value(depth - 1) for _ in range(chance.randrange(3))]
        return chance.choice((None, 7, True, chance.choice(texts), "plain", "plain"))

    def key() -> str:
        if chance.random() < 0.8:
            return chance.choice(("x", "id", "name", "key", "value", "total_price", "note"))
        return chance.choice((*keys, *texts))

    return {key(): value(3) for _ in range(3)}
