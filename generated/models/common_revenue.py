# @generated from api-contracts/openapi/v1/_common/revenue.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import MISSING, AwareDatetime, ConfigDict, Field
from skeldir.contract_model import ContractModel

from . import common_uncertainty


class Channel(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    channel_code: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    channel_name: Annotated[
        str, Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$")
    ]
    family: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    is_paid: bool
    state: Literal["draft", "active", "deprecated", "archived"]
    is_own: Annotated[bool, Field(description="Whether it is the tenant's own, beside the shared taxonomy.")]


class ChannelList(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    channels: Annotated[list[Channel], Field(max_length=1000)]


class Allocation(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    entry_id: UUID
    order_id: Annotated[
        str,
        Field(
            description="A name that the outside world gave to something.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ]
    kind: Literal["authorised", "captured", "refunded", "disputed", "dispute_reversed", "adjusted"]
    effective_at: AwareDatetime
    channel_code: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    campaign_id: Annotated[
        str,
        Field(
            description="The campaign within the channel; empty when none was named.",
            max_length=200,
            pattern="^[^\\x00-\\x1f\\x7f]*$",
        ),
    ]
    allocated_cents: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it; negative when money went back.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    currency: Annotated[
        str, Field(description="An ISO 4217 code.", max_length=3, min_length=3, pattern="^[A-Z]{3}$")
    ]
    fallback: Annotated[
        str | MISSING,
        Field(
            description="Why the order was shared as `linear` does, where the model's own weights were all 0; absent of others.",
            max_length=100,
            min_length=1,
            pattern="^[a-z][a-z0-9_]*$",
        ),
    ] = MISSING


class AllocationPage(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"]
    model_version: Annotated[
        str,
        Field(
            description="The model with everything that decides its result.",
            max_length=100,
            min_length=1,
            pattern="^[a-z0-9_.+-]+$",
        ),
    ]
    allocations: Annotated[list[Allocation], Field(max_length=200)]
    next_cursor: Annotated[
        str | None,
        Field(
            description="Where the next page begins; null on the last page.",
            max_length=1000,
            pattern="^[A-Za-z0-9_.-]+$",
        ),
    ]


class LedgerKindTotal(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["authorised", "captured", "refunded", "disputed", "dispute_reversed", "adjusted"]
    entry_count: Annotated[int, Field(ge=0, le=9000000000000000000)]
    effect_cents: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it; negative when money went back.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]


class LedgerCurrencyTotal(ContractModel):
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
    order_count: Annotated[int, Field(ge=0, le=9000000000000000000)]
    kinds: Annotated[list[LedgerKindTotal], Field(max_length=10)]


class LedgerTotals(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    currencies: Annotated[list[LedgerCurrencyTotal], Field(max_length=300)]


class ChannelRevenue(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    channel_code: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    channel_name: Annotated[
        str, Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$")
    ]
    family: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    is_paid: bool
    revenue_cents: Annotated[
        int,
        Field(
            description="Net of what was refunded or disputed.",
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
        int,
        Field(
            description="Orders of which the channel was credited with a part, each on the day of its first capture.",
            ge=0,
            le=9000000000000000000,
        ),
    ]
    share_ppm: Annotated[
        int,
        Field(
            description="The channel's part of `allocated_cents`, in millionths, rounded down; 0 when nothing is allocated.",
            ge=-1000000000000,
            le=1000000000000,
        ),
    ]
    credible_interval: Annotated[
        common_uncertainty.CredibleInterval | None,
        Field(description="The credible interval, or null where `interval_missing` says why there is none."),
    ]
    confidence_ppm: Annotated[
        int | None,
        Field(
            description="The confidence as `ConfidencePpm` has it, or null where there is no interval either.",
            ge=0,
            le=1000000,
        ),
    ]
    interval_as_of: Annotated[
        AwareDatetime | None,
        Field(
            description="The time of the snapshot that the interval and the confidence were estimated from; null without."
        ),
    ]
    interval_missing: Annotated[
        Literal["not_computed", "accrual_mode", "too_few_journeys", "no_journeys"] | None,
        Field(
            description="Why there is no interval: these days were not estimated yet under this model, or not since its version covers every order (`not_computed`; `estimateChannelUncertainty` asks for it), nothing is estimated of accrual mode (`accrual_mode`), fewer than 30 journeys speak of the channel (`too_few_journeys`), or none did when it was estimated (`no_journeys`). Null when there is one."
        ),
    ]


class CurrencyAttribution(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    currency: Annotated[
        str, Field(description="An ISO 4217 code.", max_length=3, min_length=3, pattern="^[A-Z]{3}$")
    ]
    ledger_net_cents: Annotated[
        int,
        Field(
            description="What the ledger holds for the same days.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    allocated_cents: Annotated[
        int,
        Field(
            description="What the channels below add up to.", ge=-9000000000000000000, le=9000000000000000000
        ),
    ]
    pending_cents: Annotated[
        int,
        Field(description="Booked, but not attributed yet.", ge=-9000000000000000000, le=9000000000000000000),
    ]
    channels: Annotated[list[ChannelRevenue], Field(max_length=1000)]


class ChannelAttributionReport(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "markov", "shapley", "custom"]
    model_version: Annotated[
        str,
        Field(
            description="The model with everything that decides its result.",
            max_length=100,
            min_length=1,
            pattern="^[a-z0-9_.+-]+$",
        ),
    ]
    lookback_days: Annotated[
        int, Field(description="How many days before the order a touch still counts.", ge=1, le=90)
    ]
    mode: Literal["cash", "accrual"]
    start_date: date | MISSING = MISSING
    end_date: date | MISSING = MISSING
    currencies: Annotated[list[CurrencyAttribution], Field(max_length=300)]
