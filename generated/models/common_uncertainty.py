# @generated from api-contracts/openapi/v1/_common/uncertainty.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, RootModel
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


class CredibleInterval(ContractModel):
    """
    Where the channel's revenue may lie when only chance differs: among as many paying journeys, drawn from the same visitors. From a Bayesian bootstrap over journeys, equal tails. Absent when fewer than 30 journeys speak of the channel.
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
