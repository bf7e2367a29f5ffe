"""The peer: the same answers as one writes them by hand with FastAPI and psycopg, from the rows themselves.

`python -m tests.bench.reads_fastapi PORT`, with what it must know as JSON in PEER.
"""

import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from queue import LifoQueue
from typing import Any, Final

import psycopg
import uvicorn
from fastapi import FastAPI
from psycopg.rows import dict_row

CONNECTIONS: Final = 4
KNOWN: Final[dict[str, str]] = json.loads(os.environ.get("PEER", "{}"))

CREDITED: Final = """
    SELECT part.currency, part.channel_code, sum(part.allocated_cents)::bigint AS revenue_cents,
           sum(part.allocated_cents)
               FILTER (WHERE entry.kind IN ('refunded', 'disputed', 'dispute_reversed'))::bigint
               AS reversed_cents,
           count(DISTINCT part.order_id) FILTER (WHERE entry.kind = 'captured') AS order_count
      FROM allocations AS part
      JOIN ledger_entries AS entry USING (tenant_id, entry_id)
     WHERE part.model_version = %(model_version)s
       AND part.effective_at >= %(first)s AND part.effective_at < %(end)s
     GROUP BY part.currency, part.channel_code
"""
NET: Final = """
    SELECT currency, sum(effect_cents)::bigint AS net_cents FROM ledger_entries
     WHERE effective_at >= %(first)s AND effective_at < %(end)s GROUP BY currency
"""
SPANS: Final = {
    "today": "date_trunc('day', %(now)s, 'UTC')",
    "last_24_hours": "%(now)s - interval '24 hours'",
    "last_hour": "%(now)s - interval '1 hour'",
    "last_minute": "%(now)s - interval '1 minute'",
}
OF_SPAN: Final = """
           sum(effect_cents) FILTER (WHERE effective_at >= {since})::bigint AS {span}_net,
           sum(effect_cents) FILTER (WHERE effective_at >= {since} AND kind = 'captured')::bigint
               AS {span}_captured,
           sum(effect_cents)
               FILTER (WHERE effective_at >= {since} AND kind IN ('refunded', 'disputed'))::bigint
               AS {span}_reversed,
           count(DISTINCT order_id) FILTER (WHERE effective_at >= {since} AND kind = 'captured')
               AS {span}_orders,
           bool_and(source IN ('stripe', 'paypal')) FILTER (WHERE effective_at >= {since})
               AS {span}_verified"""
REALTIME: Final = f"""
    SELECT currency, {",".join(OF_SPAN.format(span=span, since=since) for span, since in SPANS.items())}
      FROM ledger_entries
     WHERE effective_at > %(now)s - interval '24 hours' AND effective_at <= %(now)s
     GROUP BY currency
"""
PAGE: Final = """
    SELECT part.entry_id, part.order_id, entry.kind, part.effective_at, part.channel_code, part.campaign_id,
           part.allocated_cents, part.currency
      FROM allocations AS part
      JOIN ledger_entries AS entry USING (tenant_id, entry_id)
     WHERE part.model_version = %(model_version)s
     ORDER BY part.effective_at DESC, part.entry_id, part.channel_code, part.campaign_id
     LIMIT 50 OFFSET %(offset)s
"""

app = FastAPI()
pool: LifoQueue[psycopg.Connection[dict[str, Any]]] = LifoQueue()


@app.on_event("startup")
def connect() -> None:
    """Open the connections."""
    for _ in range(CONNECTIONS):
        pool.put(psycopg.connect(KNOWN["url"], autocommit=True, row_factory=dict_row))


@app.get("/channels")
def channels(start_date: date, end_date: date) -> dict[str, Any]:
    """Add up what each channel was credited with, and the ledger beside it."""
    asked = {
        "model_version": KNOWN["model_version"],
        "first": datetime.combine(start_date, datetime.min.time(), UTC),
        "end": datetime.combine(end_date + timedelta(days=1), datetime.min.time(), UTC),
    }
    credited, net = read(asked, CREDITED, NET)
    return {"channels": credited, "ledger": net}


@app.get("/realtime")
def realtime() -> dict[str, Any]:
    """Add up the last day."""
    [found] = read({"now": datetime.now(UTC)}, REALTIME)
    return {"currencies": found}


@app.get("/allocations")
def allocations(offset: int = 0) -> dict[str, Any]:
    """Return a page, by its offset."""
    [found] = read({"model_version": KNOWN["model_version"], "offset": offset}, PAGE)
    return {"allocations": found}


def read(asked: dict[str, object], *statements: str) -> Sequence[list[dict[str, Any]]]:
    """Run some queries in one snapshot of the tenant."""
    connection = pool.get()
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                f" SET LOCAL app.current_tenant_id = '{KNOWN['tenant_id']}'"
            )
            found = [cursor.execute(statement, asked).fetchall() for statement in statements]
            cursor.execute("COMMIT")
        return found
    finally:
        pool.put(connection)


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False)
