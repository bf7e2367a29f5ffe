# @generated from api-contracts/openapi/v1/webhooks/woocommerce.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import MISSING, ConfigDict, Field
from skeldir.contract_model import ContractModel


class WoocommerceReceipt(ContractModel):
    """
    What became of a delivery, as `DeliveryReceipt` says it. Of a ping nothing is kept, so there is nothing to name.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    received: Literal[True]
    delivery_id: UUID | MISSING = MISSING
    outcome: Annotated[
        Literal["booked", "recorded", "dead_lettered"] | MISSING,
        Field(
            description="`booked`: its facts are in the ledger. `recorded`: it is kept and tells nothing about money. `dead_lettered`: it is authentic, but cannot be booked as it is."
        ),
    ] = MISSING
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
