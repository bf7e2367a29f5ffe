"""The peer: an export as one writes it by hand, everything fetched and written out before it is sent.

`python -m tests.bench.export_fastapi TENANT --port PORT`, with the database's address in PEER_URL.
"""

import argparse
import csv
import io
import os
from collections.abc import Sequence
from typing import Any

import orjson
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import uvicorn
from fastapi import FastAPI, Response

from tests.bench.export_rows import QUERY, VERSION

NAMES = (
    *("entry_id", "order_id", "kind", "effective_at", "channel_code", "campaign_id"),
    *("allocated_cents", "currency", "fallback"),
)
app = FastAPI()


def fetched() -> Sequence[tuple[Any, ...]]:
    """Fetch every row."""
    with psycopg.connect(os.environ["PEER_URL"]) as connection:
        connection.execute(f"SET app.current_tenant_id = '{app.state.tenant_id}'")
        return connection.execute(QUERY, (VERSION,)).fetchall()


@app.get("/csv")
def as_csv() -> Response:
    """Write CSV."""
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow(NAMES)
    lines.writerows(fetched())
    return Response(written.getvalue(), media_type="text/csv")


@app.get("/json")
def as_json() -> Response:
    """Write JSON."""
    rows = [dict(zip(NAMES, row, strict=True)) for row in fetched()]
    return Response(orjson.dumps({"data": rows}), media_type="application/json")


@app.get("/parquet")
def as_parquet() -> Response:
    """Write Parquet."""
    columns = list(zip(*fetched(), strict=True))
    columns[0] = tuple(map(str, columns[0]))
    file = io.BytesIO()
    pq.write_table(pa.table(dict(zip(NAMES, map(pa.array, columns), strict=True))), file)
    return Response(file.getvalue(), media_type="application/vnd.apache.parquet")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("tenant")
    parser.add_argument("--port", type=int)
    options = parser.parse_args()
    app.state.tenant_id = options.tenant
    uvicorn.run(app, port=options.port, log_level="warning", access_log=False)
