"""A hundred thousand of the vendors' own ids, amounts and times pass both walls as they are."""

import string
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from skeldir.domain.pii import personal_value
from skeldir.vendors.fields import Field, Shape
from tests.conftest import Database
from tests.handlers.senders import SENDERS, Sender

SEED: Final = 20_261_125
VALUES: Final = 100_000
AT_ONCE: Final = 2_000
_ALNUM: Final = string.ascii_letters + string.digits
_CAPITALS: Final = string.ascii_uppercase + string.digits


def card_like(random: Random, digits: int) -> str:
    """Draw a number with the prefix and the check digit of a card."""
    number = "4" + "".join(random.choices(string.digits, k=digits - 2))
    doubled = [int(digit) * (1 + (digits - place - 1) % 2) for place, digit in enumerate(number)]
    return number + str(-sum(value - 9 * (value > 9) for value in doubled) % 10)


def some_id(random: Random) -> str | int:
    drawn: Callable[[str, int], str] = lambda letters, k: "".join(random.choices(letters, k=k))  # noqa: E731
    return random.choice(
        (
            lambda: int(card_like(random, 13)),
            lambda: card_like(random, 13),
            lambda: card_like(random, 16),
            lambda: random.randrange(1, 10**18),
            lambda: f"pi_{drawn(_ALNUM, 24)}",
            lambda: f"ch_{drawn(_ALNUM, 24)}",
            lambda: f"evt_{drawn(_ALNUM, 24)}",
            lambda: f"WH-{drawn(_CAPITALS, 17)}-{drawn(_CAPITALS, 17)}",
            lambda: f"PAY-{drawn(_CAPITALS, 24)}",
            lambda: paypal_id(random),
            lambda: str(UUID(int=random.getrandbits(128), version=4)),
            lambda: drawn("0123456789abcdef", 32),
        )
    )()


def paypal_id(random: Random) -> str:
    return "".join(random.choices(string.digits, k=16)) + random.choice(string.ascii_uppercase)


def some_amount(random: Random) -> str:
    units = random.choice((random.randrange(10**4), random.randrange(10**11)))
    return random.choice((f"{units / 100:.2f}", f"-{units / 100:.2f}", str(units), "0.00", f"{units}.123"))


def some_time(random: Random) -> str:
    moment = datetime(2015, 1, 1, tzinfo=UTC) + timedelta(milliseconds=random.randrange(10**12))
    return random.choice(
        (
            moment.isoformat(),
            moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            moment.strftime("%Y-%m-%dT%H:%M:%S"),
            moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            moment.strftime("%Y-%m-%dT%H:%M:%S-05:00"),
        )
    )


KINDS: Final[dict[str, Callable[[Random], object]]] = {
    "id": some_id,
    "amount": some_amount,
    "units": lambda random: random.choice((random.randrange(10**14), int(card_like(random, 13)))),
    "time": some_time,
    "unix_time": lambda random: random.randrange(4 * 10**9),
    "currency": lambda random: random.choice(("USD", "eur", "JPY")),
}
LABELS: Final = ("session_id", "journey_id", "order_id", "payment_key")


def drawn(shape: Shape, random: Random) -> tuple[dict[str, Any], int]:
    """Draw a payload of a table's typed fields and ids among its labels; returns it and how many values."""
    payload: dict[str, Any] = {}
    count = 0
    for field in shape.fields:
        value = _value(field, random)
        if value is None or not field.stored:
            continue
        *parents, last = field.path.split(".")
        target = payload
        for name in parents:
            inner = target.setdefault(name.removesuffix("[]"), [{}] if name.endswith("[]") else {})
            target = inner[0] if isinstance(inner, list) else inner
        target[last.removesuffix("[]")] = [value] if last.endswith("[]") else value
        count += 1
    return payload, count


def _value(field: Field, random: Random) -> object:
    if field.path.endswith(".href"):
        return f"https://api.paypal.com/v2/payments/captures/{paypal_id(random)}"
    if field.kind in KINDS:
        return KINDS[field.kind](random)
    ids = [name for name, canonical in field.names.items() if canonical in LABELS]
    if not ids:
        return None
    name, value = random.choice(ids), str(some_id(random))
    if field.kind == "labels":
        return {name: value}
    return [{"key" if field.kind == "entries" else "name": name, "value": value}]


def payloads(sender: Sender, random: Random, values_min: int) -> Iterator[dict[str, Any]]:
    """Draw payloads of every topic of a vendor in turn, until they hold enough values."""
    count, shapes = 0, list(dict.fromkeys(sender.shapes.values()))
    while count < values_min:
        for shape in shapes:
            payload, held = drawn(shape, random)
            count += held
            yield payload


@pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.vendor)
def test_ids_amounts_and_times_pass_as_they_are(database: Database, tenant: UUID, sender: Sender) -> None:
    random = Random(f"{SEED} {sender.vendor}")
    shapes = list(dict.fromkeys(sender.shapes.values()))
    told = list(payloads(sender, random, VALUES // len(SENDERS)))

    changed = [
        payload for n, payload in enumerate(told) if shapes[n % len(shapes)].stored(payload) != payload
    ]
    assert changed == []
    with database.connect() as connection:
        connection.execute(f"SET app.current_tenant_id = '{tenant}'")
        for start in range(0, len(told), AT_ONCE):
            store(connection, sender.vendor, told[start : start + AT_ONCE])
        kept = connection.execute(
            "SELECT payload FROM events WHERE tenant_id = %s ORDER BY CAST(vendor_event_id AS integer)",
            [tenant],
        ).fetchall()
    assert [payload for (payload,) in kept] == told


def store(connection: psycopg.Connection, vendor: str, told: list[dict[str, Any]]) -> None:
    """Have the database's wall judge payloads, many at once."""
    connection.execute(
        """INSERT INTO events (event_id, vendor, topic, vendor_event_id, occurred_at, received_at, payload)
           SELECT gen_random_uuid(), %(vendor)s, 't', (SELECT count(*) FROM events
                   WHERE tenant_id = current_tenant_id()) + place, now(), now(), item
             FROM jsonb_array_elements(%(told)s) WITH ORDINALITY AS given (item, place)""",
        {"vendor": vendor, "told": Jsonb(told)},
    )


def test_many_of_the_ids_would_not_pass_if_they_were_looked_at() -> None:
    """Or the test above would say nothing."""
    random = Random(SEED)

    suspicious = [value for _ in range(2_000) if personal_value(value := str(some_id(random)))]

    assert len(suspicious) > 300
