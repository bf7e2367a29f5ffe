"""Whatever changes, the check reports it, and its first line says what changed."""

import re

import pytest

from codegen.build import Build, build
from codegen.drift import report, summary
from codegen.findings import ContractError
from tests.codegen.conftest import Tree
from tests.codegen.mutations import MUTATIONS, Mutation


def first_line(tree: Tree) -> str:
    """Return how the check's report begins; empty when it finds nothing."""
    try:
        found = build(tree)
    except ContractError as error:
        return str(error.findings[0])
    return "" if found.is_clean else report(found).splitlines()[0]


def test_a_tree_just_generated_is_clean(tree: Tree) -> None:
    """Nothing changed, nothing drifted, and nothing had to be made again."""
    found = build(tree)

    assert found.is_clean
    assert found.made == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.what)
def test_a_change_of_meaning_names_the_operation(tree: Tree, mutation: Mutation) -> None:
    """The first line is the operation whose meaning changed."""
    tree.edit(mutation.contract, mutation.apply)

    line = first_line(tree)

    assert re.match(mutation.first_line, line), line


def test_there_are_fifty_mutations_and_more() -> None:
    """The promise is kept for many changes, no two of them alike."""
    assert len({mutation.what for mutation in MUTATIONS}) == len(MUTATIONS) >= 50


def test_every_template_is_guarded(tree: Tree) -> None:
    """A change of a template is reported by its name, be it only a comment."""
    for path in sorted(tree.templates.iterdir()):
        before = path.read_text("utf-8")
        for text in (before + "{# nothing #}", before.replace("{{ header }}", "{{ header }}\n# more", 1)):
            path.write_text(text, "utf-8")
            assert first_line(tree).startswith(f"templates/codegen/{path.name}: ")
        path.write_text(before, "utf-8")
    assert first_line(tree) == ""


def test_every_generated_file_is_guarded(tree: Tree) -> None:
    """A generated file that was edited, emptied or deleted is reported by its name."""
    files = [path for path in sorted(tree.generated.rglob("*")) if path.is_file()]
    for path in files:
        before = path.read_bytes()
        name = path.relative_to(tree.root).as_posix()
        for content in (before + b"\n", b"", before.replace(b"a", b"b", 1)):
            path.write_bytes(content)
            assert first_line(tree).startswith(f"{name}: edited by hand"), content[:80]
        path.unlink()
        assert first_line(tree).startswith(f"{name}: missing")
        path.write_bytes(before)
    assert len(files) > 12
    assert first_line(tree) == ""


def test_a_file_that_nothing_produces_is_reported(tree: Tree) -> None:
    """generated/ holds what codegen writes and nothing else; what Python compiled does not count."""
    (tree.generated / "routes" / "__pycache__").mkdir()
    (tree.generated / "routes" / "__pycache__" / "parcels.pyc").write_bytes(b"\xff")
    assert first_line(tree) == ""

    (tree.generated / "routes" / "old.py").write_text("", "utf-8")

    assert first_line(tree) == "generated/routes/old.py: nothing produces it"


def test_a_change_of_the_generator_is_reported(tree: Tree) -> None:
    """Another codegen might write something else, so it must have been run."""
    path = tree.tool / "views.py"
    path.write_text(path.read_text("utf-8") + "# more\n", "utf-8")

    assert first_line(tree) == "codegen/views.py: changed since generated/ was written"


def test_words_and_layout_of_a_contract_are_free(tree: Tree) -> None:
    """A comment or another way to write the same YAML is no change of meaning."""
    tree.edit("parcels", lambda document: document)
    path = tree.contracts / "webhooks" / "courier.yaml"
    path.write_text("# A comment.\n" + path.read_text("utf-8"), "utf-8")

    assert first_line(tree) == ""


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda d: d["info"].update(version="1.1.0"), "info changed"),
        (lambda d: d["tags"][0].update(description="Parcels."), "tags changed"),
        (
            lambda d: d["components"]["schemas"].update(Unused={"type": "boolean"}),
            "components changed",
        ),
        (
            lambda d: d["components"]["schemas"]["Parcel"].update(
                properties=dict(reversed(d["components"]["schemas"]["Parcel"]["properties"].items()))
            ),
            "changed",
        ),
    ],
    ids=["info", "tags", "an unused schema", "the order of fields"],
)
def test_a_change_outside_of_operations_names_the_contract(tree: Tree, change: object, line: str) -> None:
    """What no operation shows is reported by the contract's file."""
    tree.edit("parcels", change)  # type: ignore[arg-type]

    assert first_line(tree) == f"api-contracts/openapi/v1/parcels.yaml: {line}"


def test_a_component_is_mapped_to_the_operations_that_use_it(tree: Tree) -> None:
    """Every operation within whose reach a changed schema lies has a line that names the schema."""
    tree.edit("parcels", lambda d: d["components"]["schemas"]["Parcel"].update(description="A box."))

    assert summary(build(tree)) == [
        "GET /depot/parcels (listParcels): response 200 changed (schema Parcel)",
        "POST /depot/parcels (sendParcel): response 201 changed (schema Parcel)",
    ]


def test_operations_come_and_go_by_name(tree: Tree) -> None:
    """A contract that is added or removed is told by its operations."""
    (tree.contracts / "webhooks" / "courier.yaml").unlink()
    found = summary(build(tree))
    assert found[0] == "POST /courier/{endpoint_key} (receiveCourierNote): removed"

    tree.generate()
    text = (tree.contracts / "parcels.yaml").read_text("utf-8")
    second = text.replace("/depot", "/annex").replace("Parcel", "Packet").replace("ringDoor", "ringAnnex")
    (tree.contracts / "packets.yaml").write_text(second, "utf-8")
    assert "DELETE /annex/parcels/{parcel_id} (recallPacket): added" in summary(build(tree))


def test_a_moved_operation_says_where_it_was(tree: Tree) -> None:
    """An operation is known by its operationId when its path changes."""
    tree.edit("parcels", lambda d: d.update(servers=[{"url": "/store"}]))

    assert "GET /store/parcels (listParcels): was GET /depot/parcels" in summary(build(tree))


def test_a_moved_handler_is_drift_of_the_trace(tree: Tree) -> None:
    """The trace holds the handler's line, and the report names the operation."""
    path = tree.root / "handlers" / "webhooks" / "courier.py"
    path.write_text("\n" + path.read_text("utf-8"), "utf-8")

    assert summary(build(tree)) == [
        "POST /courier/{endpoint_key} (receiveCourierNote): trace of handler changed"
    ]


def test_a_fault_in_a_contract_is_named(tree: Tree) -> None:
    """A contract that cannot be generated from is reported with the operation and the rule."""
    tree.edit("parcels", lambda d: d["paths"]["/parcels"]["get"].pop("summary"))

    assert first_line(tree).startswith("parcels: operation listParcels: [summary] ")


def test_the_diff_follows_the_summary(tree: Tree) -> None:
    """After the lines and an empty line comes the unified diff of the files."""
    tree.edit("parcels", lambda d: d["paths"]["/parcels"]["get"].update(summary="More."))

    lines = report(build(tree)).splitlines()

    assert lines[:4] == [
        "GET /depot/parcels (listParcels): summary changed",
        "",
        "--- committed/generated/bundles/parcels.json",
        "+++ produced/generated/bundles/parcels.json",
    ]
    assert '+        "summary": "More.",' in lines


def test_an_edit_beside_a_change_is_reported_too(tree: Tree) -> None:
    """A changed contract does not hide that a file was edited by hand."""
    tree.edit("parcels", lambda d: d["paths"]["/parcels"]["get"].update(summary="More."))
    path = tree.generated / "stubs.py"
    path.write_text(path.read_text("utf-8") + "# mine\n", "utf-8")

    assert summary(build(tree)) == [
        "GET /depot/parcels (listParcels): summary changed",
        "generated/stubs.py: edited by hand",
    ]


def test_a_generated_tree_without_manifest_is_made_again(tree: Tree) -> None:
    """Nothing is trusted that the manifest does not vouch for."""
    (tree.generated / "manifest.json").unlink()

    found: Build = build(tree)

    assert found.made == ["_common/schemas", "parcels", "webhooks/courier"]
