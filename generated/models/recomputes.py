# @generated from api-contracts/openapi/v1/recomputes.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import MISSING, AwareDatetime, ConfigDict, Field, RootModel
from skeldir.contract_model import ContractModel

from . import common_models


class PositionWeight(RootModel[int]):
    root: Annotated[int, Field(ge=0, le=100)]


class ResultInput(ContractModel):
    """
    What the result takes from one UTC day, or from the part of it that the window holds.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    order_count: Annotated[int, Field(ge=0, le=9000000000000000000)]
    entry_count: Annotated[int, Field(ge=0, le=9000000000000000000)]
    touch_count: Annotated[int, Field(ge=0, le=9000000000000000000)]
    digest: Annotated[
        str,
        Field(
            description="Sums of hashes of the orders, their entries and touches; in no order, so that none shows.",
            max_length=32,
            min_length=32,
            pattern="^[0-9a-f]+$",
        ),
    ]


class ResultParameters(ContractModel):
    """
    What the model computed with.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    lookback_days: Annotated[
        int, Field(description="How many days before the order a touch still counts.", ge=1, le=90)
    ]
    half_life_days: Annotated[int | MISSING, Field(description="Of time decay.", ge=1, le=90)] = MISSING
    position_weights: Annotated[
        list[PositionWeight] | MISSING,
        Field(
            description="Percents of the first touch, of those between and of the last.",
            max_length=3,
            min_length=3,
        ),
    ] = MISSING
    weights_digest: Annotated[
        str | MISSING,
        Field(
            description="The digest of the channels' weights; of Markov, that of the fit which gave them.",
            max_length=16,
            min_length=16,
            pattern="^[0-9a-f]+$",
        ),
    ] = MISSING
    channel_weights: Annotated[
        list[common_models.ChannelWeight] | MISSING,
        Field(
            description="Of the tenant's own weights all of them; those of a fit are told with it.",
            max_length=200,
        ),
    ] = MISSING
    fit_version: Annotated[
        int | MISSING,
        Field(
            description="The tenant's fit of that digest that was the newest when the result was computed; absent of results of before it was told.",
            ge=0,
            le=9000000000000000000,
        ),
    ] = MISSING


class FingerprintExplanation(ContractModel):
    """
    The counts add up the inputs. An order with entries on two days is an input of both, each time with all its entries and all the touches of its journey, whatever the look-back.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    job_id: UUID
    fingerprint: Annotated[
        str,
        Field(
            description="The digest of inputs, model version, look-back and taxonomy version.",
            max_length=64,
            min_length=64,
            pattern="^[0-9a-f]+$",
        ),
    ]
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
    parameters: ResultParameters
    taxonomy_version: Annotated[
        int,
        Field(
            description="The version of the table by which touches are given their channels.",
            ge=1,
            le=1000000,
        ),
    ]
    rule_set_version: Annotated[
        int | MISSING,
        Field(
            description="The newest version of the tenant's own mapping rules that all touches had their channels by, before that table; 0 where there was none. Of a version that was still being applied only some had, and it is not named. Like the next two as the run found it; absent of results of before they were told.",
            ge=0,
            le=9000000000000000000,
        ),
    ] = MISSING
    correction_count: Annotated[
        int | MISSING,
        Field(
            description="How many corrections of single touches there were, which go before any rule.",
            ge=0,
            le=9000000000000000000,
        ),
    ] = MISSING
    settings_version: Annotated[
        int | MISSING,
        Field(
            description="The tenant's choice that was current; 0 before the first.",
            ge=0,
            le=9000000000000000000,
        ),
    ] = MISSING
    window_start: AwareDatetime
    window_end: AwareDatetime
    computed_at: AwareDatetime
    computed_by_run: Annotated[
        int,
        Field(
            description="Which of the job's accepted runs computed it, the first being 1.",
            ge=0,
            le=9000000000000000000,
        ),
    ]
    computed_by_task: Annotated[UUID, Field(description="The worker's task, as its log names it.")]
    order_count: Annotated[int, Field(ge=0, le=9000000000000000000)]
    entry_count: Annotated[int, Field(ge=0, le=9000000000000000000)]
    touch_count: Annotated[int, Field(ge=0, le=9000000000000000000)]
    inputs: Annotated[
        list[ResultInput],
        Field(
            description="By UTC day, the earliest first; days without an order are left out.", max_length=400
        ),
    ]
