# @generated from api-contracts/openapi/v1/attribution.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import MISSING, AwareDatetime, ConfigDict, Field
from skeldir.contract_model import ContractModel


class RecomputeRequest(ContractModel):
    """
    A window of at most 366 days; its start belongs to it, its end does not.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"]
    window_start: AwareDatetime
    window_end: AwareDatetime


class RecomputeJob(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    job_id: UUID
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
    lookback_days: Annotated[
        int, Field(description="How many days before the order a touch still counts.", ge=1, le=90)
    ]
    window_start: AwareDatetime
    window_end: AwareDatetime
    status: Literal["queued", "running", "succeeded", "failed"]
    run_count: Annotated[int, Field(description="How many runs were accepted.", ge=0, le=9000000000000000000)]
    last_outcome: Annotated[
        Literal["computed", "unchanged"] | MISSING,
        Field(
            description="What the last finished run did; unchanged when the fingerprint was that of the result."
        ),
    ] = MISSING
    fingerprint: Annotated[
        str | MISSING,
        Field(
            description="The digest of what the result was computed from, as `explainFingerprint` tells it.",
            max_length=128,
            min_length=32,
            pattern="^[0-9a-f]+$",
        ),
    ] = MISSING
    requested_at: AwareDatetime
    started_at: AwareDatetime | MISSING = MISSING
    finished_at: AwareDatetime | MISSING = MISSING
    error: Annotated[
        str | MISSING,
        Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$"),
    ] = MISSING
