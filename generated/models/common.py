# @generated from api-contracts/openapi/v1/_common/schemas.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import MISSING, AwareDatetime, ConfigDict, Field, RootModel
from skeldir.contract_model import ContractModel


class Date(RootModel[date]):
    root: date


class NextCursor(RootModel[str | None]):
    root: Annotated[
        str | None,
        Field(
            description="Where the next page begins; null on the last page.",
            max_length=1000,
            pattern="^[A-Za-z0-9_.-]+$",
        ),
    ]


class HeaderText(RootModel[str]):
    root: Annotated[str, Field(max_length=2000, pattern="^[^\\x00]*$")]


class Reference(RootModel[str]):
    root: Annotated[
        str,
        Field(
            description="A name that the outside world gave to something.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ]


class Currency(RootModel[str]):
    root: Annotated[
        str, Field(description="An ISO 4217 code.", max_length=3, min_length=3, pattern="^[A-Z]{3}$")
    ]


class SignedCents(RootModel[int]):
    root: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it; negative when money went back.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]


class Count(RootModel[int]):
    root: Annotated[int, Field(ge=0, le=9000000000000000000)]


class FieldError(ContractModel):
    """
    One thing wrong with one field.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    field: Annotated[str, Field(max_length=500, pattern="^[^\\x00]*$")]
    code: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    message: Annotated[str, Field(max_length=2000, pattern="^[^\\x00]*$")]


class ProblemDetails(ContractModel):
    """
    An RFC 9457 problem document.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    type: Annotated[str, Field(max_length=200)]
    title: Annotated[
        str, Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$")
    ]
    status: Annotated[int, Field(ge=400, le=599)]
    detail: Annotated[str, Field(max_length=4000, pattern="^[^\\x00]*$")]
    instance: Annotated[str, Field(max_length=200)]
    correlation_id: UUID
    timestamp: AwareDatetime
    code: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    errors: Annotated[list[FieldError] | MISSING, Field(max_length=100)] = MISSING


class SuccessResponse(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    success: Literal[True]
    correlation_id: UUID
    message: Annotated[
        str | MISSING,
        Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$"),
    ] = MISSING
