"""What comes out for the small tree: routes, stubs, registry, models, and what is made again."""

import ast
import json
import re
import shutil

import pytest

from codegen.build import build
from codegen.findings import ContractError
from codegen.models import module_path
from codegen.operations import snake_case
from codegen.versions import PINNED
from tests.codegen.conftest import Tree


def function(text: str, name: str) -> str:
    """Return the source of one function of a module."""
    node = next(node for node in ast.walk(ast.parse(text)) if getattr(node, "name", None) == name)
    return ast.get_source_segment(text, node) or ""


def test_every_python_file_says_where_it_comes_from(tree: Tree) -> None:
    """The first line names the contract and forbids editing; the second the pinned generators."""
    files = {path.relative_to(tree.generated).as_posix(): path for path in tree.generated.rglob("*.py")}

    for name, path in files.items():
        first, second, *_ = path.read_text("utf-8").splitlines()
        assert re.fullmatch(
            r"# @generated from (\S+) by codegen. Do not edit; run: tox run -e codegen", first
        )
        assert all(f"{generator} {pin}" in second for generator, pin in PINNED.items()), name
    assert "api-contracts/openapi/v1/webhooks/courier.yaml" in files["routes/webhooks/courier.py"].read_text()


def test_a_route_converts_calls_and_answers(tree: Tree) -> None:
    """Parameters become what the handler takes; defaults are the contract's; absent is None."""
    route = function((tree.generated / "routes" / "parcels.py").read_text("utf-8"), "list_parcels")

    assert 'sent.get("query.state", "packed")' in route
    assert 'since = optional(sent, "query.since", date.fromisoformat)' in route
    assert 'parcel_ids = optional(sent, "query.parcel_ids", list_of(UUID))' in route
    assert 'limit: int = sent.get("query.limit", 20)' in route
    assert "def handle(ctx: Context) -> Answer[ParcelList]:" in route
    assert 'return call.run(handle, transaction="read", status=200)' in route


def test_a_route_builds_the_model_of_a_body(tree: Tree) -> None:
    """A JSON body reaches the handler as its model; success has the contract's status."""
    route = function((tree.generated / "routes" / "parcels.py").read_text("utf-8"), "send_parcel")

    assert "body = to_model(NewParcel, call.json)" in route
    assert 'return call.run(handle, transaction="write", status=201)' in route


def test_an_answer_without_body_is_none(tree: Tree) -> None:
    """204 is a handler that returns nothing; headers and instants are converted."""
    route = function((tree.generated / "routes" / "parcels.py").read_text("utf-8"), "recall_parcel")

    assert 'parcel_id = required(sent, "path.parcel_id", UUID)' in route
    assert 'x_recalled_at = required(sent, "header.X-Recalled-At", to_datetime)' in route
    assert "-> Answer[None]:" in route
    assert "status=204" in route


def test_an_asynchronous_route_is_awaited(tree: Tree) -> None:
    """`x-execution: async` makes a coroutine; another media type is passed on."""
    route = function((tree.generated / "routes" / "parcels.py").read_text("utf-8"), "ring_doorbell")

    assert route.startswith("async def ring_doorbell(call: Call) -> HttpAnswer:")
    assert "return await handlers.ring_doorbell(ctx)" in route
    assert 'return await call.run_async(handle, status=200, media_type="text/plain")' in route


def test_a_streamed_answer_is_sent_while_it_is_made(tree: Tree) -> None:
    """`x-streamed: true`: the handler returns a stream, whatever its media type, or a refusal."""
    streamed = {"x-streamed": True, "x-transaction": "none"}
    tree.edit("parcels", lambda d: d["paths"]["/parcels"]["get"].update(streamed))

    route = function(build(tree).files["routes/parcels.py"], "list_parcels")

    assert "def handle(ctx: Context) -> Answer[Stream]:" in route
    assert "return call.stream(handle)" in route


def test_a_raw_body_stays_bytes(tree: Tree) -> None:
    """`x-raw-body` hands over the bytes that were signed."""
    text = (tree.generated / "routes" / "webhooks" / "courier.py").read_text("utf-8")

    assert "body = call.raw_body" in function(text, "receive_courier_note")
    assert "from handlers.webhooks import courier as handlers" in text


def test_a_header_of_the_runtime_never_reaches_the_handler(tree: Tree) -> None:
    """`x-runtime: true` parameters are the boundary's business."""
    correlation = {
        "name": "X-Correlation-ID",
        "in": "header",
        "x-runtime": True,
        "schema": {"type": "string", "format": "uuid"},
    }
    tree.edit("parcels", lambda d: d["paths"]["/parcels"]["get"]["parameters"].append(correlation))

    assert "correlation" not in build(tree).files["routes/parcels.py"].lower()


def test_the_registry_lists_every_operation(tree: Tree) -> None:
    """The start-up check reads contract, handler module and operations from data alone."""
    text = (tree.generated / "registry.py").read_text("utf-8")

    assert 'handlers="handlers.webhooks.courier"' in text
    assert "stub=stubs.WebhooksCourierHandlers" in text
    assert 'bundle="webhooks/courier.json"' in text
    assert re.findall(r'operation_id="(\w+)"', text) == [
        "listParcels",
        "recallParcel",
        "ringDoorbell",
        "sendParcel",
        "receiveCourierNote",
    ]
    index = (tree.generated / "routes" / "__init__.py").read_text("utf-8")
    assert '"receiveCourierNote": webhooks_courier.receive_courier_note,' in index


def test_models_are_made_where_their_schema_is_written(tree: Tree) -> None:
    """A shared schema is one class in the shared module; a vendor's shape gets none."""
    models = {path.stem: path.read_text("utf-8") for path in tree.generated.rglob("models/**/*.py")}

    assert "class Problem(ContractModel)" in models["common"]
    assert "class Problem" not in models["parcels"]
    assert "class Receipt(ContractModel)" in models["courier"]
    assert "CourierNote" not in models["courier"]


def test_a_model_used_from_another_contract_is_imported(tree: Tree) -> None:
    """Contracts share components, so their models share classes."""
    reference = {"$ref": "_common/schemas.yaml#/components/schemas/Problem"}
    tree.edit("parcels", lambda d: d["components"]["schemas"]["Parcel"]["properties"].update(last=reference))

    text = build(tree).files["models/parcels.py"]

    assert "from . import common" in text
    assert "last: common.Problem | MISSING = MISSING" in text


def test_two_models_of_one_name_are_told_apart(tree: Tree) -> None:
    """Where two contracts each have a class of one name, the stubs call both by their module."""
    text = (tree.contracts / "webhooks" / "courier.yaml").read_text("utf-8").replace("Receipt", "Parcel")
    (tree.contracts / "webhooks" / "courier.yaml").write_text(text, "utf-8")

    stubs = build(tree).files["stubs.py"]

    assert "-> Answer[webhooks_courier_models.Parcel]:" in stubs
    assert "-> Answer[parcels_models.Parcel]:" in stubs


def test_only_what_changed_is_made_again(tree: Tree) -> None:
    """A contract is bundled, checked and modelled again when it or what it refers to changed."""
    tree.edit("webhooks/courier", lambda d: d["info"].update(title="Couriers"))
    assert build(tree).made == ["webhooks/courier"]

    tree.edit("_common/schemas", lambda d: d["info"].update(title="Shared by all"))
    assert build(tree).made == ["_common/schemas", "parcels", "webhooks/courier"]


def test_writing_brings_the_tree_up_to_date(tree: Tree) -> None:
    """What changed is written, what nothing produces is removed, and the check is clean."""
    (tree.contracts / "webhooks" / "courier.yaml").unlink()

    said = tree.generate()

    assert "removed: generated/routes/webhooks/courier.py" in said
    assert not (tree.generated / "routes" / "webhooks").exists()
    assert build(tree).is_clean
    assert tree.generate() == ["12 files, 0 written, 0 removed"]


def test_a_fresh_build_gives_the_same(tree: Tree) -> None:
    """Neither trusting nothing of the tree nor having no tree changes what comes out."""
    known = build(tree)

    assert build(tree, fresh=True).files == known.files

    shutil.rmtree(tree.generated)
    assert build(tree).files == known.files


def test_an_operation_id_is_unique_over_all_contracts(tree: Tree) -> None:
    """Routes are found by operationId, so two contracts may not share one."""
    text = (tree.contracts / "webhooks" / "courier.yaml").read_text("utf-8")
    (tree.contracts / "webhooks" / "other.yaml").write_text(text.replace("/courier/", "/other/"), "utf-8")

    with pytest.raises(ContractError) as refused:
        build(tree)

    assert [str(finding).split("]")[0] for finding in refused.value.findings] == [
        "webhooks/courier: operation POST /courier/{endpoint_key} (receiveCourierNote): [operation-id-unique",
        "webhooks/other: operation POST /other/{endpoint_key} (receiveCourierNote): [operation-id-unique",
    ]


def test_the_trace_joins_contract_code_and_tests(tree: Tree) -> None:
    """Each operation leads to its route, its handler's line, its models and the tests that name it."""
    trace = {
        entry["operation_id"]: entry for entry in json.loads((tree.generated / "trace.json").read_text())
    }

    assert trace["sendParcel"] == {
        "contract": "parcels",
        "handler": {"file": "handlers/parcels.py", "function": "send_parcel", "line": 26},
        "method": "POST",
        "operation_id": "sendParcel",
        "path": "/depot/parcels",
        "request": "generated.models.parcels.NewParcel",
        "responses": {"201": "generated.models.parcels.Parcel"},
        "route": "generated.routes.parcels.send_parcel",
        "tests": ["tests/check_parcels.py::test_sending"],
    }
    assert trace["recallParcel"]["tests"] == ["tests/check_parcels.py::TestRecalling::test_by_path"]
    assert trace["listParcels"]["tests"] == []


def test_the_trace_says_when_a_handler_is_missing(tree: Tree) -> None:
    """Codegen runs before the handlers are written."""
    (tree.root / "handlers" / "parcels.py").unlink()

    trace = json.loads(build(tree).files["trace.json"])

    assert [entry["handler"] is None for entry in trace] == [True, True, False, True, True]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("listParcels", "list_parcels"),
        ("getHTTPStatus", "get_http_status"),
        ("X-Shopify-Topic", "x_shopify_topic"),
        ("parcel_id", "parcel_id"),
        ("page2Size", "page2_size"),
    ],
)
def test_names_become_snake_case(written: str, name: str) -> None:
    """Handlers and their arguments are named as Python names things."""
    assert snake_case(written) == name


@pytest.mark.parametrize(
    ("contract", "module"),
    [
        ("_common/schemas", "common"),
        ("_common/revenue", "common_revenue"),
        ("llm-budget", "llm_budget"),
        ("webhooks/shopify", "webhooks/shopify"),
    ],
)
def test_models_lie_where_one_looks_for_them(contract: str, module: str) -> None:
    """A contract's models are importable under its name."""
    assert module_path(contract) == module
