"""Rules of operations: who may call them, what they answer, how they are run."""

import re
from collections.abc import Iterator
from keyword import iskeyword
from typing import Any

from codegen.document import resolved
from codegen.lint_schemas import Fault
from codegen.operations import is_json, raw_operations, security_of, snake_case, transaction_of
from codegen.refs import Json

CAMEL = re.compile(r"[a-z][a-zA-Z0-9]*")
PROBLEM = "application/problem+json"
SHARED_RESPONSES = {
    "400": "BadRequest",
    "401": "Unauthorized",
    "403": "Forbidden",
    "404": "NotFound",
    "406": "NotAcceptable",
    "409": "Conflict",
    "413": "ContentTooLarge",
    "415": "UnsupportedMediaType",
    "422": "UnprocessableContent",
    "429": "TooManyRequests",
    "500": "InternalServerError",
    "503": "ServiceUnavailable",
}
EXTENSIONS = {
    "x-transaction": ("read", "write", "none"),
    "x-execution": ("sync", "async"),
    "x-raw-body": (True, False),
    "x-streamed": (True,),
    "x-rate-limit": ("none",),
    "x-idempotency": ("none",),
}
# What the runtime reads and handlers never see.
RUNTIME_HEADERS = frozenset({"authorization", "idempotency-key", "if-none-match", "x-correlation-id"})


def operation_faults(document: dict[str, Any]) -> Iterator[Fault]:
    """Yield what is wrong with the operations of a bundle."""
    for method, path, operation in raw_operations(document):
        where = f"operation {operation.get('operationId', f'{method} {path}')}"
        for rules in (_naming, _security, _running, _parameters, _idempotency, _body, _responses):
            for rule, message in rules(document, method, operation):
                yield where, rule, message


def _naming(document: dict[str, Any], _: str, operation: dict[str, Any]) -> Iterator[tuple[str, str]]:
    name = operation.get("operationId", "")
    if not CAMEL.fullmatch(name) or iskeyword(snake_case(name)):
        yield "operation-id", "give the operation an operationId in camelCase that is no Python keyword"
    if not operation.get("summary"):
        yield "summary", "say in a summary what the operation does"
    declared = {tag["name"] for tag in document.get("tags", [])}
    tags = operation.get("tags", [])
    if not tags or not set(tags) <= declared:
        yield "tag", f"give the operation a tag that the contract declares ({', '.join(sorted(declared))})"


def _security(document: dict[str, Any], _: str, operation: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "security" not in operation:
        yield "security", "say who may call it with `security`; `security: []` is everybody"
    schemes = document.get("components", {}).get("securitySchemes", {})
    for requirement in security_of(document, operation):
        for name, scopes in requirement.items():
            scheme = schemes.get(name)
            if scheme is None:
                yield "security-scheme", f"there is no securityScheme {name}; refer to one of _common/schemas"
                continue
            flows = scheme.get("flows", {}).values()
            known = {scope for flow in flows for scope in flow.get("scopes", {})}
            if not set(scopes) <= known:
                yield "security-scheme", f"{name} knows only the scopes {', '.join(sorted(known)) or 'none'}"


def _running(document: dict[str, Any], method: str, operation: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, values in EXTENSIONS.items():
        if key in operation and operation[key] not in values:
            yield "extension", f"{key} is one of {', '.join(map(str, values))}"
    transaction = transaction_of(method, operation)
    requirements = security_of(document, operation)
    if transaction != "none" and (not requirements or {} in requirements):
        yield "public-transaction", "a public operation has no tenant yet: say `x-transaction: none`"
    if transaction != "none" and operation.get("x-execution") == "async":
        yield "async-transaction", "an asynchronous operation has no database: say `x-transaction: none`"
    if operation.get("x-streamed"):
        yield from _streaming(method, transaction, operation, requirements)


def _streaming(
    method: str, transaction: str, operation: dict[str, Any], requirements: list[dict[str, Any]]
) -> Iterator[tuple[str, str]]:
    if method != "GET" or transaction != "none" or operation.get("x-execution") == "async":
        reason = "it holds its own session until the last byte: make it a synchronous GET"
        yield "stream-transaction", f"{reason} and say `x-transaction: none`"
    if not requirements or {} in requirements:
        yield "stream-owner", "a stream takes one of its tenant's places: say with `security` whose it is"


def _parameters(document: dict[str, Any], _: str, operation: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for entry in operation["parameters"]:
        parameter = resolved(document, entry)
        name = str(parameter.get("name"))
        is_runtimes = parameter.get("in") == "header" and name.lower() in RUNTIME_HEADERS
        if is_runtimes and not parameter.get("x-runtime"):
            yield "runtime-parameter", f"the runtime reads {name}: mark the parameter `x-runtime: true`"
        if "schema" not in parameter:
            yield "parameter-schema", f"describe the parameter {name} by a schema, not by content"


def _idempotency(
    document: dict[str, Any], method: str, operation: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    takes_key = _takes_key(document, operation)
    exempt = operation.get("x-idempotency", document.get("x-idempotency")) == "none"
    if method == "POST" and not takes_key and not exempt and _has_owner(document, operation):
        target = "_common/requests.yaml#/components/parameters/IdempotencyKey"
        reason = "say `x-idempotency: none` if its answer must not be kept"
        yield "idempotency-key", f"take an Idempotency-Key: refer to {target}; {reason}"
    if takes_key and (transaction_of(method, operation) == "read" or operation.get("x-execution") == "async"):
        yield "idempotency-effect", "an Idempotency-Key is for effects: drop it, or let the operation write"


def _takes_key(document: dict[str, Any], operation: dict[str, Any]) -> bool:
    taken = (resolved(document, entry) for entry in operation["parameters"])
    return any((one.get("in"), one.get("name")) == ("header", "Idempotency-Key") for one in taken)


def _has_owner(document: dict[str, Any], operation: dict[str, Any]) -> bool:
    """Tell whether a caller proves who he is before the handler runs; a webhook's signature does not."""
    return not operation.get("x-raw-body") and bool(security_of(document, operation))


def _body(document: dict[str, Any], _: str, operation: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "requestBody" in operation and not resolved(document, operation["requestBody"]).get("required"):
        yield "body-required", "a request body is either there or not: say `required: true`"


def _responses(document: dict[str, Any], _: str, operation: dict[str, Any]) -> Iterator[tuple[str, str]]:
    responses = operation.get("responses", {})
    if not any(status.startswith("2") for status in responses):
        yield "success", "say what a success looks like: add a 2xx response"
    for status in sorted(required_problems(document, operation) - set(responses)):
        target = f"_common/schemas.yaml#/components/responses/{SHARED_RESPONSES[status]}"
        yield "problems", f"add the {status} response: refer to {target}"
    for status, entry in responses.items():
        if status[0] in "45" or status == "default":
            yield from _problem(document, status, entry)
    asks = {resolved(document, entry).get("name", "").lower() for entry in operation["parameters"]}
    if "if-none-match" in asks and "304" not in responses:
        yield "not-modified", "it takes If-None-Match: add the 304 response"
    if is_limited(document, operation):
        yield from _rate_limit(document, responses)


def _rate_limit(document: dict[str, Any], responses: dict[str, Json]) -> Iterator[tuple[str, str]]:
    for status, entry in responses.items():
        if status.startswith("2") or status == "304":
            headers = resolved(document, entry).get("headers", {})
            for name in sorted({"RateLimit", "RateLimit-Policy"} - set(headers)):
                component = name.replace("-", "")
                target = f"_common/requests.yaml#/components/headers/{component}"
                yield "rate-limit", f"the {status} response says {name}: refer to {target}"


def is_limited(document: dict[str, Any], operation: dict[str, Any]) -> bool:
    """Tell whether requests are counted: those that prove whose they are, unless the contract says not."""
    exempt = operation.get("x-rate-limit", document.get("x-rate-limit")) == "none"
    return not exempt and bool(operation.get("x-raw-body") or security_of(document, operation))


def required_problems(document: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    """Return the statuses with which the runtime may answer an operation by itself."""
    found = {"400", "429", "500"}
    requirements = security_of(document, operation)
    if requirements:
        found.add("401")
    if any(scopes for requirement in requirements for scopes in requirement.values()):
        found.add("403")
    if operation.get("x-raw-body"):
        found.add("413")
    elif "requestBody" in operation:
        found |= {"413", "415"}
    if _takes_key(document, operation):
        found |= {"409", "422"}
    if operation.get("x-execution") != "async":
        found.add("503")
    successes = [entry for status, entry in operation.get("responses", {}).items() if status.startswith("2")]
    if any(resolved(document, entry).get("content") for entry in successes):
        found.add("406")
    return found


def _problem(document: dict[str, Any], status: str, entry: Json) -> Iterator[tuple[str, str]]:
    ref = entry.get("$ref")
    name = SHARED_RESPONSES.get(status)
    if ref and name and ref != f"#/components/responses/{name}":
        yield "problem-name", f"the {status} response is called {name}, not {ref.rpartition('/')[2]}"
    content = resolved(document, entry).get("content", {})
    if PROBLEM not in content and not any(is_json(media_type) for media_type in content):
        yield "problem-content", f"the {status} response is a problem document: give it {PROBLEM}"
