# @generated from api-contracts/openapi/v1/_common/spend.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import MISSING, AwareDatetime, ConfigDict, Field
from skeldir.contract_model import ContractModel


class AdSpendRow(ContractModel):
    """
    What one campaign of one channel cost on one day in one currency. The cost is told once: as `cost_cents` or as `cost`. Credits are not negative spend: tell the day's cost net of them, and at least 0.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    channel_code: Annotated[
        str,
        Field(
            description="An active channel of the taxonomy, as `listChannels` shows it.",
            max_length=100,
            min_length=1,
            pattern="^[a-z][a-z0-9_]*$",
        ),
    ]
    campaign_id: Annotated[
        str | MISSING,
        Field(
            description="The campaign within the channel, spelled as the links' `utm_campaign` is; without it the spend belongs to the channel's touches that name no campaign.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ] = MISSING
    day: Annotated[
        date,
        Field(description="The day of the spend, as the platform reports it; from 1970 to tomorrow (UTC)."),
    ]
    currency: Annotated[
        str, Field(description="An ISO 4217 code.", max_length=3, min_length=3, pattern="^[A-Z]{3}$")
    ]
    cost_cents: Annotated[
        int | MISSING,
        Field(
            description="Minor units of the currency beside it, as the platform billed them; never negative.",
            ge=0,
            le=10000000000000,
        ),
    ] = MISSING
    cost: Annotated[
        str | MISSING,
        Field(
            description="The cost as a decimal such as `129.90`, read exactly: with no more decimals than the currency has (JPY none, KWD three), without a thousands separator or a sign.",
            max_length=32,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ] = MISSING
    impressions: Annotated[
        int | MISSING,
        Field(
            description="How often an advertisement was shown or clicked, as the platform counts.",
            ge=0,
            le=1000000000000,
        ),
    ] = MISSING
    clicks: Annotated[
        int | MISSING,
        Field(
            description="How often an advertisement was shown or clicked, as the platform counts.",
            ge=0,
            le=1000000000000,
        ),
    ] = MISSING


class AdSpendBatch(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    rows: Annotated[list[AdSpendRow], Field(max_length=5000, min_length=1)]


class AdSpendImport(ContractModel):
    """
    One import and what it did. `added_count`, `replaced_count` and `unchanged_count` make `row_count`; the outcome is `unchanged` when every row told what was known already.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    import_id: UUID
    imported_at: AwareDatetime
    imported_by: Annotated[UUID | MISSING, Field(description="The user who imported it.")] = MISSING
    media_type: Literal["application/json", "text/csv"]
    outcome: Literal["changed", "unchanged"]
    row_count: Annotated[int, Field(ge=0, le=9000000000000000000)]
    added_count: Annotated[
        int, Field(description="Figures that were not known before.", ge=0, le=9000000000000000000)
    ]
    replaced_count: Annotated[
        int,
        Field(
            description="Figures that took the place of others; `listAdSpendChanges` shows both.",
            ge=0,
            le=9000000000000000000,
        ),
    ]
    unchanged_count: Annotated[int, Field(ge=0, le=9000000000000000000)]
    content_digest: Annotated[
        str,
        Field(
            description="SHA-256 of the rows, whatever their order and their media type.",
            max_length=64,
            min_length=64,
            pattern="^[0-9a-f]+$",
        ),
    ]


class AdSpendImportPage(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    imports: Annotated[list[AdSpendImport], Field(max_length=200)]
    next_cursor: Annotated[
        str | None,
        Field(
            description="Where the next page begins; null on the last page.",
            max_length=1000,
            pattern="^[A-Za-z0-9_.-]+$",
        ),
    ]


class AdSpend(ContractModel):
    """
    The figure that stands for one day, channel, campaign and currency.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    day: date
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
    currency: Annotated[
        str, Field(description="An ISO 4217 code.", max_length=3, min_length=3, pattern="^[A-Z]{3}$")
    ]
    cost_cents: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it, as the platform billed them; never negative.",
            ge=0,
            le=10000000000000,
        ),
    ]
    impressions: Annotated[
        int | MISSING,
        Field(
            description="How often an advertisement was shown or clicked, as the platform counts.",
            ge=0,
            le=1000000000000,
        ),
    ] = MISSING
    clicks: Annotated[
        int | MISSING,
        Field(
            description="How often an advertisement was shown or clicked, as the platform counts.",
            ge=0,
            le=1000000000000,
        ),
    ] = MISSING
    import_id: Annotated[UUID, Field(description="The import that told it.")]


class AdSpendPage(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    figures: Annotated[list[AdSpend], Field(max_length=200)]
    next_cursor: Annotated[
        str | None,
        Field(
            description="Where the next page begins; null on the last page.",
            max_length=1000,
            pattern="^[A-Za-z0-9_.-]+$",
        ),
    ]


class AdSpendChange(ContractModel):
    """
    A figure that an import told, and the one whose place it took, if there was one.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    day: date
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
    currency: Annotated[
        str, Field(description="An ISO 4217 code.", max_length=3, min_length=3, pattern="^[A-Z]{3}$")
    ]
    cost_cents: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it, as the platform billed them; never negative.",
            ge=0,
            le=10000000000000,
        ),
    ]
    impressions: Annotated[
        int | MISSING,
        Field(
            description="How often an advertisement was shown or clicked, as the platform counts.",
            ge=0,
            le=1000000000000,
        ),
    ] = MISSING
    clicks: Annotated[
        int | MISSING,
        Field(
            description="How often an advertisement was shown or clicked, as the platform counts.",
            ge=0,
            le=1000000000000,
        ),
    ] = MISSING
    previous_cost_cents: Annotated[
        int | MISSING,
        Field(
            description="Minor units of the currency beside it, as the platform billed them; never negative.",
            ge=0,
            le=10000000000000,
        ),
    ] = MISSING
    previous_impressions: Annotated[
        int | MISSING,
        Field(
            description="How often an advertisement was shown or clicked, as the platform counts.",
            ge=0,
            le=1000000000000,
        ),
    ] = MISSING
    previous_clicks: Annotated[
        int | MISSING,
        Field(
            description="How often an advertisement was shown or clicked, as the platform counts.",
            ge=0,
            le=1000000000000,
        ),
    ] = MISSING
    previous_import_id: UUID | MISSING = MISSING


class AdSpendChangePage(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    changes: Annotated[list[AdSpendChange], Field(max_length=200)]
    next_cursor: Annotated[
        str | None,
        Field(
            description="Where the next page begins; null on the last page.",
            max_length=1000,
            pattern="^[A-Za-z0-9_.-]+$",
        ),
    ]
