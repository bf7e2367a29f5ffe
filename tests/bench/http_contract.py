"""The contract that every server of the http suite serves, and the requests that load it."""

import json
from typing import Any

TEXTS = [f"text_{number}" for number in range(5)]
COUNTS = [f"count_{number}" for number in range(5)]
FLAGS = [f"flag_{number}" for number in range(3)]
IDS = [f"id_{number}" for number in range(3)]
TIMES = [f"at_{number}" for number in range(2)]
FIELDS: dict[str, dict[str, Any]] = {
    **{name: {"type": "string", "minLength": 1, "maxLength": 50} for name in TEXTS},
    **{name: {"type": "integer", "minimum": 0, "maximum": 1_000_000} for name in COUNTS},
    **{name: {"type": "boolean"} for name in FLAGS},
    **{name: {"type": "string", "format": "uuid"} for name in IDS},
    **{name: {"type": "string", "format": "date-time"} for name in TIMES},
    "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    "channel": {"type": "string", "enum": ["email", "paid_search", "direct"]},
}
JOB_ID = "6f1c1d7e-6f4b-4a53-9d3e-3a2f4c0e8a11"
BODY = {
    **dict.fromkeys(TEXTS, "hello there"),
    **dict.fromkeys(COUNTS, 42),
    **dict.fromkeys(FLAGS, True),
    **dict.fromkeys(IDS, JOB_ID),
    **dict.fromkeys(TIMES, "2026-11-23T12:00:00Z"),
    "currency": "EUR",
    "channel": "email",
}
RAW_BODY = json.dumps(BODY).encode()
QUERY = "limit=7&currency=EUR"
HEADERS = {"X-Client": "bench"}

PARAMETERS = [
    {"name": "job_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}},
    {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
    },
    {"name": "currency", "in": "query", "schema": {"type": "string", "pattern": "^[A-Z]{3}$"}},
    {
        "name": "X-Client",
        "in": "header",
        "required": True,
        "schema": {"type": "string", "maxLength": 20, "pattern": "^[a-z]+$"},
    },
]
REQUEST_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "additionalProperties": False,
                "required": list(FIELDS),
                "properties": FIELDS,
            }
        }
    },
}


def document(version: str = "3.1.0") -> dict[str, Any]:
    """Return the contract: two operations, each with a synchronous and an asynchronous twin."""
    paths = {}
    for prefix, suffix, execution in (("/sync", "", "sync"), ("/async", "_async", "async")):
        common = {
            "security": [],
            "x-transaction": "none",
            "x-execution": execution,
            "responses": {
                "200": {
                    "description": "Done.",
                    "content": {"application/json": {"schema": {"type": "object"}}},
                }
            },
        }
        paths[f"{prefix}/items/{{job_id}}"] = {
            "get": {**common, "operationId": f"get_item{suffix}", "parameters": PARAMETERS}
        }
        paths[f"{prefix}/items"] = {
            "post": {**common, "operationId": f"post_item{suffix}", "requestBody": REQUEST_BODY}
        }
    return {"openapi": version, "info": {"title": "Benchmark", "version": "1"}, "paths": paths}
