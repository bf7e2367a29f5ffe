# @generated from api-contracts/openapi/v1/_common/exports.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import MISSING, AwareDatetime, ConfigDict, Field, RootModel
from skeldir.contract_model import ContractModel

from . import common_uncertainty


class DateRange(ContractModel):
    """
    The UTC days exported, both included; null where there is no bound.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    start_date: date | None
    end_date: date | None


class RevenueRow(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    day: Annotated[date, Field(description="In UTC.")]
    currency: Annotated[
        str, Field(description="An ISO 4217 code.", max_length=3, min_length=3, pattern="^[A-Z]{3}$")
    ]
    channel_code: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    revenue_cents: Annotated[
        int,
        Field(
            description="Net of what was refunded or disputed, on the day that the mode says.",
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
            description="Orders first captured on that day, of which the channel was credited with a part.",
            ge=0,
            le=9000000000000000000,
        ),
    ]


class Channel(RootModel[str]):
    root: Annotated[str, Field(max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$")]


class ExportFilters(ContractModel):
    """
    What the export was asked for; what is absent was not limited.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    start_date: date | MISSING = MISSING
    end_date: date | MISSING = MISSING
    channels: Annotated[list[Channel] | MISSING, Field(max_length=100)] = MISSING
    currency: Annotated[
        str | MISSING,
        Field(description="An ISO 4217 code.", max_length=3, min_length=3, pattern="^[A-Z]{3}$"),
    ] = MISSING


class AllocationRow(ContractModel):
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
        str,
        Field(
            description="Why the order was shared as `linear` does, where the model's own weights were all 0; empty of others.",
            max_length=100,
            pattern="^(?:[a-z][a-z0-9_]*)?$",
        ),
    ]


class ExportChannel(ContractModel):
    """
    One channel in the export's days, and how certain its figure is under the export's model.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    channel_code: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    revenue_cents: Annotated[
        int,
        Field(
            description="As `getChannelAttribution` has it.", ge=-9000000000000000000, le=9000000000000000000
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


class ExportCurrency(ContractModel):
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
            description="What is attributed of it, to whichever channel.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    pending_cents: Annotated[
        int,
        Field(
            description="Booked, but not attributed yet, and so in no row.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    exported_cents: Annotated[
        int,
        Field(
            description="What the rows add up to; `allocated_cents` unless channels were chosen, 0 until it is complete.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    channels: Annotated[
        list[ExportChannel],
        Field(description="Every channel that is exported, the largest revenue first.", max_length=1000),
    ]


class ExportSummary(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    row_count: Annotated[int, Field(ge=0, le=9000000000000000000)]
    currencies: Annotated[list[ExportCurrency], Field(max_length=300)]


class RevenueExport(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    export_id: UUID
    generated_at: Annotated[AwareDatetime, Field(description="The instant of the snapshot.")]
    dataset: Literal["revenue"]
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
    mode: Literal["cash", "accrual"]
    date_range: DateRange
    data: Annotated[list[RevenueRow], Field(max_length=1000000000)]
    summary: ExportSummary


class AllocationExport(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    export_id: UUID
    generated_at: Annotated[AwareDatetime, Field(description="The instant of the snapshot.")]
    dataset: Literal["allocations"]
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
    mode: Literal["cash", "accrual"]
    date_range: DateRange
    data: Annotated[list[AllocationRow], Field(max_length=1000000000)]
    summary: ExportSummary


class ExportManifest(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    export_id: UUID
    dataset: Literal["revenue", "allocations"]
    format: Literal["csv", "json", "ndjson", "parquet", "xlsx"]
    status: Annotated[
        Literal["streaming", "complete", "aborted"],
        Field(
            description="`complete` once every byte was handed over, and before the transfer's end is sent; `aborted` when the client hung up, was too slow, or something failed."
        ),
    ]
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
    mode: Annotated[
        Literal["cash", "accrual"],
        Field(
            description="On which day revenue counted, and what was pending; allocations have their entries' own instants."
        ),
    ]
    filters: ExportFilters
    requested_by: Annotated[UUID | MISSING, Field(description="The user who asked.")] = MISSING
    snapshot_at: Annotated[
        AwareDatetime,
        Field(description="The instant of the one snapshot that every row and sum was read in."),
    ]
    finished_at: AwareDatetime | MISSING = MISSING
    row_count: Annotated[
        int | MISSING,
        Field(
            description="Rows without their head; like the next two, there once the export is complete.",
            ge=0,
            le=9000000000000000000,
        ),
    ] = MISSING
    byte_count: Annotated[int | MISSING, Field(ge=0, le=9000000000000000000)] = MISSING
    sha256: Annotated[
        str | MISSING,
        Field(
            description="The digest of the bytes as they were sent.",
            max_length=64,
            min_length=64,
            pattern="^[0-9a-f]{64}$",
        ),
    ] = MISSING
    currencies: Annotated[list[ExportCurrency], Field(max_length=300)]


class ExportManifestPage(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    manifests: Annotated[list[ExportManifest], Field(max_length=200)]
    next_cursor: Annotated[
        str | None,
        Field(
            description="Where the next page begins; null on the last page.",
            max_length=1000,
            pattern="^[A-Za-z0-9_.-]+$",
        ),
    ]
