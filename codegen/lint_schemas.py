"""Rules of schemas: everything is bounded, text can be stored, money is whole numbers."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from codegen.document import resolved
from codegen.lint_sites import Site, parts, roots
from codegen.refs import Json

INT64 = 2**63 - 1
# Formats that the validator enforces; `password` and the like only describe.
ENFORCED_FORMATS = frozenset(
    {
        *("date", "date-time", "time", "duration", "uuid", "email", "idn-email", "hostname"),
        *("ipv4", "ipv6", "uri", "uri-reference", "iri", "iri-reference", "json-pointer", "regex"),
    }
)
MONEY = re.compile(r"(^|_)(amount|revenue|price)s?(_|$)")
ATOM = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|.)|\[\^?(?:\\.|[^\]\\])*\]|\.")

Fault = tuple[str, str, str]  # where, rule, message


def schema_faults(document: dict[str, Any], own: dict[str, Any]) -> Iterator[Fault]:
    """Yield what is wrong with the schemas that a contract writes."""
    for root in roots(document, own):
        broken = _broken(root.schema)
        if broken:
            yield root.where, "schema", broken
            continue
        for site in parts(root):
            for rule, message in _faults(document, site):
                yield site.where, rule, message


def _broken(schema: Json) -> str:
    """Return what makes a schema no JSON Schema of Draft 2020-12; openapi-spec-validator reads only some."""
    try:
        jsonschema_rs.meta.validate(schema)
    except ValueError as error:
        at = "/".join(map(str, getattr(error, "instance_path", [])))
        return f"correct the schema at {at or 'its top'}: {' '.join(str(error).split())[:300]}"
    return ""


def _faults(document: dict[str, Any], site: Site) -> Iterator[tuple[str, str]]:
    schema = site.schema
    kinds = types_of(schema)
    is_listed = "enum" in schema or "const" in schema
    if "string" in kinds and not is_listed:
        yield from _string(site)
    if "integer" in kinds and not is_listed:
        yield from _integer(schema)
    if "array" in kinds:
        if "maxItems" not in schema:
            yield "array-bound", "give the array a maxItems"
        if not {"items", "prefixItems"} & set(schema):
            yield "array-items", "say what the array holds with items"
    if "object" in kinds and not site.is_partial:
        yield from _object(schema)
    yield from _money(document, site)


def types_of(schema: dict[str, Any]) -> set[str]:
    """Return the types a schema names."""
    kinds = schema.get("type", [])
    return {kinds} if isinstance(kinds, str) else set(kinds)


def _string(site: Site) -> Iterator[tuple[str, str]]:
    schema = site.schema
    if schema.get("format") in ENFORCED_FORMATS:
        return
    if "maxLength" not in schema:
        yield "string-bound", "give the string a maxLength, an enforced format or an enum"
    is_stored = not site.is_header and schema.get("format") != "password"  # which is hashed
    if is_stored and not excludes_nul(schema.get("pattern", "")):
        yield "string-nul", r"give the string a pattern from ^ to $ without NUL, such as '^[^\x00]*$'"


def _integer(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for side in ("minimum", "maximum"):
        bound = schema.get(side, schema.get(f"exclusive{side.capitalize()}"))
        if bound is None:
            yield "integer-bound", f"give the integer a {side}"
        elif abs(bound) > INT64:
            yield "integer-bound", f"the {side} {bound} does not fit 64 bits; bring it nearer to 0"


def _object(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    rest = schema.get("additionalProperties", schema.get("unevaluatedProperties"))
    if schema.get("x-open"):
        if rest is not True:
            yield "closed-object", "an x-open object says `additionalProperties: true` too"
    elif rest is None or rest is True:
        yield "closed-object", "close the object with `additionalProperties: false`, or say `x-open: true`"


def _money(document: dict[str, Any], site: Site) -> Iterator[tuple[str, str]]:
    if site.name.endswith("_cents") or MONEY.search(site.name):
        target = resolved(document, site.schema)
        kinds = types_of(target) if isinstance(target, dict) else set()
        if "number" in kinds or (site.name.endswith("_cents") and kinds - {"integer", "null"}):
            yield "money-integer", f"{site.name} is money: make it an integer of minor units"


def excludes_nul(pattern: str) -> bool:
    """Tell whether a pattern surely lets no text with a NUL through.

    It does when it is anchored at both ends as a whole, and none of its parts admits a NUL.
    """
    bare = ATOM.sub("", pattern)
    if not (pattern.startswith("^") and pattern.endswith("$")) or _has_outer_choice(bare):
        return False
    return not any(re.fullmatch(atom, "\0", re.DOTALL) for atom in ATOM.findall(pattern))


def _has_outer_choice(bare: str) -> bool:
    depth = 0
    for character in bare:
        depth += (character == "(") - (character == ")")
        if character == "|" and depth == 0:
            return True
    return False
