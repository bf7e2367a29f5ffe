"""What was kept of a delivery: read again by its vendor's mapping as if it came now, or searched."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from skeldir.domain.facts import CanonicalEvent
from skeldir.domain.refusals import UNKNOWN_PROVIDER_EVENT, Refusal
from skeldir.vendors import custom, paypal, shopify, stripe, woocommerce


@dataclass(frozen=True, slots=True)
class Kept:
    """The allow-listed payload of a delivery, and what its headers told besides."""

    vendor: str
    topic: str
    payload: Mapping[str, object]
    vendor_event_id: str | None
    received_at: datetime


def _shopify(kept: Kept) -> CanonicalEvent:
    return shopify.canonical_event(kept.topic, kept.payload, kept.vendor_event_id or "", kept.received_at)


def _stripe(kept: Kept) -> CanonicalEvent:
    return stripe.canonical_event(kept.payload)


def _paypal(kept: Kept) -> CanonicalEvent:
    return paypal.canonical_event(kept.payload)


def _woocommerce(kept: Kept) -> CanonicalEvent:
    return woocommerce.canonical_event(kept.topic, kept.payload, kept.vendor_event_id or "", kept.received_at)


def _custom(kept: Kept) -> CanonicalEvent:
    return custom.canonical_event(kept.payload, kept.vendor_event_id or "")


# One line for each vendor: how its mapping is asked.
_READERS: Final[Mapping[str, Callable[[Kept], CanonicalEvent]]] = {
    custom.VENDOR: _custom,
    paypal.VENDOR: _paypal,
    shopify.VENDOR: _shopify,
    stripe.VENDOR: _stripe,
    woocommerce.VENDOR: _woocommerce,
}


def read_again(kept: Kept) -> CanonicalEvent:
    """Map what was kept to what it means; raises Refusal while it cannot be booked."""
    reader = _READERS.get(kept.vendor)
    if reader is None:
        raise Refusal(UNKNOWN_PROVIDER_EVENT)
    return reader(kept)


# However the vendor calls it: what can hold an order's key, and what holds a shop's own labels.
_KEY_FIELD: Final = re.compile(r"(^|_)(id|ids|key|intent|charge|payment|number|href|value)$")
_LABEL_FIELDS: Final = frozenset({"note_attributes", "meta_data", "metadata", "custom_id", "custom", "hints"})


def keys_in(payload: object) -> frozenset[str]:
    """Return every id that a kept payload names, an order's among them."""
    return frozenset(_keys(payload, ""))


def without_labels(payload: Mapping[str, object]) -> dict[str, object]:
    """Return a kept payload without the labels that lead to a journey; all about money stays."""
    return {
        name: without_labels(value) if isinstance(value, Mapping) else value
        for name, value in payload.items()
        if name not in _LABEL_FIELDS
    }


def _keys(value: object, name: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _keys(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item, name)
    elif isinstance(value, str | int) and _KEY_FIELD.search(name):
        yield str(value).rpartition("/")[2]
