# @generated from api-contracts/openapi/v1/_common/uncertainty.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field, RootModel
from skeldir.contract_model import ContractModel


class ConfidencePpm(RootModel[int]):
    root: Annotated[
        int,
        Field(
            description="The part of the draws, in millionths, in which as many channels have more revenue as in the report: how certain the channel's place in the ranking is. Low values say that it should not be preferred to its neighbours, or they to it, on this evidence. Absent when fewer than 30 journeys speak of the channel.",
            ge=0,
            le=1000000,
        ),
    ]


class KnownConfidencePpm(RootModel[int | None]):
    root: Annotated[
        int | None,
        Field(
            description="The confidence as `ConfidencePpm` has it, or null where there is no interval either.",
            ge=0,
            le=1000000,
        ),
    ]


class IntervalAsOf(RootModel[AwareDatetime | None]):
    root: Annotated[
        AwareDatetime | None,
        Field(
            description="The time of the snapshot that the interval and the confidence were estimated from; null without."
        ),
    ]


class IntervalMissing(
    RootModel[Literal["not_computed", "accrual_mode", "too_few_journeys", "no_journeys"] | None]
):
    root: Annotated[
        Literal["not_computed", "accrual_mode", "too_few_journeys", "no_journeys"] | None,
        Field(
            description="Why there is no interval: these days were not estimated yet under this model, or not since its version covers every order (`not_computed`; `estimateChannelUncertainty` asks for it), nothing is estimated of accrual mode (`accrual_mode`), fewer than 30 journeys speak of the channel (`too_few_journeys`), or none did when it was estimated (`no_journeys`). Null when there is one."
        ),
    ]


class CredibleInterval(ContractModel):
    """
    Where the channel's revenue may lie when only chance differs: among as many paying journeys, drawn from the same visitors. From a Bayesian bootstrap over journeys, equal tails.
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
    high_cents: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it; negative when money went back.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    level_ppm: Annotated[
        int, Field(description="How much of the posterior an interval holds, in millionths.", ge=1, le=999999)
    ]


class KnownInterval(RootModel[CredibleInterval | None]):
    root: Annotated[
        CredibleInterval | None,
        Field(description="The credible interval, or null where `interval_missing` says why there is none."),
    ]
