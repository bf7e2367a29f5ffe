"""Schemathesis finds nothing: every served contract, every check, with a real database behind it."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS
from schemathesis.config import PositiveDataAcceptanceConfig
from schemathesis.core.errors import NoLinksFound
from schemathesis.core.parameters import ParameterLocation

from generated.registry import CONTRACTS, Contract
from skeldir.app import create_app
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.handlers.webhooks import Shop, open_shop
from tests.identity import log_in, make_user
from tests.vendors import paypal_authority

# The long run of `tox run -e conformance` looks further than every change can afford to.
ACCEPTED = PositiveDataAcceptanceConfig().expected_statuses

IS_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
EXAMPLES = 300 if IS_LONG else 12
STEPS = 30 if IS_LONG else 6
QUIET = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize=not IS_LONG,
    suppress_health_check=list(HealthCheck),
)

pytestmark = pytest.mark.filterwarnings("ignore")  # of its own making: its generators, its client


def _load(contract: Contract) -> Any:
    schema = schemathesis.openapi.from_dict(
        json.loads(Path("generated/bundles", contract.bundle).read_bytes())
    )
    schema.location = f"{contract.name}.json"
    # What no schema can say (an end before its start, personal data in a name) is refused with 422,
    # and only where the contract names it; 400 for what its schemas accept stays a fault.
    schema.config.checks.positive_data_acceptance.expected_statuses = [*ACCEPTED, "422"]
    return schema


SCHEMAS = {contract.name: _load(contract) for contract in CONTRACTS}


@pytest.fixture(scope="module")
def app(database: Database) -> Iterator[Any]:  # noqa: ARG001 (the settings point to it)
    with paypal_authority.trusted():
        yield create_app(get_settings().model_copy(update={"validate_responses": True}))


@pytest.fixture(scope="module")
def shop(app: Any) -> Shop:
    return open_shop(Api(app))


@pytest.fixture
def signed(app: Any, shop: Shop) -> "Iterator[Caller]":
    """Return a caller with a session of its own: some operations end the session they are called with."""
    caller = Caller(app, shop, log_in(make_user(shop.tenant_id, "admin")).tokens.access.token)
    yield caller
    # A wrong signature is refused, and rightly: then nothing behind it would have been tried.
    assert all(200 in statuses for statuses in caller.deliveries.values()), caller.deliveries


class Caller:
    """Sends generated cases with everything that a caller must have: a token, keys, signatures."""

    def __init__(self, app: Any, shop: Shop, token: str) -> None:
        self._shop = shop
        self.deliveries: dict[str, set[int]] = {}
        self.options = {"app": app, "headers": {"Authorization": f"Bearer {token}"}}

    def prepare(self, case: Any) -> None:
        """Put keys, signatures and cursors where the case did not mean to be wrong."""
        if _is_meant_well(case, ParameterLocation.QUERY) and "cursor" in case.query:
            self._turn_the_page(case)
        operation = case.operation.definition.raw
        if _is_meant_well(case, ParameterLocation.PATH) and "endpoint_key" in case.path_parameters:
            case.path_parameters["endpoint_key"] = self._shop.key(case.path.split("/")[3])
        if _is_meant_well(case, ParameterLocation.HEADER):
            if operation.get("x-raw-body"):
                self._sign(case)
            if "X-Skeldir-Tenant-Key" in case.headers:
                case.headers["X-Skeldir-Tenant-Key"] = self._shop.tenant.key

    def _turn_the_page(self, case: Any) -> None:
        """Use the cursor that the first page of the same query gives: cursors are signed, too."""
        query = {name: value for name, value in case.query.items() if name != "cursor"}
        first = Api(self.options["app"]).send(
            "GET", case.formatted_path, params=query | {"limit": 1}, headers=self.options["headers"]
        )
        cursor = first.json().get("next_cursor")
        case.query = query if cursor is None else query | {"cursor": cursor}

    def _sign(self, case: Any) -> None:
        """Sign the body as it will be sent."""
        sent = requests.Request(**case.as_transport_kwargs(base_url="http://skeldir.test")).prepare().body
        body = sent.encode() if isinstance(sent, str) else sent or b""
        vendor = case.path.split("/")[3]
        sign = {
            "shopify": lambda: self._shop.by_shopify(
                body, case.headers.get("X-Shopify-Topic", "orders/paid")
            ),
            "stripe": lambda: self._shop.by_stripe(body),
            "paypal": lambda: self._shop.by_paypal(body),
            "custom": lambda: self._shop.by_custom(body),
            "woocommerce": lambda: self._shop.by_woocommerce(
                body, case.headers.get("X-WC-Webhook-Topic", "order.updated")
            ),
        }
        headers = sign[vendor]()
        case.headers.update(headers)

    def check(self, case: Any) -> None:
        """Send a case and apply every check that Schemathesis has."""
        self.prepare(case)
        response = case.call_and_validate(**self.options, checks=CHECKS.get_all())
        operation = case.operation.definition.raw
        if operation.get("x-raw-body"):
            self.deliveries.setdefault(operation["operationId"], set()).add(response.status_code)


def _is_meant_well(case: Any, location: ParameterLocation) -> bool:
    component = case.meta.components.get(location) if case.meta else None
    return component is None or component.mode.is_positive


def _keeps(schema: Any) -> Callable[..., None]:
    @schema.parametrize()
    @QUIET
    def keeps_its_contract(case: Any, signed: Caller) -> None:
        signed.check(case)

    return cast("Callable[..., None]", keeps_its_contract)


# Examples, coverage of every keyword, and fuzzing: one test per contract, with one item per operation.
for _name, _schema in SCHEMAS.items():
    globals()[f"test_{_name.replace('/', '_').replace('-', '_')}"] = _keeps(_schema)


@pytest.mark.parametrize("contract", SCHEMAS)
def test_what_operations_answer_can_be_used_in_the_next(contract: str, signed: Caller) -> None:
    """Stateful: whatever links Schemathesis finds between the operations of a contract."""

    class Machine(SCHEMAS[contract].as_state_machine()):  # type: ignore[misc]
        def before_call(self, case: Any) -> None:
            signed.prepare(case)

        def get_call_kwargs(self, _case: Any) -> dict[str, Any]:
            return signed.options

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            case.validate_response(response, checks=CHECKS.get_all(), transport_kwargs=signed.options)

    with suppress(NoLinksFound):
        Machine.run(settings=settings(QUIET, max_examples=min(EXAMPLES, 50)))
