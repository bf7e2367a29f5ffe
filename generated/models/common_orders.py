# @generated from api-contracts/openapi/v1/_common/orders.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field
from skeldir.contract_model import ContractModel


class OrderCurrency(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    currency: Annotated[
        str, Field(description="An ISO 4217 code.", max_length=3, min_length=3, pattern="^[A-Z]{3}$")
    ]
    net_cents: Annotated[
        int,
        Field(
            description="What was captured, less what was refunded and is disputed.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    captured_cents: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it; negative when money went back.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    refunded_cents: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it; negative when money went back.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    disputed_cents: Annotated[
        int,
        Field(
            description="Withdrawn by disputes and not given back.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]


class RevenueStateTransition(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    from_state: Annotated[
        Literal["authorised", "captured", "partially_refunded", "refunded", "disputed"],
        Field(description="What has become of an order's money; it follows from its entries."),
    ]
    to_state: Annotated[
        Literal["authorised", "captured", "partially_refunded", "refunded", "disputed"],
        Field(description="What has become of an order's money; it follows from its entries."),
    ]
    effective_at: AwareDatetime


class CurrencyNet(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    currency: Annotated[
        str, Field(description="An ISO 4217 code.", max_length=3, min_length=3, pattern="^[A-Z]{3}$")
    ]
    net_cents: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it; negative when money went back.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]


class UnresolvedOrder(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    order_id: Annotated[
        str,
        Field(
            description="The shop's id of the order; of an unlinked payment the processor's of the payment.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ]
    reason: Annotated[
        Literal["unresolved_order", "unlinked_payment"],
        Field(
            description="`unresolved_order`: reversed, and no capture is known. `unlinked_payment`: captured, and no order is known."
        ),
    ]
    effective_at: Annotated[AwareDatetime, Field(description="When money first moved, as far as is known.")]
    net: Annotated[list[CurrencyNet], Field(max_length=300)]


class UnresolvedOrderPage(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    unresolved_orders: Annotated[list[UnresolvedOrder], Field(max_length=200)]
    next_cursor: Annotated[
        str | None,
        Field(
            description="Where the next page begins; null on the last page.",
            max_length=1000,
            pattern="^[A-Za-z0-9_.-]+$",
        ),
    ]


class OrderEntry(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    entry_id: UUID
    kind: Literal["authorised", "captured", "refunded", "disputed", "dispute_reversed", "adjusted"]
    reference: Annotated[
        str,
        Field(
            description="A name that the outside world gave to something.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ]
    correction: Annotated[
        int,
        Field(
            description="0 for what was booked first; each later entry of the same reference and instant corrects it.",
            ge=0,
            le=9000000000000000000,
        ),
    ]
    amount_cents: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it; negative when money went back.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    effect_cents: Annotated[
        int,
        Field(
            description="What the entry does to the order's net revenue.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    currency: Annotated[
        str, Field(description="An ISO 4217 code.", max_length=3, min_length=3, pattern="^[A-Z]{3}$")
    ]
    effective_at: AwareDatetime
    booked_at: AwareDatetime
    source: Annotated[
        str,
        Field(
            description="The vendor whose delivery it was booked for.",
            max_length=100,
            min_length=1,
            pattern="^[a-z][a-z0-9_]*$",
        ),
    ]


class OrderRevenue(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    order_id: Annotated[
        str,
        Field(
            description="A name that the outside world gave to something.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ]
    state: Annotated[
        Literal["authorised", "captured", "partially_refunded", "refunded", "disputed"],
        Field(description="What has become of an order's money; it follows from its entries."),
    ]
    currencies: Annotated[list[OrderCurrency], Field(max_length=300)]
    transitions: Annotated[list[RevenueStateTransition], Field(max_length=1000)]
    entries: Annotated[
        list[OrderEntry],
        Field(description="In the order of their own times; the last thousand of them.", max_length=1000),
    ]
