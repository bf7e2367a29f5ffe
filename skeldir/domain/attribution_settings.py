"""What a tenant may decide of attribution, and a model together with everything that decides its result."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from skeldir.domain.models import Model

_RULE_VERSION: Final = 1
"""Raised when a model's arithmetic changes, so that old and new results never mix."""


@dataclass(frozen=True, slots=True)
class ModelParameters:
    """A model and what it computes with; two of the same version compute the same, for ever."""

    model: Model
    lookback_days: int

    @property
    def version(self) -> str:
        """Name the model with everything that decides its result; results are kept under this name."""
        return f"{self.model}.{_RULE_VERSION}+{self.lookback_days}d"

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` takes, for keeping."""
        return {"lookback_days": self.lookback_days}

    @classmethod
    def from_json(cls, model: Model, kept: Mapping[str, Any]) -> "ModelParameters":
        """Return the parameters that `to_json` told of this model."""
        return cls(model, **kept)


@dataclass(frozen=True, slots=True)
class AttributionSettings:
    """A tenant's choices. They never change: another choice is another version of the settings.

    `settings_version` counts a tenant's choices, 0 being the service's own for who never chose.
    `lookback_days` says how long before an order a touch still counts, `half_life_days` after how long
    one is worth half under `time_decay`. `position_weights` are percents of the first touch, of those
    between together, and of the last; `custom_weights` are what a touch of each channel is worth.
    """

    lookback_days: int
    settings_version: int = 0
    default_model: Model = "linear"
    half_life_days: int = 7
    position_weights: tuple[int, int, int] = (40, 20, 40)
    markov_order: int = 1
    custom_weights: Mapping[str, int] = field(default_factory=dict)

    def parameters(self, model: Model) -> ModelParameters:
        """Return what a model computes with under these settings."""
        return ModelParameters(model, self.lookback_days)

    def version(self, model: Model) -> str:
        """Return the version whose allocations of a model are current under these settings."""
        return self.parameters(model).version
