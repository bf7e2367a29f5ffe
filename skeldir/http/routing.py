"""Which operation a request is for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_to_bytes

from skeldir.http.plan import OperationPlan

_TEMPLATE: Final = "{"


@dataclass(slots=True)
class _Node:
    """One segment of the tree of paths: what follows literally, and what follows as a parameter."""

    literal: dict[bytes, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    methods: "Methods | None" = None


@dataclass(slots=True)
class Methods:
    """The operations at one path."""

    plans: dict[str, OperationPlan] = field(default_factory=dict)
    allow: str = ""

    def add(self, plan: OperationPlan) -> None:
        """Add an operation; raises ValueError when there is one already."""
        if plan.method in self.plans:
            known = self.plans[plan.method].operation_id
            raise ValueError(f"{plan.method} {plan.path} is both {known} and {plan.operation_id}")
        self.plans[plan.method] = plan
        self.allow = ", ".join(sorted({*self.plans, *(["HEAD"] if "GET" in self.plans else [])}))

    def find(self, method: str) -> OperationPlan | None:
        """Return the operation of a method; HEAD is GET without the body (RFC 9110 §9.3.2)."""
        return self.plans.get(method) or (self.plans.get("GET") if method == "HEAD" else None)


class Router:
    """Finds operations by raw path; templates fill whole segments, and literal segments win."""

    def __init__(self) -> None:
        """Start without any operation."""
        self._root = _Node()
        self._static: dict[bytes, Methods] = {}
        self._ending: dict[bytes, Methods] = {}

    def add(self, plan: OperationPlan) -> None:
        """Register an operation; raises ValueError when another one is in its place."""
        node = self._root
        for segment in plan.path.split("/"):
            if segment.startswith(_TEMPLATE):
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literal.setdefault(segment.encode(), _Node())
        node.methods = node.methods or Methods()
        node.methods.add(plan)
        before, _, last = plan.path.rpartition("/")
        if _TEMPLATE not in plan.path:
            self._static[plan.path.encode()] = node.methods
        elif _TEMPLATE not in before and last.startswith(_TEMPLATE):
            self._ending[before.encode()] = node.methods

    def find(self, raw_path: bytes) -> tuple[Methods, list[bytes]] | None:
        """Return the operations at a path and the raw segments that fill its template."""
        methods = self._static.get(raw_path)
        if methods is not None:
            return methods, []
        if b"%" not in raw_path:  # most templates have one parameter, which is their end
            before, _, last = raw_path.rpartition(b"/")
            methods = self._ending.get(before)
            if methods is not None and last:
                return methods, [last]
        return _descend(self._root, raw_path.split(b"/"), 0)


def _descend(node: _Node, segments: list[bytes], depth: int) -> tuple[Methods, list[bytes]] | None:
    if depth == len(segments):
        return None if node.methods is None else (node.methods, [])
    segment = segments[depth]
    literal = node.literal.get(unquote_to_bytes(segment) if b"%" in segment else segment)
    if literal is not None:
        found = _descend(literal, segments, depth + 1)
        if found is not None:
            return found
    if node.parameter is None or not segment:
        return None
    found = _descend(node.parameter, segments, depth + 1)
    if found is not None:
        found[1].insert(0, segment)
    return found


def raw_path_of(scope: Mapping[str, object]) -> bytes:
    """Return the path as it was sent, below where the application is mounted."""
    raw = scope.get("raw_path")
    path = raw.partition(b"?")[0] if isinstance(raw, bytes) else str(scope["path"]).encode()
    root = str(scope.get("root_path", "")).encode()
    return path.removeprefix(root) if root else path
