# @generated from api-contracts/openapi/v1/_common/dead_letters.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import MISSING, AwareDatetime, ConfigDict, Field
from skeldir.contract_model import ContractModel


class KeptPayload(ContractModel):
    """
    What the vendor's allow-list kept of a payload.
    """

    model_config = ConfigDict(
        extra="allow",
    )


class LedgerDifference(ContractModel):
    """
    What entries added to the ledger's net revenue in one currency.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    currency: Annotated[
        str, Field(description="An ISO 4217 code.", max_length=3, min_length=3, pattern="^[A-Z]{3}$")
    ]
    effect_cents: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it; negative when money went back.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    entry_count: Annotated[int, Field(ge=0, le=9000000000000000000)]


class ReplayRequest(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    dry_run: Annotated[bool, Field(description="Show what a replay would do, and change nothing.")]


class AbandonRequest(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    reason: Annotated[
        str,
        Field(
            description="Why it is left; it must not name anybody's personal data.",
            max_length=500,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ]


class DeadLetter(ContractModel):
    """
    An authentic delivery that could not be booked as it is.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    dead_letter_id: UUID
    delivery_id: UUID | MISSING = MISSING
    vendor: Annotated[
        Literal["shopify", "stripe", "woocommerce", "paypal", "custom"],
        Field(description="`custom`: a sender of the tenant's own, by the Standard Webhooks specification."),
    ]
    topic: Annotated[
        str,
        Field(
            description="The vendor's own name for what happened; `unknown` where it cannot be read.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ]
    reason_code: Annotated[
        Literal["invalid_json", "missing_required_field", "malformed_value", "unknown_provider_event", "currency_unknown", "amount_out_of_range", "pii_refused", "tenant_suspended"],
        Field(description="Why it could not be booked when that was tried last."),
    ]
    reason_field: Annotated[
        str | MISSING,
        Field(
            description="The path of the field at fault, as the vendor names it; or the header.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ] = MISSING
    lane: Annotated[
        Literal["review", "quarantine"],
        Field(
            description="`review`: somebody should look at it. `quarantine`: it came while the tenant was suspended and nothing else was wrong with it; it is booked when the tenant is resumed."
        ),
    ]
    status: Annotated[
        Literal["pending", "in_progress", "resolved", "abandoned"],
        Field(
            description="`pending`: nobody has dealt with it, or the last replay failed. `in_progress`: it is being replayed. `resolved`: a replay booked it, for good. `abandoned`: somebody decided to leave it; a replay takes it up again."
        ),
    ]
    is_replayable: Annotated[bool, Field(description="Whether a payload was kept that can be read again.")]
    attempt_count: Annotated[
        int,
        Field(
            description="How often its booking was tried, the delivery itself included; dry runs are not.",
            ge=0,
            le=9000000000000000000,
        ),
    ]
    contract_digest: Annotated[
        str | MISSING,
        Field(
            description="The SHA-256 of the vendor's contract under which it was refused last.",
            max_length=64,
            min_length=64,
            pattern="^[0-9a-f]{64}$",
        ),
    ] = MISSING
    received_at: AwareDatetime
    last_attempted_at: AwareDatetime | MISSING = MISSING
    resolved_at: AwareDatetime | MISSING = MISSING
    resolution_note: Annotated[
        str | MISSING,
        Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$"),
    ] = MISSING
    abandoned_reason: Annotated[
        str | MISSING,
        Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$"),
    ] = MISSING


class DeadLetterAttempt(ContractModel):
    """
    One line of a dead letter's audit trail; it is never changed.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    attempt_id: UUID
    attempted_at: AwareDatetime
    user_id: UUID | MISSING = MISSING
    is_dry_run: bool
    outcome: Annotated[
        Literal["resolved", "still_failing", "abandoned"],
        Field(description="What became, or for a dry run would have become, of the dead letter."),
    ]
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
    note: Annotated[
        str | MISSING,
        Field(description="Human text that a database can hold.", max_length=500, pattern="^[^\\x00]*$"),
    ] = MISSING


class DeadLetterPage(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    dead_letters: Annotated[list[DeadLetter], Field(max_length=200)]
    next_cursor: Annotated[
        str | None,
        Field(
            description="Where the next page begins; null on the last page.",
            max_length=1000,
            pattern="^[A-Za-z0-9_.-]+$",
        ),
    ]


class ReplayResult(ContractModel):
    """
    What a replay did, or would do.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    dead_letter_id: UUID
    dry_run: bool
    outcome: Annotated[
        Literal["resolved", "still_failing", "abandoned"],
        Field(description="What became, or for a dry run would have become, of the dead letter."),
    ]
    event_id: Annotated[UUID | MISSING, Field(description="The event that was stored.")] = MISSING
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
    ledger_differences: Annotated[
        list[LedgerDifference],
        Field(
            description="One for each currency in which entries were, or would be, booked.", max_length=200
        ),
    ]


class ReplayBatchRequest(ContractModel):
    """
    Which pending dead letters to replay, the oldest first; all that are for review without a filter.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    dry_run: Annotated[
        bool, Field(description="Show what the batch would do, all of it together, and change nothing.")
    ]
    vendor: Annotated[
        Literal["shopify", "stripe", "woocommerce", "paypal", "custom"] | MISSING,
        Field(description="`custom`: a sender of the tenant's own, by the Standard Webhooks specification."),
    ] = MISSING
    reason_code: Annotated[
        Literal["invalid_json", "missing_required_field", "malformed_value", "unknown_provider_event", "currency_unknown", "amount_out_of_range", "pii_refused", "tenant_suspended"] | MISSING,
        Field(description="Why a delivery became a dead letter."),
    ] = MISSING
    lane: Annotated[
        Literal["review", "quarantine"] | MISSING,
        Field(description="Of which lane; of `review`, unless the reason is `tenant_suspended`."),
    ] = MISSING
    received_from: Annotated[
        AwareDatetime | MISSING, Field(description="Received at this instant or later.")
    ] = MISSING
    received_before: Annotated[
        AwareDatetime | MISSING, Field(description="Received before this instant.")
    ] = MISSING
    limit: Annotated[
        int, Field(description="How many dead letters the batch takes at most.", ge=1, le=200)
    ] = 100
    cursor: Annotated[
        str | MISSING,
        Field(
            description="Where the batch begins, as the one before said; good for the same filters only.",
            max_length=1000,
            min_length=1,
            pattern="^[A-Za-z0-9_.-]+$",
        ),
    ] = MISSING


class ReplayFailure(ContractModel):
    """
    A dead letter that still cannot be booked, and why.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    dead_letter_id: UUID
    reason_code: Annotated[
        Literal["invalid_json", "missing_required_field", "malformed_value", "unknown_provider_event", "currency_unknown", "amount_out_of_range", "pii_refused", "tenant_suspended"],
        Field(description="Why a delivery became a dead letter."),
    ]
    reason_field: Annotated[
        str | MISSING,
        Field(
            description="The path of the field at fault, as the vendor names it; or the header.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ] = MISSING
    is_replayable: Annotated[
        bool, Field(description="False where no payload was kept, so that no attempt was made.")
    ]


class DeadLetterDetail(ContractModel):
    """
    A dead letter with what was kept of its payload, and everything that was tried with it.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    dead_letter: DeadLetter
    payload: Annotated[
        KeptPayload | MISSING,
        Field(
            description="The allow-listed fields, as the vendor sent them; what stood where but may not be kept is `[]`."
        ),
    ] = MISSING
    attempts: Annotated[
        list[DeadLetterAttempt], Field(description="The last ones, the newest first.", max_length=100)
    ]


class ReplayBatchResult(ContractModel):
    """
    What a batch of replays did, or would do.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    dry_run: bool
    resolved_count: Annotated[int, Field(ge=0, le=9000000000000000000)]
    skipped_count: Annotated[
        int,
        Field(
            description="Those that somebody else was replaying at the same time.",
            ge=0,
            le=9000000000000000000,
        ),
    ]
    ledger_differences: Annotated[
        list[LedgerDifference],
        Field(
            description="One for each currency in which entries were, or would be, booked.", max_length=200
        ),
    ]
    failures: Annotated[
        list[ReplayFailure], Field(description="Those that still cannot be booked.", max_length=200)
    ]
    next_cursor: Annotated[
        str | None,
        Field(
            description="Where the next page begins; null on the last page.",
            max_length=1000,
            pattern="^[A-Za-z0-9_.-]+$",
        ),
    ]
