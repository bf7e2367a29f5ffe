"""Webhook bodies as the vendors write them, with much more in them than the service keeps."""

from datetime import datetime, timedelta
from typing import Any, Final

from skeldir.demo.story import Order, Refund
from skeldir.domain.currencies import EXPONENTS

FIRST_ORDER_ID: Final = 5_460_000_000_000
FIRST_CUSTOMER_ID: Final = 7_120_000_000_000

Payload = dict[str, Any]

# Invented, and complete: nothing of this may be found in the database afterwards.
PERSONAL: Final[Payload] = {
    "email": "freja.lindqvist@example.com",
    "phone": "+4681234567",
    "browser_ip": "203.0.113.77",
    "customer": {
        "id": FIRST_CUSTOMER_ID,
        "first_name": "Freja",
        "last_name": "Lindqvist",
        "email": "freja.lindqvist@example.com",
        "phone": "+4681234567",
        "note": "Please ring twice, card 4242 4242 4242 4242 on file",
    },
    "billing_address": {"address1": "Strandvägen 7", "city": "Stockholm", "zip": "114 56"},
    "shipping_address": {"address1": "Strandvägen 7", "city": "Stockholm", "zip": "114 56"},
    "client_details": {"browser_ip": "203.0.113.77", "user_agent": "Mozilla/5.0"},
}
PERSONAL_TEXTS: Final = ("freja.lindqvist", "Lindqvist", "4681234567", "203.0.113.77", "Strandv", "4242 4242")


def order_id(order: Order) -> int:
    """Return the shop's id of an order."""
    return FIRST_ORDER_ID + order.number * 1_024


def shop_order(order: Order, *, status: str) -> Payload:
    """Write an order as Shopify does, for orders/create and orders/paid."""
    amount = decimal(order.amount_cents, order.currency)
    created = order.at.isoformat()
    return {
        "id": order_id(order),
        "admin_graphql_api_id": f"gid://shopify/Order/{order_id(order)}",
        "name": f"#{1001 + order.number}",
        "order_number": 1001 + order.number,
        "created_at": created,
        "processed_at": created,
        "updated_at": (order.at + timedelta(seconds=0 if status == "pending" else 45)).isoformat(),
        "currency": order.currency,
        "total_price": amount,
        "current_total_price": amount,
        "subtotal_price": amount,
        "total_tax": "0.00",
        "confirmed": True,
        "test": False,
        "financial_status": status,
        "fulfillment_status": None,
        "source_name": "web",
        "payment_gateway_names": ["shopify_payments"],
        "customer": {"id": FIRST_CUSTOMER_ID + order.number, "state": "enabled"},
        "line_items": [{"id": order_id(order) + 1, "title": "Trail kit", "quantity": 1, "price": amount}],
        "note_attributes": _note_attributes(order),
    }


def shop_refund(refund: Refund) -> Payload:
    """Write a refund as Shopify does, for refunds/create."""
    order = refund.order
    refund_id = order_id(order) + 7
    return {
        "id": refund_id,
        "order_id": order_id(order),
        "created_at": refund.at.isoformat(),
        "processed_at": refund.at.isoformat(),
        "note": "one article came back",
        "restock": True,
        "refund_line_items": [],
        "transactions": [
            {
                "id": refund_id + 1,
                "order_id": order_id(order),
                "parent_id": order_id(order) + 3,
                "kind": "refund",
                "status": "success",
                "gateway": "shopify_payments",
                "amount": decimal(refund.cents, order.currency),
                "currency": order.currency,
            }
        ],
    }


def charge(order: Order, *, refunded_cents: int = 0, by_shop: bool = False) -> Payload:
    """Write a Stripe charge; amounts are Stripe's integers, and what was refunded is a running total."""
    metadata = {"skeldir_journey_id": order.journey_id} if order.journey_id else {}
    if by_shop:
        metadata["order_id"] = str(order_id(order))
    return {
        "id": f"ch_3Demo{order.number:016d}",
        "object": "charge",
        "amount": order.amount_cents,
        "amount_captured": order.amount_cents,
        "amount_refunded": refunded_cents,
        "billing_details": {"email": "buyer@example.com", "name": "A. Buyer", "phone": None},
        "captured": True,
        "created": int(order.at.timestamp()),
        "currency": order.currency.lower(),
        "livemode": False,
        "metadata": metadata,
        "paid": True,
        "payment_intent": f"pi_3Demo{order.number:016d}",
        "payment_method_details": {"type": "card", "card": {"brand": "visa", "last4": "4242"}},
        "receipt_email": "buyer@example.com",
        "refunded": refunded_cents == order.amount_cents,
        "status": "succeeded",
    }


def stripe_event(event_id: str, topic: str, at: datetime, what: Payload) -> Payload:
    """Put an object into Stripe's envelope."""
    return {
        "id": event_id,
        "object": "event",
        "api_version": "2025-09-30.clover",
        "created": int(at.timestamp()),
        "data": {"object": what},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": topic,
    }


def decimal(cents: int, currency: str) -> str:
    """Write minor units as the decimal string of a shop."""
    exponent = EXPONENTS[currency]
    whole, fraction = divmod(cents, 10**exponent)
    return f"{whole}.{fraction:0{exponent}d}" if exponent else str(whole)


def _note_attributes(order: Order) -> list[dict[str, str]]:
    told = {"skeldir_journey_id": order.journey_id} if order.journey_id else {}
    hint = order.hint.told() if order.hint else {}
    told |= {name: value for name, value in hint.items() if name.startswith("utm_")}
    return [{"name": name, "value": value} for name, value in told.items()]
