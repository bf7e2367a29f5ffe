"""The credit rules: per model, SQL that turns an order's touches into integer weights.

Each reads `touch` (the touches within the look-back of the orders at hand) and returns `nth` (the order's
number), `channel_code`, `campaign_id` and `weight`, one row per campaign and order. Weights are
integers: sums of floating numbers depend on the order of adding. Ties are broken by the touch's id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from skeldir.domain.attribution_settings import ModelParameters
from skeldir.domain.models import DIRECT, Model, decay_table


@dataclass(frozen=True, slots=True)
class CreditRule:
    """A model as SQL.

    `is_single`: one touch gets everything, so there is nothing to split. `is_fallible`: weights may all
    be 0, so the rule also returns `fallback`, why an order was shared as linear does, or null.
    `is_by_channel`: the channels share equally, and `channel_count` says among how many; the weights
    only share a channel's part among its campaigns.
    """

    sql: str
    is_single: bool = False
    is_fallible: bool = False
    is_by_channel: bool = False

    @property
    def untouched(self) -> str:
        """Return what the rule's further column is for an order without touches, after a comma."""
        if self.is_fallible:
            return ", CAST(NULL AS text)"
        return ", 1" if self.is_by_channel else ""


_CELL: Final = "nth, channel_code, campaign_id"


def _single(order: str) -> CreditRule:
    """Return the rule that gives everything to the first touch in this order.

    `first_touch` and `last_touch` are Google Analytics' first and last interaction, `last_non_direct` is
    its last non-direct click: a direct visit counts only where there was nothing else.
    """
    sql = f"""
    SELECT DISTINCT ON (nth) {_CELL}, 1 AS weight
      FROM touch
     ORDER BY nth, {order}
    """  # noqa: S608 - built from this module's constants only
    return CreditRule(sql, is_single=True)


def _linear() -> CreditRule:
    """Share equally among the touches: Google Analytics' and HubSpot's linear model."""
    sql = f"""
    SELECT {_CELL}, count(*) AS weight
      FROM touch
     GROUP BY {_CELL}
    """  # noqa: S608 - the same
    return CreditRule(sql)


def _time_decay() -> CreditRule:
    """Halve a touch's worth with every half-life that it lies before the journey's last touch.

    Google Analytics' time decay, 7 days by default; ages count in whole hours, worth as `decay_table`.
    """
    sql = f"""
    SELECT {_CELL},
           CAST(sum((CAST(:decay AS bigint[]))[
               1 + CAST(floor(extract(epoch FROM last_at - occurred_at) / 3600) AS integer)]) AS numeric)
               AS weight
      FROM (SELECT touch.*, max(occurred_at) OVER (PARTITION BY nth) AS last_at
              FROM touch) AS aged
     GROUP BY {_CELL}
    """  # noqa: S608 - the same
    return CreditRule(sql)


def _position_based() -> CreditRule:
    """Give the first, the last and those between their percents: 40, 20 and 40 unless chosen otherwise.

    Google Analytics' position-based model, HubSpot's U-shaped: a single touch gets everything, and of
    two the percents of the missing middle go half to each, which makes 50 and 50 of the default.
    """
    sql = f"""
    SELECT {_CELL}, CAST(sum(CASE
               WHEN touches = 1 THEN 1
               WHEN touches = 2 AND place = 1 THEN 2 * :first_weight + :middle_weight
               WHEN touches = 2 THEN 2 * :last_weight + :middle_weight
               WHEN place = 1 THEN :first_weight * (touches - 2)
               WHEN place = touches THEN :last_weight * (touches - 2)
               ELSE :middle_weight END) AS numeric) AS weight
      FROM (SELECT touch.*, count(*) OVER (PARTITION BY nth) AS touches,
                   row_number() OVER (PARTITION BY nth
                                      ORDER BY occurred_at, touchpoint_id) AS place
              FROM touch) AS placed
     GROUP BY {_CELL}
    """  # noqa: S608 - the same
    return CreditRule(sql)


def _shapley() -> CreditRule:
    """Share equally among the distinct channels of the order's touches: simplified Shapley values.

    Zhao, Mahboobi and Bagheri, "Shapley Value Methods for Attribution Modeling in Online Advertising"
    (2018): where a set of channels is worth the revenue of the orders that needed no other, the Shapley
    value of a channel is, order by order, an equal share among the order's channels. So the channels'
    revenue adds up to the Shapley values themselves, without fitting anything.
    """
    sql = f"""
    SELECT {_CELL}, weight,
           CAST(count(*) FILTER (WHERE nth_campaign = 1) OVER (PARTITION BY nth)
                AS numeric) AS channel_count
      FROM (SELECT {_CELL}, CAST(count(*) AS numeric) AS weight,
                   row_number() OVER (PARTITION BY nth, channel_code
                                      ORDER BY campaign_id COLLATE "C") AS nth_campaign
              FROM touch
             GROUP BY {_CELL}) AS counted
    """  # noqa: S608 - the same
    return CreditRule(sql, is_by_channel=True)


def _weighed_channels() -> CreditRule:
    """Share by what a touch of each channel is worth; a channel without a weight is worth nothing.

    `custom`: the tenant's own weights, as the custom models of Google Analytics 360 and Adobe have them.
    `markov`: the channels' removal effects (Anderl, Becker, von Wangenheim and Schumann, "Mapping the
    customer journey", International Journal of Research in Marketing, 2016), renormalised within the
    order. The effects are the model; sharing one order by them is a rule of thumb.

    An order whose touches are all worth nothing is shared as linear does, and so is every order while
    the tenant has no weights at all; `fallback` says which.
    """
    sql = f"""
    SELECT {_CELL}, CASE WHEN sum(worth) OVER of_order > 0 THEN worth ELSE touches END AS weight,
           CASE WHEN sum(worth) OVER of_order = 0 THEN CAST(:fallback AS text) END AS fallback
      FROM (SELECT {_CELL}, CAST(count(*) AS numeric) AS touches,
                   count(*) * CAST(coalesce(min(channel_weight), 0) AS numeric) AS worth
              FROM touch
              LEFT JOIN unnest(CAST(:weighed_channels AS text[]), CAST(:channel_weights AS bigint[]))
                     AS weighed (channel_code, channel_weight) USING (channel_code)
             GROUP BY {_CELL}) AS counted
    WINDOW of_order AS (PARTITION BY nth)
    """  # noqa: S608 - the same
    return CreditRule(sql, is_fallible=True)


CREDIT: Final[Mapping[Model, CreditRule]] = {
    "first_touch": _single("occurred_at, touchpoint_id"),
    "last_touch": _single("occurred_at DESC, touchpoint_id DESC"),
    "last_non_direct": _single(f"(channel_code = '{DIRECT}'), occurred_at DESC, touchpoint_id DESC"),
    "linear": _linear(),
    "time_decay": _time_decay(),
    "position_based": _position_based(),
    "markov": _weighed_channels(),
    "shapley": _shapley(),
    "custom": _weighed_channels(),
}
"""Every model's rule."""


def bindings(parameters: ModelParameters) -> dict[str, Any]:
    """Return what the model's statement is told besides the orders."""
    told: dict[str, Any] = {
        "lookback_days": parameters.lookback_days,
        "model_version": parameters.version,
    }
    if parameters.half_life_days is not None:
        told["decay"] = list(decay_table(parameters.half_life_days, parameters.lookback_days))
    if parameters.position_weights is not None:
        names = ("first_weight", "middle_weight", "last_weight")
        told |= dict(zip(names, parameters.position_weights, strict=True))
    if CREDIT[parameters.model].is_fallible:
        weights = parameters.channel_weights
        told["weighed_channels"] = list(weights)
        told["channel_weights"] = list(weights.values())
        told["fallback"] = parameters.fallback
    return told
