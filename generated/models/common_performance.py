# @generated from api-contracts/openapi/v1/_common/performance.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import MISSING, ConfigDict, Field
from skeldir.contract_model import ContractModel


class PerformanceFigures(ContractModel):
    """
    Spend and outcome of the same days in one currency. A ratio whose denominator is 0 or was told by nobody is absent. Each ratio is made of the sums beside it and rounded once, half to even.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    spend_cents: Annotated[
        int,
        Field(
            description="What was spent on the days asked for, as the platforms date them.",
            ge=0,
            le=9000000000000000000,
        ),
    ]
    revenue_cents: Annotated[
        int,
        Field(
            description="What was credited, net of what was refunded or disputed.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    conversion_count: Annotated[
        int,
        Field(
            description="Orders captured for the first time on the days asked for, of which a part was credited here. An order that several channels or campaigns led to counts once in each of them, and once in their total.",
            ge=0,
            le=9000000000000000000,
        ),
    ]
    new_conversion_count: Annotated[
        int,
        Field(
            description="Those that were the first captured order of their journey, by the time they were placed.",
            ge=0,
            le=9000000000000000000,
        ),
    ]
    repeat_conversion_count: Annotated[
        int,
        Field(
            description="Those that were not; with the new ones they are `conversion_count`.",
            ge=0,
            le=9000000000000000000,
        ),
    ]
    attributed_conversions_ppm: Annotated[
        int,
        Field(
            description="The same orders, each divided as its captured amount is, in millionths of an order: an order of which one half was credited here counts 500000. The shares of an order are 1000000 exactly, so that campaigns add up to their channel and channels to the number of orders.",
            ge=0,
            le=9000000000000000000,
        ),
    ]
    attributed_new_conversions_ppm: Annotated[
        int, Field(description="The part of it that new conversions make.", ge=0, le=9000000000000000000)
    ]
    roas_ppm: Annotated[
        int | MISSING,
        Field(
            description="Return on ad spend, `revenue_cents` per `spend_cents`: 2500000 is 2.5. In a total it is the blended one, of all revenue, paid for or not; some call it marketing efficiency ratio.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ] = MISSING
    cpa_cents: Annotated[
        int | MISSING,
        Field(
            description="Cost per acquisition, `spend_cents` per attributed conversion.",
            ge=0,
            le=9000000000000000000,
        ),
    ] = MISSING
    new_cpa_cents: Annotated[
        int | MISSING,
        Field(
            description="Cost per new customer, `spend_cents` per attributed new conversion.",
            ge=0,
            le=9000000000000000000,
        ),
    ] = MISSING
    impressions: Annotated[
        int | MISSING,
        Field(
            description="How often advertisements were shown, where that was told.",
            ge=0,
            le=9000000000000000000,
        ),
    ] = MISSING
    clicks: Annotated[
        int | MISSING,
        Field(description="How often they were clicked, where that was told.", ge=0, le=9000000000000000000),
    ] = MISSING
    cpc_cents: Annotated[
        int | MISSING,
        Field(description="Cost per click, of the rows that tell clicks.", ge=0, le=9000000000000000000),
    ] = MISSING
    ctr_ppm: Annotated[
        int | MISSING,
        Field(
            description="Clicks per impression, of the rows that tell both.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ] = MISSING


class CampaignRest(ContractModel):
    """
    What the campaigns that are not shown add up to.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    campaign_count: Annotated[int, Field(ge=0, le=9000000000000000000)]
    spend_cents: Annotated[int, Field(ge=0, le=9000000000000000000)]
    revenue_cents: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it; negative when money went back.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    attributed_conversions_ppm: Annotated[int, Field(ge=0, le=9000000000000000000)]
    attributed_new_conversions_ppm: Annotated[int, Field(ge=0, le=9000000000000000000)]


class CampaignPerformance(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    campaign_id: Annotated[
        str,
        Field(
            description="The campaign within the channel; empty when none was named.",
            max_length=200,
            pattern="^[^\\x00-\\x1f\\x7f]*$",
        ),
    ]
    figures: PerformanceFigures


class ChannelPerformance(ContractModel):
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
    figures: PerformanceFigures
    campaigns: Annotated[
        list[CampaignPerformance] | MISSING,
        Field(
            description="The 200 campaigns with the most spend, then the most revenue; the empty one is what names no campaign. With `other_campaigns` they add up to the channel. Only with `group_by=campaign`.",
            max_length=200,
        ),
    ] = MISSING
    other_campaigns: Annotated[
        CampaignRest | MISSING, Field(description="Only where there are more than are shown.")
    ] = MISSING


class CurrencyPerformance(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    currency: Annotated[
        str, Field(description="An ISO 4217 code.", max_length=3, min_length=3, pattern="^[A-Z]{3}$")
    ]
    pending_cents: Annotated[
        int,
        Field(
            description="Revenue that is booked and not attributed yet, in no figure below.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    totals: Annotated[PerformanceFigures, Field(description="What the channels add up to.")]
    channels: Annotated[
        list[ChannelPerformance],
        Field(
            description="The channels with the most spend first, then with the most revenue.", max_length=1000
        ),
    ]


class PerformanceReport(ContractModel):
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
    group_by: Literal["channel", "campaign"]
    start_date: date | MISSING = MISSING
    end_date: date | MISSING = MISSING
    currencies: Annotated[
        list[CurrencyPerformance],
        Field(
            description="Each currency by itself, for nothing is ever converted: spend in a currency without revenue is a block without revenue.",
            max_length=300,
        ),
    ]
