# @generated from api-contracts/openapi/v1/_common/privacy.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import MISSING, AwareDatetime, ConfigDict, Field
from skeldir.contract_model import ContractModel

from . import common


class RowCount(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    table: Annotated[str, Field(max_length=63, min_length=1, pattern="^[a-z_]+$")]
    row_count: Annotated[int, Field(ge=0, le=9000000000000000000)]


class PrivacyRequest(ContractModel):
    """
    A request that a vendor delivered. It names orders; no person is known here.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    request_id: UUID
    kind: Annotated[
        Literal["customer_data_request", "customer_redaction", "shop_redaction"],
        Field(
            description="`customer_data_request`: somebody asks what is held of their orders. `customer_redaction`: what leads from these orders to a person is to be erased. `shop_redaction`: the same of all that the vendor told, for the shop left."
        ),
    ]
    vendor: Annotated[
        Literal["shopify", "stripe", "woocommerce", "paypal", "custom"],
        Field(description="`custom`: a sender of the tenant's own, by the Standard Webhooks specification."),
    ]
    vendor_request_id: Annotated[
        str | MISSING,
        Field(
            description="The vendor's own id of the request, where it has one.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ] = MISSING
    state: Literal["pending", "completed"]
    order_count: Annotated[int, Field(description="How many orders it names.", ge=0, le=9000000000000000000)]
    order_ids: Annotated[list[common.Reference], Field(description="The first of them.", max_length=250)]
    requested_at: AwareDatetime
    completed_at: AwareDatetime | MISSING = MISSING
    row_counts: Annotated[
        list[RowCount] | MISSING,
        Field(
            description="Once it is completed: the rows in which something was held of the orders, or from which something was erased. Amounts and orders stay in the ledger; no personal data is in it.",
            max_length=50,
        ),
    ] = MISSING


class PrivacyRequestPage(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    privacy_requests: Annotated[list[PrivacyRequest], Field(max_length=200)]
    next_cursor: Annotated[
        str | None,
        Field(
            description="Where the next page begins; null on the last page.",
            max_length=1000,
            pattern="^[A-Za-z0-9_.-]+$",
        ),
    ]


class PersonalDataFinding(ContractModel):
    """
    A place at which something stands that looks personal, should it have got past every wall.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    table: Annotated[str, Field(max_length=63, min_length=1, pattern="^[a-z_]+$")]
    column: Annotated[str, Field(max_length=63, min_length=1, pattern="^[a-z_]+$")]
    row_key: Annotated[
        str,
        Field(
            description="The row's id, or the SHA-256 of its key where that came from outside.",
            max_length=64,
            min_length=1,
            pattern="^[0-9a-f-]+$",
        ),
    ]
    path: Annotated[
        str,
        Field(
            description="Where in the row, without list positions; `?` stands for a key that may itself be personal.",
            max_length=500,
            min_length=1,
            pattern="^[A-Za-z0-9_.?\\[\\]-]+$",
        ),
    ]
    kind: Annotated[
        Literal["key", "email", "phone", "ssn", "card", "ip"],
        Field(description="What it looks like; `key` where its name says that it is personal."),
    ]
    found_at: AwareDatetime


class PersonalDataFindingPage(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    findings: Annotated[list[PersonalDataFinding], Field(max_length=200)]
    next_cursor: Annotated[
        str | None,
        Field(
            description="Where the next page begins; null on the last page.",
            max_length=5000,
            pattern="^[A-Za-z0-9_.-]+$",
        ),
    ]
