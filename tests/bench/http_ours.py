"""Ours: routes in the shape that codegen writes them, handlers that need no database."""

import json
from typing import Any
from uuid import UUID

from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context
from skeldir.http.convert import required, to_model
from skeldir.http.credentials import ServiceCredentials
from skeldir.http.service import assemble
from skeldir.settings import load_settings
from tests.bench.http_contract import document
from tests.bench.http_models import Found, Item, Received


def _find(job_id: UUID, limit: int, currency: str | None, client: str) -> Found:
    return Found(job_id=job_id, limit=limit, currency=currency, client=client)


def _receive(body: Any) -> Received:
    return Received(count=body.count_0, channel=body.channel, at=body.at_0)


def get_item(call: Call) -> HttpAnswer:
    """GET /sync/items/{job_id}."""
    sent = call.parameters
    job_id = required(sent, "path.job_id", UUID)
    limit: int = sent.get("query.limit", 50)
    currency: str | None = sent.get("query.currency")
    client: str = sent["header.X-Client"]

    def handle(_: Context) -> Found:
        return _find(job_id, limit, currency, client)

    return call.run(handle, transaction="none", status=200)


async def get_item_async(call: Call) -> HttpAnswer:
    """GET /async/items/{job_id}."""
    sent = call.parameters
    job_id = required(sent, "path.job_id", UUID)
    limit: int = sent.get("query.limit", 50)
    currency: str | None = sent.get("query.currency")
    client: str = sent["header.X-Client"]

    async def handle(_: Context) -> Found:
        return _find(job_id, limit, currency, client)

    return await call.run_async(handle, status=200)


def post_item(call: Call) -> HttpAnswer:
    """POST /sync/items."""
    body = to_model(Item, call.json)

    def handle(_: Context) -> Received:
        return _receive(body)

    return call.run(handle, transaction="none", status=200)


async def post_item_async(call: Call) -> HttpAnswer:
    """POST /async/items."""
    body = to_model(Item, call.json)

    async def handle(_: Context) -> Received:
        return _receive(body)

    return await call.run_async(handle, status=200)


ROUTES = {route.__name__: route for route in (get_item, get_item_async, post_item, post_item_async)}
app = assemble(
    {"benchmark": json.dumps(document()).encode()},
    ROUTES,
    settings=load_settings({}),
    functions=ServiceCredentials(),
)
