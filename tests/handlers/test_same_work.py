"""Whatever is wrong with a key or a signature, the answer and the work behind it are the same."""

import base64
import hmac
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import event

from handlers.webhooks import authentication
from skeldir.app import create_app
from skeldir.commands import provisioning
from skeldir.db.session import lookup_session, tenant_session
from skeldir.repository import endpoints
from skeldir.settings import get_settings
from skeldir.vendors import paypal_signatures, standard_webhooks
from skeldir.vendors.secrets import new_secret
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.senders import SENDERS, Sender
from tests.handlers.webhooks import Shop, open_shop
from tests.vendors import paypal_authority

EACH_VENDOR = pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.vendor)


@pytest.fixture(scope="module")
def api(database: Database) -> Iterator[Api]:  # noqa: ARG001  (the settings point to it)
    with paypal_authority.trusted():
        yield Api(create_app(get_settings().model_copy(update={"validate_responses": True})))


@pytest.fixture
def shop(api: Api) -> Shop:
    return open_shop(api)


@pytest.fixture
def work(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Count what is done: statements by their text, secrets opened, MACs made, signatures verified."""
    done: Counter[str] = Counter()

    def counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def count(*arguments: Any, **options: Any) -> Any:
            done[name] += 1
            return function(*arguments, **options)

        return count

    def statement(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        done[text] += 1

    for module, name in (
        (hmac, "digest"),
        (paypal_signatures, "_is_signed"),
        (standard_webhooks, "_verifies"),
        (authentication, "unseal"),
        (endpoints, "unseal"),
    ):
        monkeypatch.setattr(module, name, counted(name, getattr(module, name)))
    engine = database.engine("app_user")
    event.listen(engine, "before_cursor_execute", statement)
    yield done
    event.remove(engine, "before_cursor_execute", statement)


def refused(
    shop: Shop, sender: Sender, key: str, changes: dict[str, str], work: Counter[str], *, alias: str = ""
) -> Counter[str]:
    """Have a delivery refused; return the work that it took."""
    topic, payload = next(sender.life(1))
    body = json.dumps(payload).encode()
    headers = sender.sign(shop, body, topic) | changes
    path = f"/api/webhooks/{sender.vendor}/{alias or f'in/{key}'}"
    work.clear()

    reply = shop.post(path, body, headers | ({"X-Skeldir-Tenant-Key": key} if alias else {}))

    assert (reply.status_code, reply.json()["detail"]) == (401, "The key or the signature is not right.")
    return Counter(work)


def wrong(sender: Sender, shop: Shop) -> dict[str, str]:
    """Return the vendor's signature header with a signature of something else."""
    topic, payload = next(sender.life(2))
    name = sender.signed_headers[2 if sender.vendor in ("paypal", "custom") else 0]
    return {name: sender.sign(shop, json.dumps(payload).encode(), topic)[name]}


@EACH_VENDOR
def test_nobodys_key_costs_what_a_wrong_signature_costs(
    shop: Shop, sender: Sender, work: Counter[str]
) -> None:
    """The statements, the secrets opened and the signatures computed do not tell which endpoints exist."""
    forged, key = wrong(sender, shop), shop.key(sender.vendor)
    of_nobody = refused(shop, sender, "ske_nobody", forged, work)
    of_another_vendor = refused(
        shop, sender, shop.key("stripe" if sender.vendor == "shopify" else "shopify"), forged, work
    )
    with_one_secret = refused(shop, sender, key, forged, work)
    provisioning.set_secret(shop.tenant_id, sender.vendor, new_secret(sender.vendor), timedelta(hours=1))
    with_two_secrets = refused(shop, sender, key, forged, work)
    with tenant_session(shop.tenant_id) as session:
        waiting = endpoints.create(session, sender.vendor)
    without_a_secret = refused(shop, sender, waiting.key, forged, work)

    assert of_nobody["unseal"] == 2
    assert of_nobody["_is_signed" if sender.vendor == "paypal" else "digest"] >= 2
    for other in (of_another_vendor, with_one_secret, with_two_secrets, without_a_secret):
        assert other == of_nobody
    assert shop.counts() == {}

    assert sender.deliver(shop, *next(sender.life(1))).status_code == 200
    assert refused(shop, sender, key, forged, work) == of_nobody  # of one that is remembered


@pytest.mark.parametrize(
    ("vendor", "alias"),
    [
        ("shopify", "orders/paid"),
        ("woocommerce", "order/updated"),
        ("stripe", "charge/succeeded"),
        ("paypal", "sale_completed"),
    ],
)
def test_nobodys_tenant_key_costs_what_a_wrong_signature_costs(
    shop: Shop, work: Counter[str], vendor: str, alias: str
) -> None:
    sender = next(sender for sender in SENDERS if sender.vendor == vendor)
    forged, key = wrong(sender, shop), shop.tenant.key
    of_nobody = refused(shop, sender, "skt_nobody", forged, work, alias=alias)
    with_one_secret = refused(shop, sender, key, forged, work, alias=alias)
    provisioning.set_secret(shop.tenant_id, sender.vendor, new_secret(vendor), timedelta(hours=1))

    assert of_nobody["unseal"] == 2
    assert of_nobody == with_one_secret == refused(shop, sender, key, forged, work, alias=alias)


def test_the_kind_of_a_custom_secret_does_not_show_either(shop: Shop, work: Counter[str]) -> None:
    sender = next(sender for sender in SENDERS if sender.vendor == "custom")
    both = {"webhook-signature": f"v1,{'A' * 43}= v1a,{'A' * 86}=="}
    with_a_secret = refused(shop, sender, shop.key("custom"), both, work)
    key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    public = f"whpk_{base64.b64encode(key).decode()}"
    provisioning.set_secret(shop.tenant_id, "custom", public, timedelta())

    with_a_public_key = refused(shop, sender, shop.key("custom"), both, work)

    assert with_a_secret["_verifies"] == 4
    assert with_a_public_key == with_a_secret == refused(shop, sender, "ske_nobody", both, work)


@EACH_VENDOR
def test_the_former_secret_opens_beside_the_new_one_and_is_tried_second(shop: Shop, sender: Sender) -> None:
    """Also for the vendors that sign with one secret at a time, whichever they have got to."""
    topic, payload = next(sender.life(1))
    former = shop.secret(sender.vendor)
    provisioning.set_secret(shop.tenant_id, sender.vendor, new_secret(sender.vendor), timedelta(hours=1))

    assert sender.deliver(shop, topic, payload).status_code == 200
    with lookup_session() as session:
        found = endpoints.by_key(session, shop.key(sender.vendor), sender.vendor)
    assert found is not None
    assert found.secrets.index(former) == 1
