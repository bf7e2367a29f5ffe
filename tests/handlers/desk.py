"""Somebody who looks after a shop's dead letters, for tests on the wire."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from skeldir.domain import money
from skeldir.domain.currencies import EXPONENTS
from tests.asgi import Api
from tests.handlers.webhooks import Shop, open_shop
from tests.identity import log_in, make_user
from tests.vendors.payloads import shopify_order

PATH = "/api/webhooks/dead-letters"
WITHOUT_DOLLARS = {code: digits for code, digits in EXPONENTS.items() if code != "USD"}


class Desk:
    """A shop, and somebody who looks after its dead letters."""

    def __init__(self, api: Api) -> None:
        self.shop: Shop = open_shop(api)
        self.user = make_user(self.shop.tenant_id, "manager")
        self.token = log_in(self.user).tokens.access.token

    def get(self, path: str = "", **params: Any) -> httpx.Response:
        """Ask as the manager."""
        return self.shop.api.send("GET", PATH + path, token=self.token, params=params)

    def post(self, path: str, **body: Any) -> httpx.Response:
        """Act as the manager."""
        return self.shop.api.send("POST", PATH + path, token=self.token, json=body)

    def break_one(self, monkeypatch: pytest.MonkeyPatch, order_id: int = 1, **changes: Any) -> UUID:
        """Have an order become a dead letter, which can be booked afterwards."""
        with monkeypatch.context() as broken:
            broken.setattr(money, "EXPONENTS", WITHOUT_DOLLARS)
            told = self.shop.shopify("orders/paid", shopify_order(order_id, **changes)).json()
        assert told["reason_code"] == "currency_unknown"
        return UUID(told["dead_letter_id"])

    def state(self) -> str:
        """Return everything that is stored, except the trail of attempts."""
        return self.shop.everything()

    def trail(self) -> list[tuple[Any, ...]]:
        """Return who tried what."""
        return self.shop.rows(
            "SELECT user_id, is_dry_run, outcome, reason_code, reason_field, note"
            "  FROM dead_letter_attempts ORDER BY attempted_at, attempt_id"
        )


def code_of(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["code"]


def replay_all(desk: Desk, **body: Any) -> list[dict[str, Any]]:
    """Replay batch by batch, until there is no next one."""
    results: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        reply = desk.post("/replay", **body, **cursor)
        assert reply.status_code == 200, reply.text
        results.append(reply.json())
        if results[-1]["next_cursor"] is None:
            return results
        cursor = {"cursor": results[-1]["next_cursor"]}
