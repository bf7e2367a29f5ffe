"""Personal values planted wherever a vendor can put one are found nowhere afterwards.

In no table, column by column and as a superuser sees it; in no log line; in no answer, receipts and
problem documents included. There are no metrics yet that a value could get into.
"""

import io
import json
import logging
from collections.abc import Iterator
from itertools import chain
from typing import Any
from uuid import UUID

import httpx
import pytest

from skeldir.app import create_app
from skeldir.observability.logging import _Handler
from skeldir.settings import get_settings
from skeldir.vendors.fields import Field, Shape
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.canaries import Canaries, planted_beside, planted_upon
from tests.handlers.senders import SENDERS, Sender
from tests.handlers.webhooks import Shop, open_shop
from tests.stored import everything
from tests.vendors.paypal_authority import Post, trusted

SAMPLES = {
    "id": "1234567", "amount": "12.34", "units": 1234, "currency": "USD", "word": "paid", "flag": True,
    "time": "2026-11-20T10:00:00Z", "unix_time": 1_795_168_800,
}  # fmt: skip
TOPICS = [
    pytest.param(sender, topic, id=f"{sender.vendor} {topic}")
    for sender in SENDERS
    for topic in (*sender.shapes, "unheard.of")
]


@pytest.fixture(scope="module")
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture(scope="module")
def api(database: Database, log: io.StringIO) -> Iterator[Api]:  # noqa: ARG001  (the settings point to it)
    """Serve with every line of the log kept."""
    chosen = {"validate_responses": True, "log_level": "debug"}
    api = Api(create_app(get_settings().model_copy(update=chosen)))
    handlers = [handler for handler in logging.getLogger().handlers if isinstance(handler, _Handler)]
    before = [handler.setStream(log) for handler in handlers]
    yield api
    for handler, stream in zip(handlers, before, strict=True):
        handler.setStream(stream)


@pytest.fixture(autouse=True)
def post() -> Iterator[Post]:
    with trusted() as post:
        yield post


@pytest.fixture
def shop(api: Api) -> Shop:
    return open_shop(api)


def sample(sender: Sender, topic: str) -> dict[str, Any]:
    """Return a payload of a topic: as the vendor's own life of an order has it, or made from its table."""
    lives = chain.from_iterable(sender.life(number) for number in range(6))
    told = next((payload for kind, payload in lives if kind == topic), None)
    if told is not None:
        return told
    shape = sender.shapes.get(topic) or Shape(Field("id", "id"))
    payload: dict[str, Any] = {}
    for field in shape.fields:
        *parents, last = field.path.split(".")
        target = payload
        for name in parents:
            inner = target.setdefault(name.removesuffix("[]"), [{}] if name.endswith("[]") else {})
            target = inner[0] if isinstance(inner, list) else inner
        value = topic if field.maps_to == "topic" else SAMPLES.get(field.kind, {})
        target[last.removesuffix("[]")] = [value] if last.endswith("[]") else value
    return payload


def places(
    database: Database, tenant_id: UUID, log: io.StringIO, canaries: Canaries, replies: list[httpx.Response]
) -> dict[str, list[str]]:
    """Return where the values are found: of the tenant, in what belongs to none, or outside the database."""
    texts = everything(database, tenant_id) | {"log": log.getvalue()}
    texts["replies"] = "\n".join(f"{reply.text} {dict(reply.headers)}" for reply in replies)
    found = {where: canaries.found_in(text) for where, text in texts.items()}
    return {where: values for where, values in found.items() if values}


@pytest.mark.parametrize(("sender", "topic"), TOPICS)
def test_values_planted_in_payloads_are_found_nowhere(
    database: Database, log: io.StringIO, shop: Shop, sender: Sender, topic: str
) -> None:
    """Beside the fields that are kept anything; upon them whatever can be recognised."""
    canaries, payload = Canaries(), sample(sender, topic)
    shape = sender.shapes.get(topic, Shape(Field("id", "id")))
    replies = [sender.deliver(shop, topic, planted_beside(payload, shape, canaries))]
    replies += [sender.deliver(shop, topic, changed) for _, changed in planted_upon(payload, shape, canaries)]

    assert {reply.status_code for reply in replies} == {200}
    assert len(canaries.made) > 15
    assert places(database, shop.tenant_id, log, canaries, replies) == {}


@pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.vendor)
def test_values_planted_around_payloads_are_found_nowhere(
    database: Database, log: io.StringIO, shop: Shop, sender: Sender
) -> None:
    """In headers, query strings, paths, unreadable bodies, and in what nobody signed."""
    canaries, replies = Canaries(), []
    topic, payload = next(sender.life(1))
    body = json.dumps(payload).encode()

    def send(content: bytes, path: str = sender.path(shop), **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        replies.append(shop.post(path, content, sender.sign(shop, content, topic) | named))

    for make in canaries.recognisable():
        send(body, User_Agent=f"Mozilla of {make()}", Cookie=f"who={make()}", Referer=f"https://x/{make()}")
        send(body, X_Forwarded_For=make(), From=make(), X_Correlation_ID=make())
        send(body, X_Shopify_Topic=make(), X_WC_Webhook_Topic=make(), X_Shopify_Shop_Domain=make())
        send(body + b" ", X_Shopify_Event_Id=make(), X_WC_Webhook_ID=make(), X_Skeldir_Tenant_Key=make())
        send(body, f"{sender.path(shop)}?email={make()}&q={make()}")
        send(body, f"/api/webhooks/{sender.vendor}/in/{make().replace(' ', '')}")
        send(f'{{"email": "{make()}", "note": "{canaries.name()}"'.encode())
        send(f"email={make()}&name={canaries.name()}".encode())
        send(json.dumps([make(), {canaries.name(): make()}]).encode())
        send(json.dumps(make()).encode(), Content_Type=f"text/plain; of={make()}".replace(" ", ""))
        broken = dict.fromkeys(sender.signed_headers, "AAAA")
        send(json.dumps(payload | {"email": make(), make(): canaries.name()}).encode(), **broken)

    assert {reply.status_code for reply in replies} <= {200, 400, 401, 415}
    assert places(database, shop.tenant_id, log, canaries, replies) == {}


def test_a_custom_senders_own_id_is_kept_only_if_nobody_is_recognised_in_it(
    database: Database, log: io.StringIO, shop: Shop
) -> None:
    """The id stands in a signed header, and may be written like a social security number."""
    canaries, body = Canaries(), json.dumps(next(SENDERS[0].life(1))[1]).encode()
    sent = [shop.by_custom(body, message_id) for message_id in (canaries.ssn(), "msg_2Kxyz")]
    replies = [shop.post(SENDERS[0].path(shop), body, headers) for headers in sent for _ in range(2)]

    assert [reply.json()["outcome"] for reply in replies] == ["booked"] * 4
    assert shop.counts()["events"] == 2
    assert shop.rows("SELECT vendor_event_id FROM events WHERE vendor_event_id LIKE 'msg%'") == [
        ("msg_2Kxyz",)
    ]
    assert places(database, shop.tenant_id, log, canaries, replies) == {}


def test_the_search_would_find_a_value_wherever_it_stands(
    database: Database, log: io.StringIO, shop: Shop
) -> None:
    canaries = Canaries()
    made = [make() for make in canaries.recognisable()]
    log.write(f"of {made[0]}\n")  # a logger would redact it
    reply = httpx.Response(200, json={"note": made[1]})
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO tenant_keys (tenant_id, key_id, key_hash) VALUES (%s, gen_random_uuid(), %s)",
            [shop.tenant_id, made[2].encode()],
        )
        connection.execute("UPDATE tenants SET name = %s WHERE tenant_id = %s", [made[3], shop.tenant_id])

    found = places(database, shop.tenant_id, log, canaries, [reply])

    with database.connect() as connection:
        connection.execute("DELETE FROM tenant_keys WHERE key_hash = %s", [made[2].encode()])
        connection.execute("UPDATE tenants SET name = 'A shop' WHERE name = %s", [made[3]])
    log.truncate(0)
    assert found == {"log": [made[0]], "replies": [made[1]], "tenant_keys": [made[2]], "tenants": [made[3]]}
