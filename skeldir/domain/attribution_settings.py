"""What a tenant may decide of attribution, and a model together with everything that decides its result."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from skeldir.domain.models import Model

Fallback = Literal["no_weights", "weightless"]
"""Why an order was shared as linear does: the tenant has no weights yet, or none for its channels."""

_RULE_VERSION: Final = 1
"""Raised when a model's arithmetic changes, so that old and new results never mix."""

_DIGEST_CHARACTERS: Final = 16


@dataclass(frozen=True, slots=True)
class ModelParameters:
    """A model and what it computes with; two of the same version compute the same, for ever.

    Only what the model reads is given: `half_life_days` for `time_decay`, `position_weights` for
    `position_based`, `channel_weights` for `custom` and `markov` (of no channel before its first fit).
    """

    model: Model
    lookback_days: int
    half_life_days: int | None = None
    position_weights: tuple[int, int, int] | None = None
    channel_weights: Mapping[str, int] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Name the model with everything that decides its result; results are kept under this name."""
        parts = [f"{self.model}.{_RULE_VERSION}", f"{self.lookback_days}d"]
        if self.half_life_days is not None:
            parts.append(f"{self.half_life_days}hl")
        if self.position_weights is not None:
            parts.append("-".join(map(str, self.position_weights)))
        if self.channel_weights:
            parts.append(weights_digest(self.channel_weights))
        return "+".join(parts)

    @property
    def fallback(self) -> Fallback:
        """Say why an order has to be shared as linear does when its touches are worth nothing."""
        return "weightless" if self.channel_weights else "no_weights"

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` takes, for keeping."""
        kept: dict[str, Any] = {"lookback_days": self.lookback_days}
        if self.half_life_days is not None:
            kept["half_life_days"] = self.half_life_days
        if self.position_weights is not None:
            kept["position_weights"] = list(self.position_weights)
        if self.channel_weights:
            kept["channel_weights"] = dict(self.channel_weights)
        return kept

    @classmethod
    def from_json(cls, model: Model, kept: Mapping[str, Any]) -> "ModelParameters":
        """Return the parameters that `to_json` told of this model."""
        weights = kept.get("position_weights")
        return cls(model, **{**kept, "position_weights": weights and tuple(weights)})


def weights_digest(weights: Mapping[str, int]) -> str:
    """Return a short name of channels' weights that is another for other weights."""
    told = json.dumps(sorted(weights.items()), separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()[:_DIGEST_CHARACTERS]


@dataclass(frozen=True, slots=True)
class AttributionSettings:
    """A tenant's choices. They never change: another choice is another version of the settings.

    `settings_version` counts a tenant's choices, 0 being the service's own for who never chose.
    `lookback_days` says how long before an order a touch still counts, `half_life_days` after how long
    one is worth half under `time_decay`. `position_weights` are percents of the first touch, of those
    between together, and of the last; `custom_weights` are what a touch of each channel is worth, and
    `markov_weights` what the newest fit says of that.
    """

    lookback_days: int
    settings_version: int = 0
    default_model: Model = "linear"
    half_life_days: int = 7
    position_weights: tuple[int, int, int] = (40, 20, 40)
    markov_order: int = 1
    custom_weights: Mapping[str, int] = field(default_factory=dict)
    markov_weights: Mapping[str, int] = field(default_factory=dict)

    def parameters(self, model: Model | None = None) -> ModelParameters:
        """Return what a model, the default one unless named, computes with under these settings."""
        model = model or self.default_model
        given: dict[str, Any] = {}
        if model == "time_decay":
            given = {"half_life_days": self.half_life_days}
        elif model == "position_based":
            given = {"position_weights": self.position_weights}
        elif model == "custom":
            given = {"channel_weights": self.custom_weights}
        elif model == "markov":
            given = {"channel_weights": self.markov_weights}
        return ModelParameters(model, self.lookback_days, **given)

    def version(self, model: Model) -> str:
        """Return the version whose allocations of a model are current under these settings."""
        return self.parameters(model).version
