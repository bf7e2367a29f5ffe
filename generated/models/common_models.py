# @generated from api-contracts/openapi/v1/_common/models.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import MISSING, AwareDatetime, ConfigDict, Field
from skeldir.contract_model import ContractModel

from . import common_uncertainty


class ChannelWeight(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    channel_code: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    weight: Annotated[int, Field(ge=0, le=1000000)]


class RemovalEffect(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    channel_code: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    removal_effect_ppm: Annotated[
        int,
        Field(
            description="The part of the conversions, in millionths, that would be lost if every touch of the channel ended its journey. Touches share an order in proportion to it.",
            ge=0,
            le=1000000,
        ),
    ]
    is_grouped: Annotated[
        bool,
        Field(
            description="Whether the channel was fitted together with others as one: beyond the most touched 50 under order 1, 11 under order 2, 5 under order 3."
        ),
    ]


class PositionWeights(ContractModel):
    """
    Percents of an order for its first touch, for those between together, and for its last; 100 in all. A single touch gets everything, and of two each gets half of the middle's.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    first_percent: Annotated[int, Field(ge=0, le=100)]
    middle_percent: Annotated[int, Field(ge=0, le=100)]
    last_percent: Annotated[int, Field(ge=0, le=100)]


class AttributionSettingsRequest(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    default_model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"]
    lookback_days: Annotated[
        int, Field(description="How many days before the order a touch still counts.", ge=1, le=90)
    ]
    half_life_days: Annotated[
        int,
        Field(
            description="Under `time_decay`, a touch so many days before the journey's last is worth half as much.",
            ge=1,
            le=90,
        ),
    ]
    position_weights: PositionWeights
    markov_order: Annotated[
        int, Field(description="How many touches back the Markov model looks.", ge=1, le=3)
    ]
    custom_weights: Annotated[
        list[ChannelWeight],
        Field(
            description="What a touch of each channel is worth under `custom`, relative to the others; of a channel that is not named, nothing. An order none of whose touches is worth anything is shared as `linear` does.",
            max_length=200,
        ),
    ]


class CurrentModel(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"]
    model_version: Annotated[
        str,
        Field(
            description="The model with everything that decides its result.",
            max_length=100,
            min_length=1,
            pattern="^[a-z0-9_.+-]+$",
        ),
    ]
    is_complete: Annotated[
        bool,
        Field(
            description="Whether every order that was there when this version became current is attributed under it."
        ),
    ]


class AttributionSettings(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    settings_version: Annotated[
        int,
        Field(description="Counts the tenant's choices; 0 before the first.", ge=0, le=9000000000000000000),
    ]
    default_model: Annotated[
        Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"],
        Field(description="The model of whoever names none."),
    ]
    lookback_days: Annotated[
        int, Field(description="How many days before the order a touch still counts.", ge=1, le=90)
    ]
    half_life_days: Annotated[
        int,
        Field(
            description="Under `time_decay`, a touch so many days before the journey's last is worth half as much.",
            ge=1,
            le=90,
        ),
    ]
    position_weights: PositionWeights
    markov_order: Annotated[
        int, Field(description="How many touches back the Markov model looks.", ge=1, le=3)
    ]
    custom_weights: Annotated[
        list[ChannelWeight],
        Field(
            description="What a touch of each channel is worth under `custom`, relative to the others; of a channel that is not named, nothing. An order none of whose touches is worth anything is shared as `linear` does.",
            max_length=200,
        ),
    ]
    models: Annotated[list[CurrentModel], Field(max_length=20)]


class ModelFit(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"]
    fit_version: Annotated[int, Field(ge=0, le=9000000000000000000)]
    markov_order: Annotated[
        int, Field(description="How many touches back the Markov model looks.", ge=1, le=3)
    ]
    lookback_days: Annotated[
        int, Field(description="How many days before the order a touch still counts.", ge=1, le=90)
    ]
    converted_path_count: Annotated[
        int,
        Field(
            description="Orders that were captured and had touches within the look-back.",
            ge=0,
            le=9000000000000000000,
        ),
    ]
    lost_path_count: Annotated[
        int, Field(description="Journeys without an order.", ge=0, le=9000000000000000000)
    ]
    weights: Annotated[list[RemovalEffect], Field(max_length=1000)]
    fitted_at: AwareDatetime


class ModelFitPage(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    fits: Annotated[list[ModelFit], Field(max_length=200)]
    next_cursor: Annotated[
        str | None,
        Field(
            description="Where the next page begins; null on the last page.",
            max_length=1000,
            pattern="^[A-Za-z0-9_.-]+$",
        ),
    ]


class ComparedModel(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"]
    model_version: Annotated[
        str,
        Field(
            description="The model with everything that decides its result.",
            max_length=100,
            min_length=1,
            pattern="^[a-z0-9_.+-]+$",
        ),
    ]
    allocated_cents: Annotated[
        int,
        Field(
            description="What the channels add up to under this model.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    pending_cents: Annotated[
        int,
        Field(
            description="Booked, but not attributed under this model yet.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]


class ModelRevenue(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"]
    revenue_cents: Annotated[
        int,
        Field(
            description="Net of what was refunded or disputed.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    share_ppm: Annotated[
        int,
        Field(
            description="The part of the model's `allocated_cents`, in millionths, rounded down; 0 of nothing.",
            ge=-1000000000000,
            le=1000000000000,
        ),
    ]
    credible_interval: Annotated[
        common_uncertainty.CredibleInterval | None,
        Field(description="The credible interval, or null where `interval_missing` says why there is none."),
    ]
    confidence_ppm: Annotated[
        int | None,
        Field(
            description="The confidence as `ConfidencePpm` has it, or null where there is no interval either.",
            ge=0,
            le=1000000,
        ),
    ]
    interval_as_of: Annotated[
        AwareDatetime | None,
        Field(
            description="The time of the snapshot that the interval and the confidence were estimated from; null without."
        ),
    ]
    interval_missing: Annotated[
        Literal["not_computed", "accrual_mode", "too_few_journeys", "no_journeys"] | None,
        Field(
            description="Why there is no interval: these days were not estimated yet under this model, or not since its version covers every order (`not_computed`; `estimateChannelUncertainty` asks for it), nothing is estimated of accrual mode (`accrual_mode`), fewer than 30 journeys speak of the channel (`too_few_journeys`), or none did when it was estimated (`no_journeys`). Null when there is one."
        ),
    ]


class ComparedChannel(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    channel_code: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    channel_name: Annotated[
        str, Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$")
    ]
    family: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    is_paid: bool
    revenues: Annotated[
        list[ModelRevenue], Field(description="Every model once, in the order of `models`.", max_length=20)
    ]


class CurrencyComparison(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    currency: Annotated[
        str, Field(description="An ISO 4217 code.", max_length=3, min_length=3, pattern="^[A-Z]{3}$")
    ]
    ledger_net_cents: Annotated[
        int,
        Field(
            description="What the ledger holds for the same days; the same under every model.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    models: Annotated[list[ComparedModel], Field(max_length=20)]
    channels: Annotated[
        list[ComparedChannel],
        Field(description="Every channel that some model credits, by code.", max_length=1000),
    ]


class ModelComparison(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    mode: Literal["cash", "accrual"]
    start_date: date | MISSING = MISSING
    end_date: date | MISSING = MISSING
    currencies: Annotated[list[CurrencyComparison], Field(max_length=300)]
