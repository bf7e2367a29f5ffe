"""The intermediate form: what a contract's operations are, ready to be rendered without thought."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from keyword import iskeyword
from typing import Any, Literal

from codegen.document import component, resolved
from codegen.findings import ContractError, Finding
from codegen.refs import COMPONENT, Json
from codegen.types import PythonType, UnsupportedSchema, python_type

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# Names that generated functions use themselves.
RESERVED = frozenset(
    {
        *("body", "call", "ctx", "handle", "handlers", "models", "self", "sent"),
        *("date", "datetime", "list_of", "optional", "required", "to_datetime", "to_model"),
    }
)

Transaction = Literal["read", "write", "none"]


@dataclass(frozen=True)
class Model:
    """A generated class: `module` is dotted below generated.models."""

    module: str
    name: str

    @property
    def path(self) -> str:
        """Return the name under which Python imports it."""
        return f"generated.models.{self.module}.{self.name}"


@dataclass(frozen=True)
class Parameter:
    """One parameter that reaches the handler; `field` reads `query.start_date`."""

    field: str
    name: str
    type: PythonType
    required: bool
    default: object = None

    @property
    def annotation(self) -> str:
        """Return its type in the handler's signature."""
        is_given = self.required or self.default is not None
        return self.type.annotation if is_given else f"{self.type.annotation} | None"


@dataclass(frozen=True)
class Response:
    """One documented answer below 400."""

    status: int
    media_type: str | None
    model: Model | None


@dataclass(frozen=True)
class Operation:
    """One operation of one contract."""

    id: str
    contract: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body: Model | Literal["bytes"] | None
    responses: tuple[Response, ...]
    transaction: Transaction
    is_async: bool
    is_streamed: bool

    @property
    def name(self) -> str:
        """Return the handler's name."""
        return snake_case(self.id)

    @property
    def title(self) -> str:
        """Return how reports call the operation."""
        return f"{self.method} {self.path} ({self.id})"

    @property
    def models(self) -> list[Model]:
        """Return every model of its signature, once, in order of appearance."""
        body = [self.body] if isinstance(self.body, Model) else []
        answers = [response.model for response in self.responses if response.model]
        return list(dict.fromkeys(body + answers))


@dataclass(frozen=True)
class Contract:
    """One contract with its operations, by operationId."""

    name: str
    operations: tuple[Operation, ...]

    @property
    def identifier(self) -> str:
        """Return its name as one Python identifier."""
        return re.sub(r"\W", "_", self.name)

    @property
    def module(self) -> str:
        """Return its name as a dotted module below handlers, generated.routes."""
        return self.name.replace("/", ".").replace("-", "_")

    @property
    def protocol(self) -> str:
        """Return the name of its Protocol."""
        return "".join(word.capitalize() for word in re.split(r"\W", self.name)) + "Handlers"

    @cached_property
    def models(self) -> list[Model]:
        """Return every model of its operations, once."""
        return list(dict.fromkeys(m for operation in self.operations for m in operation.models))


def snake_case(name: str) -> str:
    """Turn camelCase, and a header's Kebab-Case, into snake_case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|\W+", "_", name).lower()


def raw_operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, whole path and operation object, path-level parameters put first into it."""
    base = (document.get("servers") or [{"url": "/"}])[0]["url"].rstrip("/")
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                parameters = [*item.get("parameters", []), *item[method].get("parameters", [])]
                yield method.upper(), base + path, {**item[method], "parameters": parameters}


def security_of(document: Mapping[str, Any], operation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the requirements that hold for an operation; none: it is public."""
    requirements: list[dict[str, Any]] = operation.get("security", document.get("security", []))
    return requirements


def transaction_of(method: str, operation: Mapping[str, Any]) -> Transaction:
    """Return what the boundary opens for the handler."""
    default = "read" if method in {"GET", "HEAD"} else "write"
    chosen: Transaction = operation.get("x-transaction", default)
    return chosen


class Reader:
    """Reads one bundle; `classes` says in which module the model of a schema is."""

    def __init__(self, contract: str, document: dict[str, Any], classes: Mapping[str, str]) -> None:
        """Prepare to read."""
        self.contract = contract
        self.document = document
        self.classes = classes

    def read(self) -> Contract:
        """Return the contract's operations.

        Raises ContractError naming each operation that cannot be rendered.
        """
        operations, findings = [], []
        for method, path, operation in raw_operations(self.document):
            try:
                operations.append(self._operation(method, path, operation))
            except UnsupportedSchema as error:
                where = f"operation {operation.get('operationId', f'{method} {path}')}"
                findings.append(Finding(self.contract, where, "unsupported", str(error)))
        if findings:
            raise ContractError(findings)
        return Contract(self.contract, tuple(sorted(operations, key=lambda found: found.id)))

    def _operation(self, method: str, path: str, operation: dict[str, Any]) -> Operation:
        return Operation(
            id=operation["operationId"],
            contract=self.contract,
            method=method,
            path=path,
            parameters=tuple(self._parameters(operation)),
            body=self._body(operation),
            responses=tuple(self._responses(operation)),
            transaction=transaction_of(method, operation),
            is_async=operation.get("x-execution") == "async",
            is_streamed=bool(operation.get("x-streamed")),
        )

    def _parameters(self, operation: dict[str, Any]) -> Iterator[Parameter]:
        found = {}
        for entry in operation["parameters"]:
            parameter = resolved(self.document, entry)
            found[parameter["in"], parameter["name"]] = parameter
        for (place, name), parameter in found.items():
            if parameter.get("x-runtime"):
                continue
            schema = resolved(self.document, parameter.get("schema"))
            try:
                kind = python_type(self.document, schema)
            except UnsupportedSchema as error:
                raise UnsupportedSchema(f"parameter {name}: {error}") from error
            argument = snake_case(name)
            if iskeyword(argument) or not argument.isidentifier() or argument in RESERVED:
                raise UnsupportedSchema(f"parameter {name}: {argument!r} is no free Python name; rename it")
            if kind.converter and "default" in schema:
                raise UnsupportedSchema(f"parameter {name}: a default needs a plain type; drop the default")
            yield Parameter(
                field=f"{place}.{name}",
                name=argument,
                type=kind,
                required=bool(parameter.get("required")),
                default=schema.get("default"),
            )

    def _body(self, operation: dict[str, Any]) -> Model | Literal["bytes"] | None:
        if operation.get("x-raw-body"):
            return "bytes"
        if "requestBody" not in operation:
            return None
        content = resolved(self.document, operation["requestBody"])["content"]
        media: dict[str, Json] = content.get("application/json", next(iter(content.values()), {}))
        return self._model("the request body", media.get("schema"))

    def _responses(self, operation: dict[str, Any]) -> Iterator[Response]:
        for status, entry in sorted(operation["responses"].items()):
            if not status.startswith("2"):
                continue
            content = resolved(self.document, entry).get("content", {})
            for media_type, media in content.items():
                model = None
                if is_json(media_type) and not operation.get("x-streamed"):
                    model = self._model(f"the {status} response", media.get("schema"))
                yield Response(int(status), media_type, model)
            if not content:
                yield Response(int(status), None, None)

    def _model(self, what: str, schema: Json) -> Model:
        ref = schema.get("$ref") if isinstance(schema, dict) else None
        match = COMPONENT.fullmatch(ref or "")
        if ref is None or match is None or match[1] != "schemas":
            raise UnsupportedSchema(f"{what} needs a named schema; refer to '#/components/schemas/<Name>'")
        if match[2] not in self.classes:
            kind = component(self.document, ref).get("type")
            raise UnsupportedSchema(f"{what} is {match[2]}, for which there is no model (type {kind})")
        return Model(self.classes[match[2]], match[2])


def is_json(media_type: str) -> bool:
    """Tell whether a media type's content is JSON."""
    essence = media_type.partition(";")[0].strip()
    return essence == "application/json" or essence.endswith("+json")
