"""For comparison: plain Flask with Pydantic, on the same server through a WSGI bridge."""

import re
from typing import Any
from uuid import UUID

from a2wsgi import WSGIMiddleware
from flask import Flask, Response, abort, request

from tests.bench.http_models import Found, Item, Received

flask = Flask("benchmark")
CLIENT = re.compile(r"[a-z]{1,20}")
CURRENCY = re.compile(r"[A-Z]{3}")


@flask.get("/async/items/<job_id>")
def get_item(job_id: str) -> Response:
    """Answer with what was asked."""
    limit = request.args.get("limit", 50, type=int)
    currency, client = request.args.get("currency"), request.headers.get("X-Client", "")
    if not 1 <= limit <= 200 or not CLIENT.fullmatch(client) or not CURRENCY.fullmatch(currency or "EUR"):
        abort(400)
    found = Found(job_id=UUID(job_id), limit=limit, currency=currency, client=client)
    return Response(found.model_dump_json(), mimetype="application/json")


@flask.post("/async/items")
def post_item() -> Response:
    """Answer with a part of what was sent."""
    body: Any = Item.model_validate_json(request.get_data())
    received = Received(count=body.count_0, channel=body.channel, at=body.at_0)
    return Response(received.model_dump_json(), mimetype="application/json")


app = WSGIMiddleware(flask)  # type: ignore[arg-type]
