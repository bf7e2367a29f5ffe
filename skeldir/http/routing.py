"""Which operation a request is for; Connexion's later middlewares look it up by its id."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from connexion.middleware.abstract import ROUTING_CONTEXT, SpecMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from skeldir.domain.errors import NotFound
from skeldir.http.plan import OperationPlan
from skeldir.http.problems import MethodNotAllowed
from skeldir.http.values import path_text

PLAN = "skeldir.plan"
SEGMENTS = "skeldir.segments"


class Router:
    """Finds a plan by method and raw path; templates fill whole segments and static paths win."""

    def __init__(self) -> None:
        """Start without any operation."""
        self._static: dict[bytes, dict[str, OperationPlan]] = defaultdict(dict)
        self._templates: dict[int, dict[tuple[bytes, ...], dict[str, OperationPlan]]] = defaultdict(dict)

    def add(self, plan: OperationPlan) -> None:
        """Register an operation; raises ValueError when another one is in its place."""
        path = plan.path.encode()
        segments = tuple(path.split(b"/"))
        methods = (
            self._templates[len(segments)].setdefault(segments, {}) if b"{" in path else self._static[path]
        )
        if plan.method in methods:
            raise ValueError(f"{plan.method} {plan.path} is both {methods[plan.method].operation_id} and {plan.operation_id}")
        methods[plan.method] = plan

    def find(self, raw_path: bytes) -> tuple[Mapping[str, OperationPlan], dict[str, bytes]]:
        """Return the operations at a path by method, and its templates' segments; raises NotFound."""
        methods = self._static.get(raw_path)
        if methods is not None:
            return methods, {}
        sent = raw_path.split(b"/")
        for template, candidates in self._templates.get(len(sent), {}).items():
            if all(part == own or (own[:1] == b"{" and part) for own, part in zip(template, sent, strict=True)):
                names = zip(template, sent, strict=True)
                return candidates, {own[1:-1].decode(): part for own, part in names if own[:1] == b"{"}
        raise NotFound("There is nothing at this path.")


class ContractRouting(SpecMiddleware):
    """Routes to the operations of every registered contract; answers 404, and 405 with all methods."""

    def __init__(self, app: ASGIApp, *, router: Router, fallback: ASGIApp) -> None:
        """Route what the contracts know to `app` and everything else to `fallback`."""
        self.app = app
        self.router = router
        self.fallback = fallback

    def add_api(self, specification: Any, **kwargs: Any) -> None:  # noqa: ANN401 (Connexion's signature)
        """Do nothing: the router was filled from the same bundles."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put the operation into the scope, as Connexion's own routing does."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        raw_path = scope.get("raw_path") or scope["path"].encode()
        try:
            methods, segments = self.router.find(raw_path.partition(b"?")[0])
        except NotFound:
            await self.fallback(scope, receive, send)
            return
        method = "GET" if scope["method"] == "HEAD" and "HEAD" not in methods else scope["method"]
        plan = methods.get(method)
        if plan is None:
            allowed = sorted({*methods, *(["HEAD"] if "GET" in methods else [])})
            raise MethodNotAllowed(headers={"Allow": ", ".join(allowed)})
        scope[PLAN] = plan
        scope[SEGMENTS] = {name: path_text(part, f"path.{name}") for name, part in segments.items()}
        scope.setdefault("extensions", {})[ROUTING_CONTEXT] = {
            "api_base_path": base_path(plan.contract),
            "operation_id": plan.operation_id,
        }
        await self.app(scope, receive, send)


def base_path(contract: str) -> str:
    """Return the key under which Connexion keeps a contract; our paths are absolute already."""
    return f"/{contract}"
