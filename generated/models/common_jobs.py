# @generated from api-contracts/openapi/v1/_common/jobs.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import MISSING, AwareDatetime, ConfigDict, Field
from skeldir.contract_model import ContractModel
from typing_extensions import TypeAliasType

ArgumentsAdditionalProperty = TypeAliasType(
    "ArgumentsAdditionalProperty", Annotated[str, Field(max_length=100, pattern="^[^\\x00]*$")]
)


class FailedJob(ContractModel):
    """
    A task that failed for good, after its retries. Error messages are not kept, as they may quote data.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    failed_job_id: UUID
    task_name: Annotated[
        str, Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$")
    ]
    queue: Annotated[
        str, Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$")
    ]
    arguments: Annotated[
        dict[str, ArgumentsAdditionalProperty],
        Field(
            description="Ids, instants and numbers as they are; of anything else only that it was there.",
            max_length=20,
        ),
    ]
    error_type: Annotated[
        str, Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$")
    ]
    error_kind: Literal["transient", "database", "invalid_argument", "time_limit", "worker_lost", "application"]
    error_place: Annotated[
        str,
        Field(
            description="The innermost line of the service's own that raised it; empty where none did.",
            max_length=300,
            pattern="^[^\\x00]*$",
        ),
    ]
    attempts: Annotated[int, Field(ge=1, le=1000)]
    correlation_id: UUID | MISSING = MISSING
    status: Annotated[
        Literal["pending", "retried", "discarded"], Field(description="Whether somebody has dealt with it.")
    ]
    failed_at: AwareDatetime
    settled_at: AwareDatetime | MISSING = MISSING
    settled_by: Annotated[
        UUID | MISSING,
        Field(description="Who retried or discarded it; absent where it was the command line."),
    ] = MISSING


class FailedJobPage(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    failed_jobs: Annotated[list[FailedJob], Field(max_length=200)]
    next_cursor: Annotated[
        str | None,
        Field(
            description="Where the next page begins; null on the last page.",
            max_length=1000,
            pattern="^[A-Za-z0-9_.-]+$",
        ),
    ]


class ParkedMessage(ContractModel):
    """
    A task that was begun and never settled so often that no worker is given it any more.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    message_id: Annotated[int, Field(ge=1, le=9223372036854775807)]
    task_name: Annotated[
        str, Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$")
    ]
    queue: Annotated[
        str, Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$")
    ]
    arguments: Annotated[
        dict[str, ArgumentsAdditionalProperty],
        Field(
            description="Ids, instants and numbers as they are; of anything else only that it was there.",
            max_length=20,
        ),
    ]
    attempts: Annotated[int, Field(ge=1, le=1000)]
    correlation_id: UUID | MISSING = MISSING
    sent_at: AwareDatetime
    parked_at: AwareDatetime


class ParkedMessagePage(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    parked_messages: Annotated[list[ParkedMessage], Field(max_length=200)]
    next_cursor: Annotated[
        str | None,
        Field(
            description="Where the next page begins; null on the last page.",
            max_length=1000,
            pattern="^[A-Za-z0-9_.-]+$",
        ),
    ]
