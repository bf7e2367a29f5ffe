# @generated from api-contracts/openapi/v1/_common/deliveries.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import MISSING, AwareDatetime, ConfigDict, Field, RootModel
from skeldir.contract_model import ContractModel


class DeliveryReceipt(ContractModel):
    """
    What became of a delivery. A repeated one is answered with its first receipt.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    received: Literal[True]
    delivery_id: UUID
    outcome: Annotated[
        Literal["booked", "recorded", "dead_lettered"],
        Field(
            description="`booked`: its facts are in the ledger. `recorded`: it is kept and tells nothing about money. `dead_lettered`: it is authentic, but cannot be booked as it is."
        ),
    ]
    event_id: UUID | MISSING = MISSING
    dead_letter_id: UUID | MISSING = MISSING
    reason_code: Annotated[
        Literal["invalid_json", "missing_required_field", "malformed_value", "unknown_provider_event", "currency_unknown", "amount_out_of_range", "pii_refused", "tenant_suspended"] | MISSING,
        Field(description="Why a delivery became a dead letter."),
    ] = MISSING
    reason_field: Annotated[
        str | MISSING,
        Field(
            description="The path of the field at fault, as the vendor names it; or the header.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ] = MISSING


class PayloadPath(RootModel[str]):
    root: Annotated[str, Field(max_length=200, min_length=1, pattern="^[A-Za-z0-9_.?\\[\\]-]+$")]


class WithheldItem(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    path: Annotated[str, Field(max_length=200, min_length=1, pattern="^[A-Za-z0-9_.?\\[\\]-]+$")]
    kind: Literal["email", "phone", "ssn", "card", "ip"]


class PersonalDataTrail(ContractModel):
    """
    Where the delivery carried personal data, of which nothing was kept. Paths are the vendor's own, without list positions; `?` stands for a key that may itself be personal. Keys that held nothing are not told.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    stripped: Annotated[
        list[PayloadPath] | MISSING, Field(description="Keys that are personal by their name.", max_length=50)
    ] = MISSING
    withheld: Annotated[
        list[WithheldItem] | MISSING,
        Field(description="Values that stood in fields which are kept, and looked personal.", max_length=50),
    ] = MISSING
    refused: Annotated[
        str | MISSING,
        Field(
            description="What the database's own wall refused; the delivery is a dead letter without payload.",
            max_length=200,
            min_length=1,
            pattern="^[A-Za-z0-9_.?\\[\\]-]+$",
        ),
    ] = MISSING


class Delivery(ContractModel):
    """
    An authentic delivery and what became of it.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    delivery_id: UUID
    vendor: Annotated[
        Literal["shopify", "stripe", "woocommerce", "paypal", "custom"],
        Field(description="`custom`: a sender of the tenant's own, by the Standard Webhooks specification."),
    ]
    topic: Annotated[
        str,
        Field(
            description="The vendor's own name for what happened; `unknown` where it cannot be read.",
            max_length=100,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ]
    outcome: Annotated[
        Literal["booked", "recorded", "dead_lettered"],
        Field(
            description="`booked`: its facts are in the ledger. `recorded`: it is kept and tells nothing about money. `dead_lettered`: it is authentic, but cannot be booked as it is."
        ),
    ]
    event_id: UUID | MISSING = MISSING
    dead_letter_id: UUID | MISSING = MISSING
    reason_code: Annotated[
        Literal["invalid_json", "missing_required_field", "malformed_value", "unknown_provider_event", "currency_unknown", "amount_out_of_range", "pii_refused", "tenant_suspended"] | MISSING,
        Field(description="Why a delivery became a dead letter."),
    ] = MISSING
    reason_field: Annotated[
        str | MISSING,
        Field(
            description="The path of the field at fault, as the vendor names it; or the header.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ] = MISSING
    personal_data: PersonalDataTrail | MISSING = MISSING
    received_at: AwareDatetime
    redelivery_count: Annotated[
        int, Field(description="How often the vendor delivered it again.", ge=0, le=9000000000000000000)
    ]
    last_received_at: AwareDatetime


class DeliveryPage(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    deliveries: Annotated[list[Delivery], Field(max_length=200)]
    next_cursor: Annotated[
        str | None,
        Field(
            description="Where the next page begins; null on the last page.",
            max_length=1000,
            pattern="^[A-Za-z0-9_.-]+$",
        ),
    ]
