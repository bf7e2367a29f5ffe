"""The month's webhooks in the order in which they arrive, with the mishaps that every month brings."""

import base64
import hmac
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final, Literal
from uuid import NAMESPACE_URL, uuid5

from skeldir.demo import payloads
from skeldir.demo.payloads import Payload
from skeldir.demo.story import Order, Refund, refunds

Vendor = Literal["shopify", "stripe"]
Mishap = Literal["twice", "partial", "early", "personal", "malformed", "incomplete", "unknown", "forged"]

SHOP: Final = "fjord-running.myshopify.com"
SENT_TWICE: Final = 12
FULL_OF_PERSONAL_DATA: Final = 16


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook: its bytes, and what is special about it."""

    vendor: Vendor
    topic: str
    body: bytes = field(repr=False)
    event_id: str
    mishap: Mishap | None = None

    def headers(self, secret: str, now: float) -> dict[str, str]:
        """Sign the body as the vendor does, and name what the vendor names beside it."""
        key = secret.encode() if self.mishap != "forged" else b"somebody else's secret"
        if self.vendor == "stripe":
            message = b"%d.%s" % (int(now), self.body)
            signature = f"t={int(now)},v1={hmac.digest(key, message, 'sha256').hex()}"
            return {"Content-Type": "application/json", "Stripe-Signature": signature}
        return {
            "Content-Type": "application/json",
            "X-Shopify-Topic": self.topic,
            "X-Shopify-Shop-Domain": SHOP,
            "X-Shopify-Webhook-Id": self.event_id,
            "X-Shopify-Hmac-Sha256": base64.b64encode(hmac.digest(key, self.body, "sha256")).decode(),
        }


def deliveries(orders: Sequence[Order]) -> list[Delivery]:
    """Return every webhook of the month."""
    early, partly, *in_two = refunds(orders)
    sent = [_shop("refunds/create", payloads.shop_refund(early), "early")]
    for order in orders:
        sent += _told(order)
    sent.append(_shop("refunds/create", payloads.shop_refund(partly), "partial"))
    sent += _refunded_by_processor(in_two)
    again = next(one for one in sent if one.event_id == _paid(orders[SENT_TWICE]).event_id)
    return [*sent, replace(again, mishap="twice"), *_refused(orders[0])]


def _told(order: Order) -> Iterator[Delivery]:
    """Tell of one order, in the words of those who know of it."""
    if order.told == "by_processor":
        yield _stripe("charge.succeeded", order, payloads.charge(order))
        return
    if order.told == "pending_then_paid":
        yield _shop("orders/create", payloads.shop_order(order, status="pending"))
    yield _paid(order)
    if order.told == "by_both":
        yield _stripe("charge.succeeded", order, payloads.charge(order, by_shop=True))


def _paid(order: Order) -> Delivery:
    payload = payloads.shop_order(order, status="paid")
    if order.number == FULL_OF_PERSONAL_DATA:
        return _shop("orders/paid", payload | payloads.PERSONAL, "personal")
    return _shop("orders/paid", payload)


def _refunded_by_processor(parts: Sequence[Refund]) -> Iterator[Delivery]:
    """Tell refunds as Stripe does: each time the whole of what has gone back so far."""
    refunded = 0
    for number, part in enumerate(parts):
        refunded += part.cents
        what = payloads.charge(part.order, refunded_cents=refunded)
        yield _stripe(
            "charge.refunded", part.order, what, "partial", number=number, later=part.at - part.order.at
        )


def _refused(order: Order) -> list[Delivery]:
    """Return what a service must not book: it is set aside with its reason, or refused outright."""
    strange = replace(order, number=90)
    malformed = payloads.shop_order(strange, status="paid") | {"total_price": "129.999"}
    incomplete = payloads.charge(replace(order, number=91))
    del incomplete["currency"]
    forged = payloads.shop_order(replace(order, number=92, amount_cents=99_999_900), status="paid")
    return [
        _shop("orders/paid", malformed, "malformed"),
        _stripe("charge.succeeded", replace(order, number=91), incomplete, "incomplete"),
        _shop("products/update", {"id": 632910392, "title": "Trail shoe"}, "unknown"),
        _shop("orders/paid", forged, "forged"),
    ]


def _shop(topic: str, payload: Payload, mishap: Mishap | None = None) -> Delivery:
    event_id = str(uuid5(NAMESPACE_URL, f"https://{SHOP}/{topic}/{payload['id']}/{mishap}"))
    return Delivery("shopify", topic, _bytes(payload), event_id, mishap)


def _stripe(
    topic: str,
    order: Order,
    what: Payload,
    mishap: Mishap | None = None,
    *,
    number: int = 0,
    later: timedelta = timedelta(seconds=2),
) -> Delivery:
    event_id = f"evt_1Demo{order.number:012d}{topic.replace('.', '')}{number}"
    body = payloads.stripe_event(event_id, topic, order.at + later, what)
    return Delivery("stripe", topic, _bytes(body), event_id, mishap)


def _bytes(payload: Payload) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
