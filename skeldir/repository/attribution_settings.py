"""A tenant's attribution settings: immutable rows, of which the newest is current."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.attribution_settings import AttributionSettings
from skeldir.settings import get_settings

__all__ = ["AttributionSettings", "current"]

_CURRENT: Final = text("""
    SELECT settings_version, default_model, lookback_days, half_life_days, position_weights,
           markov_order, custom_weights
      FROM attribution_settings
     ORDER BY settings_version DESC
     LIMIT 1
""")


def current(session: Session) -> AttributionSettings:
    """Return what the tenant chose last, or the service's own settings when it never chose."""
    row = session.execute(_CURRENT).one_or_none()
    if row is None:
        return AttributionSettings(lookback_days=get_settings().lookback_days)
    chosen = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    return AttributionSettings(**{**chosen, "position_weights": tuple(row.position_weights)})
