"""Shopify's privacy topics: what people ask of a shop's apps, told with as little about them as possible.

Shopify names the customer by id, e-mail address and telephone number beside the orders. Only the
orders are read, for only they are known here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from skeldir.domain.facts import CanonicalEvent
from skeldir.domain.privacy import PrivacyRequest
from skeldir.domain.refusals import MALFORMED_VALUE, Refusal
from skeldir.vendors.fields import Field, Shape, identifier

_SHOP: Final = (
    Field("shop_id", "id", required=True),
    Field("shop_domain", "word", required=True, stored=False),
)
CUSTOMER_DATA_REQUEST: Final = Shape(
    *_SHOP,
    Field("orders_requested[]", "id", "order_id", required=True),
    Field("data_request.id", "id", "vendor_request_id"),
)
CUSTOMER_REDACT: Final = Shape(*_SHOP, Field("orders_to_redact[]", "id", "order_id", required=True))
SHOP_REDACT: Final = Shape(*_SHOP)
SHAPES: Final[Mapping[str, Shape]] = {
    "customers/data_request": CUSTOMER_DATA_REQUEST,
    "customers/redact": CUSTOMER_REDACT,
    "shop/redact": SHOP_REDACT,
}
_OF_CUSTOMERS: Final = ("customer", "orders_to_redact", "orders_requested")


def canonical_event(topic: str, payload: object, event_id: str, received_at: datetime) -> CanonicalEvent:
    """Map a request to what it asks for. It tells no time, so it counts from when it came."""
    return CanonicalEvent(
        vendor="shopify",
        authority="shop",
        topic=topic,
        vendor_event_id=event_id,
        occurred_at=received_at,
        payload=SHAPES[topic].stored(payload),
        privacy=_request(topic, payload),
    )


def _request(topic: str, payload: object) -> PrivacyRequest:
    """Read what is asked for from the body: the topic stands in no signature, and a shop's end is final."""
    reading = SHAPES[topic].read(payload)
    if topic == "customers/data_request":
        orders = tuple(reading.values("orders_requested", identifier))
        return PrivacyRequest("customer_data_request", orders, reading.get("vendor_request_id", identifier))
    if topic == "customers/redact":
        return PrivacyRequest("customer_redaction", tuple(reading.values("orders_to_redact", identifier)))
    about = of_customer(payload)
    if about is not None:
        raise Refusal(MALFORMED_VALUE, about)
    return PrivacyRequest("shop_redaction")


def of_customer(payload: object) -> str | None:
    """Return a field by which a request is about one customer and not about the whole shop."""
    return next((name for name in _OF_CUSTOMERS if isinstance(payload, Mapping) and name in payload), None)
