# @generated from api-contracts/openapi/v1/_common/queues.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from typing import Annotated

from pydantic import MISSING, ConfigDict, Field, RootModel
from skeldir.contract_model import ContractModel


class QueueFigures(ContractModel):
    """
    One queue, as it was some seconds ago. Everybody's messages together.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    queue: Annotated[
        str, Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$")
    ]
    ready: Annotated[
        int, Field(description="Messages that a worker could take.", ge=0, le=9000000000000000000)
    ]
    scheduled: Annotated[
        int, Field(description="Messages that are not due yet.", ge=0, le=9000000000000000000)
    ]
    in_flight: Annotated[int, Field(description="Messages that workers hold.", ge=0, le=9000000000000000000)]
    parked: Annotated[
        int,
        Field(
            description="Messages that ended the workers that took them, and are put aside.",
            ge=0,
            le=9000000000000000000,
        ),
    ]
    oldest_seconds: Annotated[
        int,
        Field(
            description="How long the oldest of the ready ones has waited; 0 without any.",
            ge=0,
            le=9000000000000000000,
        ),
    ]
    redelivered: Annotated[
        int,
        Field(
            description="Messages that workers were given once more, since somebody had begun and not settled them; ever since.",
            ge=0,
            le=9000000000000000000,
        ),
    ]
    expired: Annotated[
        int,
        Field(
            description="Messages that workers threw away, since they had waited for longer than they were worth; ever since.",
            ge=0,
            le=9000000000000000000,
        ),
    ]
    workers: Annotated[
        int,
        Field(
            description="Workers that consume the queue and were heard of within 20 seconds.",
            ge=0,
            le=9000000000000000000,
        ),
    ]
    heartbeat_age_seconds: Annotated[
        int | MISSING,
        Field(
            description="Since one that consumes it was last heard of; absent when there was none for an hour.",
            ge=0,
            le=9000000000000000000,
        ),
    ] = MISSING


class Queues(RootModel[list[QueueFigures]]):
    """
    Empty where the database cannot tell.
    """

    root: Annotated[
        list[QueueFigures], Field(description="Empty where the database cannot tell.", max_length=100)
    ]
