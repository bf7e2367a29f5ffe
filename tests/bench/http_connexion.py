"""For comparison: Connexion's own AsyncApp with a 3.0 contract, which is all it accepts."""

import copy
from typing import Any

from connexion import AsyncApp
from connexion.resolver import Resolver

from tests.bench.http_contract import document


async def get_item(job_id: str, limit: int = 50, currency: str | None = None, **_: Any) -> dict[str, Any]:
    """Answer with what was asked."""
    return {"job_id": job_id, "limit": limit, "currency": currency, "client": "bench"}


async def post_item(body: dict[str, Any]) -> dict[str, Any]:
    """Answer with a part of what was sent."""
    return {"count": body["count_0"], "channel": body["channel"], "at": body["at_0"]}


def _resolve(operation_id: str) -> Any:
    return get_item if operation_id.startswith("get") else post_item


app = AsyncApp("benchmark", resolver=Resolver(_resolve), strict_validation=True)
app.add_api(copy.deepcopy(document("3.0.3")))
