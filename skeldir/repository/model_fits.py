"""Fits: what models learn from a tenant's journeys, as immutable rows, of which the newest is current.

The paths fitted to are, for every order that was captured, the touches within its look-back (`converted`),
and for every journey without an order those within the look-back of its last touch (`lost`). A capture that
was taken back in its own slot, because it had happened at another time or in another order, is none.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.attribution_settings import AttributionSettings, ModelParameters, weights_digest
from skeldir.domain.markov import CHANNELS_MAX, OTHERS, Transition, removal_effects
from skeldir.domain.models import Model
from skeldir.repository.attribution_scope import scope

_PPM: Final = 1_000_000

_COLUMNS: Final = """
    model, weights_digest, weights, grouped_channels, markov_order, lookback_days, converted_path_count,
    lost_path_count, fit_version, fitted_at
"""

# The most touched channels first: those beyond the bound are fitted as one.
_CHANNELS: Final = text("""
    SELECT channel_code
      FROM (SELECT channel_code FROM touchpoints
            UNION ALL
            SELECT hint_channel_code FROM orders WHERE hint_channel_code IS NOT NULL) AS touch
     GROUP BY channel_code
     ORDER BY count(*) DESC, channel_code COLLATE "C"
""")

_ORDERS: Final = "(SELECT order_id FROM orders) AS asked"
_JOURNEYS: Final = "(SELECT DISTINCT journey_id FROM orders) AS asked"

# A transition's state is the last touches before it, the oldest first, as many as the order asks for.
_TRANSITIONS: Final = text(f"""
    WITH {scope(_ORDERS, _JOURNEYS)}, bought AS (
        SELECT DISTINCT nth
          FROM (SELECT nth
                  FROM entry
                 WHERE kind = 'captured'
                 GROUP BY nth, currency, effective_at
                HAVING sum(effect_cents) > 0) AS slot
    ), browsed AS (
        SELECT visit.tenant_id, visit.journey_id, occurred_at, touchpoint_id, channel_code,
               max(occurred_at) OVER (PARTITION BY visit.tenant_id, visit.journey_id) AS last_at
          FROM touchpoints AS visit
          LEFT JOIN (SELECT DISTINCT tenant_id, journey_id FROM sale) AS sold
                 ON sold.tenant_id = visit.tenant_id AND sold.journey_id = visit.journey_id
         WHERE sold.journey_id IS NULL
    ), path AS (
        SELECT true AS is_converted, CAST(nth AS text) AS path_id, occurred_at, touchpoint_id, channel_code
          FROM touch
          JOIN bought USING (nth)
        UNION ALL
        SELECT false, journey_id, occurred_at, touchpoint_id, channel_code
          FROM browsed
         WHERE occurred_at > last_at - make_interval(hours => 24 * :lookback_days)
    ), named AS (
        SELECT is_converted, path_id, occurred_at, touchpoint_id,
               CASE WHEN channel_code = ANY(CAST(:told_apart AS text[])) THEN channel_code
                    ELSE :others END AS channel
          FROM path
    ), placed AS (
        SELECT is_converted, channel, lead(channel) OVER in_time IS NULL AS is_last,
               lag(channel, 1) OVER in_time AS last_1, lag(channel, 2) OVER in_time AS last_2,
               lag(channel, 3) OVER in_time AS last_3
          FROM named
        WINDOW in_time AS (PARTITION BY is_converted, path_id ORDER BY occurred_at, touchpoint_id)
    ), passed AS (
        SELECT last_3, last_2, last_1, channel, false AS is_converted FROM placed
        UNION ALL
        SELECT last_2, last_1, channel, NULL, is_converted FROM placed WHERE is_last
    )
    SELECT last_3, last_2, last_1, channel, is_converted, count(*) AS path_count
      FROM (SELECT CASE WHEN :markov_order >= 3 THEN last_3 END AS last_3,
                   CASE WHEN :markov_order >= 2 THEN last_2 END AS last_2,
                   last_1, channel, is_converted
              FROM passed) AS step
     GROUP BY last_3, last_2, last_1, channel, is_converted
""")  # noqa: S608 - built from constants only

_KEEP: Final = text("""
    INSERT INTO model_fits (model, fit_version, weights_digest, weights, grouped_channels, markov_order,
                            lookback_days, converted_path_count, lost_path_count)
    VALUES (:model, :fit_version, :weights_digest, CAST(:weights AS jsonb),
            CAST(:grouped_channels AS text[]), :markov_order, :lookback_days, :converted_path_count,
            :lost_path_count)
""")

_PAGE: Final = text(f"""
    SELECT {_COLUMNS}
      FROM model_fits
     WHERE model = 'markov' AND (CAST(:before AS integer) IS NULL OR fit_version < CAST(:before AS integer))
     ORDER BY fit_version DESC
     LIMIT :limit
""")  # noqa: S608 - a constant of this file


_OF_WEIGHTS: Final = text("""
    SELECT max(fit_version) FROM model_fits WHERE model = 'markov' AND weights_digest = :weights_digest
""")


@dataclass(frozen=True, slots=True)
class Fit:
    """Removal effects of channels in millionths, and what they were fitted to.

    `grouped_channels` are those beyond `CHANNELS_MAX`, which share one effect.
    """

    model: Model
    weights_digest: str
    weights: dict[str, int]
    grouped_channels: list[str]
    markov_order: int
    lookback_days: int
    converted_path_count: int
    lost_path_count: int

    def says(self) -> tuple[object, ...]:
        """Return what another fit must differ in to be worth keeping."""
        return self.weights_digest, self.grouped_channels, self.markov_order, self.lookback_days


@dataclass(frozen=True, slots=True)
class KeptFit:
    """A fit as a tenant's n-th."""

    fit: Fit
    fit_version: int
    fitted_at: datetime


def newest(session: Session) -> KeptFit | None:
    """Return the fit that is current, or None before the first."""
    found = page(session, limit=1)
    return found[0] if found else None


def page(session: Session, *, limit: int, before: int | None = None) -> list[KeptFit]:
    """Return fits, the newest first, from before a version on."""
    rows = session.execute(_PAGE, {"limit": limit, "before": before})
    return [KeptFit(Fit(*row[:-2]), row.fit_version, row.fitted_at) for row in rows]


def version_of(session: Session, parameters: ModelParameters) -> int | None:
    """Return the newest fit that gives what a model computes with; None of models that are not fitted."""
    if parameters.model != "markov" or not parameters.channel_weights:
        return None
    digest = weights_digest(parameters.channel_weights)
    return session.execute(_OF_WEIGHTS, {"weights_digest": digest}).scalar_one()  # type: ignore[no-any-return]


def fit_markov(session: Session, settings: AttributionSettings) -> Fit | None:
    """Fit the Markov model to all of the tenant's journeys; None while no path has converted."""
    order = settings.markov_order
    channels = list(session.execute(_CHANNELS).scalars())
    told_apart, grouped = channels[: CHANNELS_MAX[order]], channels[CHANNELS_MAX[order] :]
    transitions = _transitions(session, settings, told_apart)
    effects = {channel: int(effect * _PPM) for channel, effect in removal_effects(transitions, order).items()}
    others = effects.pop(OTHERS, 0)
    weights = effects | dict.fromkeys(grouped, others)
    if not any(weights.values()):
        return None
    ended = [one for one in transitions if one.channel is None]
    return Fit(
        model="markov",
        weights_digest=weights_digest(weights),
        weights=weights,
        grouped_channels=sorted(grouped),
        markov_order=order,
        lookback_days=settings.lookback_days,
        converted_path_count=sum(one.path_count for one in ended if one.is_converted),
        lost_path_count=sum(one.path_count for one in ended if not one.is_converted),
    )


def keep(session: Session, fit: Fit) -> bool:
    """Make a fit the current one; False when the one that is says the same of the same parameters.

    For a transaction that `attribution_settings.hold` was called in.
    """
    known = newest(session)
    if known is not None and known.fit.says() == fit.says():
        return False
    told = {**asdict(fit), "weights": json.dumps(fit.weights)}
    session.execute(_KEEP, {**told, "fit_version": known.fit_version + 1 if known else 1})
    return True


def _transitions(
    session: Session, settings: AttributionSettings, told_apart: Sequence[str]
) -> list[Transition]:
    rows = session.execute(
        _TRANSITIONS,
        {
            "lookback_days": settings.lookback_days,
            "markov_order": settings.markov_order,
            "told_apart": list(told_apart),
            "others": OTHERS,
        },
    )
    return [
        Transition(
            state=tuple(name for name in (row.last_3, row.last_2, row.last_1) if name is not None),
            channel=row.channel,
            is_converted=row.is_converted,
            path_count=row.path_count,
        )
        for row in rows
    ]
