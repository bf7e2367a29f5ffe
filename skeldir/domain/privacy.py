"""What a vendor asks in the name of people: to tell what is held of their orders, or to erase it."""

from dataclasses import dataclass
from typing import Literal

PrivacyKind = Literal["customer_data_request", "customer_redaction", "shop_redaction"]


@dataclass(frozen=True, slots=True)
class PrivacyRequest:
    """A request as a delivery tells it. A shop's redaction names no orders: it means all of them."""

    kind: PrivacyKind
    order_ids: tuple[str, ...] = ()
    vendor_request_id: str | None = None
