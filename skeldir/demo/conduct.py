"""Tells the story to a running service, as a shop's servers and vendors would, and asks for the answer."""

import csv
import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Self

import httpx

from skeldir.demo.deliveries import Delivery, deliveries
from skeldir.demo.story import Order, ad_spend, expected_net, orders, visits

MODELS: Final = ("first_touch", "last_touch", "last_non_direct", "linear")
ANSWER_SECONDS: Final = 45.0
POLL_SECONDS: Final = 0.25
BATCH: Final = 100

Json = dict[str, Any]
Advance = Callable[[int, int], None]
"""Told how much of how much is done."""


class DemoFailed(Exception):
    """The service did not do what the story expects of it."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One webhook and what the service answered at once."""

    delivery: Delivery
    status: int
    answer: Json


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service says in the end."""

    reports: Mapping[str, Json]
    ledger: Json
    expected_net: Mapping[str, int]
    performance: Json = field(default_factory=dict)
    """What advertising brought for its money, by channel and campaign."""
    expected_spend_cents: int = 0


class Shop:
    """The shop, its vendors and its analyst: everybody who talks to the service from outside."""

    def __init__(self, base_url: str, facts: Json) -> None:
        """`facts` are those that `skeldir up --json` prints."""
        self._client = httpx.Client(base_url=base_url, timeout=30, trust_env=False)
        self._facts = facts
        self._orders: Sequence[Order] = orders(datetime.now(UTC))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def record_touchpoints(self, advance: Advance) -> int:
        """Record every touch of every journey, in batches, with the tenant's key."""
        told = [visit.told() for visit in visits(self._orders)]
        headers = {"X-Skeldir-Tenant-Key": self._facts["tenant_key"]}
        for start in range(0, len(told), BATCH):
            batch = {"touchpoints": told[start : start + BATCH]}
            reply = self._client.post("/api/attribution/touchpoints", json=batch, headers=headers)
            _expect(reply, 200)
            advance(min(start + BATCH, len(told)), len(told))
        return len(told)

    def deliver(self, advance: Advance) -> list[Sent]:
        """Send every webhook in its order, signed as its vendor signs."""
        month = deliveries(self._orders)
        sent = []
        for done, delivery in enumerate(month, 1):
            sent.append(self._send(delivery))
            advance(done, len(month))
        return sent

    def answer(self, advance: Advance, check: Callable[[], None]) -> Answer:
        """Wait until nothing is pending under any model, and return the figures.

        `check` raises when a process of the service has died: then there is nothing to wait for.
        """
        login = self._client.post("/api/auth/login", json=self._facts["login"])
        _expect(login, 200)
        self._client.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            check()
            reports = {model: self._get("/api/attribution/channels", model=model) for model in MODELS}
            pending = sum(abs(part["pending_cents"]) for part in _parts(reports))
            booked = sum(abs(part["ledger_net_cents"]) for part in _parts(reports))
            advance(booked - pending, booked)
            if booked and not pending:
                ledger = self._get("/api/attribution/ledger")
                return Answer(reports, ledger, expected_net(self._orders), *self._performance())
            if time.monotonic() > deadline:
                raise DemoFailed(f"After {ANSWER_SECONDS:.0f} seconds something is still pending.")
            time.sleep(POLL_SECONDS)

    def _performance(self) -> tuple[Json, int]:
        """Import what the month's advertising cost, and ask what it brought; return that and the cost."""
        rows = ad_spend(self._orders)
        table = io.StringIO(newline="")
        writer = csv.DictWriter(table, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        reply = self._client.post(
            "/api/attribution/ad-spend/imports",
            content=table.getvalue().encode(),
            headers={"Content-Type": "text/csv"},
        )
        _expect(reply, 200)
        brought = self._get("/api/attribution/performance", group_by="campaign", currency="EUR")
        return brought, sum(int(row["cost_cents"]) for row in rows)

    def _send(self, delivery: Delivery) -> Sent:
        hook = self._facts["webhook"][delivery.vendor]
        headers = delivery.headers(hook["secret"], time.time())
        reply = self._client.post(hook["ingress_url"], content=delivery.body, headers=headers)
        _expect(reply, 401 if delivery.mishap == "forged" else 200)
        return Sent(delivery, reply.status_code, reply.json())

    def _get(self, path: str, **parameters: str) -> Json:
        reply = self._client.get(path, params=parameters)
        _expect(reply, 200)
        answer: Json = reply.json()
        return answer


def _parts(reports: Mapping[str, Json]) -> Iterator[Json]:
    return (part for report in reports.values() for part in report["currencies"])


def _expect(reply: httpx.Response, status: int) -> None:
    if reply.status_code != status:
        what = f"{reply.request.method} {reply.request.url.path}"
        raise DemoFailed(f"{what} was answered with {reply.status_code}, not {status}: {reply.text[:500]}")
