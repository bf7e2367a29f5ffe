"""Estimates of how certain the channels' figures are: asked for, computed from a snapshot, and read.

What is estimated is the cash view: allocations by the own time of their entries.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from skeldir.db.statements import fetch_all
from skeldir.domain.bootstrap import DRAWS, LEVEL_PPM, METHOD_VERSION, Certainty, ChannelInterval, Figure
from skeldir.domain.ids import fact_id
from skeldir.domain.models import Model
from skeldir.domain.windows import Window
from skeldir.repository import turns
from skeldir.repository.channel_reports import Mode

_ROWS_AT_ONCE: Final = 5_000

_COLUMNS: Final = """
    estimate_id, model, model_version, window_start, window_end, requested_at, computed_at, checked_at,
    fingerprint, draws, level_ppm
"""

_REQUEST: Final = text(f"""
    INSERT INTO interval_estimates (estimate_id, model, model_version, window_start, window_end)
    VALUES (:estimate_id, :model, :model_version, :window_start, :window_end)
    ON CONFLICT (tenant_id, estimate_id) DO UPDATE SET requested_at = excluded.requested_at
    RETURNING {_COLUMNS}
""")  # noqa: S608 - constants of this file

_GET: Final = text(f"SELECT {_COLUMNS} FROM interval_estimates WHERE estimate_id = :estimate_id")  # noqa: S608

_FIND: Final = text(f"""
    SELECT {_COLUMNS}
      FROM interval_estimates
     WHERE model_version = :model_version AND window_start = :window_start AND window_end = :window_end
""")  # noqa: S608 - constants of this file

_UNANSWERED: Final = text(f"""
    SELECT {_COLUMNS}
      FROM interval_estimates
     WHERE checked_at IS NULL OR checked_at < requested_at
     ORDER BY requested_at, estimate_id
""")  # noqa: S608 - constants of this file

_INTERVALS: Final = text("""
    SELECT currency, channel_code, revenue_cents, journey_count, low_cents, median_cents, high_cents,
           low_share_ppm, high_share_ppm, confidence_ppm
      FROM channel_intervals
     WHERE estimate_id = :estimate_id
     ORDER BY currency, revenue_cents DESC, channel_code COLLATE "C"
""")

_ARE_ANY: Final = text("SELECT EXISTS (SELECT FROM channel_intervals)")

# Of an estimate that was answered and has no channel there is a row without one. What was estimated before
# the version came to cover every order is about other figures, unless it was confirmed since.
_CERTAINTIES: Final = text("""
    SELECT part.currency, part.channel_code, part.low_cents, part.median_cents, part.high_cents,
           part.low_share_ppm, part.high_share_ppm, part.confidence_ppm,
           estimate.computed_at, estimate.level_ppm
      FROM interval_estimates AS estimate
      LEFT JOIN channel_intervals AS part USING (tenant_id, estimate_id)
     WHERE estimate.model_version = :model_version
       AND estimate.window_start = :window_start AND estimate.window_end = :window_end
       AND estimate.computed_at IS NOT NULL
       AND NOT EXISTS (SELECT FROM attribution_backfills AS backfill
                        WHERE backfill.tenant_id = estimate.tenant_id
                          AND backfill.model_version = estimate.model_version
                          AND (backfill.completed_at IS NULL OR backfill.completed_at > estimate.checked_at))
""")


def _half(first_byte: int) -> str:
    return f"CAST(CAST('x' || encode(substr(hash, {first_byte}, 7), 'hex') AS bit(56)) AS bigint)"


# First the fingerprint, in the place of a journey; then, unless it is the known one, who gave what to whom.
# One statement, so that all is read once; sums of hashes, so that no order shows. What was taken back in its
# own slot, because it had happened at another time or in another order, gave nothing: otherwise a payment
# that comes before its order would be a journey of its own, beside its order's.
_READ: Final = text(f"""
    WITH credited AS MATERIALIZED (
        SELECT sale.journey_id COLLATE "C" AS journey_id, part.currency, part.channel_code,
               CAST(sum(part.allocated_cents) AS bigint) AS cents
          FROM allocations AS part
          JOIN ledger_entries AS entry
            ON entry.tenant_id = part.tenant_id AND entry.entry_id = part.entry_id
          JOIN orders AS sale ON sale.tenant_id = part.tenant_id AND sale.order_id = part.order_id
         WHERE part.model_version = :model_version
           AND part.effective_at >= :window_start AND part.effective_at < :window_end
           AND entry.effective_at >= :window_start AND entry.effective_at < :window_end
         GROUP BY sale.journey_id COLLATE "C", part.order_id COLLATE "C", part.currency, entry.kind,
                  part.effective_at, part.channel_code
        HAVING sum(part.allocated_cents) <> 0
    ), hashed AS MATERIALIZED (
        SELECT sha256(convert_to(
                   cents || ' ' || channel_code || ' ' || currency || ' ' || journey_id, 'UTF8')) AS hash
          FROM credited
    ), summed AS (
        SELECT concat_ws(' ', CAST(:method AS text), CAST(:model_version AS text), count(*),
                         sum({_half(1)}), sum({_half(8)})) AS told
          FROM hashed
    ), input AS MATERIALIZED (
        SELECT encode(sha256(convert_to(told, 'UTF8')), 'hex') COLLATE "C" AS fingerprint FROM summed
    )
    SELECT 0 AS part, fingerprint AS journey_id, '' AS currency, '' AS channel_code, 0 AS cents FROM input
     UNION ALL
    SELECT 1, journey_id, currency, channel_code, cents
      FROM credited, input
     WHERE fingerprint IS DISTINCT FROM CAST(:known AS text)
     ORDER BY part, journey_id
""")  # noqa: S608 - constants of this file

_CONFIRM: Final = text("UPDATE interval_estimates SET checked_at = now() WHERE estimate_id = :estimate_id")

_ANSWER: Final = text("""
    UPDATE interval_estimates
       SET computed_at = now(), checked_at = now(), fingerprint = :fingerprint, draws = :draws,
           level_ppm = :level_ppm
     WHERE estimate_id = :estimate_id
""")

_CLEAR: Final = text("DELETE FROM channel_intervals WHERE estimate_id = :estimate_id")

_INSERT: Final = text("""
    INSERT INTO channel_intervals
           (estimate_id, currency, channel_code, revenue_cents, journey_count, low_cents, median_cents,
            high_cents, low_share_ppm, high_share_ppm, confidence_ppm)
    VALUES (:estimate_id, :currency, :channel_code, :revenue_cents, :journey_count, :low_cents,
            :median_cents, :high_cents, :low_share_ppm, :high_share_ppm, :confidence_ppm)
""")

_FORGET: Final = text("""
    DELETE FROM interval_estimates
     WHERE greatest(requested_at, checked_at) < now() - make_interval(days => :kept_days)
""")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A window whose channels' certainty was asked for, and what is known of the answer.

    `computed_at` is the answer's snapshot, `checked_at` when its inputs were last found to be the same; these
    and what follows are None until the first answer.
    """

    estimate_id: UUID
    model: Model
    model_version: str
    window: Window
    requested_at: datetime
    computed_at: datetime | None
    checked_at: datetime | None
    fingerprint: str | None
    draws: int | None
    level_ppm: int | None


@dataclass(frozen=True, slots=True)
class StoredCertainty:
    """A channel's certainty as of the snapshot that it was computed from."""

    certainty: Certainty
    computed_at: datetime
    level_ppm: int


Missing = Literal["not_computed", "accrual_mode", "too_few_journeys", "no_journeys"]
"""Why a channel has no certainty."""


@dataclass(frozen=True, slots=True)
class Certainties:
    """What is stored of a window under one model, by currency and channel; of all others why nothing is."""

    known: Mapping[tuple[str, str], StoredCertainty | Missing]
    otherwise: Missing

    def of(self, currency: str, channel_code: str) -> StoredCertainty | Missing:
        """Return a channel's certainty, or why it has none."""
        return self.known.get((currency, channel_code), self.otherwise)


def take_turn(session: Session) -> bool:
    """Take the tenant's turn to estimate until this transaction ends; False when another has it."""
    return turns.take(session, "intervals")


def request(session: Session, tenant_id: UUID, model: Model, model_version: str, window: Window) -> Estimate:
    """Ask for a window's estimate, the first time or anew; return what is known of it so far."""
    key = (window.start.isoformat(), window.end.isoformat(), model_version)
    estimate_id = fact_id(tenant_id, "interval_estimate", *key)
    asked = {"estimate_id": estimate_id, "model": model, **_scope(model_version, window)}
    return _estimate(session.execute(_REQUEST, asked).one())


def get(session: Session, estimate_id: UUID) -> Estimate | None:
    """Return an estimate, or None when this tenant has none of that id."""
    row = session.execute(_GET, {"estimate_id": estimate_id}).one_or_none()
    return None if row is None else _estimate(row)


def find(session: Session, model_version: str, window: Window) -> Estimate | None:
    """Return the estimate of exactly this window, or None when nobody has asked for it."""
    row = session.execute(_FIND, _scope(model_version, window)).one_or_none()
    return None if row is None else _estimate(row)


def unanswered(session: Session) -> list[Estimate]:
    """Return the estimates that were asked for since they were last looked at, longest waiting first."""
    return [_estimate(row) for row in session.execute(_UNANSWERED)]


def intervals(session: Session, estimate_id: UUID) -> list[ChannelInterval]:
    """Return an estimate's intervals, the largest revenue of each currency first."""
    return [_interval(row) for row in session.execute(_INTERVALS, {"estimate_id": estimate_id})]


def are_any(session: Session) -> bool:
    """Tell whether any channel's certainty was looked at: of a tenant without allocations none is."""
    return bool(session.execute(_ARE_ANY).scalar_one())


def certainties(session: Session, model_version: str, window: Window, mode: Mode) -> Certainties:
    """Return what is stored of exactly this window; only the cash view is estimated."""
    if mode == "accrual":
        return Certainties({}, "accrual_mode")
    rows = fetch_all(session, _CERTAINTIES, _scope(model_version, window))
    if not rows:
        return Certainties({}, "not_computed")
    known: dict[tuple[str, str], StoredCertainty | Missing] = {
        (currency, channel_code): "too_few_journeys"
        if figures[0] is None
        else StoredCertainty(Certainty(*figures), computed_at, level_ppm)
        for currency, channel_code, *figures, computed_at, level_ppm in rows
        if channel_code is not None
    }
    return Certainties(known, "no_journeys")


def read(session: Session, estimate: Estimate) -> tuple[str, Iterator[Figure]]:
    """Return the fingerprint of all that the estimate is computed from in this snapshot, and the figures.

    Those come journey by journey, through a cursor; none when the fingerprint is that of the stored answer.
    """
    method = f"{METHOD_VERSION} {DRAWS}"
    scope = _scope(estimate.model_version, estimate.window)
    options = {"stream_results": True, "yield_per": _ROWS_AT_ONCE}
    rows = session.execute(
        _READ, {"method": method, "known": estimate.fingerprint, **scope}, execution_options=options
    )
    figures = (
        (journey_id, currency, channel_code, cents)
        for chunk in rows.partitions(_ROWS_AT_ONCE)
        for _, journey_id, currency, channel_code, cents in chunk
    )
    fingerprint, *_ = next(figures)
    return fingerprint, figures


def confirm(session: Session, estimate_id: UUID) -> None:
    """Remember that the stored intervals are those of this snapshot too."""
    session.execute(_CONFIRM, {"estimate_id": estimate_id})


def replace(
    session: Session, estimate_id: UUID, found: Sequence[ChannelInterval], *, fingerprint: str
) -> None:
    """Store the intervals computed from this snapshot in place of those before."""
    session.execute(_CLEAR, {"estimate_id": estimate_id})
    if found:
        session.execute(_INSERT, [{"estimate_id": estimate_id, **_columns(interval)} for interval in found])
    answer = {"estimate_id": estimate_id, "fingerprint": fingerprint, "draws": DRAWS, "level_ppm": LEVEL_PPM}
    session.execute(_ANSWER, answer)


def forget(session: Session, kept_days: int) -> int:
    """Delete the estimates that nobody has asked for or looked at for so long; return how many."""
    return session.execute(_FORGET, {"kept_days": kept_days}).rowcount  # type: ignore[attr-defined,no-any-return]


def _interval(row: Row[tuple[object, ...]]) -> ChannelInterval:
    told = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    certainty = {field.name: told.pop(field.name) for field in fields(Certainty)}
    return ChannelInterval(**told, certainty=None if row.low_cents is None else Certainty(**certainty))


def _columns(interval: ChannelInterval) -> dict[str, object]:
    told = asdict(interval)
    return told | (told.pop("certainty") or dict.fromkeys(field.name for field in fields(Certainty)))


def _scope(model_version: str, window: Window) -> dict[str, object]:
    return {"model_version": model_version, "window_start": window.start, "window_end": window.end}


def _estimate(row: Row[tuple[object, ...]]) -> Estimate:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    window = Window(values.pop("window_start"), values.pop("window_end"))
    return Estimate(window=window, **values)
