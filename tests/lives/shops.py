"""How shops tell an order: by topics, or, as WooCommerce does, by one snapshot after another."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.lives.processors import Dispute
from tests.lives.told import Told, Vendors, moment
from tests.vendors.payloads import attributes, meta, shopify_order, shopify_refund, woocommerce_order

HOUR = 3_600


@dataclass(frozen=True)
class Sale:
    """What the shop knows of an order: the total, what was given back, and a payment that it names."""

    order_id: str
    total_cents: int
    refunds: tuple[int, ...]
    disputes: tuple[Dispute, ...] = ()
    payment_key: str | None = None


def tell_by_shopify(sale: Sale, vendors: Vendors, chance: Random) -> list[Told]:
    """Tell an order that is paid; either topic may say so."""
    labels = attributes(payment_intent=sale.payment_key) if sale.payment_key else []
    order = shopify_order(
        int(sale.order_id),
        total_price=vendors.decimal(sale.total_cents),
        currency=vendors.currency,
        created_at=moment(0),
        updated_at=moment(0),
        note_attributes=labels,
    )
    created = vendors.shopify(
        "orders/create", order | {"financial_status": chance.choice(["pending", "paid"])}
    )
    paid = vendors.shopify("orders/paid", order | {"updated_at": moment(chance.randrange(2 * HOUR))})
    told = [paid, created] if chance.random() < 0.5 else [paid]
    second = 0
    for index, cents in enumerate(sale.refunds):
        second += chance.randrange(1, 48 * HOUR)
        transaction = {"id": 1, "kind": "refund", "amount": vendors.decimal(cents)}
        refund = shopify_refund(
            900 + index,
            int(sale.order_id),
            created_at=moment(second),
            transactions=[transaction | {"currency": vendors.currency, "status": "success"}],
        )
        told.append(vendors.shopify("refunds/create", refund))
    return told


def tell_by_custom(sale: Sale, vendors: Vendors, chance: Random) -> list[Told]:
    """Tell an order as a shop of the tenant's own does, its disputes too."""
    named = {"payment_key": sale.payment_key} if sale.payment_key else {}
    paid = {"amount_cents": sale.total_cents, **named}
    told = [vendors.custom("payment.captured", 3, reference="till-1", **paid)]
    if chance.random() < 0.5:
        told.append(vendors.custom("order.placed", 2, **paid))
    second = 3
    for index, cents in enumerate(sale.refunds):
        second += chance.randrange(1, 48 * HOUR)
        told.append(vendors.custom("payment.refunded", second, amount_cents=cents, reference=f"back-{index}"))
    for index, disputed in enumerate(sale.disputes):
        if disputed.outcome == "inquiry":
            continue
        taken = {"amount_cents": disputed.cents, "reference": f"claim-{index}"}
        second += chance.randrange(1, 48 * HOUR)
        told.append(vendors.custom("payment.disputed", second, **taken))
        if disputed.outcome == "won":
            second += chance.randrange(1, 48 * HOUR)
            told.append(vendors.custom("payment.dispute_reversed", second, **taken))
    return told


@dataclass
class Snapshot:
    """An order as WooCommerce shows it at a second."""

    sale: Sale
    total_cents: int
    second: int = 1
    status: str = "pending"
    paid_at: int | None = None
    refunds: dict[int, int] = field(default_factory=dict)

    @property
    def net_cents(self) -> int:
        """Return what the shop says it has of the order."""
        if self.status == "cancelled":
            return 0
        return (self.total_cents if self.paid_at else 0) - sum(self.refunds.values())

    def payload(self, vendors: Vendors) -> dict[str, Any]:
        """Return the snapshot as the webhook carries it."""
        key = self.sale.payment_key
        named = {"transaction_id": key} if key and not key.startswith("pi_") else {}
        return woocommerce_order(
            int(self.sale.order_id),
            status=self.status,
            total=vendors.decimal(self.total_cents),
            currency=vendors.currency,
            date_created_gmt=moment(0)[:-1],
            date_modified_gmt=moment(self.second)[:-1],
            date_paid=None,
            date_paid_gmt=moment(self.paid_at)[:-1] if self.paid_at else None,
            refunds=[
                {"id": number, "total": "-" + vendors.decimal(cents)}
                for number, cents in self.refunds.items()
            ],
            meta_data=meta(_stripe_intent_id=key) if key and key.startswith("pi_") else [],
            **named,
        )


def tell_by_woocommerce(sale: Sale, vendors: Vendors, chance: Random) -> tuple[list[Told], int]:
    """Tell an order's snapshots, of which any but the last may be missing; returns the last one's net too."""
    snapshot = Snapshot(sale, sale.total_cents)
    told = [vendors.woocommerce(state.payload(vendors)) for state in _states(snapshot, chance)]
    kept = [one for one in told[:-1] if chance.random() < 0.8]
    return [*kept, told[-1]], snapshot.net_cents


def _states(order: Snapshot, chance: Random) -> Iterator[Snapshot]:
    """Let the shop do this and that with an order, each time as it is then."""
    yield order
    to_refund = list(enumerate(order.sale.refunds, 800))
    steps = ["pay", *("refund" for _ in to_refund), *chance.choices(["edit", "undo", "void", "revive"], k=3)]
    if chance.random() < 0.7:
        steps.sort(key=lambda step: step in ("void", "undo"))  # mostly an order is paid, and stays so
    else:
        chance.shuffle(steps)
    for step in steps[: chance.randrange(1, len(steps) + 1)]:
        # Within a second only what adds to the snapshot before: of two alike the fuller stands.
        if step not in ("pay", "refund") or chance.random() < 0.7:
            order.second += chance.randrange(1, 48 * HOUR)
        if step == "pay":
            order.status, order.paid_at = "processing", order.paid_at or order.second
        elif step == "refund":
            number, cents = to_refund.pop()
            order.refunds[number] = cents
        elif step == "undo" and order.refunds:
            order.refunds.pop(chance.choice(list(order.refunds)))
        elif step == "edit":
            order.total_cents += order.sale.total_cents // 4 // 100 * 100
        elif step == "void":
            order.status = "cancelled"
        elif step == "revive":
            order.status = "processing" if order.paid_at else "pending"
        yield order
