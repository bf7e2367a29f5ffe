# @generated from api-contracts/openapi/v1/_common/health.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field
from skeldir.contract_model import ContractModel

from . import common_queues


class Services(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    api: Literal["up", "degraded", "down"]
    database: Literal["up", "degraded", "down"]
    queue: Literal["up", "degraded", "down"]
    worker: Literal["up", "degraded", "down"]
    schedule: Annotated[
        Literal["up", "degraded", "down"],
        Field(
            description="Down when no task of the schedule was sent for half a minute; sweeps, summaries and retention wait then."
        ),
    ]


class RequestMetrics(ContractModel):
    """
    Of this process, over the last minute.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    requests_per_minute: Annotated[int, Field(ge=0, le=9000000000000000000)]
    average_response_microseconds: Annotated[int, Field(ge=0, le=9000000000000000000)]
    error_rate_ppm: Annotated[
        int, Field(description="Answers of 500 and above among a million.", ge=0, le=1000000)
    ]
    active_requests: Annotated[int, Field(ge=0, le=9000000000000000000)]


class DatabaseMetrics(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    pool_size: Annotated[int, Field(ge=0, le=9000000000000000000)]
    active_connections: Annotated[int, Field(ge=0, le=9000000000000000000)]
    query_latency_microseconds: Annotated[int, Field(ge=0, le=9000000000000000000)]
    migration: Annotated[
        str, Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$")
    ]


class Readiness(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    ready: Literal[True]


class Liveness(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    alive: Literal[True]


class HealthStatus(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    status: Literal["healthy", "degraded", "unhealthy"]
    timestamp: AwareDatetime
    version: Annotated[
        str, Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$")
    ]
    uptime_seconds: Annotated[int, Field(ge=0, le=9000000000000000000)]
    services: Services
    queues: Annotated[
        list[common_queues.QueueFigures],
        Field(description="Empty where the database cannot tell.", max_length=100),
    ]


class DetailedHealth(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    status: Literal["healthy", "degraded", "unhealthy"]
    timestamp: AwareDatetime
    version: Annotated[
        str, Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$")
    ]
    uptime_seconds: Annotated[int, Field(ge=0, le=9000000000000000000)]
    services: Services
    queues: Annotated[
        list[common_queues.QueueFigures],
        Field(description="Empty where the database cannot tell.", max_length=100),
    ]
    metrics: RequestMetrics
    database: DatabaseMetrics
