"""A bundle is one self-contained document in which every component keeps its name."""

from typing import Any

import pytest

from codegen.bundle import bundle
from codegen.check import check
from codegen.findings import ContractError
from codegen.sources import Source, load_sources
from tests.codegen.conftest import Tree


def source(name: str, schemas: dict[str, Any], **sections: Any) -> Source:
    """Return a contract that has these components only."""
    info = {"title": name, "version": "1"}
    components = {"schemas": schemas, **sections}
    return Source(name, {"openapi": "3.1.0", "info": info, "paths": {}, "components": components})


def bundled(*sources: Source) -> dict[str, Any]:
    """Bundle the first of these contracts; returns its components."""
    components: dict[str, Any] = bundle(sources[0], {found.name: found for found in sources})["components"]
    return components


def test_the_small_tree_is_openapi(tree: Tree) -> None:
    """Each bundle refers to nothing outside, and openapi-spec-validator finds no fault."""
    sources = load_sources(tree)

    for found in sources.values():
        text, findings = check(found, sources)
        assert findings == []
        assert ".yaml" not in text


def test_a_component_goes_into_its_own_section() -> None:
    """Parameters, responses and security schemes are hoisted as what they are, with all they need."""
    shared = source(
        "_common/schemas",
        {"Text": {"type": "string"}, "Unused": {"type": "string"}},
        parameters={"Word": {"name": "word", "in": "query", "schema": {"$ref": "#/components/schemas/Text"}}},
        securitySchemes={"key": {"type": "http", "scheme": "bearer"}},
    )
    main = source(
        "shop",
        {},
        parameters={"Mine": {"$ref": "_common/schemas.yaml#/components/parameters/Word"}},
        securitySchemes={"key": {"$ref": "_common/schemas.yaml#/components/securitySchemes/key"}},
    )

    assert bundled(main, shared) == {
        "parameters": {
            "Mine": {"$ref": "#/components/parameters/Word"},
            "Word": shared.document["components"]["parameters"]["Word"],
        },
        "schemas": {"Text": {"type": "string"}},
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
    }


def test_recursion_stays_recursion() -> None:
    """Schemas that refer to themselves or to each other stay references, across files too."""
    tree = source(
        "_common/tree",
        {
            "Tree": {"type": "array", "items": {"$ref": "#/components/schemas/Branch"}},
            "Branch": {"properties": {"tree": {"$ref": "#/components/schemas/Tree"}}},
        },
    )
    main = source("wood", {"Wood": {"$ref": "_common/tree.yaml#/components/schemas/Tree"}})

    assert bundled(main, tree)["schemas"] == {
        "Wood": {"$ref": "#/components/schemas/Tree"},
        **tree.document["components"]["schemas"],
    }


def test_siblings_of_a_reference_are_kept() -> None:
    """What stands beside `$ref` narrows it, as JSON Schema says."""
    shared = source("_common/schemas", {"Text": {"type": "string"}})
    reference = {"$ref": "_common/schemas.yaml#/components/schemas/Text", "maxLength": 3}
    main = source("shop", {"Word": reference})

    assert bundled(main, shared)["schemas"]["Word"] == {"$ref": "#/components/schemas/Text", "maxLength": 3}


def test_two_files_may_not_mean_different_things_by_one_name() -> None:
    """A clash of names is refused, naming both files."""
    one = source("_common/one", {"Money": {"type": "integer"}})
    two = source("_common/two", {"Money": {"type": "string"}})
    main = source(
        "shop",
        {
            "A": {"$ref": "_common/one.yaml#/components/schemas/Money"},
            "B": {"$ref": "_common/two.yaml#/components/schemas/Money"},
        },
    )

    with pytest.raises(
        ContractError, match=r"schemas/Money: \[name-clash\] _common/one.yaml and _common/two"
    ):
        bundled(main, one, two)


def test_two_files_may_mean_the_same_by_one_name() -> None:
    """The same content under the same name is one component."""
    one = source("_common/one", {"Money": {"type": "integer"}})
    two = source("_common/two", {"Money": {"type": "integer"}})
    main = source(
        "shop",
        {
            "A": {"$ref": "_common/one.yaml#/components/schemas/Money"},
            "B": {"$ref": "_common/two.yaml#/components/schemas/Money"},
        },
    )

    assert bundled(main, one, two)["schemas"]["Money"] == {"type": "integer"}


@pytest.mark.parametrize(
    ("reference", "rule"),
    [
        ("_common/schemas.yaml#/components/schemas/Absent", "ref-missing"),
        ("_common/absent.yaml#/components/schemas/Text", "ref-missing"),
        ("#/components/schemas/Absent", "ref-missing"),
        ("_common/schemas.yaml#/components/schemas/Text/maxLength", "ref-form"),
        ("_common/schemas.yaml", "ref-form"),
        ("#/paths/~1parcels/get", "ref-form"),
        ("../secrets.yaml#/components/schemas/Text", "ref-form"),
        ("https://example.org/schemas.yaml#/components/schemas/Text", "ref-form"),
    ],
)
def test_a_reference_names_a_component(reference: str, rule: str) -> None:
    """Anything else than '#/components/<section>/<Name>' of a file at hand is refused."""
    main = source("shop", {"Word": {"$ref": reference}})

    with pytest.raises(ContractError, match=rf"\[{rule}\]"):
        bundled(main, source("_common/schemas", {"Text": {"type": "string"}}))


def test_what_looks_like_a_reference_in_data_is_data() -> None:
    """Examples, constants and fields named like keywords are not rewritten."""
    schema = {
        "const": {"$ref": "nowhere"},
        "examples": [{"$ref": "nowhere"}],
        "properties": {"example": {"$ref": "#/components/schemas/Thing"}, "const": {"type": "string"}},
    }

    assert bundled(source("shop", {"Thing": schema}))["schemas"]["Thing"] == schema


def test_the_targets_of_a_discriminator_are_hoisted() -> None:
    """A discriminator's mapping refers to components just as `$ref` does."""
    shared = source("_common/schemas", {"Cat": {"type": "object"}})
    mapping = {"cat": "_common/schemas.yaml#/components/schemas/Cat"}
    main = source("zoo", {"Pet": {"discriminator": {"propertyName": "kind", "mapping": mapping}}})

    schemas = bundled(main, shared)["schemas"]

    assert schemas["Pet"]["discriminator"]["mapping"] == {"cat": "#/components/schemas/Cat"}
    assert "Cat" in schemas


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("openapi: 3.1.0\ninfo: {}\ninfo: {}", "line 3: the key 'info' is given twice"),
        ("openapi: 3.1.0\n200: {}", "line 2: the key 200 is not a string; quote it"),
        ("openapi: 3.0.3", "begin it with `openapi: 3.1.0`"),
        ("openapi: [", "expected"),
    ],
)
def test_a_file_is_read_strictly(tree: Tree, text: str, message: str) -> None:
    """A file that is not plain OpenAPI 3.1 in YAML is named with the line."""
    (tree.contracts / "odd.yaml").write_text(text, "utf-8")

    with pytest.raises(ContractError) as refused:
        load_sources(tree)

    assert str(refused.value).startswith("odd: file: [")
    assert message in str(refused.value)


def test_words_stay_words(tree: Tree) -> None:
    """`no`, a date and a time of day are text in a contract, not what YAML 1.1 makes of them."""
    text = "openapi: 3.1.0\nx: [no, 2026-01-01, 12:30, 1, 1.5, true, null]"
    (tree.contracts / "odd.yaml").write_text(text, "utf-8")

    assert load_sources(tree)["odd"].document["x"] == ["no", "2026-01-01", "12:30", 1, 1.5, True, None]
