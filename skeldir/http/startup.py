"""The check at start-up that every operation has its handler, of the signature that the contract asks for."""

import inspect
from collections.abc import Iterable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Protocol


class ServedOperation(Protocol):
    """What the check needs to know of an operation."""

    @property
    def operation_id(self) -> str:
        """The contract's name for it."""

    @property
    def handler(self) -> str:
        """The handler's name in its module."""


class ServedContract(Protocol):
    """What the check needs to know of a contract."""

    @property
    def name(self) -> str:
        """The contract's name, such as `webhooks/shopify`."""

    @property
    def handlers(self) -> str:
        """The module of its handlers."""

    @property
    def stub(self) -> type:
        """The generated Protocol that the module must satisfy."""

    @property
    def operations(self) -> Iterable[ServedOperation]:
        """Its operations."""


class HandlerMismatch(Exception):
    """The handlers are not those of the contracts."""


def check_handlers(contracts: Iterable[ServedContract]) -> None:
    """Raise HandlerMismatch, a line per operation, unless each one has its handler."""
    faults = [fault for contract in contracts for fault in _faults(contract)]
    if faults:
        raise HandlerMismatch("\n".join(["The contracts and their handlers differ:", *faults]))


def _faults(contract: ServedContract) -> Iterator[str]:
    try:
        module: ModuleType | None = import_module(contract.handlers)
    except ModuleNotFoundError as error:
        if error.name is None or not contract.handlers.startswith(error.name):
            raise
        module = None
    for operation in contract.operations:
        where = f"operation {operation.operation_id} of contract {contract.name}"
        wanted = getattr(contract.stub, operation.handler)
        handler = getattr(module, operation.handler, None)
        if handler is None:
            yield f"{where}: {contract.handlers}.{operation.handler} is missing"
        elif problem := _difference(wanted, handler):
            yield f"{where}: {contract.handlers}.{operation.handler} {problem}"


def _difference(wanted: object, handler: object) -> str | None:
    """Say how a handler differs from its stub, or None."""
    if not callable(handler) or not callable(wanted):
        return "is not a function"
    if inspect.iscoroutinefunction(handler) != inspect.iscoroutinefunction(wanted):
        return "is async where the contract is not, or the other way round"
    _, *asked = inspect.signature(wanted, eval_str=True).parameters.values()
    given = list(inspect.signature(handler, eval_str=True).parameters.values())
    if [_shape(parameter) for parameter in asked] != [_shape(parameter) for parameter in given]:
        return f"takes ({_listed(given)}); the contract asks for ({_listed(asked)})"
    return None


def _shape(parameter: inspect.Parameter) -> tuple[object, ...]:
    # The first parameter is positional, so that its name is the handler's own affair.
    name = parameter.name if parameter.kind is inspect.Parameter.KEYWORD_ONLY else ""
    keyword_only = parameter.kind is inspect.Parameter.KEYWORD_ONLY
    return (name, keyword_only, parameter.annotation)


def _listed(parameters: list[inspect.Parameter]) -> str:
    return ", ".join(str(parameter) for parameter in parameters)
