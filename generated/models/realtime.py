# @generated from api-contracts/openapi/v1/realtime.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import MISSING, AwareDatetime, ConfigDict, Field
from skeldir.contract_model import ContractModel


class RealtimeWindow(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    net_cents: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it; negative when money went back.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    captured_cents: Annotated[
        int,
        Field(
            description="What was captured, without what became of it.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    reversed_cents: Annotated[
        int,
        Field(
            description="What refunds and disputes took back, less what disputes that were won gave back, as a negative amount.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    order_count: Annotated[
        int, Field(description="Orders of which something was captured.", ge=0, le=9000000000000000000)
    ]
    verified: Annotated[
        bool, Field(description="Whether there is something, and a payment processor told all of it.")
    ]


class RealtimeCurrency(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    currency: Annotated[
        str, Field(description="An ISO 4217 code.", max_length=3, min_length=3, pattern="^[A-Z]{3}$")
    ]
    today: Annotated[RealtimeWindow, Field(description="Since midnight, UTC.")]
    last_24_hours: RealtimeWindow
    last_hour: RealtimeWindow
    last_minute: RealtimeWindow


class RealtimeRevenue(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    tenant_id: UUID
    data_as_of: Annotated[
        AwareDatetime | None, Field(description="When the newest delivery came; null before the first one.")
    ]
    currencies: Annotated[list[RealtimeCurrency], Field(max_length=300)]


class RealtimeRevenueCounter(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    tenant_id: UUID
    currency: Annotated[
        str, Field(description="An ISO 4217 code.", max_length=3, min_length=3, pattern="^[A-Z]{3}$")
    ]
    total_revenue: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it; negative when money went back.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    event_count: Annotated[
        int, Field(description="Orders of which something was captured.", ge=0, le=9000000000000000000)
    ]
    last_updated: Annotated[
        AwareDatetime | None, Field(description="When the newest delivery came; null before the first one.")
    ]
    data_freshness_seconds: Annotated[
        int,
        Field(
            description="How long before the answer the newest delivery came, as the header `Data-Freshness-Seconds`; 0 before the first one.",
            ge=0,
            le=9000000000000000000,
        ),
    ]
    verified: bool
    upgrade_notice: Annotated[
        str | MISSING,
        Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$"),
    ] = MISSING
