"""How certain a channel's figure is, or why nobody knows, as every contract that shows revenue says it."""

from typing import Any

from generated.models.common_uncertainty import CredibleInterval
from skeldir.repository.channel_intervals import Certainties


def certainty(certainties: Certainties, currency: str, channel_code: str) -> dict[str, Any]:
    """Return the contract's fields of one channel: its interval, or null with the reason."""
    stored = certainties.of(currency, channel_code)
    if isinstance(stored, str):
        return {
            "credible_interval": None,
            "confidence_ppm": None,
            "interval_as_of": None,
            "interval_missing": stored,
        }
    low_cents, high_cents = stored.certainty.low_cents, stored.certainty.high_cents
    return {
        "credible_interval": CredibleInterval(
            low_cents=low_cents, high_cents=high_cents, level_ppm=stored.level_ppm
        ),
        "confidence_ppm": stored.certainty.confidence_ppm,
        "interval_as_of": stored.computed_at,
        "interval_missing": None,
    }
