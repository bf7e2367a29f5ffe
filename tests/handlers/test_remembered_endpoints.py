"""An endpoint that delivered lately is remembered, and never longer than it is what it was."""

from datetime import timedelta

import pytest

from skeldir.app import create_app
from skeldir.commands import provisioning
from skeldir.db.engine import get_engine
from skeldir.db.session import tenant_session
from skeldir.repository import endpoints
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop, receipt
from tests.vendors.payloads import shopify_order


@pytest.fixture
def shop(database: Database) -> Shop:  # noqa: ARG001  (the settings point to it)
    """Return a shop whose endpoint is remembered, for it has just delivered."""
    shop = open_shop(Api(create_app(get_settings())))
    with receipt(shop.shopify("orders/paid", shopify_order(1))) as told:
        assert told["outcome"] == "booked"
    return shop


@pytest.mark.parametrize("changes", [{}, {"currency": "ZZZ"}], ids=["to book", "to bury"])
@pytest.mark.usefixtures("database")
class TestARememberedEndpoint:
    def test_takes_nothing_signed_with_a_secret_that_has_ended(
        self, shop: Shop, changes: dict[str, str]
    ) -> None:
        provisioning.set_secret(shop.tenant_id, "shopify", "shpss_another_secret_of_the_shop", timedelta())

        assert shop.shopify("orders/paid", shopify_order(2, **changes)).status_code == 401
        assert shop.counts()["deliveries"] == 1

    def test_takes_the_former_secret_while_its_grace_lasts(self, shop: Shop, changes: dict[str, str]) -> None:
        provisioning.set_secret(
            shop.tenant_id, "shopify", "shpss_another_secret_of_the_shop", timedelta(hours=1)
        )

        with receipt(shop.shopify("orders/paid", shopify_order(2, **changes))):
            assert shop.counts()["deliveries"] == 2

    def test_takes_nothing_once_it_is_revoked(self, shop: Shop, changes: dict[str, str]) -> None:
        with tenant_session(shop.tenant_id, engine=get_engine("app_admin")) as session:
            endpoint_id = endpoints.lock_newest(session, "shopify")
            assert endpoint_id
            endpoints.revoke(session, endpoint_id, timedelta())

        assert shop.shopify("orders/paid", shopify_order(2, **changes)).status_code == 401
        assert shop.counts()["deliveries"] == 1

    def test_books_nothing_while_its_tenant_is_suspended(self, shop: Shop, changes: dict[str, str]) -> None:
        provisioning.set_status(shop.tenant_id, "suspended")

        with receipt(shop.shopify("orders/paid", shopify_order(2, **changes))) as told:
            reason = "currency_unknown" if changes else "tenant_suspended"
            assert (told["outcome"], told["reason_code"]) == ("dead_lettered", reason)

        provisioning.set_status(shop.tenant_id, "active")
        with receipt(shop.shopify("orders/paid", shopify_order(3))) as told:
            assert told["outcome"] == "booked"
