"""Tenants, their keys and their endpoints: what is stored, what is accepted, and for how long."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from skeldir.commands import provisioning
from skeldir.commands.provisioning import NewTenant
from skeldir.db.session import lookup_session, tenant_session
from skeldir.domain.errors import NotFound
from skeldir.domain.ids import uuid7
from skeldir.repository import endpoints, tenants, webhook_secrets
from skeldir.security.hashing import key_hash
from tests.conftest import Database
from tests.identity import count

HOUR, AT_ONCE = timedelta(hours=1), timedelta()


pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def shop() -> NewTenant:
    return provisioning.create_tenant("A shop", ["shopify", "stripe"])


def _by_key(key: str) -> UUID | None:
    with lookup_session() as session:
        owner = tenants.by_key(session, key)
    return owner.tenant_id if owner and not owner.is_suspended else None


def _secrets(shop: NewTenant, find: Callable[..., endpoints.Endpoint | None], key: str) -> list[str]:
    with lookup_session() as session:
        endpoint = find(session, key, "shopify")
    assert endpoint is not None
    assert endpoint.tenant_id == shop.tenant_id
    return [secret.decode() for secret in endpoint.secrets]


def test_a_new_tenant_is_found_by_its_key_and_by_its_endpoints_keys(shop: NewTenant) -> None:
    new = shop.endpoints[0]

    assert _by_key(shop.key) == shop.tenant_id
    assert _secrets(shop, endpoints.by_key, new.endpoint.key) == [new.secret]
    assert _secrets(shop, endpoints.by_tenant_key, shop.key) == [new.secret]


def test_keys_open_only_what_they_were_made_for(shop: NewTenant) -> None:
    key = shop.endpoints[0].endpoint.key

    assert _by_key(key) is None
    with lookup_session() as session:
        assert endpoints.by_key(session, key, "stripe") is None
        assert endpoints.by_key(session, shop.key, "shopify") is None
        assert endpoints.by_tenant_key(session, key, "shopify") is None
        assert endpoints.by_tenant_key(session, shop.key, "paypal") is None


def test_keys_and_secrets_are_nowhere_in_the_database(shop: NewTenant, database: Database) -> None:
    hidden = [shop.key, *(text for new in shop.endpoints for text in (new.endpoint.key, new.secret))]
    with database.connect() as connection:
        stored = "".join(
            str(connection.execute(f"SELECT json_agg(t) FROM {table} t").fetchone())
            for table in ("tenants", "tenant_keys", "webhook_endpoints", "webhook_secrets")
        )

    assert key_hash("tenant-key", shop.key).hex() in stored
    for text in hidden:
        assert text not in stored
        assert text.encode().hex() not in stored


def test_a_rotated_key_ends_at_once_unless_it_is_given_a_grace_period(shop: NewTenant) -> None:
    second = provisioning.rotate_key(shop.tenant_id, HOUR)
    assert _by_key(shop.key) == _by_key(second) == shop.tenant_id

    third = provisioning.rotate_key(shop.tenant_id, AT_ONCE)
    assert _by_key(third) == shop.tenant_id
    assert _by_key(shop.key) is None
    assert _by_key(second) is None


def test_rotating_again_does_not_prolong_a_former_keys_life(shop: NewTenant) -> None:
    provisioning.rotate_key(shop.tenant_id, AT_ONCE)
    provisioning.rotate_key(shop.tenant_id, HOUR)

    assert _by_key(shop.key) is None


def test_a_former_secret_is_accepted_beside_the_new_one_and_older_ones_are_not(shop: NewTenant) -> None:
    key, first = shop.endpoints[0].endpoint.key, shop.endpoints[0].secret
    assert provisioning.set_secret(shop.tenant_id, "shopify", "shpss_the_second_secret", HOUR) is None
    assert _secrets(shop, endpoints.by_key, key) == ["shpss_the_second_secret", first]

    provisioning.set_secret(shop.tenant_id, "shopify", "shpss_the_third_secret", HOUR)
    assert _secrets(shop, endpoints.by_key, key) == ["shpss_the_third_secret", "shpss_the_second_secret"]

    provisioning.set_secret(shop.tenant_id, "shopify", "shpss_the_fourth_secret", AT_ONCE)
    assert _secrets(shop, endpoints.by_key, key) == ["shpss_the_fourth_secret"]


def test_of_two_rotations_at_once_the_one_that_waited_is_the_newer(shop: NewTenant) -> None:
    """Whose transaction began first does not matter: the next rotation must give the right one its grace."""
    key, endpoint_id = shop.endpoints[0].endpoint.key, shop.endpoints[0].endpoint.endpoint_id
    with tenant_session(shop.tenant_id) as waited:
        provisioning.set_secret(shop.tenant_id, "shopify", "shpss_the_second_secret", HOUR)
        assert endpoints.lock(waited, endpoint_id)
        webhook_secrets.add(waited, shop.tenant_id, endpoint_id, b"shpss_the_third_secret", grace=HOUR)
    assert _secrets(shop, endpoints.by_key, key) == ["shpss_the_third_secret", "shpss_the_second_secret"]

    provisioning.set_secret(shop.tenant_id, "shopify", "shpss_the_fourth_secret", HOUR)
    assert _secrets(shop, endpoints.by_key, key) == ["shpss_the_fourth_secret", "shpss_the_third_secret"]


def test_a_secret_for_a_vendor_without_an_endpoint_creates_it(shop: NewTenant) -> None:
    created = provisioning.set_secret(shop.tenant_id, "woocommerce", "its secret", HOUR)

    assert created is not None
    assert created.path().startswith("/api/webhooks/woocommerce/in/ske_")
    assert count(shop.tenant_id, "webhook_endpoints") == 3


def test_a_suspended_tenants_keys_open_nothing_until_it_is_resumed(shop: NewTenant) -> None:
    key = shop.endpoints[0].endpoint.key
    provisioning.set_status(shop.tenant_id, "suspended")

    assert _by_key(shop.key) is None
    with lookup_session() as session:
        endpoint = endpoints.by_key(session, key, "shopify")
    assert endpoint is not None
    assert endpoint.is_suspended

    provisioning.set_status(shop.tenant_id, "active")
    assert _by_key(shop.key) == shop.tenant_id


def test_a_sealed_secret_moved_to_another_tenant_does_not_open(shop: NewTenant, database: Database) -> None:
    thief = provisioning.create_tenant("A thief", ["shopify"])
    with database.connect() as connection:
        connection.execute(
            "UPDATE webhook_secrets t SET sealed = s.sealed FROM webhook_secrets s"
            " WHERE t.tenant_id = %s AND s.tenant_id = %s",
            [thief.tenant_id, shop.tenant_id],
        )

    with lookup_session() as session, pytest.raises(Exception, match="altered or moved"):
        endpoints.by_key(session, thief.endpoints[0].endpoint.key, "shopify")


def test_a_tenant_that_is_not_there_cannot_be_changed() -> None:
    for change in (
        lambda: provisioning.rotate_key(uuid7(), AT_ONCE),
        lambda: provisioning.set_status(uuid7(), "suspended"),
        lambda: provisioning.set_secret(uuid7(), "paypal", "0EH40505U7160970P", AT_ONCE),
        lambda: provisioning.add_user(uuid7(), "ada@example.test", "viewer", "long enough"),
    ):
        with pytest.raises(NotFound):
            change()


def test_operators_see_every_tenant_and_the_api_only_its_own(shop: NewTenant) -> None:
    provisioning.set_status(shop.tenant_id, "suspended")
    assert shop.tenant_id in {tenant.tenant_id for tenant in provisioning.list_tenants()}

    with tenant_session(uuid7()) as session:
        assert tenants.find(session) is None
    with tenant_session(shop.tenant_id) as session:
        found = tenants.find(session)
    assert found is not None
    assert found.tenant_id == shop.tenant_id
