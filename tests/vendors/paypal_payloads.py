"""Payloads in PayPal's shapes, full of the fields and personal data that real ones carry."""

from typing import Any

from tests.vendors.payloads import PERSONAL

API = "https://api.paypal.com"


def event(kind: str, resource: dict[str, Any], event_id: str = "WH-1", **changes: Any) -> dict[str, Any]:
    """Wrap a resource as PayPal's events do."""
    return {
        "id": event_id,
        "event_version": "1.0",
        "create_time": resource.get("update_time") or "2026-11-20T10:00:05Z",
        "resource_type": kind.split(".")[1].lower(),
        "event_type": kind,
        "summary": f"Something of {PERSONAL[5]}",
        "resource": resource,
        "links": [{"href": f"{API}/v1/notifications/webhooks-events/{event_id}", "rel": "self"}],
    } | changes


def captured(event_id: str = "WH-1", **changes: Any) -> dict[str, Any]:
    """Return a capture as PAYMENT.CAPTURE.COMPLETED carries it."""
    resource = {
        "id": "4L335234718889942",
        "status": "COMPLETED",
        "amount": {"currency_code": "USD", "value": "100.00"},
        "final_capture": True,
        "create_time": "2026-11-20T10:00:00Z",
        "update_time": "2026-11-20T10:00:00Z",
        "payee": {"email_address": PERSONAL[0], "merchant_id": "RD465XN5VS364"},
        "seller_receivable_breakdown": {"paypal_fee": {"currency_code": "USD", "value": "3.20"}},
        "links": [{"href": f"{API}/v2/checkout/orders/5O190127TN364715T", "rel": "up", "method": "GET"}],
    } | changes
    return event("PAYMENT.CAPTURE.COMPLETED", resource, event_id)


def given_back(
    value: str,
    day: int,
    event_id: str,
    kind: str = "REFUNDED",
    capture: str = "4L335234718889942",
    **changes: Any,
) -> dict[str, Any]:
    """Return a refund (or reversal) of a capture as PayPal carries it."""
    at = f"2026-11-{20 + day}T10:00:00Z"
    resource = {
        "id": f"REFUND{event_id[3:]}",
        "status": "COMPLETED",
        "amount": {"currency_code": "USD", "value": value},
        "create_time": at,
        "update_time": at,
        "note_to_payer": f"for {PERSONAL[5]}",
        "links": [
            {"href": f"{API}/v2/payments/refunds/REFUND{event_id[3:]}", "rel": "self", "method": "GET"},
            {"href": f"{API}/v2/payments/captures/{capture}", "rel": "up", "method": "GET"},
        ],
    } | changes
    return event(f"PAYMENT.CAPTURE.{kind}", resource, event_id)


def sold(event_id: str = "WH-1", **changes: Any) -> dict[str, Any]:
    """Return a sale as PAYMENT.SALE.COMPLETED carries it."""
    resource = {
        "id": "80021663DE681814L",
        "state": "completed",
        "amount": {"total": "100.00", "currency": "USD", "details": {"subtotal": "100.00"}},
        "payment_mode": "INSTANT_TRANSFER",
        "parent_payment": "PAY-1PA12106FU478450MKRETS4A",
        "create_time": "2026-11-20T10:00:00Z",
        "update_time": "2026-11-20T10:00:00Z",
        "links": [{"href": f"{API}/v1/payments/sale/80021663DE681814L", "rel": "self"}],
    } | changes
    return event("PAYMENT.SALE.COMPLETED", resource, event_id)


def sale_given_back(
    total: str, day: int, event_id: str, kind: str = "REFUNDED", **changes: Any
) -> dict[str, Any]:
    """Return a refund (or reversal) of a sale, whose amount PayPal writes with a sign."""
    at = f"2026-11-{20 + day}T10:00:00Z"
    resource = {
        "id": f"REFUND{event_id[3:]}",
        "state": "completed",
        "amount": {"total": total, "currency": "USD"},
        "create_time": at,
        "update_time": at,
        "sale_id": "80021663DE681814L",
        "parent_payment": "PAY-1PA12106FU478450MKRETS4A",
        "links": [{"href": f"{API}/v1/payments/sale/80021663DE681814L", "rel": "sale"}],
    } | changes
    return event(f"PAYMENT.SALE.{kind}", resource, event_id)


def disputed(
    kind: str, day: int, stage: str = "CHARGEBACK", outcome: str | None = None, **changes: Any
) -> dict[str, Any]:
    """Return a dispute of the capture as CUSTOMER.DISPUTE carries it."""
    resource = {
        "dispute_id": "PP-D-27803",
        "create_time": "2026-11-21T10:00:00.000Z",
        "update_time": f"2026-11-{20 + day}T10:00:00.000Z",
        "disputed_transactions": [
            {
                "seller_transaction_id": "4L335234718889942",
                "buyer": {"name": PERSONAL[5], "email": PERSONAL[0]},
                "seller": {"merchant_id": "RD465XN5VS364", "name": "Test Store"},
                "items": [],
                "seller_protection_eligible": True,
            }
        ],
        "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
        "status": "RESOLVED" if outcome else "OPEN",
        "dispute_amount": {"currency_code": "USD", "value": "100.00"},
        "dispute_life_cycle_stage": stage,
        "dispute_channel": "INTERNAL",
        "messages": [{"posted_by": "BUYER", "content": f"I am {PERSONAL[5]}, call {PERSONAL[1]}"}],
    }
    if outcome:
        resource["dispute_outcome"] = {"outcome_code": outcome}
    return event(f"CUSTOMER.DISPUTE.{kind}", resource | changes, f"WH-D{kind}{day}")
