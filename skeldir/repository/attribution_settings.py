"""A tenant's attribution settings: immutable rows, of which the newest is current, with the newest fit."""

import json
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.db.statements import fetch_all
from skeldir.domain.attribution_settings import AttributionSettings
from skeldir.repository import turns
from skeldir.settings import get_settings

__all__ = ["AttributionSettings", "choose", "current", "hold"]

_CHOSEN: Final = (
    *("settings_version", "default_model", "lookback_days", "half_life_days", "position_weights"),
    *("markov_order", "custom_weights"),
)

_CURRENT: Final = text(f"""
    SELECT {", ".join(_CHOSEN)},
           (SELECT weights FROM model_fits WHERE model = 'markov' ORDER BY fit_version DESC LIMIT 1)
      FROM (SELECT 1) AS always
      LEFT JOIN (SELECT * FROM attribution_settings ORDER BY settings_version DESC LIMIT 1) AS chosen ON true
""")  # noqa: S608 - constants

_CHOOSE: Final = text("""
    INSERT INTO attribution_settings (settings_version, default_model, lookback_days, half_life_days,
                                      position_weights, markov_order, custom_weights, set_by)
    VALUES (:settings_version, :default_model, :lookback_days, :half_life_days,
            CAST(:position_weights AS integer[]), :markov_order, CAST(:custom_weights AS jsonb), :set_by)
""")


def hold(session: Session) -> None:
    """Have whoever else chooses settings or fits models for the tenant wait until the transaction ends."""
    turns.wait_for(session, "attribution settings")


def current(session: Session) -> AttributionSettings:
    """Return what the tenant chose last, or the service's own settings when it never chose."""
    [(*values, fitted)] = fetch_all(session, _CURRENT)
    chosen: dict[str, Any] = dict(zip(_CHOSEN, values, strict=True))
    if chosen["settings_version"] is None:
        chosen = {"lookback_days": get_settings().lookback_days}
    else:
        chosen["position_weights"] = tuple(chosen["position_weights"])
    return AttributionSettings(**chosen, markov_weights=fitted or {})


def choose(session: Session, wanted: AttributionSettings, user_id: UUID | None) -> AttributionSettings:
    """Make what is wanted the tenant's settings, unless they are that already; return what is current.

    For a transaction that `hold` was called in. The version and the fit are not the chooser's to say.
    """
    known = current(session)
    chosen = replace(wanted, settings_version=known.settings_version + 1, markov_weights=known.markov_weights)
    if chosen == replace(known, settings_version=chosen.settings_version):
        return known
    session.execute(
        _CHOOSE,
        {
            "settings_version": chosen.settings_version,
            "default_model": chosen.default_model,
            "lookback_days": chosen.lookback_days,
            "half_life_days": chosen.half_life_days,
            "position_weights": list(chosen.position_weights),
            "markov_order": chosen.markov_order,
            "custom_weights": json.dumps(dict(chosen.custom_weights)),
            "set_by": user_id,
        },
    )
    return chosen
