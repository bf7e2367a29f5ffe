"""How processors tell a payment: which of their topics say it is left to chance, all that is true is said."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.lives.told import API, Told, Vendors, moment, unix
from tests.vendors import paypal_payloads as by_paypal
from tests.vendors.payloads import charge, dispute, payment_intent

HOUR = 3_600


@dataclass(frozen=True)
class Dispute:
    """A dispute of a payment: its amount and how it went."""

    cents: int
    outcome: str

    @property
    def lost_cents(self) -> int:
        """Return what the seller has less for it now."""
        return self.cents if self.outcome in ("open", "lost", "relapsed") else 0


@dataclass(frozen=True)
class Payment:
    """A payment as it really went, by whom it is told, and who says which order it paid."""

    processor: str
    captured_cents: int
    released_cents: int
    refunds: tuple[int, ...]
    disputes: tuple[Dispute, ...]
    linked_by: str

    @property
    def net_cents(self) -> int:
        """Return what the seller has of it in the end."""
        lost_cents = sum(told.lost_cents for told in self.disputes)
        return self.captured_cents - sum(self.refunds) - lost_cents


def tell(payment: Payment, number: int, order_id: str, vendors: Vendors, chance: Random) -> list[Told]:
    """Tell a payment's life by its processor's topics."""
    tellers = {"stripe": _Stripe, "capture": _Capture, "sale": _Sale}
    return list(tellers[payment.processor](payment, number, order_id, vendors, chance).tell())


def some(chance: Random, *told: Told) -> list[Told]:
    """Return one or more of what tells the same."""
    kept = [one for one in told if chance.random() < 0.5]
    return kept or [chance.choice(told)]


class _Teller:
    def __init__(
        self, payment: Payment, number: int, order_id: str, vendors: Vendors, chance: Random
    ) -> None:
        self.payment, self.number, self.vendors, self.chance = payment, number, vendors, chance
        self.order_id = order_id if payment.linked_by == "processor" else None
        self.second = 60 * (number % 10)

    def later(self) -> int:
        """Let up to two days pass."""
        self.second += self.chance.randrange(1, 48 * HOUR)
        return self.second


class _Stripe(_Teller):
    def tell(self) -> Iterator[Told]:
        self.intent, self.charge = f"pi_{self.number}", f"ch_{self.number}"
        yield from self._captured()
        given_back = 0
        for cents in self.payment.refunds:
            given_back += cents
            told = self._charge("refunded", self.later(), given_back)
            if given_back == sum(self.payment.refunds) or self.chance.random() < 0.7:
                yield told  # a total that is missing is contained in the next
        for index, disputed in enumerate(self.payment.disputes):
            yield from self._disputed(f"dp_{self.number}{index}", disputed)

    def _captured(self) -> Iterator[Told]:
        if not self.payment.released_cents:
            yield from some(
                self.chance, self._charge("succeeded", self.second), self._intent(self.second + 2)
            )
            return
        if self.chance.random() < 0.7:
            yield self._charge("succeeded", self.second, captured=False, amount_captured=0)
        at = self.later()
        yield from some(self.chance, self._charge("captured", at), self._intent(at + 2))

    def _charge(self, topic: str, second: int, given_back: int = 0, **changes: Any) -> Told:
        payment, units = self.payment, self.vendors.units
        obj = {
            "amount": units(payment.captured_cents + payment.released_cents),
            "amount_captured": units(payment.captured_cents),
            "amount_refunded": units(given_back + payment.released_cents),  # Stripe counts both
            "created": unix(60 * (self.number % 10)),
            "payment_intent": self.intent,
            "metadata": self._metadata(),
        }
        return self.vendors.stripe(f"charge.{topic}", charge(self.charge, **obj | changes), second)

    def _intent(self, second: int) -> Told:
        payment, units = self.payment, self.vendors.units
        obj = {
            "amount": units(payment.captured_cents + payment.released_cents),
            "amount_received": units(payment.captured_cents),
            "latest_charge": self.charge,
            "metadata": self._metadata(),
        }
        return self.vendors.stripe("payment_intent.succeeded", payment_intent(self.intent, **obj), second)

    def _metadata(self) -> dict[str, str]:
        return {"order_id": self.order_id} if self.order_id else {}

    def _disputed(self, reference: str, disputed: Dispute) -> Iterator[Told]:
        names_intent = self.chance.random() < 0.7  # old versions of Stripe's API name only the charge

        def told(topic: str, status: str) -> Told:
            obj = {
                "amount": self.vendors.units(disputed.cents),
                "charge": self.charge,
                "payment_intent": self.intent if names_intent else None,
                "status": status,
            }
            second = self.second + self.chance.randrange(5)
            return self.vendors.stripe(f"charge.dispute.{topic}", dispute(reference, **obj), second)

        self.later()
        if self.chance.random() < 0.3 or disputed.outcome == "inquiry":
            yield told("created", "warning_needs_response")
            self.later()
        if disputed.outcome == "inquiry":
            yield told("closed", "warning_closed")
            return
        opened = some(
            self.chance,
            told("created", "needs_response"),
            told("funds_withdrawn", "needs_response"),
            told("updated", "under_review"),
        )
        if disputed.outcome == "open" or self.chance.random() < 0.7:
            yield from opened
        self.later()
        if disputed.outcome in ("won", "relapsed"):
            yield from some(self.chance, told("closed", "won"), told("funds_reinstated", "won"))
            self.later()
        if disputed.outcome in ("lost", "relapsed"):
            yield told("closed", "lost")


class _PayPal(_Teller):
    topic = ""
    payment_id = ""

    def tell(self) -> Iterator[Told]:
        yield self.paid()
        for index, cents in enumerate(self.payment.refunds):
            yield self.given_back(cents, f"REF{self.number}{index}", "REFUNDED")
        told = [self._disputed(index, disputed) for index, disputed in enumerate(self.payment.disputes)]
        reversals = [
            self.given_back(disputed.cents, f"REV{self.number}{index}", "REVERSED")
            for index, disputed in enumerate(self.payment.disputes)
            if disputed.lost_cents
        ]
        # Either teller may be subscribed to alone; beside the disputes any of the reversals may be missing.
        if reversals and self.chance.random() < 0.3:
            yield from reversals
            return
        for events in told:
            yield from events
        yield from (one for one in reversals if self.chance.random() < 0.5)

    def paid(self) -> Told:
        raise NotImplementedError

    def given_back(self, cents: int, reference: str, kind: str) -> Told:
        raise NotImplementedError

    def _disputed(self, index: int, disputed: Dispute) -> list[Told]:
        opened = self.later()

        def told(kind: str, stage: str, outcome: str | None = None) -> Told:
            resource = by_paypal.disputed(kind, 1, stage, outcome)["resource"]
            resource |= {
                "dispute_id": f"PP-{self.number}-{index}",
                "create_time": moment(opened),
                "update_time": moment(self.second),
                "dispute_amount": self._amount(disputed.cents),
                "disputed_transactions": [{"seller_transaction_id": self.payment_id}],
            }
            return self.vendors.paypal(f"CUSTOMER.DISPUTE.{kind}", resource, self.second)

        if disputed.outcome == "inquiry":
            return [told("CREATED", "INQUIRY")]
        events = some(self.chance, told("CREATED", "CHARGEBACK"), told("UPDATED", "ARBITRATION"))
        if disputed.outcome == "open":
            return events
        events = events if self.chance.random() < 0.7 else []
        outcomes = {
            "won": ["RESOLVED_SELLER_FAVOUR"],
            "lost": ["RESOLVED_BUYER_FAVOUR"],
            "relapsed": ["CANCELED_BY_BUYER", "ACCEPTED"],
        }
        for outcome in outcomes[disputed.outcome]:
            self.later()
            events.append(told("RESOLVED", "CHARGEBACK", outcome))
        return events

    def _amount(self, cents: int) -> dict[str, str]:
        return {"value": self.vendors.decimal(cents), "currency_code": self.vendors.currency}


class _Capture(_PayPal):
    def paid(self) -> Told:
        self.payment_id = f"CAP{self.number:014}"
        resource = by_paypal.captured()["resource"] | {
            "id": self.payment_id,
            "amount": self._amount(self.payment.captured_cents),
            "create_time": moment(self.second),
            "custom_id": self.order_id,
        }
        return self.vendors.paypal("PAYMENT.CAPTURE.COMPLETED", resource, self.second + 5)

    def given_back(self, cents: int, reference: str, kind: str) -> Told:
        resource = by_paypal.given_back("1", 1, "WH-1", capture=self.payment_id)["resource"]
        told = {"id": reference, "amount": self._amount(cents), "create_time": moment(self.later())}
        return self.vendors.paypal(f"PAYMENT.CAPTURE.{kind}", resource | told, self.second + 5)


class _Sale(_PayPal):
    def paid(self) -> Told:
        self.payment_id = f"SALE{self.number:013}"
        resource = by_paypal.sold()["resource"] | {
            "id": self.payment_id,
            "amount": self._total(self.payment.captured_cents),
            "parent_payment": f"PAY-{self.number}",
            "create_time": moment(self.second),
            "invoice_number": self.order_id,
        }
        return self.vendors.paypal("PAYMENT.SALE.COMPLETED", resource, self.second + 5)

    def given_back(self, cents: int, reference: str, kind: str) -> Told:
        names_sale = self.chance.random() < 0.7
        link = {"href": f"{API}/v1/payments/sale/{self.payment_id}", "rel": "sale"}
        resource = by_paypal.sale_given_back("1", 1, "WH-1")["resource"] | {
            "id": reference,
            "amount": self._total(cents, "-" if self.chance.random() < 0.5 else ""),
            "create_time": moment(self.later()),
            "parent_payment": f"PAY-{self.number}",
            "sale_id": self.payment_id if names_sale else None,
            "links": [link] if names_sale else [],
        }
        return self.vendors.paypal(f"PAYMENT.SALE.{kind}", resource, self.second + 5)

    def _total(self, cents: int, sign: str = "") -> dict[str, str]:
        return {"total": sign + self.vendors.decimal(cents), "currency": self.vendors.currency}
