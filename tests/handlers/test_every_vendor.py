"""What holds for each vendor alike: who is believed, and what becomes of one delivery told again or ill."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from skeldir.app import create_app
from skeldir.commands import provisioning
from skeldir.settings import get_settings
from skeldir.vendors.secrets import new_secret
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.senders import SENDERS, Sender
from tests.handlers.webhooks import Shop, open_shop, receipt
from tests.vendors.paypal_authority import trusted

EVERY = pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.vendor)
UNTOLD = {
    "shopify": "id",
    "woocommerce": "id",
    "stripe": "created",
    "paypal": "create_time",
    "custom": "timestamp",
}


@dataclass(frozen=True)
class Impostor(Shop):
    """A shop whose vendors sign with another secret than its own."""

    other: str = ""

    def secret(self, vendor: str) -> bytes:  # noqa: ARG002  (every vendor signs with it)
        """Return the other secret."""
        return self.other.encode()


@pytest.fixture(scope="module")
def api(database: Database) -> Api:  # noqa: ARG001  (the settings point to it)
    return Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture(autouse=True)
def _post() -> Iterator[None]:
    with trusted():
        yield


@pytest.fixture
def shop(api: Api) -> Shop:
    return open_shop(api)


def money(sender: Sender) -> tuple[str, dict[str, Any]]:
    """Return the last that is told of an order: something about money."""
    return list(sender.life(1))[-1]


@EVERY
def test_one_delivery_told_twice_is_booked_once_and_answered_alike(shop: Shop, sender: Sender) -> None:
    first, second = (sender.deliver(shop, *money(sender)) for _ in range(2))

    assert first.json() == second.json()
    assert first.json()["outcome"] == "booked"
    assert shop.rows("SELECT redeliveries FROM deliveries") == [(1,)]
    assert shop.counts()["events"] == 1


@EVERY
def test_a_life_told_backwards_ends_as_the_one_told_in_order(api: Api, sender: Sender) -> None:
    ends = []
    for step in (1, -1):
        shop = open_shop(api)
        for told in list(sender.life(10))[::step]:
            sender.deliver(shop, *told)
        ends.append(shop.net())

    assert ends[0] == ends[1]
    assert next(iter(ends[0].values())) > 0


@EVERY
def test_a_secret_of_somebody_else_opens_nothing(shop: Shop, sender: Sender) -> None:
    impostor = Impostor(shop.api, shop.tenant, new_secret(sender.vendor))

    assert sender.deliver(impostor, *money(sender)).status_code == 401
    assert shop.counts() == {}


@EVERY
def test_a_rotated_secret_works_beside_the_new_one_until_it_is_retired(shop: Shop, sender: Sender) -> None:
    second, third = new_secret(sender.vendor), new_secret(sender.vendor)
    signers = [shop, *(Impostor(shop.api, shop.tenant, secret) for secret in (second, third))]

    def statuses() -> list[int]:
        return [sender.deliver(signer, *money(sender)).status_code for signer in signers]

    provisioning.set_secret(shop.tenant_id, sender.vendor, second, timedelta(hours=1))
    assert statuses() == [200, 200, 401]

    provisioning.set_secret(shop.tenant_id, sender.vendor, third, timedelta())
    assert statuses() == [401, 401, 200]


@EVERY
@pytest.mark.parametrize(
    ("value", "reason"), [(None, "missing_required_field"), ("\u00e4 o'clock", "malformed_value")]
)
def test_a_field_that_is_missing_or_malformed_makes_a_dead_letter_that_names_it(
    shop: Shop, sender: Sender, value: str | None, reason: str
) -> None:
    topic, payload = money(sender)
    field = UNTOLD[sender.vendor]
    with receipt(sender.deliver(shop, topic, payload | {field: value})) as told:
        assert (told["reason_code"], told["reason_field"]) == (reason, field)

    assert shop.counts() == {"deliveries": 1, "dead_letters": 1}


@EVERY
def test_a_topic_that_nobody_reads_makes_a_dead_letter(shop: Shop, sender: Sender) -> None:
    _, payload = money(sender)
    renamed = {field: "some.news" for field in ("type", "event_type") if field in payload}
    with receipt(sender.deliver(shop, "some.news", payload | renamed)) as told:
        assert told["reason_code"] == "unknown_provider_event"

    assert shop.counts() == {"deliveries": 1, "dead_letters": 1}
