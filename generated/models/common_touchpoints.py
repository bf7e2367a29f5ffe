# @generated from api-contracts/openapi/v1/_common/touchpoints.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import MISSING, AwareDatetime, ConfigDict, Field
from skeldir.contract_model import ContractModel


class TouchpointReceipt(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    recorded_count: Annotated[int, Field(ge=0, le=9000000000000000000)]
    duplicate_count: Annotated[int, Field(ge=0, le=9000000000000000000)]
    conflicts: Annotated[
        list[UUID], Field(description="Ids under which another touch is already recorded.", max_length=1000)
    ]


class Touchpoint(ContractModel):
    """
    One touch of a journey. The channel is derived from what is told of its origin; nothing told is a direct visit.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    touchpoint_id: UUID
    journey_id: Annotated[
        str,
        Field(
            description="The tenant's own pseudonym of the journey; never an e-mail address or a telephone number, and no placeholder such as `undefined` or `null`, which is refused with 422.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ]
    session_id: Annotated[
        str | MISSING,
        Field(
            description="A name that the outside world gave to something.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ] = MISSING
    occurred_at: AwareDatetime
    utm_source: Annotated[
        str | MISSING,
        Field(
            description="A name that the outside world gave to something.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ] = MISSING
    utm_medium: Annotated[
        str | MISSING,
        Field(
            description="A name that the outside world gave to something.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ] = MISSING
    utm_campaign: Annotated[
        str | MISSING,
        Field(
            description="A name that the outside world gave to something.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ] = MISSING
    click_id: Annotated[
        Literal["gclid", "gbraid", "wbraid", "fbclid", "ttclid", "msclkid", "li_fat_id", "sccid", "twclid"] | MISSING,
        Field(description="The advertising platform whose click identifier the landing address carried."),
    ] = MISSING
    referrer_host: Annotated[
        str | MISSING,
        Field(
            description="The host name of the page that linked here; an address in place of a name is not kept.",
            max_length=253,
            min_length=1,
            pattern="^[A-Za-z0-9.-]+$",
        ),
    ] = MISSING


class TouchpointBatch(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    touchpoints: Annotated[list[Touchpoint], Field(max_length=1000, min_length=1)]
