# @generated from api-contracts/openapi/v1/uncertainty.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import MISSING, AwareDatetime, ConfigDict, Field
from skeldir.contract_model import ContractModel


class UncertaintyRequest(ContractModel):
    """
    A range of UTC days, both included; without a bound it is every day on that side.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"]
    start_date: date | MISSING = MISSING
    end_date: date | MISSING = MISSING


class ChannelCertainty(ContractModel):
    """
    Credible intervals of revenue and share, and how certain the channel's place is. Absent when fewer than 30 journeys speak of the channel.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    low_cents: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it; negative when money went back.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    median_cents: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it; negative when money went back.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    high_cents: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it; negative when money went back.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    low_share_ppm: Annotated[
        int,
        Field(
            description="A part of what all channels were credited with, in millionths, rounded down.",
            ge=-1000000000000,
            le=1000000000000,
        ),
    ]
    high_share_ppm: Annotated[
        int,
        Field(
            description="A part of what all channels were credited with, in millionths, rounded down.",
            ge=-1000000000000,
            le=1000000000000,
        ),
    ]
    confidence_ppm: Annotated[
        int,
        Field(
            description="The part of the draws, in millionths, in which as many channels have more revenue as in the report: how certain the channel's place in the ranking is. Low values say that it should not be preferred to its neighbours, or they to it, on this evidence. Absent when fewer than 30 journeys speak of the channel.",
            ge=0,
            le=1000000,
        ),
    ]


class ChannelEstimate(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    channel_code: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    revenue_cents: Annotated[
        int,
        Field(
            description="The channel's revenue in the snapshot that was estimated from.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    journey_count: Annotated[
        int,
        Field(description="Journeys that credited the channel with something.", ge=0, le=9000000000000000000),
    ]
    certainty: ChannelCertainty | MISSING = MISSING


class CurrencyEstimate(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    currency: Annotated[
        str, Field(description="An ISO 4217 code.", max_length=3, min_length=3, pattern="^[A-Z]{3}$")
    ]
    channels: Annotated[list[ChannelEstimate], Field(max_length=1000)]


class ChannelUncertainty(ContractModel):
    """
    What is known of a window: its last answer, if there was one. While `checked_at` is before `requested_at` a newer answer is under way.
    """

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
    start_date: date | MISSING = MISSING
    end_date: date | MISSING = MISSING
    requested_at: Annotated[
        AwareDatetime | MISSING, Field(description="When it was last asked for; absent when it never was.")
    ] = MISSING
    computed_at: Annotated[
        AwareDatetime | MISSING,
        Field(
            description="The time of the snapshot that the answer was computed from; absent before the first answer."
        ),
    ] = MISSING
    checked_at: Annotated[
        AwareDatetime | MISSING,
        Field(description="When the answer was last found to be that of what is booked."),
    ] = MISSING
    fingerprint: Annotated[
        str | MISSING,
        Field(
            description="The digest of everything the answer was computed from.",
            max_length=64,
            min_length=64,
            pattern="^[0-9a-f]+$",
        ),
    ] = MISSING
    draws: Annotated[
        int | MISSING, Field(description="How many times the journeys were weighed anew.", ge=1, le=100000)
    ] = MISSING
    level_ppm: Annotated[
        int | MISSING,
        Field(description="How much of the posterior an interval holds, in millionths.", ge=1, le=999999),
    ] = MISSING
    currencies: Annotated[list[CurrencyEstimate], Field(max_length=300)]
