"""What the templates see of an operation: strings, so that they need not think."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from codegen.operations import Model, Operation, Parameter
from codegen.types import python_literal

LINE = 100
# Names that generated modules import for themselves.
TAKEN = frozenset(
    {
        *("Answer", "Any", "Body", "Call", "Context", "HttpAnswer", "Literal", "Protocol", "Reply"),
        *("SkeldirError", "Stream", "TypeVar", "UUID"),
    }
)


class Names:
    """How one generated file calls its models: by their own name where no two share it."""

    def __init__(self, models: Iterable[Model]) -> None:
        """Look which names are shared."""
        self.models = sorted(set(models), key=lambda model: (model.module, model.name))
        names = [model.name for model in self.models]
        self.shared = {name for name in names if names.count(name) > 1} | TAKEN

    def of(self, model: Model) -> str:
        """Return how the file writes a model."""
        return f"{self._alias(model)}.{model.name}" if model.name in self.shared else model.name

    @property
    def imports(self) -> list[str]:
        """Return the import lines."""
        lines = []
        for module in sorted({model.module for model in self.models}):
            path = f"generated.models.{module}"
            names = [model.name for model in self.models if model.module == module]
            own = [name for name in names if name not in self.shared]
            if own:
                lines.append(call(f"from {path} import ", own, "()", indent=0))
            if len(own) < len(names):
                lines.append(import_line(path, self._alias(Model(module, ""))))
        return lines

    @staticmethod
    def _alias(model: Model) -> str:
        return model.module.replace(".", "_") + "_models"


@dataclass(frozen=True)
class View:
    """One operation as the templates see it."""

    operation: Operation
    names: Names

    @property
    def name(self) -> str:
        """The function's name."""
        return self.operation.name

    @property
    def address(self) -> str:
        """Method and path."""
        return f"{self.operation.method} {self.operation.path}"

    @property
    def define(self) -> str:
        """The keyword that begins the function."""
        return "async def" if self.operation.is_async else "def"

    @property
    def wait(self) -> str:
        """What stands before a call that must be awaited."""
        return "await " if self.operation.is_async else ""

    @property
    def arguments(self) -> list[tuple[str, str]]:
        """Each keyword argument of the handler with its annotation."""
        found = [(parameter.name, parameter.annotation) for parameter in self.operation.parameters]
        body = self.operation.body
        if body is not None:
            found.append(("body", self.names.of(body) if isinstance(body, Model) else "bytes"))
        return found

    @property
    def method(self) -> str:
        """The handler's definition as a method of the Protocol, up to the arrow."""
        given = [f"{name}: {kind}" for name, kind in self.arguments]
        star = ["*"] if given else []
        spare = len(self.answer) + len(" -> :")
        return call(f"{self.define} {self.name}", ["self", "ctx: Context", *star, *given], "()", spare=spare)

    @property
    def handler_call(self) -> str:
        """The call of the handler."""
        given = [f"{name}={name}" for name, _ in self.arguments]
        return call(f"return {self.wait}handlers.{self.name}", ["ctx", *given], "()", indent=8)

    @property
    def conversions(self) -> list[str]:
        """The statements that make the handler's arguments."""
        lines = [conversion(parameter) for parameter in self.operation.parameters]
        if lines:
            lines.insert(0, "sent = call.parameters")
        body = self.operation.body
        if isinstance(body, Model):
            lines.append(f"body = to_model({self.names.of(body)}, call.json)")
        elif body is not None:
            lines.append("body = call.raw_body")
        return lines

    @property
    def answer(self) -> str:
        """What the handler may return."""
        if self.operation.is_streamed:
            return "Answer[Stream]"
        kinds = []
        for response in self.operation.responses:
            if response.model:
                kinds.append(self.names.of(response.model))
            elif response.media_type is None:
                kinds.append("None")
            else:
                kinds.append("str" if response.media_type.startswith("text/") else "bytes")
        return f"Answer[{' | '.join(dict.fromkeys(kinds))}]"

    @property
    def boundary_call(self) -> str:
        """The call of the boundary."""
        if self.operation.is_streamed:
            return call("return call.stream", ["handle"], "()")
        first = self.operation.responses[0]
        given = ["handle", f"status={first.status}"]
        if not self.operation.is_async:
            given.insert(1, f'transaction="{self.operation.transaction}"')
        if first.media_type and not first.model:
            given.append(f"media_type={python_literal(first.media_type)}")
        runner = "run_async" if self.operation.is_async else "run"
        return call(f"return {self.wait}call.{runner}", given, "()")

    @cached_property
    def words(self) -> set[str]:
        """Every word of the function, to know what it needs imported."""
        text = " ".join([self.method, self.answer, *self.conversions])
        return set(re.findall(r"\w+", text))


def conversion(parameter: Parameter) -> str:
    """Return the statement that reads one parameter."""
    field, name, kind = python_literal(parameter.field), parameter.name, parameter.type
    if kind.converter:
        reader = "required" if parameter.required else "optional"
        return f"{name} = {reader}(sent, {field}, {kind.converter})"
    if parameter.required:
        return f"{name}: {parameter.annotation} = sent[{field}]"
    given = [field] if parameter.default is None else [field, python_literal(parameter.default)]
    return call(f"{name}: {parameter.annotation} = sent.get", given, "()")


def call(callee: str, items: Sequence[str], brackets: str, *, indent: int = 4, spare: int = 0) -> str:
    """Write items in brackets: on one line when it fits, else one a line."""
    is_import = callee.endswith(" ")
    flat = ", ".join(items)
    line = callee + flat if is_import else f"{callee}{brackets[0]}{flat}{brackets[1]}"
    if indent + len(line) + spare <= LINE:
        return line
    pad = " " * indent
    inner = "".join(f"{pad}    {item},\n" for item in items)
    # (a trailing comma says that the items stay one a line)
    return f"{callee}{brackets[0]}\n{inner}{pad}{brackets[1]}"


def import_line(module: str, alias: str) -> str:
    """Return the line that imports a module under another name."""
    package, _, name = module.rpartition(".")
    return f"from {package} import {name}" + ("" if name == alias else f" as {alias}")


def standard_imports(words: set[str], typing: Iterable[str] = ()) -> list[str]:
    """Return the lines for what the standard library offers of the words."""
    dates = [name for name in ("date", "datetime") if name in words]
    lines = [f"from datetime import {', '.join(dates)}"] if dates else []
    typed = sorted({*typing, *(words & {"Literal"})})
    if typed:
        lines.append(f"from typing import {', '.join(typed)}")
    if "UUID" in words:
        lines.append("from uuid import UUID")
    return lines
