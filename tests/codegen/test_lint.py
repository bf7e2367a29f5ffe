"""Each rule of the contracts has a contract that breaks it, and says where and how to mend it."""

import re
from pathlib import Path

import pytest
import yaml

from codegen import lint_examples, lint_operations, lint_schemas
from codegen.build import build
from codegen.findings import ContractError
from codegen.lint_schemas import excludes_nul
from tests.codegen.conftest import Tree
from tests.codegen.mutations import Mutation

FAULTS = yaml.safe_load(Path(__file__).with_name("faults.yaml").read_text("utf-8"))
CASES = [(rule, fault) for rule, faults in FAULTS.items() for fault in faults]


def findings(tree: Tree) -> list[str]:
    """Return what is found wrong with the tree's contracts."""
    try:
        build(tree)
    except ContractError as error:
        return [str(finding) for finding in error.findings]
    return []


@pytest.mark.parametrize(("rule", "fault"), CASES, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(CASES)])
def test_a_broken_rule_is_named_with_its_place(tree: Tree, rule: str, fault: dict[str, object]) -> None:
    """The finding names the contract, the operation or component, and the rule."""
    tree.edit("parcels", Mutation(rule, "", "parcels", fault).apply)

    found = findings(tree)

    assert any(line.startswith(f"parcels: {fault['where']}") and f"[{rule}] " in line for line in found), (
        found
    )


def test_every_rule_has_a_case() -> None:
    """No rule stands in the code that no contract was seen to break."""
    modules = (lint_examples, lint_operations, lint_schemas)
    text = "".join(Path(module.__file__).read_text("utf-8") for module in modules)

    assert set(re.findall(r'yield (?:where, )?"([a-z]+(?:-[a-z]+)*)", f?r?"', text)) <= set(FAULTS)


def test_a_finding_is_one_line_that_says_how_to_mend_it(tree: Tree) -> None:
    """What is printed can be acted upon without reading the generator."""
    tree.edit("parcels", lambda d: d["paths"]["/parcels"]["get"]["responses"].pop("429"))

    (line,) = findings(tree)

    target = "_common/schemas.yaml#/components/responses/TooManyRequests"
    assert line == f"parcels: operation listParcels: [problems] add the 429 response: refer to {target}"


def test_every_fault_of_every_contract_is_reported_at_once(tree: Tree) -> None:
    """Nobody has to mend and run again for each fault."""
    tree.edit("parcels", lambda d: d["paths"]["/parcels"]["get"].pop("summary"))
    tree.edit("webhooks/courier", lambda d: d["paths"]["/courier/{endpoint_key}"]["post"].pop("tags"))
    tree.edit("_common/schemas", lambda d: d["components"]["schemas"].update(Bad={"type": "integer"}))

    assert [line.split("]")[0] for line in findings(tree)] == [
        "_common/schemas: component schemas/Bad: [integer-bound",
        "_common/schemas: component schemas/Bad: [integer-bound",
        "parcels: operation listParcels: [summary",
        "webhooks/courier: operation receiveCourierNote: [tag",
    ]


def test_a_fault_stops_before_anything_is_written(tree: Tree) -> None:
    """generated/ stays as it was when a contract cannot be generated from."""
    before = {path: path.read_bytes() for path in tree.generated.rglob("*") if path.is_file()}
    tree.edit("parcels", lambda d: d["paths"]["/parcels"]["get"].pop("summary"))

    with pytest.raises(ContractError):
        tree.generate()

    assert {path: path.read_bytes() for path in tree.generated.rglob("*") if path.is_file()} == before


def test_a_vendor_shape_is_not_ours_to_bound(tree: Tree) -> None:
    """What a vendor sends is documented as it is; the same schema of ours is refused."""
    assert findings(tree) == []

    tree.edit("webhooks/courier", lambda d: d["components"]["schemas"]["CourierNote"].pop("x-vendor-shape"))

    assert {line.split("[")[1].split("]")[0] for line in findings(tree)} == {
        "closed-object",
        "string-bound",
        "string-nul",
    }


def test_an_object_judged_in_parts_need_not_be_closed_in_each(tree: Tree) -> None:
    """A part of an allOf is closed by the whole."""
    whole = {
        "type": "object",
        "unevaluatedProperties": False,
        "allOf": [{"type": "object", "properties": {"a": {"type": "boolean"}}}],
    }
    tree.edit("parcels", lambda d: d["components"]["schemas"].update(Whole=whole))

    assert findings(tree) == []


@pytest.mark.parametrize(
    "pattern",
    [r"^[^\x00]*$", r"^[^\u0000]+$", "^[A-Z]{3}$", r"^[^\x00-\x1f\x7f]+$", "^(?:a|b)$", r"^\d+\.\w*$", "^$"],
)
def test_a_pattern_without_nul_is_accepted(pattern: str) -> None:
    """Anchored patterns of which no part admits a NUL may reach the database."""
    assert excludes_nul(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "a",
        "^a",
        "a$",
        "^a|b$",
        "^.$",
        "^[^a]$",
        r"^\S$",
        r"^\D*$",
        r"^\x00$",
        r"^[\x00-\x20]$",
        r"^a\u0000$",
    ],
)
def test_a_pattern_that_might_admit_nul_is_refused(pattern: str) -> None:
    """A pattern that is open at one end, or has a part that admits a NUL, is not trusted."""
    assert not excludes_nul(pattern)
