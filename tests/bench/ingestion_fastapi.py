"""The peer: a webhook endpoint as one writes it by hand with FastAPI and psycopg, in one go.

`python -m tests.bench.ingestion_fastapi PORT WORKERS`, with what it must know as JSON in PEER.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
from queue import LifoQueue
from typing import Any, Final

import psycopg
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from starlette.concurrency import run_in_threadpool

from tests.bench.ingestion_rows import BEGIN, FIND_ENDPOINT, INSERTS

CONNECTIONS: Final = 10
KNOWN: Final[dict[str, str]] = json.loads(os.environ.get("PEER", "{}"))
STATEMENTS: Final = tuple(insert.format(order_id="%(order_id)s") for insert in INSERTS)
LOOK_UP: Final = FIND_ENDPOINT.format(key_hash="%(key_hash)s")

app = FastAPI()
pool: LifoQueue[psycopg.Connection] = LifoQueue()


@app.on_event("startup")
def connect() -> None:
    """Open the connections."""
    for _ in range(CONNECTIONS):
        pool.put(psycopg.connect(KNOWN["url"], autocommit=True))


@app.post("/api/webhooks/shopify/in/{endpoint_key}")
async def receive(endpoint_key: str, request: Request) -> dict[str, Any]:
    """Check the signature, write the rows, answer."""
    body = await request.body()
    digest = base64.b64encode(hmac.digest(KNOWN["secret"].encode(), body, "sha256")).decode()
    if not hmac.compare_digest(digest, request.headers.get("x-shopify-hmac-sha256", "")):
        raise HTTPException(401)
    order = json.loads(body)
    await run_in_threadpool(store, endpoint_key, str(order["id"]))
    return {"received": True}


def store(endpoint_key: str, order_id: str) -> None:
    """Write everything in one transaction."""
    connection = pool.get()
    try:
        with connection.cursor() as cursor:
            cursor.execute(LOOK_UP, {"key_hash": hashlib.sha256(endpoint_key.encode()).digest()})
            cursor.execute(BEGIN.format(tenant_id=KNOWN["tenant_id"]))
            for statement in STATEMENTS:
                cursor.execute(statement, {"order_id": order_id})
            cursor.execute("COMMIT")
    finally:
        pool.put(connection)


if __name__ == "__main__":
    port, workers = map(int, sys.argv[1:])
    uvicorn.run(
        "tests.bench.ingestion_fastapi:app", port=port, workers=workers, log_level="warning", access_log=False
    )
