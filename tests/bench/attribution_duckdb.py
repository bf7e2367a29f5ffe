"""Linear attribution in DuckDB: files in, a file out, the same cents."""

from importlib import import_module
from pathlib import Path
from typing import Any

_TABLES = {
    "touches": "{'journey_id': 'VARCHAR', 'instant': 'BIGINT', 'channel': 'VARCHAR', 'campaign': 'VARCHAR'}",
    "sales": "{'order_id': 'VARCHAR', 'journey_id': 'VARCHAR', 'instant': 'BIGINT'}",
    "entries": """{'entry_id': 'VARCHAR', 'order_id': 'VARCHAR', 'currency': 'VARCHAR', 'instant': 'BIGINT',
                   'effect': 'BIGINT'}""",
}
_CREDIT = """
CREATE TABLE credit AS
WITH weighed AS (
    SELECT s.order_id, t.channel, coalesce(t.campaign, '') AS campaign, count(*) AS weight
      FROM sales AS s JOIN touches AS t
        ON t.journey_id = s.journey_id AND t.instant <= s.instant AND t.instant > s.instant - {lookback}
     GROUP BY ALL)
SELECT * FROM weighed
UNION ALL
SELECT order_id, 'direct', '', 1 FROM sales WHERE order_id NOT IN (SELECT order_id FROM weighed)
"""


def _split(source: str) -> str:
    """Return SQL for the largest remainder, channels first, then campaigns; adds `cents`."""
    return f"""
    SELECT * EXCLUDE (total, in_channel, nth, base, rest, cents_of_channel, part, remainder),
           CAST(part + CASE WHEN row_number() OVER (PARTITION BY entry_id, channel
                                                    ORDER BY remainder DESC, campaign)
                <= cents_of_channel - sum(part) OVER (PARTITION BY entry_id, channel)
                THEN 1 ELSE 0 END AS BIGINT) AS cents
      FROM (SELECT *, cents_of_channel * weight // greatest(in_channel, 1) AS part,
                   cents_of_channel * weight % greatest(in_channel, 1) AS remainder
              FROM (SELECT *, base + CASE WHEN dense_rank() OVER (PARTITION BY entry_id
                                                                  ORDER BY rest DESC, channel)
                           <= amount - sum(CASE nth WHEN 1 THEN base ELSE 0 END) OVER (PARTITION BY entry_id)
                           THEN 1 ELSE 0 END AS cents_of_channel
                      FROM (SELECT *, amount * in_channel // total AS base,
                                   amount * in_channel % total AS rest
                              FROM (SELECT *, sum(weight) OVER (PARTITION BY entry_id) AS total,
                                           sum(weight) OVER (PARTITION BY entry_id, channel) AS in_channel,
                                           row_number() OVER (PARTITION BY entry_id, channel) AS nth
                                      FROM ({source})))))
    """


def compute(folder: Path, lookback_days: int) -> None:
    """Read the folder's files and write the allocations beside them."""
    with import_module("duckdb").connect() as duckdb:
        duckdb.execute("SET threads = 2")
        for name, columns in _TABLES.items():
            file = f"read_csv('{folder / name}.csv', header = false, columns = {columns})"
            duckdb.execute(f"CREATE TABLE {name} AS SELECT * FROM {file}")
        duckdb.execute(_CREDIT.format(lookback=lookback_days * 86_400_000_000))
        source = """SELECT entry_id, order_id, currency, effect AS amount, channel, campaign, weight
                      FROM entries JOIN credit USING (order_id) WHERE effect > 0"""
        duckdb.execute(f"CREATE TABLE part AS {_split(source)}")
        _take_back(duckdb)
        duckdb.execute(
            f"""COPY (SELECT entry_id, channel, campaign, cents FROM part WHERE cents <> 0
                       ORDER BY entry_id, channel, campaign)
                  TO '{folder / "allocations.csv"}' (HEADER false, FORCE_QUOTE (campaign))"""
        )


def _take_back(duckdb: Any) -> None:
    """Split each order's reversals, one after the other, over what remains."""
    duckdb.execute(
        """CREATE TABLE reversal AS
           SELECT *, row_number() OVER (PARTITION BY order_id, currency ORDER BY instant, entry_id) AS round
             FROM entries WHERE effect < 0"""
    )
    duckdb.execute(
        """CREATE TABLE cell AS
           SELECT order_id, currency, channel, campaign, CAST(sum(cents) AS BIGINT) AS credited,
                  CAST(sum(cents) AS BIGINT) AS remaining
             FROM part WHERE order_id IN (SELECT order_id FROM reversal) GROUP BY ALL"""
    )
    rounds = duckdb.execute("SELECT coalesce(max(round), 0) FROM reversal").fetchone()[0]
    for number in range(1, rounds + 1):
        source = f"""SELECT entry_id, order_id, currency, -effect AS amount, channel, campaign,
                            CASE WHEN sum(remaining) OVER (PARTITION BY entry_id) > 0
                                 THEN remaining ELSE credited END AS weight
                       FROM reversal JOIN cell USING (order_id, currency) WHERE round = {number}"""
        duckdb.execute(f"CREATE OR REPLACE TABLE taken AS {_split(source)}")
        duckdb.execute("INSERT INTO part BY NAME SELECT * REPLACE (-cents AS cents) FROM taken")
        duckdb.execute(
            """UPDATE cell SET remaining = remaining - taken.cents FROM taken
                WHERE cell.order_id = taken.order_id AND cell.currency = taken.currency
                  AND cell.channel = taken.channel AND cell.campaign = taken.campaign"""
        )
