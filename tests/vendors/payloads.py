"""Payloads in the vendors' shapes, full of the fields and personal data that real ones carry."""

from datetime import UTC, datetime
from typing import Any

CREATED = datetime(2026, 11, 20, 10, tzinfo=UTC)
UNIX = int(CREATED.timestamp())

# Values that must never be found again, wherever they were planted.
PERSONAL = (
    "jane.doe@example.com",
    "+1 415 555 2671",
    "203.0.113.77",
    "078-05-1120",
    "4111111111111111",
    "Jane Q. Canary",
)


def shopify_order(order_id: int = 1234567890, **changes: Any) -> dict[str, Any]:
    """Return an order as Shopify's orders/create and orders/paid carry it."""
    email, phone, address, _, card, name = PERSONAL
    return {
        "id": order_id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order_id}",
        "order_number": 1001,
        "name": "#1001",
        "email": email,
        "contact_email": email,
        "phone": phone,
        "browser_ip": address,
        "client_details": {"browser_ip": address, "user_agent": "Mozilla/5.0"},
        "customer": {"id": 7, "email": email, "first_name": name, "default_address": {"phone": phone}},
        "billing_address": {"name": name, "address1": "1 Canary Row", "phone": phone},
        "payment_details": {"credit_card_number": card},
        "total_price": "129.99",
        "subtotal_price": "119.99",
        "total_tax": "10.00",
        "currency": "USD",
        "created_at": "2026-11-20T10:00:00+00:00",
        "updated_at": "2026-11-20T10:00:05+00:00",
        "financial_status": "paid",
        "confirmed": True,
        "note": f"ring {name} at {phone}",
        "note_attributes": [],
        "line_items": [{"id": 1, "title": "Kettle", "quantity": 1, "price": "119.99"}],
    } | changes


def shopify_refund(refund_id: int = 555, order_id: int = 1234567890, **changes: Any) -> dict[str, Any]:
    """Return a refund as Shopify's refunds/create carries it."""
    transaction = {"id": 91, "kind": "refund", "status": "success", "amount": "30.00", "currency": "USD"}
    return {
        "id": refund_id,
        "order_id": order_id,
        "created_at": "2026-11-21T09:00:00Z",
        "note": f"for {PERSONAL[5]}",
        "transactions": [transaction | {"parent_id": 90, "receipt": {"email": PERSONAL[0]}}],
    } | changes


def shopify_checkout(**changes: Any) -> dict[str, Any]:
    """Return a checkout as Shopify's checkouts/update carries it."""
    return {
        "id": 42,
        "token": "c0ffee42c0ffee42",
        "email": PERSONAL[0],
        "total_price": "10.00",
        "currency": "USD",
        "created_at": "2026-11-20T09:00:00Z",
        "updated_at": "2026-11-20T09:10:00Z",
        "abandoned_checkout_url": "https://shop.example/c0ffee42c0ffee42/recover",
        "note_attributes": [],
    } | changes


def woocommerce_order(order_id: int = 727, **changes: Any) -> dict[str, Any]:
    """Return an order as every topic of WooCommerce carries it: paid, unless told otherwise."""
    email, phone, address, _, card, name = PERSONAL
    return {
        "id": order_id,
        "number": str(order_id),
        "order_key": "wc_order_58d2d042d1d",
        "status": "processing",
        "currency": "USD",
        "date_created": "2026-11-20T05:00:00",
        "date_created_gmt": "2026-11-20T10:00:00",
        "date_modified": "2026-11-20T05:00:05",
        "date_modified_gmt": "2026-11-20T10:00:05",
        "date_paid": "2026-11-20T05:00:04",
        "date_paid_gmt": "2026-11-20T10:00:04",
        "date_completed": None,
        "date_completed_gmt": None,
        "total": "129.99",
        "total_tax": "10.00",
        "customer_id": 26,
        "customer_ip_address": address,
        "customer_user_agent": "Mozilla/5.0",
        "customer_note": f"ring {name} at {phone}, card {card}",
        "billing": {"first_name": name, "email": email, "phone": phone, "address_1": "1 Canary Row"},
        "shipping": {"first_name": name, "address_1": "1 Canary Row"},
        "payment_method": "cod",
        "payment_method_title": "Cash on delivery",
        "transaction_id": "",
        "line_items": [{"id": 315, "name": "Kettle", "quantity": 1, "total": "119.99"}],
        "refunds": [],
        "meta_data": [{"id": 13106, "key": "_billing_note", "value": name}],
        "payment_url": "https://shop.example/pay/?key=wc_order_58d2d042d1d",
    } | changes


def woocommerce_refund(refund_id: int = 801, total: str = "-30.00") -> dict[str, Any]:
    """Return a refund as WooCommerce lists it in its order."""
    return {"id": refund_id, "reason": f"for {PERSONAL[5]}", "total": total}


def meta(**labels: object) -> list[dict[str, object]]:
    """Write labels as WooCommerce's meta_data."""
    return [{"id": 1, "key": key, "value": value} for key, value in labels.items()]


def attributes(**labels: str) -> list[dict[str, str]]:
    """Write labels as Shopify's note_attributes."""
    return [{"name": name, "value": value} for name, value in labels.items()]


def stripe_event(kind: str, obj: dict[str, Any], event_id: str = "evt_1", **changes: Any) -> dict[str, Any]:
    """Wrap an object as Stripe's events do."""
    return {
        "id": event_id,
        "object": "event",
        "api_version": "2025-08-27",
        "type": kind,
        "created": UNIX,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "data": {"object": obj},
    } | changes


def charge(charge_id: str = "ch_1", **changes: Any) -> dict[str, Any]:
    """Return a charge as Stripe's charge events carry it."""
    email, phone, _, _, _, name = PERSONAL
    return {
        "id": charge_id,
        "object": "charge",
        "amount": 10000,
        "amount_captured": 10000,
        "amount_refunded": 0,
        "captured": True,
        "created": UNIX,
        "currency": "usd",
        "billing_details": {"email": email, "name": name, "phone": phone, "address": {"line1": None}},
        "description": f"Order by {name}",
        "metadata": {},
        "paid": True,
        "payment_intent": None,
        "receipt_email": None,
        "status": "succeeded",
    } | changes


def dispute(dispute_id: str = "dp_1", **changes: Any) -> dict[str, Any]:
    """Return a dispute as Stripe's charge.dispute events carry it."""
    email, _, address, _, _, name = PERSONAL
    return {
        "id": dispute_id,
        "object": "dispute",
        "amount": 10000,
        "balance_transactions": [],
        "charge": "ch_1",
        "created": UNIX + 86_400,
        "currency": "usd",
        "evidence": {"customer_name": name, "customer_email_address": email, "customer_purchase_ip": address},
        "evidence_details": {"due_by": UNIX + 10**6, "has_evidence": False, "submission_count": 0},
        "is_charge_refundable": False,
        "metadata": {},
        "payment_intent": "pi_1",
        "reason": "fraudulent",
        "status": "needs_response",
    } | changes


def payment_intent(intent_id: str = "pi_1", **changes: Any) -> dict[str, Any]:
    """Return a payment intent as Stripe's payment_intent.succeeded carries it."""
    return {
        "id": intent_id,
        "object": "payment_intent",
        "amount": 10000,
        "amount_received": 10000,
        "client_secret": f"{intent_id}_secret_x",
        "created": UNIX - 60,
        "currency": "usd",
        "latest_charge": "ch_1",
        "metadata": {},
        "receipt_email": PERSONAL[0],
        "status": "succeeded",
    } | changes


def custom_event(kind: str = "payment.captured", **changes: Any) -> dict[str, Any]:
    """Return an event as a custom sender tells it, with more than it was asked for."""
    told_at = changes.pop("timestamp", "2026-11-20T10:00:05Z")
    data = {
        "order_id": "1042",
        "reference": "till-7-0042",
        "amount_cents": 12999,
        "currency": "EUR",
        "occurred_at": "2026-11-20T10:00:00Z",
        "customer": {"email": PERSONAL[0], "name": PERSONAL[5]},
    }
    if kind == "order.placed":
        del data["reference"]
    return {"type": kind, "timestamp": told_at, "data": data | changes, "sender": PERSONAL[1]}
