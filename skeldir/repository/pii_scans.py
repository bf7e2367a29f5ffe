"""The scan for personal data: every text that came from outside, judged by the database's own wall.

It goes through the tables by their keys, some rows at a time, and remembers where it is; so it can stop
anywhere, and no transaction is long.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Scanned:
    """A table's key, with its types, and its columns in which somebody else's words stand."""

    key: Mapping[str, str]
    texts: Sequence[str] = ()
    documents: Sequence[str] = ()
    lists: Sequence[str] = ()

    def columns(self) -> frozenset[str]:
        """Return the columns that are judged."""
        return frozenset((*self.texts, *self.documents, *self.lists))


_AD_SPEND_KEY: Final = {"day": "date", "channel_code": "text", "campaign_id": "text", "currency": "text"}
_PERFORMANCE_KEY: Final = {"model_version": "text", **_AD_SPEND_KEY, "level": "smallint"}
SCANNED: Final[Mapping[str, Scanned]] = {
    "ad_spend": Scanned(_AD_SPEND_KEY, ("campaign_id",)),
    "ad_spend_changes": Scanned({"import_id": "uuid"} | _AD_SPEND_KEY, ("campaign_id",)),
    "allocations": Scanned(
        {
            "model_version": "text",
            "entry_id": "uuid",
            "channel_code": "text",
            "campaign_id": "text",
        },
        ("order_id", "campaign_id"),
    ),
    "channel_corrections": Scanned({"correction_id": "uuid"}, ("order_id", "reason")),
    "channel_rule_sets": Scanned({"version": "integer"}, ("reason",)),
    "channel_rules": Scanned(
        {"version": "integer", "position": "integer"}, ("source", "medium", "campaign", "referrer_host")
    ),
    "channel_transitions": Scanned({"transition_id": "uuid"}, ("reason",)),
    "attribution_backfills": Scanned({"model_version": "text"}, ("after_order_id",)),
    "dead_letter_attempts": Scanned({"attempt_id": "uuid"}, ("reason_field", "note")),
    "dead_letters": Scanned(
        {"dead_letter_id": "uuid"},
        ("topic", "reason_field", "detail", "vendor_event_id", "resolution_note", "abandoned_reason"),
        ("payload",),
    ),
    "deliveries": Scanned({"delivery_id": "uuid"}, ("topic", "reason_field"), ("receipt", "personal_data")),
    "dirty_marks": Scanned({"mark_id": "uuid"}, ("journey_id",)),
    "erased_orders": Scanned({"order_key": "text"}, ("order_key",)),
    "events": Scanned({"event_id": "uuid"}, ("topic", "vendor_event_id", "order_id"), ("payload",)),
    "facts": Scanned({"fact_id": "uuid"}, ("order_key", "reference")),
    "ledger_entries": Scanned({"entry_id": "uuid"}, ("order_id", "reference")),
    "attribution_audits": Scanned({"audit_id": "uuid"}, ("after_order_id",)),
    "order_digests": Scanned({"order_id": "text"}, ("order_id",)),
    "order_hints": Scanned({"hint_id": "uuid"}, ("order_key", "journey_id", "source", "medium", "campaign")),
    "order_links": Scanned(
        {"payment_key": "text", "order_id": "text", "authority": "text"}, ("payment_key", "order_id")
    ),
    "orders": Scanned(
        {"order_id": "text"},
        ("order_id", "journey_id", "hint_source", "hint_medium", "hint_campaign_id"),
    ),
    "payment_aliases": Scanned({"alias": "text", "payment_key": "text"}, ("alias", "payment_key")),
    "counted_performance": Scanned(_PERFORMANCE_KEY, ("campaign_id",)),
    "performance_days": Scanned(_PERFORMANCE_KEY, ("campaign_id",)),
    "privacy_requests": Scanned({"request_id": "uuid"}, ("vendor_request_id",), lists=("order_ids",)),
    "recompute_jobs": Scanned({"job_id": "uuid"}, ("error",)),
    "tenant_channels": Scanned({"code": "text"}, ("family", "display_name")),
    "repeat_orders": Scanned({"order_id": "text"}, ("order_id",)),
    "touchpoints": Scanned(
        {"touchpoint_id": "uuid"},
        ("journey_id", "session_id", "campaign_id", "source", "medium", "referrer_host"),
    ),
    "waiting_entries": Scanned({"model_version": "text", "entry_id": "uuid"}, ("order_id",)),
}
TABLES: Final = tuple(SCANNED)

# Where the name of a column says that it holds ids, only plain ones are taken at their word.
_TEXT: Final = """CASE WHEN {0} ~ '^[A-Za-z0-9_]{{1,128}}$' THEN to_jsonb({0})
                    ELSE jsonb_build_object('text', {0}) END"""
_LIST: Final = "(SELECT jsonb_agg({1}) FROM unnest({0}) AS item)"
_BATCH: Final = """
    WITH batch AS (
        SELECT {table}.* FROM {table}, (SELECT CAST(:after_key AS text[])) AS place (given)
         WHERE given IS NULL OR ({keys}) > ({after})
         ORDER BY {keys}
         LIMIT :limit
    ), found AS (
        INSERT INTO pii_findings (table_name, row_key, path, column_name, kind)
        SELECT '{table}', {row_key},
               left(regexp_replace(hit.path, '^([a-z_]+([[][]])?)[.]text$', '\\1'), 500),
               substring(hit.path FROM '^[a-z_]+'), min(hit.kind)
          FROM (SELECT *, jsonb_strip_nulls(jsonb_build_object({cells})) AS document FROM batch) AS judged,
               LATERAL public.pii_hits(document) AS hit
         WHERE public.pii_suspect(document)
         GROUP BY 1, 2, 3, 4
            ON CONFLICT (tenant_id, table_name, row_key, path) DO NOTHING
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM batch) AS row_count, (SELECT count(*) FROM found) AS finding_count,
           (SELECT ARRAY[{last}] FROM batch ORDER BY {backwards} LIMIT 1) AS last_key
"""


def _batch(table: str, scanned: Scanned) -> TextClause:
    names = list(scanned.key)
    is_ours = list(scanned.key.values()) == ["uuid"]
    told = [f"CAST({name} AS text)" for name in names]
    digest = f"encode(sha256(convert_to(concat_ws(E'\\x1f', {', '.join(names)}), 'UTF8')), 'hex')"
    cells = [f"'{name}', {_TEXT.format(name)}" for name in scanned.texts]
    cells += [f"'{name}', {name}" for name in scanned.documents]
    cells += [f"'{name}', {_LIST.format(name, _TEXT.format('item'))}" for name in scanned.lists]
    after = [f"CAST(given[{place}] AS {kind})" for place, kind in enumerate(scanned.key.values(), start=1)]
    return text(
        _BATCH.format(
            table=table,
            keys=", ".join(names),
            after=", ".join(after),
            row_key=told[0] if is_ours else digest,
            cells=", ".join(cells),
            last=", ".join(told),
            backwards=", ".join(f"{name} DESC" for name in names),
        )
    )


_STATEMENTS: Final = {table: _batch(table, scanned) for table, scanned in SCANNED.items()}

# Asked first, since the insert would wait for whoever is at it.
_BEGIN: Final = text("""
    INSERT INTO pii_scans (table_name)
    SELECT :table_name WHERE NOT EXISTS (SELECT FROM pii_scans)
    ON CONFLICT (tenant_id) DO NOTHING
""")

# Whoever comes while another is at it leaves it to that one.
_TAKE: Final = text("""
    SELECT table_name, after_key, completed_at IS NOT NULL AS is_over FROM pii_scans FOR UPDATE SKIP LOCKED
""")

_AGAIN: Final = text("""
    UPDATE pii_scans
       SET table_name = :table_name, after_key = NULL, started_at = now(), completed_at = NULL, row_count = 0
""")

_MOVE: Final = text("""
    UPDATE pii_scans
       SET table_name = :table_name, after_key = CAST(:after_key AS text[]),
           row_count = row_count + :row_count, completed_at = CASE WHEN :is_over THEN now() END
""")


@dataclass(frozen=True, slots=True)
class Step:
    """What some rows showed, and whether they were the last ones."""

    row_count: int
    finding_count: int
    is_over: bool


def step(session: Session, rows_max: int) -> Step:
    """Scan the next rows and write down what is found; the last step is followed by the first again."""
    session.execute(_BEGIN, {"table_name": TABLES[0]})
    place = session.execute(_TAKE).one_or_none()
    if place is None:
        return Step(0, 0, is_over=True)
    table, after_key = place.table_name, place.after_key
    if place.is_over or table not in SCANNED:
        table, after_key = TABLES[0], None
        session.execute(_AGAIN, {"table_name": table})
    seen = session.execute(_STATEMENTS[table], {"after_key": after_key, "limit": rows_max}).one()
    is_whole = seen.row_count < rows_max
    is_over = is_whole and table == TABLES[-1]
    follows = TABLES[TABLES.index(table) + 1] if is_whole and not is_over else table
    parameters = {
        "table_name": follows,
        "after_key": None if is_whole else seen.last_key,
        "row_count": seen.row_count,
        "is_over": is_over,
    }
    session.execute(_MOVE, parameters)
    return Step(seen.row_count, seen.finding_count, is_over)
