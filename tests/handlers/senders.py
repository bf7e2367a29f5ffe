"""Every vendor as one who sends: an order's life in its words, its signature, and what that covers."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from skeldir.repository.endpoints import Vendor
from skeldir.vendors import custom, paypal, shopify, stripe, woocommerce
from skeldir.vendors.fields import Shape
from tests.handlers.webhooks import Shop
from tests.vendors import paypal_payloads
from tests.vendors.payloads import (
    UNIX,
    attributes,
    charge,
    custom_event,
    meta,
    payment_intent,
    shopify_checkout,
    shopify_order,
    shopify_refund,
    stripe_event,
    woocommerce_order,
    woocommerce_refund,
)

Told = tuple[str, dict[str, Any]]
"""A topic and its payload."""

DAY: Final = 86_400
CURRENCIES: Final = ("USD", "EUR", "GBP")


@dataclass(frozen=True)
class Sender:
    """One vendor."""

    vendor: Vendor
    shapes: Mapping[str, Shape]
    life: Callable[[int], Iterator[Told]]
    """What is told of the order of a number, in the order in which it happened."""
    sign: Callable[[Shop, bytes, str], dict[str, str]]
    signed_headers: tuple[str, ...]
    """Whose every bit must be as it was sent."""

    def deliver(self, shop: Shop, topic: str, payload: Any) -> Any:
        """Deliver as the vendor does."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return shop.post(self.path(shop), body, self.sign(shop, body, topic))

    def path(self, shop: Shop) -> str:
        """Return the address to which the vendor delivers."""
        return f"/api/webhooks/{self.vendor}/in/{shop.key(self.vendor)}"


def _currency(number: int) -> str:
    return CURRENCIES[number % len(CURRENCIES)]


def _cents(number: int) -> int:
    return 10_000 + number % 5_000


def _decimal(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _shopify_life(number: int) -> Iterator[Told]:
    """Tell an order that is paid; every second is refunded in two parts, every third tells its origin."""
    labels = attributes(utm_source="google", utm_medium="cpc", session_id=f"s_{number}")
    order = shopify_order(
        1_000_000 + number,
        currency=_currency(number),
        total_price=_decimal(_cents(number)),
        note_attributes=labels if number % 3 == 0 else [],
    )
    yield "checkouts/update", shopify_checkout(id=number + 1, token=f"checkout{number}")
    yield "orders/create", order
    yield "orders/paid", order | {"updated_at": "2026-11-20T10:05:00Z"}
    for part in range(2 if number % 2 == 0 else 0):
        paid_back = {"kind": "refund", "status": "success", "amount": f"{10 + part}.50"}
        yield (
            "refunds/create",
            shopify_refund(
                2 * number + part,
                1_000_000 + number,
                created_at=f"2026-11-2{1 + part}T09:00:00Z",
                transactions=[paid_back | {"id": 2 * number + part, "currency": _currency(number)}],
            ),
        )


def _woocommerce_life(number: int) -> Iterator[Told]:
    """Tell snapshots: placed, paid, and for every second order refunded in two parts."""
    order = woocommerce_order(
        2_000_000 + number,
        currency=_currency(number),
        total=_decimal(_cents(number)),
        meta_data=meta(utm_source="facebook", utm_medium="paid_social") if number % 3 == 0 else [],
    )
    unpaid = {"status": "pending", "date_paid": None, "date_paid_gmt": None}
    yield "order.created", order | unpaid | {"date_modified_gmt": "2026-11-20T10:00:01"}
    yield "order.updated", order
    refunds: list[dict[str, Any]] = []
    for part in range(2 if number % 2 == 0 else 0):
        refunds = [*refunds, woocommerce_refund(2 * number + part, f"-{10 + part}.50")]
        yield (
            "order.updated",
            order | {"refunds": refunds, "date_modified_gmt": f"2026-11-2{1 + part}T09:00:00"},
        )


def _stripe_life(number: int) -> Iterator[Told]:
    """Tell a payment intent and its charge; every third is Shopify's, every second goes back."""
    total, code = _cents(number), _currency(number).lower()
    metadata = {"order_id": str(1_000_000 + number)} if number % 3 == 0 else {}
    paid = {"amount": total, "currency": code, "metadata": metadata}
    intent = payment_intent(f"pi_{number}", amount_received=total, latest_charge=f"ch_{number}", **paid)
    charged = charge(f"ch_{number}", amount_captured=total, payment_intent=f"pi_{number}", **paid)
    yield (
        "payment_intent.succeeded",
        stripe_event("payment_intent.succeeded", intent, f"evt_{number}_intent"),
    )
    yield "charge.succeeded", stripe_event("charge.succeeded", charged, f"evt_{number}_charge")
    for part in range(2 if number % 2 == 0 else 0):
        refunded = charged | {"amount_refunded": (1_050, 2_200)[part]}
        event_id = f"evt_{number}_refund_{part}"
        at = UNIX + (1 + part) * DAY
        yield "charge.refunded", stripe_event("charge.refunded", refunded, event_id, created=at)


def _paypal_life(number: int) -> Iterator[Told]:
    """Tell a capture; every second is refunded in two parts, every fifth is disputed in vain."""
    capture, code = f"{number:016d}C", _currency(number)
    captured = paypal_payloads.captured(
        f"WH-{number}-C", id=capture, amount={"currency_code": code, "value": _decimal(_cents(number))}
    )
    yield captured["event_type"], captured
    for part in range(2 if number % 2 == 0 else 0):
        amount = {"currency_code": code, "value": f"{10 + part}.50"}
        back = paypal_payloads.given_back(
            "0.00", 1 + part, f"WH-{number}-R{part}", capture=capture, amount=amount
        )
        yield back["event_type"], back
    if number % 5 == 0:
        changes = {
            "dispute_amount": {"currency_code": code, "value": "20.00"},
            "disputed_transactions": [{"seller_transaction_id": capture}],
        }
        for day, kind, outcome in ((2, "CREATED", None), (4, "RESOLVED", "RESOLVED_SELLER_FAVOUR")):
            told = paypal_payloads.disputed(kind, day, outcome=outcome, **changes)
            yield told["event_type"], told | {"id": f"WH-{number}-{kind}"}


def _custom_life(number: int) -> Iterator[Told]:
    """Tell an order and its payment; every second goes back in two parts, every fifth is disputed."""
    told = {"order_id": f"c{number}", "currency": _currency(number), "amount_cents": _cents(number)}
    hints = {"hints": {"utm_source": "newsletter", "utm_medium": "email"}} if number % 3 == 0 else {}
    yield "order.placed", custom_event("order.placed", **told, **hints)
    yield "payment.captured", custom_event("payment.captured", **told, reference=f"p{number}")
    for part in range(2 if number % 2 == 0 else 0):
        back = {"reference": f"r{number}-{part}", "amount_cents": (1_050, 1_150)[part]}
        at = f"2026-11-2{1 + part}T09:00:00Z"
        yield (
            "payment.refunded",
            custom_event("payment.refunded", **told | back, occurred_at=at, timestamp=at),
        )
    if number % 5 == 0:
        withdrawn = told | {"reference": f"d{number}", "amount_cents": 2_000}
        for day, kind in ((2, "disputed"), (4, "dispute_reversed")):
            at = f"2026-11-2{day}T09:00:00Z"
            yield (
                f"payment.{kind}",
                custom_event(f"payment.{kind}", **withdrawn, occurred_at=at, timestamp=at),
            )


SENDERS: Final = (
    Sender(
        "custom",
        custom.SHAPES,
        _custom_life,
        lambda shop, body, _: shop.by_custom(body),
        ("webhook-id", "webhook-timestamp", "webhook-signature"),
    ),
    Sender("shopify", shopify.SHAPES, _shopify_life, Shop.by_shopify, ("X-Shopify-Hmac-SHA256",)),
    Sender(
        "woocommerce",
        woocommerce.SHAPES,
        _woocommerce_life,
        Shop.by_woocommerce,
        ("X-WC-Webhook-Signature",),
    ),
    Sender(
        "stripe",
        stripe.SHAPES,
        _stripe_life,
        lambda shop, body, _: shop.by_stripe(body),
        ("Stripe-Signature",),
    ),
    Sender(
        "paypal",
        paypal.SHAPES,
        _paypal_life,
        lambda shop, body, _: shop.by_paypal(body),
        (
            "PAYPAL-TRANSMISSION-ID",
            "PAYPAL-TRANSMISSION-TIME",
            "PAYPAL-TRANSMISSION-SIG",
            "PAYPAL-CERT-URL",
            "PAYPAL-AUTH-ALGO",
        ),
    ),
)
