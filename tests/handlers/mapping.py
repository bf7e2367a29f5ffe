"""A shop whose touches and orders come in, whose rules change, and whose marks can be drained."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from skeldir.domain.models import MODELS
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop
from tests.identity import log_in, make_user
from tests.vendors.payloads import shopify_refund
from workers.attribution import attribute_marked
from workers.channels import reclassify_touches

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WINDOW = {"window_start": "2026-11-01T00:00:00Z", "window_end": "2026-12-01T00:00:00Z"}
NAMES = UUID(int=7)
RUNS_MAX = 5
ORIGINS: tuple[dict[str, str], ...] = (
    {"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "brand"},
    {"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "generic"},
    {"utm_source": "partnerx", "utm_medium": "cpc"},
    {"utm_source": "PartnerX", "utm_medium": "banner", "utm_campaign": "generic"},
    {"utm_source": "newsletter", "utm_medium": "email"},
    {"referrer_host": "blog.partner.example"},
    {"click_id": "li_fat_id"},
    {},
)

Touch = dict[str, Any]


class MappedShop:
    """A tenant, told of touches and orders over the wire, and a manager who maps its channels."""

    def __init__(self, api: Api, database: Database) -> None:
        self.api, self.database = api, database
        self.shop: Shop = open_shop(api)
        self.tenant_id = self.shop.tenant_id
        self.token = log_in(make_user(self.tenant_id, "manager")).tokens.access.token
        made = {
            "channel_code": "podcast",
            "channel_name": "P",
            "family": "audio",
            "is_paid": True,
            "reason": "r",
        }
        self.send("POST", "/api/channels", made, 201)
        self.send("POST", "/api/channels/podcast/transitions", {"to_state": "active", "reason": "r"}, 201)

    def send(self, method: str, path: str, body: Any = None, status: int = 200) -> dict[str, Any]:
        """Send a request as the manager; the status is asserted."""
        options = {} if method == "GET" else {"json": body}
        reply = self.api.send(method, path, token=self.token, **options)
        assert reply.status_code == status, reply.text
        answer: dict[str, Any] = reply.json()
        return answer

    def touch(self, *touches: Touch) -> None:
        """Record touches."""
        self.send("POST", "/api/attribution/touchpoints", {"touchpoints": list(touches)})

    def order(self, order: dict[str, Any]) -> None:
        """Deliver an order as its shop does."""
        assert self.shop.shopify("orders/paid", order).json()["outcome"] == "booked"

    def refund(self, order: dict[str, Any]) -> None:
        """Deliver a refund of some of an order."""
        money = {
            "id": 91,
            "kind": "refund",
            "status": "success",
            "amount": "0.77",
            "currency": order["currency"],
        }
        at = {"created_at": order["created_at"], "transactions": [money | {"parent_id": 90}]}
        refund = shopify_refund(order["id"] + 1_000, order["id"], **at)
        assert self.shop.shopify("refunds/create", refund).json()["outcome"] == "booked"

    def dry_run(self, rules: list[dict[str, str]], **changes: Any) -> dict[str, Any]:
        """Ask what rules would change."""
        version = self.send("GET", "/api/channel-rules")["version"]
        body = {"based_on_version": version, "rules": rules} | WINDOW | changes
        return self.send("POST", "/api/channel-rules/dry-runs", body)

    def put(self, rules: list[dict[str, str]]) -> dict[str, Any]:
        """Put rules in force, after a dry run of no time at all."""
        dry = self.dry_run(rules, window_start=WINDOW["window_start"], window_end="2026-11-01T00:00:01Z")
        body = {"rules": rules, "reason": "We know better."}
        body |= {name: dry[name] for name in ("based_on_version", "dry_run_token")}
        return self.send("PUT", "/api/channel-rules", body)

    def correct(self, to_channel: str, **which: str) -> None:
        """Correct a touch."""
        body = {"to_channel": to_channel, "reason": "I saw it."} | which
        self.send("POST", "/api/channels/corrections", body, 201)

    def walk(self) -> None:
        """Apply the rules in force to what is stored."""
        reclassify_touches.apply(kwargs={"tenant_id": str(self.tenant_id)}, throw=True)

    def attribute(self) -> None:
        """Attribute what is marked, as if the marks had rested."""
        with self.database.connect() as connection:
            connection.execute(
                "UPDATE dirty_marks SET marked_at = marked_at - interval '1 hour' WHERE tenant_id = %s",
                [self.tenant_id],
            )
        attribute_marked.apply(kwargs={"tenant_id": str(self.tenant_id)}, task_id=str(uuid4()), throw=True)

    def drain(self) -> None:
        """Do all that there is to do."""
        self.walk()
        for _ in range(RUNS_MAX):
            if not self.shop.rows("SELECT 1 FROM dirty_marks LIMIT 1"):
                return
            self.attribute()
        raise AssertionError("the marks do not drain")

    def allocations(self) -> list[tuple[Any, ...]]:
        """Return who is credited with what under every model, by names that tenants share."""
        found = self.shop.rows("""
            SELECT split_part(model_version, '.', 1), order_id, kind, effect_cents, channel_code, campaign_id,
                   allocated_cents, touch_count
              FROM allocations JOIN ledger_entries USING (tenant_id, entry_id, order_id)
             ORDER BY 1, 2, 3, 4, 5, 6
        """)
        assert {row[0] for row in found} == set(MODELS)
        return found

    def channels(self) -> list[tuple[Any, ...]]:
        """Return every touch's channel."""
        return self.shop.rows("""
            SELECT CAST(touchpoint_id AS text), channel_code FROM touchpoints
             UNION ALL
            SELECT order_id, hint_channel_code FROM orders WHERE hint_touchpoint_id IS NOT NULL
             ORDER BY 1
        """)

    def report(self) -> dict[tuple[str, str], int]:
        """Return revenue by channel and currency, of the window, under the default model."""
        query = "model=linear&start_date=2026-11-01&end_date=2026-11-30"
        currencies = self.send("GET", f"/api/attribution/channels?{query}")["currencies"]
        assert all(one["pending_cents"] == 0 for one in currencies)
        return {
            (channel["channel_code"], one["currency"]): channel["revenue_cents"]
            for one in currencies
            for channel in one["channels"]
        }


def told(seed: int, journeys: int) -> tuple[list[Touch], list[dict[str, Any]]]:
    """Make touches and orders of some journeys; some orders hint at a touch of their own."""
    chance = random.Random(seed)
    touches, orders = [], []
    for number in range(journeys):
        for nth in range(chance.choice((0, 1, 2, 3, 5))):
            at = NOON - timedelta(days=chance.randrange(1, 15), minutes=nth)
            name = str(uuid5(NAMES, f"{seed}-{number}-{nth}"))
            touches.append(
                {"touchpoint_id": name, "journey_id": f"j-{number}", "occurred_at": at.isoformat()}
                | chance.choice(ORIGINS)
            )
        hint = chance.choice((*ORIGINS[:5], {}))
        notes = {"journey_id": f"j-{number}"} | hint
        orders.append(
            {
                "id": 5_000 + number,
                "total_price": f"{chance.randrange(1, 30_000)}.{chance.randrange(10, 99)}",
                "currency": chance.choice(("EUR", "USD")),
                "created_at": (NOON + timedelta(minutes=number)).isoformat(),
                "updated_at": (NOON + timedelta(minutes=number)).isoformat(),
                "financial_status": "paid",
                "order_number": number,
                "note_attributes": [{"name": name, "value": value} for name, value in notes.items()],
            }
        )
    return touches, orders
