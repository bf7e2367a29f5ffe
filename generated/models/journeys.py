# @generated from api-contracts/openapi/v1/journeys.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import MISSING, AwareDatetime, ConfigDict, Field
from skeldir.contract_model import ContractModel


class CreditTotal(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
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
    share_ppm: Annotated[
        int,
        Field(
            description="Its part of what is allocated in this currency, in millionths, rounded down; 0 when that is nothing.",
            ge=-1000000000000,
            le=1000000000000,
        ),
    ]


class JourneyCurrency(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    currency: Annotated[
        str, Field(description="An ISO 4217 code.", max_length=3, min_length=3, pattern="^[A-Z]{3}$")
    ]
    ledger_net_cents: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it; negative when money went back.",
            ge=-9000000000000000000,
            le=9000000000000000000,
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
    pending_cents: Annotated[
        int,
        Field(description="Booked, but not attributed yet.", ge=-9000000000000000000, le=9000000000000000000),
    ]
    credits: Annotated[list[CreditTotal], Field(max_length=1000)]


class EntryCredit(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
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


class EntryCredits(ContractModel):
    """
    One entry of the ledger, and to whom it is credited; nobody while it is pending.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    entry_id: UUID
    kind: Literal["authorised", "captured", "refunded", "disputed", "dispute_reversed", "adjusted"]
    currency: Annotated[
        str, Field(description="An ISO 4217 code.", max_length=3, min_length=3, pattern="^[A-Z]{3}$")
    ]
    effective_at: AwareDatetime
    effect_cents: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it; negative when money went back.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    credits: Annotated[list[EntryCredit], Field(max_length=1000)]


class WeighedTouch(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    touchpoint_id: UUID
    occurred_at: AwareDatetime
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
    source: Annotated[
        str | MISSING,
        Field(
            description="A name that the outside world gave to something.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ] = MISSING
    medium: Annotated[
        str | MISSING,
        Field(
            description="A name that the outside world gave to something.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ] = MISSING
    origin: Annotated[
        Literal["recorded", "hinted"],
        Field(description="Recorded by itself, or hinted at in an order's payload."),
    ]
    weight: Annotated[
        int,
        Field(
            description="What the model's rule gives the touch; only its proportion to the others means anything.",
            ge=0,
            le=9000000000000000000,
        ),
    ]
    share_ppm: Annotated[
        int,
        Field(
            description="The touch's part of the order's credit, in millionths, rounded down.",
            ge=0,
            le=1000000,
        ),
    ]


class ConversionJourney(ContractModel):
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
    journey_id: Annotated[
        str,
        Field(
            description="A name that the outside world gave to something.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ]
    ordered_at: AwareDatetime
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
    touch_count: Annotated[
        int, Field(description="How many touches count, on all pages.", ge=0, le=9000000000000000000)
    ]
    fallback: Annotated[
        str | MISSING,
        Field(
            description="Why the order was shared as `linear` does, where the model's own weights were all 0.",
            max_length=100,
            min_length=1,
            pattern="^[a-z][a-z0-9_]*$",
        ),
    ] = MISSING
    currencies: Annotated[list[JourneyCurrency], Field(max_length=300)]
    entries: Annotated[
        list[EntryCredits],
        Field(
            description="The last entries that move revenue, the earliest of them first; `listAllocations` has all.",
            max_length=100,
        ),
    ]
    touches: Annotated[list[WeighedTouch], Field(max_length=200)]
    next_cursor: Annotated[
        str | None,
        Field(
            description="Where the next page begins; null on the last page.",
            max_length=1000,
            pattern="^[A-Za-z0-9_.-]+$",
        ),
    ]
