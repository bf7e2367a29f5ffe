"""A contract that the code does not serve stops the process, and the message names the operation."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, Protocol

import pytest

from handlers import health
from skeldir.app import create_app
from skeldir.http.context import Context
from skeldir.http.parameters import UnservableContract
from skeldir.http.startup import HandlerMismatch, check_handlers
from tests.contract.serving import contract, operation, serve


class Stub(Protocol):
    def get_thing(self, ctx: Context, *, name: str, limit: int | None) -> str: ...


class Operation(NamedTuple):
    operation_id: str
    handler: str


class Contract(NamedTuple):
    name: str = "things"
    handlers: str = "handlers_of_a_test"
    stub: type = Stub
    operations: tuple[Operation, ...] = (Operation("getThing", "get_thing"),)


def module_with(handler: Any) -> ModuleType:
    module = ModuleType("handlers_of_a_test")
    if handler is not None:
        module.get_thing = handler  # type: ignore[attr-defined]
    return module


def right(ctx: Context, *, name: str, limit: int | None) -> str: ...
def renamed(ctx: Context, *, title: str, limit: int | None) -> str: ...
def other_type(ctx: Context, *, name: int, limit: int | None) -> str: ...
def narrower(ctx: Context, *, name: str, limit: int) -> str: ...
def fewer(ctx: Context, *, name: str) -> str: ...
def more(ctx: Context, *, name: str, limit: int | None, offset: int) -> str: ...
async def asynchronous(ctx: Context, *, name: str, limit: int | None) -> str: ...


def test_the_right_handler_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "handlers_of_a_test", module_with(right))
    check_handlers([Contract()])


@pytest.mark.parametrize(
    "handler",
    [None, renamed, other_type, narrower, fewer, more, asynchronous, "text"],
    ids=lambda handler: getattr(handler, "__name__", str(handler)),
)
def test_any_other_handler_stops_the_start_naming_operation_and_contract(
    monkeypatch: pytest.MonkeyPatch, handler: Any
) -> None:
    monkeypatch.setitem(sys.modules, "handlers_of_a_test", module_with(handler))
    with pytest.raises(
        HandlerMismatch, match=r"operation getThing of contract things: handlers_of_a_test\.get_thing"
    ):
        check_handlers([Contract()])


def test_a_missing_module_of_handlers_names_its_operations() -> None:
    with pytest.raises(HandlerMismatch, match="operation getThing of contract things"):
        check_handlers([Contract()])


def test_every_fault_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(health, "readiness_probe")
    monkeypatch.setattr(health, "get_detailed_health", health.liveness_probe)
    with pytest.raises(HandlerMismatch) as raised:
        create_app()
    assert "operation readinessProbe of contract health" in str(raised.value)
    assert "operation getDetailedHealth of contract health" in str(raised.value)


def test_the_service_of_this_tree_starts() -> None:
    assert callable(create_app())


BROKEN_SERVICE = """
import sys
import handlers.health
del handlers.health.liveness_probe
import uvicorn
uvicorn.run("skeldir.app:create_app", factory=True, port=0, lifespan="on")
"""


def test_the_process_of_a_broken_service_ends_and_says_why() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", BROKEN_SERVICE],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert ended.returncode != 0
    assert "operation livenessProbe of contract health" in ended.stderr


def with_parameter(**parameter: Any) -> dict[str, Any]:
    declared = {"name": "filter", "in": "query", "schema": {"type": "string"}, **parameter}
    return operation("x", parameters=[declared])


ID_IN_PATH = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ({"/x": {"get": with_parameter(schema={"type": "object"})}}, "query.filter is an object"),
        ({"/x": {"get": with_parameter(style="deepObject")}}, "query.filter has a style"),
        ({"/x/{id}": {"get": operation("x")}}, "the path has"),
        ({"/x": {"get": operation("x", parameters=[ID_IN_PATH])}}, "the path has"),
        ({"/x-{id}": {"get": operation("x", parameters=[ID_IN_PATH])}}, "does not fill its segment"),
        (
            {"/x": {"get": with_parameter(schema={"$ref": "#/components/schemas/Gone"})}},
            "operation x of contract small",
        ),
        (
            {"/x": {"post": operation("x", requestBody={"content": {"application/xml": {"schema": {}}}})}},
            "only served with x-raw-body",
        ),
        ({"/x": {"get": operation("x")}, "/y": {"get": operation("x")}}, "operation x is both in"),
    ],
)
def test_what_cannot_be_served_stops_the_start(paths: dict[str, Any], message: str) -> None:
    with pytest.raises(UnservableContract, match=message):
        serve(contract(paths))


def test_an_operation_without_a_route_is_named() -> None:
    with pytest.raises(UnservableContract, match="operation y of contract small: it has no route"):
        serve(contract({"/x": {"get": operation("x")}, "/y": {"get": operation("y")}}), without="y")
