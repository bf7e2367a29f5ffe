"""The peer: FastAPI as its manual writes it, the same checks and the same answers."""

from typing import Annotated
from uuid import UUID

from fastapi import FastAPI, Header, Query

from tests.bench.http_models import Currency, Found, Item, Received

app = FastAPI()


@app.get("/async/items/{job_id}")
async def get_item(
    job_id: UUID,
    x_client: Annotated[str, Header(max_length=20, pattern="^[a-z]+$")],
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    currency: Annotated[Currency | None, Query()] = None,
) -> Found:
    """Answer with what was asked."""
    return Found(job_id=job_id, limit=limit, currency=currency, client=x_client)


@app.post("/async/items")
async def post_item(body: Item) -> Received:  # type: ignore[valid-type]
    """Answer with a part of what was sent."""
    return Received(count=body.count_0, channel=body.channel, at=body.at_0)  # type: ignore[attr-defined]
