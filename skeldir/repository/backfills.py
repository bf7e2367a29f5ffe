"""Backfills: how a model's new version comes to cover the orders that are there already.

`adopt` opens a backfill for every version that became current, in the transaction in which it did. Jobs
that attribute what is marked use the current versions from then on; a backfill goes through the orders by
id, so together they leave none out, however orders come in meanwhile. What is not covered yet is pending
in every report. A version that is current again after it was not begins by deleting what is left of it,
since that was not kept up; what is left of versions that are current no more goes when all else is done.

The steps are for a job's transaction that has the tenant's turn and that `attribution.begin` was called on.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.attribution_settings import AttributionSettings, ModelParameters
from skeldir.domain.models import MODELS
from skeldir.repository import attribution, performance_days, recompute_jobs, summaries

_FORGET: Final = text("""
    DELETE FROM attribution_backfills WHERE model_version <> ALL(CAST(:model_versions AS text[]))
""")

# For a tenant of whom nothing is known yet there is nothing to clear: all it ever had is current.
_OPEN: Final = text("""
    INSERT INTO attribution_backfills (model_version, model, parameters, is_cleared)
    SELECT :model_version, :model, CAST(:parameters AS jsonb), :is_new
    ON CONFLICT (tenant_id, model_version) DO NOTHING
""")

_IS_KNOWN: Final = text("SELECT EXISTS (SELECT FROM attribution_backfills)")

_NEXT: Final = text("""
    SELECT model_version, model, parameters, is_cleared, after_order_id
      FROM attribution_backfills
     WHERE completed_at IS NULL
     ORDER BY started_at, model_version
     LIMIT 1
""")

_UNCOVERED: Final = text("SELECT model_version FROM attribution_backfills WHERE completed_at IS NULL")

_COVERED: Final = text("SELECT model_version FROM attribution_backfills WHERE completed_at IS NOT NULL")

_COMPLETIONS: Final = text("SELECT model_version, completed_at FROM attribution_backfills")

# Of every other version rows are deleted that no summary would notice.
_KEPT_UP: Final = text("SELECT model_version FROM attribution_backfills WHERE is_cleared")

_ORDERS: Final = text("""
    SELECT order_id FROM orders WHERE order_id > :after_order_id ORDER BY order_id LIMIT :orders_max
""")

_ADVANCE: Final = text("""
    UPDATE attribution_backfills
       SET after_order_id = :after_order_id,
           completed_at = CASE WHEN :is_complete THEN clock_timestamp() END
     WHERE model_version = :model_version
""")

_CLEARED: Final = text("""
    UPDATE attribution_backfills SET is_cleared = true WHERE model_version = :model_version
""")

# From one version to the next by the key: there may be millions of rows of each.
_SUPERSEDED: Final = text("""
    WITH RECURSIVE kept AS (
        (SELECT model_version FROM allocations ORDER BY model_version LIMIT 1)
        UNION ALL
        SELECT (SELECT model_version FROM allocations WHERE model_version > kept.model_version
                 ORDER BY model_version LIMIT 1)
          FROM kept
         WHERE kept.model_version IS NOT NULL
    )
    SELECT model_version
      FROM kept
     WHERE model_version <> ALL(CAST(:model_versions AS text[]))
     ORDER BY model_version
     LIMIT 1
""")

# Whole entries: an entry has no rows of a version, or all.
_DELETE: Final = text("""
    WITH gone AS (
        DELETE FROM allocations
         WHERE model_version = :model_version
           AND entry_id = ANY(ARRAY(
               SELECT entry_id FROM allocations WHERE model_version = :model_version
                ORDER BY entry_id LIMIT :rows_max))
        RETURNING 1
    )
    SELECT count(*) FROM gone
""")


@dataclass(frozen=True, slots=True)
class Step:
    """What a step did; `is_over` when nothing remains to be done."""

    orders: int = 0
    deleted: int = 0
    has_covered: bool = False
    """By this step the last of the versions has come to cover every order."""
    is_over: bool = False


def adopt(session: Session, settings: AttributionSettings) -> None:
    """Open a backfill for every version that is current and has none, and forget those of the others.

    For a transaction that `attribution_settings.hold` was called in.
    """
    chosen = [settings.parameters(model) for model in MODELS]
    is_new = not session.execute(_IS_KNOWN).scalar_one()
    session.execute(_FORGET, {"model_versions": [parameters.version for parameters in chosen]})
    session.execute(
        _OPEN,
        [
            {
                "model_version": parameters.version,
                "model": parameters.model,
                "parameters": json.dumps(parameters.to_json()),
                "is_new": is_new,
            }
            for parameters in chosen
        ],
    )


def uncovered(session: Session) -> set[str]:
    """Return the current versions that do not cover every order yet."""
    return set(session.execute(_UNCOVERED).scalars())


def covered(session: Session) -> set[str]:
    """Return the current versions that cover every order; what came since is marked."""
    return set(session.execute(_COVERED).scalars())


def completions(session: Session) -> dict[str, datetime | None]:
    """Return since when each current version covers every order; None of one that does not yet.

    Of a tenant whose backfills nobody has opened yet nothing is known.
    """
    return {row.model_version: row.completed_at for row in session.execute(_COMPLETIONS)}


def is_whole(known: Mapping[str, datetime | None], model_version: str) -> bool:
    """Tell of a version, from the completions, whether it is current and covers every order.

    Of any other a part may be missing.
    """
    return not known or known.get(model_version) is not None


def step(session: Session, settings: AttributionSettings, rows_max: int) -> Step:
    """Attribute some orders under the versions that do not cover them, or delete what is left of others."""
    kept_up = session.execute(_KEPT_UP).scalars().all()
    summaries.keep_only(session, kept_up)
    performance_days.keep_only(session, kept_up)
    orders = deleted = 0
    has_covered = False
    while orders + deleted < rows_max:
        row = session.execute(_NEXT).one_or_none()
        if row is None:
            done = _prune(session, settings, rows_max) if orders + deleted == 0 else Step(orders, deleted)
            return replace(done, has_covered=has_covered)
        if not row.is_cleared:
            deleted += _clear(session, row.model_version, rows_max)
            continue
        parameters = ModelParameters.from_json(row.model, row.parameters)
        orders_max = rows_max - orders - deleted
        filled = _fill(session, parameters, row.after_order_id, orders_max)
        orders += filled
        has_covered = filled < orders_max
    return Step(orders, deleted)


def _clear(session: Session, model_version: str, rows_max: int) -> int:
    deleted = _delete(session, model_version, rows_max)
    if deleted == 0:
        session.execute(_CLEARED, {"model_version": model_version})
    return deleted


def _fill(session: Session, parameters: ModelParameters, after_order_id: str, orders_max: int) -> int:
    asked = {"after_order_id": after_order_id, "orders_max": orders_max}
    orders = session.execute(_ORDERS, asked).scalars().all()
    attribution.attribute_orders(session, orders, [parameters])
    session.execute(
        _ADVANCE,
        {
            "model_version": parameters.version,
            "after_order_id": orders[-1] if orders else after_order_id,
            "is_complete": len(orders) < orders_max,
        },
    )
    return len(orders)


def _prune(session: Session, settings: AttributionSettings, rows_max: int) -> Step:
    current = [settings.version(model) for model in MODELS]
    superseded = session.execute(_SUPERSEDED, {"model_versions": current}).scalar_one_or_none()
    if superseded is None:
        return Step(is_over=True)
    return Step(deleted=_delete(session, superseded, rows_max))


def _delete(session: Session, model_version: str, rows_max: int) -> int:
    recompute_jobs.lost(session, model_version)  # first: should one be asked for meanwhile, little is undone
    asked = {"model_version": model_version, "rows_max": rows_max}
    return int(session.execute(_DELETE, asked).scalar_one())
