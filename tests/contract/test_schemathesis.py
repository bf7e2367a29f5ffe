"""Schemathesis finds nothing: every served contract, every check, with a real database behind it."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS
from schemathesis.config import PositiveDataAcceptanceConfig
from schemathesis.core.errors import NoLinksFound
from starlette.types import ASGIApp, Receive, Scope, Send

from generated.registry import CONTRACTS, Contract
from skeldir.app import create_app
from skeldir.settings import get_settings
from tests.asgi import Api
from tests.conftest import Database
from tests.contract.caller import Caller
from tests.handlers.webhooks import open_shop
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


class Served:
    """The application, which is made when its database is there; some checks send to it by themselves."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on."""
        await self.app(scope, receive, send)


SERVED = Served()


def _load(contract: Contract) -> Any:
    schema = schemathesis.openapi.from_dict(
        json.loads(Path("generated/bundles", contract.bundle).read_bytes())
    )
    schema.location, schema.app = f"{contract.name}.json", SERVED
    # What no schema can say (an end before its start, personal data in a name) is refused with 422,
    # and only where the contract names it; 400 for what its schemas accept stays a fault.
    schema.config.checks.positive_data_acceptance.expected_statuses = [*ACCEPTED, "422"]
    # More items than an array may have can be more bytes than a body may have.
    rejection = schema.config.checks.negative_data_rejection
    rejection.expected_statuses = [*rejection.expected_statuses, "413"]
    return schema


SCHEMAS = {contract.name: _load(contract) for contract in CONTRACTS}


@pytest.fixture(scope="module")
def app(database: Database) -> Iterator[Any]:  # noqa: ARG001 (the settings point to it)
    with paypal_authority.trusted():
        SERVED.app = create_app(get_settings().model_copy(update={"validate_responses": True}))
        yield SERVED


@pytest.fixture
def caller(app: Any) -> Iterator[Caller]:
    """Return a caller with a tenant of its own: some operations take from others what they need."""
    caller = Caller(app, open_shop(Api(app)))
    yield caller
    # Refused for a signature, an id or a password, an operation has hardly been tried.
    untried = {
        name: statuses for name, statuses in caller.answers.items() if not any(map(_is_good, statuses))
    }
    assert untried == {}, "what these need is to be put right in caller.py"


def _is_good(status: int) -> bool:
    return 200 <= status < 300


def _keeps(schema: Any) -> Callable[..., None]:
    @schema.parametrize()
    @QUIET
    def keeps_its_contract(case: Any, caller: Caller) -> None:
        caller.check(case)

    return cast("Callable[..., None]", keeps_its_contract)


# Examples, coverage of every keyword, and fuzzing: one test per contract, with one item per operation.
for _name, _schema in SCHEMAS.items():
    globals()[f"test_{_name.replace('/', '_').replace('-', '_')}"] = _keeps(_schema)


@pytest.mark.parametrize("contract", SCHEMAS)
def test_what_operations_answer_can_be_used_in_the_next(contract: str, caller: Caller) -> None:
    """Stateful: whatever links Schemathesis finds between the operations of a contract."""

    class Machine(SCHEMAS[contract].as_state_machine()):  # type: ignore[misc]
        def before_call(self, case: Any) -> None:
            caller.prepare(case)

        def get_call_kwargs(self, _case: Any) -> dict[str, Any]:
            return caller.options

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            case.validate_response(response, checks=CHECKS.get_all(), transport_kwargs=caller.options)

    with suppress(NoLinksFound):
        Machine.run(settings=settings(QUIET, max_examples=min(EXAMPLES, 50)))
