"""Vendors' dispatchers: several at once, each delivery sent again until it is answered with 200."""

import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Any
from uuid import UUID

from skeldir.vendors.kept import Kept, read_again
from tests.handlers.senders import Sender
from tests.handlers.webhooks import Shop
from tests.lives.book import Book, Sums
from tests.wire import Wire, plain

ANSWER_SECONDS_MAX = 10.0  # as the more patient of the vendors wait
REST_SECONDS = 0.05


@dataclass(frozen=True)
class Delivery:
    """What one dispatcher has to bring to somebody."""

    shop: Shop
    sender: Sender
    topic: str
    body: bytes


def truth(told: Iterable[Delivery]) -> Sums:
    """Return what a ledger must add up to, worked out in memory from everything that was told."""
    book = Book()
    for one in told:
        kept = Kept(one.sender.vendor, one.topic, json.loads(one.body), "an id", datetime.now(UTC))
        book.keep(read_again(kept))
    book.settle()
    return book.daily_sums()


@dataclass
class Storm:
    """Deliveries under way, and every answer that was ever given."""

    port: int
    total: int
    receipts: dict[tuple[UUID, str], Any] = field(default_factory=dict)
    statuses: Counter[int | str] = field(default_factory=Counter)
    accepted: int = 0
    failure: BaseException | None = None
    _waiting: SimpleQueue[Delivery] = field(default_factory=SimpleQueue)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self, deliveries: Iterable[Delivery], clients: int) -> None:
        """Let the dispatchers loose."""
        for delivery in deliveries:
            self._waiting.put(delivery)
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def wait_for(self, accepted: int, seconds: float) -> None:
        """Wait until so many deliveries have been accepted; fails when that takes too long."""
        with self._changed:
            reached = self._changed.wait_for(lambda: self.failure or self.accepted >= accepted, seconds)
        if self.failure is not None:
            raise self.failure
        assert reached, f"{self.accepted} of {accepted} accepted in time: {self.statuses}"

    def _work(self) -> None:
        wire = Wire(self.port, seconds_max=ANSWER_SECONDS_MAX)
        try:
            while self.accepted < self.total and self.failure is None:
                try:
                    delivery = self._waiting.get(timeout=REST_SECONDS)
                except Empty:
                    continue
                if not self._sent(wire, delivery):
                    self._waiting.put(delivery)
                    threading.Event().wait(REST_SECONDS)
        except BaseException as error:  # noqa: BLE001 - raised again where the end is awaited
            with self._changed:
                self.failure = error
                self._changed.notify_all()
        finally:
            wire.close()

    def _sent(self, wire: Wire, delivery: Delivery) -> bool:
        """Send once, signed anew as vendors do; True when it was accepted."""
        shop, sender = delivery.shop, delivery.sender
        headers = [
            (b"Content-Type", b"application/json"),
            *plain(sender.sign(shop, delivery.body, delivery.topic)),
        ]
        try:
            answer = wire.send(b"POST", sender.path(shop).encode(), headers, delivery.body)
        except (OSError, http.client.HTTPException) as error:
            wire.close()
            self._count(type(error).__name__)
            return False
        self._count(answer.status)
        if answer.status != http.client.OK:
            assert answer.status == http.client.SERVICE_UNAVAILABLE, answer
            return False
        receipt = json.loads(answer.body)
        with self._changed:
            known = self.receipts.setdefault((shop.tenant_id, receipt["delivery_id"]), receipt)
            assert known == receipt
            self.accepted += 1
            self._changed.notify_all()
        return True

    def _count(self, status: int | str) -> None:
        with self._changed:
            self.statuses[status] += 1
