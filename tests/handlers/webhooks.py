"""A shop with signed webhooks, and a look at what the database holds afterwards."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text

from skeldir.commands import provisioning
from skeldir.commands.provisioning import NewTenant
from skeldir.db.session import tenant_session
from skeldir.repository.endpoints import VENDORS
from tests.asgi import Api
from tests.lives.book import Sums
from tests.vendors import paypal_authority

TENANT_TABLES = (
    "deliveries", "events", "facts", "order_links", "payment_aliases", "order_hints", "orders",
    "ledger_entries", "dead_letters", "touchpoints", "dirty_marks",
)  # fmt: skip


@dataclass(frozen=True)
class Shop:
    """A tenant, and vendors that deliver to it over the wire."""

    api: Api
    tenant: NewTenant

    @property
    def tenant_id(self) -> UUID:
        """Return the tenant's id."""
        return self.tenant.tenant_id

    def key(self, vendor: str) -> str:
        """Return the key in a vendor's address."""
        return next(new.endpoint.key for new in self.tenant.endpoints if new.endpoint.vendor == vendor)

    def secret(self, vendor: str) -> bytes:
        """Return the secret that a vendor signs with."""
        return next(new.secret.encode() for new in self.tenant.endpoints if new.endpoint.vendor == vendor)

    def shopify(self, topic: str, payload: Any, **headers: str) -> httpx.Response:
        """Deliver as Shopify does."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return self.post(
            f"/api/webhooks/shopify/in/{self.key('shopify')}", body, self.by_shopify(body, topic) | headers
        )

    def by_shopify(self, body: bytes, topic: str) -> dict[str, str]:
        """Return the headers that Shopify sends."""
        digest = base64.b64encode(hmac.new(self.secret("shopify"), body, hashlib.sha256).digest()).decode()
        return {
            "X-Shopify-Hmac-SHA256": digest,
            "X-Shopify-Topic": topic,
            "X-Shopify-Shop-Domain": "a.example",
        }

    def woocommerce(self, topic: str, payload: Any, **headers: str) -> httpx.Response:
        """Deliver as WooCommerce does."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        path = f"/api/webhooks/woocommerce/in/{self.key('woocommerce')}"
        return self.post(path, body, self.by_woocommerce(body, topic) | headers)

    def by_woocommerce(self, body: bytes, topic: str, secret: bytes | None = None) -> dict[str, str]:
        """Return the headers that WooCommerce sends."""
        key = secret or self.secret("woocommerce")
        return {
            "X-WC-Webhook-Signature": base64.b64encode(hmac.digest(key, body, "sha256")).decode(),
            "X-WC-Webhook-Topic": topic,
            "X-WC-Webhook-Resource": topic.partition(".")[0],
            "X-WC-Webhook-Delivery-ID": "5f4dcc3b5aa765d61d8327deb882cf99",
        }

    def stripe(self, event: Any, **headers: str) -> httpx.Response:
        """Deliver as Stripe does."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        return self.post(
            f"/api/webhooks/stripe/in/{self.key('stripe')}", body, self.by_stripe(body) | headers
        )

    def by_stripe(self, body: bytes, at: int | None = None) -> dict[str, str]:
        """Return the headers that Stripe sends."""
        when = int(datetime.now(UTC).timestamp()) if at is None else at
        digest = hmac.new(self.secret("stripe"), f"{when}.".encode() + body, hashlib.sha256).hexdigest()
        return {"Stripe-Signature": f"t={when},v1={digest}"}

    def paypal(self, event: Any, **headers: str) -> httpx.Response:
        """Deliver as PayPal does."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        return self.post(
            f"/api/webhooks/paypal/in/{self.key('paypal')}", body, self.by_paypal(body) | headers
        )

    def by_paypal(self, body: bytes, at: datetime | None = None) -> dict[str, str]:
        """Return the headers that PayPal sends."""
        return paypal_authority.signed(body, self.secret("paypal"), at)

    def custom(self, event: Any, **headers: str) -> httpx.Response:
        """Deliver as a custom sender does."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        return self.post(
            f"/api/webhooks/custom/in/{self.key('custom')}", body, self.by_custom(body) | headers
        )

    def by_custom(self, body: bytes, message_id: str | None = None, at: int | None = None) -> dict[str, str]:
        """Return the headers that a library of the Standard Webhooks specification sends."""
        when = int(datetime.now(UTC).timestamp()) if at is None else at
        named = message_id or f"msg_{hashlib.sha256(body).hexdigest()[:24]}"
        key = base64.b64decode(self.secret("custom").removeprefix(b"whsec_"))
        digest = hmac.digest(key, f"{named}.{when}.".encode() + body, "sha256")
        return {
            "webhook-id": named,
            "webhook-timestamp": str(when),
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """Send a body as it is."""
        return self.api.send(
            "POST", path, content=body, headers={"Content-Type": "application/json", **headers}
        )

    def rows(self, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Read as the API does."""
        with tenant_session(self.tenant_id, read_only=True) as session:
            return [tuple(row) for row in session.execute(text(statement), parameters)]

    def entries(self) -> list[tuple[Any, ...]]:
        """Return what is booked: order, kind, amount, currency and day, oldest first."""
        return self.rows("""
            SELECT order_id, kind, amount_cents, currency, CAST(effective_at AT TIME ZONE 'UTC' AS date)::text
              FROM ledger_entries WHERE kind <> 'authorised' ORDER BY effective_at, order_id, kind, correction
        """)

    def sums(self) -> Sums:
        """Return what is booked per order, kind, currency and day; what adds up to nothing is left out."""
        found = self.rows("""
            SELECT order_id, kind, currency, CAST(effective_at AT TIME ZONE 'UTC' AS date),
                   sum(amount_cents)::bigint
              FROM ledger_entries GROUP BY 1, 2, 3, 4 HAVING sum(amount_cents) <> 0
        """)
        return {row[:4]: int(row[4]) for row in found}

    def net(self) -> dict[str, int]:
        """Return net revenue per currency."""
        found = self.rows("SELECT currency, sum(effect_cents)::bigint FROM ledger_entries GROUP BY currency")
        return {str(currency): int(cents) for currency, cents in found}

    def counts(self) -> dict[str, int]:
        """Count the rows of every table that a delivery may write, leaving out the empty ones."""
        found = {table: self.rows(f"SELECT count(*) FROM {table}")[0][0] for table in TENANT_TABLES}
        return {table: count for table, count in found.items() if count}

    def everything(self) -> str:
        """Return all that is stored of the tenant's deliveries, as one text."""
        return "".join(
            str(self.rows(f"SELECT to_jsonb(t) FROM {table} AS t ORDER BY 1")) for table in TENANT_TABLES
        )


def open_shop(api: Api) -> Shop:
    """Provision a tenant with an endpoint for each vendor."""
    return Shop(api, provisioning.create_tenant("A shop", VENDORS))


@contextmanager
def receipt(reply: httpx.Response) -> Iterator[dict[str, Any]]:
    """Offer the receipt of a delivery that was accepted."""
    assert reply.status_code == 200, reply.text
    yield reply.json()
