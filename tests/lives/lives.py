"""Random lives of orders, with what each truly earned: any shop, any processors, any of their topics."""

from collections import Counter
from dataclasses import dataclass
from random import Random

from skeldir.domain.currencies import EXPONENTS, vendor_exponent
from tests.lives import processors, shops
from tests.lives.processors import Dispute, Payment
from tests.lives.shops import Sale
from tests.lives.told import Told, Vendors

CURRENCIES = ("USD", "EUR", "JPY", "KWD", "HUF", "ISK", "MGA")
OUTCOMES = ("inquiry", "open", "lost", "won", "relapsed")


@dataclass(frozen=True)
class Life:
    """An order's deliveries, and its true net per currency."""

    deliveries: tuple[Told, ...]
    net: dict[str, int]

    def storm(self, chance: Random) -> list[Told]:
        """Return everything at least once, some of it again, in a random order."""
        storm = [*self.deliveries, *chance.choices(self.deliveries, k=chance.randrange(4))]
        chance.shuffle(storm)
        return storm


def life(seed: int, order_id: str = "1001") -> Life:
    """Make the life of an order; each seed makes another."""
    chance = Random(seed)
    shop = chance.choice([None, "shopify", "woocommerce", "custom"])
    currency = chance.choice(CURRENCIES)
    first = 10 * int(order_id)
    payments = [
        _payment(chance, currency, shop, is_first=index == 0)
        for index in range(chance.choice([0, 1, 1, 1, 2, 3]) if shop else chance.randrange(1, 3))
    ]
    vendors, told = Vendors(currency, order_id), []
    for index, payment in enumerate(payments):
        told += processors.tell(payment, first + index, order_id, vendors, chance)
    net_cents = sum(payment.net_cents for payment in payments)
    if shop:
        sale = _sale(chance, order_id, payments, _key(payments, first, chance))
        # A shop may count in another currency than its processor, whose word is the last.
        seller = (
            Vendors(chance.choice(CURRENCIES), order_id) if payments and chance.random() < 0.1 else vendors
        )
        if shop == "shopify":
            told += shops.tell_by_shopify(sale, seller, chance)
            shown_cents = sale.total_cents - sum(sale.refunds)
        elif shop == "custom":
            told += shops.tell_by_custom(sale, seller, chance)
            lost_cents = sum(disputed.lost_cents for disputed in sale.disputes)
            shown_cents = sale.total_cents - sum(sale.refunds) - lost_cents
        else:
            snapshots, shown_cents = shops.tell_by_woocommerce(sale, seller, chance)
            told += snapshots
        net_cents = net_cents if payments else shown_cents
    return Life(tuple(told), {currency: net_cents} if net_cents else {})


def truth(lives: list[Life]) -> dict[str, int]:
    """Return what several lives earned together."""
    net: Counter[str] = Counter()
    for one in lives:
        net.update(one.net)
    return {currency: cents for currency, cents in net.items() if cents}


def _payment(chance: Random, currency: str, shop: str | None, *, is_first: bool) -> Payment:
    processor = chance.choice(["stripe", "stripe", "capture", "sale"])
    # Some count an amount more coarsely than ISO does: whole ariary, whole forint.
    step = max(
        10 ** (EXPONENTS[currency] - vendor_exponent(vendor, currency)) for vendor in ("stripe", "paypal")
    )
    captured = chance.randrange(1, 500)
    refunds, disputes, left = [], [], captured
    while left and chance.random() < 0.5:
        refunds.append(chance.choice([left, chance.randrange(1, left + 1)]))
        left -= refunds[-1]
    while left and chance.random() < 0.3:
        disputes.append(Dispute(step * chance.randrange(1, left + 1), chance.choice(OUTCOMES)))
        left -= disputes[-1].cents // step
    released = chance.randrange(1, 100) if processor == "stripe" and chance.random() < 0.3 else 0
    linkers = ["processor"] if shop else ["processor", "nobody"]
    if is_first and (processor == "stripe" or (processor == "capture" and shop in ("woocommerce", "custom"))):
        linkers = ["shop", *linkers] if shop else linkers
    return Payment(
        processor,
        step * captured,
        step * released,
        tuple(step * cents for cents in refunds),
        tuple(disputes),
        chance.choice(linkers),
    )


def _sale(chance: Random, order_id: str, payments: list[Payment], payment_key: str | None) -> Sale:
    """Return what the shop knows; of what its processors gave back it may know less, never more."""
    if not payments:
        refunds = tuple(100 * chance.randrange(1, 10) for _ in range(chance.randrange(4)))
        disputes = tuple(Dispute(100, chance.choice(OUTCOMES)) for _ in range(chance.randrange(3)))
        return Sale(order_id, 100 * chance.randrange(40, 90), refunds, disputes)
    total_cents = sum(payment.captured_cents for payment in payments)
    misread_cents = 100 * chance.randrange(5) if chance.random() < 0.3 else 0
    given_back = (cents for payment in payments for cents in payment.refunds if chance.random() < 0.8)
    disputes = (told for payment in payments for told in payment.disputes if chance.random() < 0.8)
    return Sale(order_id, total_cents + misread_cents, tuple(given_back), tuple(disputes), payment_key)


def _key(payments: list[Payment], first: int, chance: Random) -> str | None:
    """Return the name by which the shop knows its first payment, if it is the one to say so."""
    if not payments or payments[0].linked_by != "shop":
        return None
    names = [f"ch_{first}", f"pi_{first}"] if payments[0].processor == "stripe" else [f"CAP{first:014}"]
    return chance.choice(names)
