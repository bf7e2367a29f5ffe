# @generated from api-contracts/openapi/v1/_common/channels.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import MISSING, AwareDatetime, ConfigDict, Field
from skeldir.contract_model import ContractModel


class ChannelRequest(ContractModel):
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
        str,
        Field(
            description="A name that the outside world gave to something.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ]
    family: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    is_paid: bool
    reason: Annotated[
        str,
        Field(
            description="Why it is done, in words that name no person.",
            max_length=500,
            min_length=1,
            pattern="^[^\\x00]*[^\\x00\\s][^\\x00]*$",
        ),
    ]


class ChannelTransitionRequest(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    to_state: Literal["draft", "active", "deprecated", "archived"]
    reason: Annotated[
        str,
        Field(
            description="Why it is done, in words that name no person.",
            max_length=500,
            min_length=1,
            pattern="^[^\\x00]*[^\\x00\\s][^\\x00]*$",
        ),
    ]


class ChannelTransition(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    transition_id: UUID
    channel_code: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    from_state: Annotated[
        Literal["draft", "active", "deprecated", "archived"] | MISSING,
        Field(description="Absent where the channel was made."),
    ] = MISSING
    to_state: Literal["draft", "active", "deprecated", "archived"]
    user_id: UUID | MISSING = MISSING
    reason: Annotated[
        str,
        Field(
            description="Why it is done, in words that name no person.",
            max_length=500,
            min_length=1,
            pattern="^[^\\x00]*[^\\x00\\s][^\\x00]*$",
        ),
    ]
    transitioned_at: AwareDatetime


class ChannelTransitionList(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    transitions: Annotated[list[ChannelTransition], Field(max_length=10)]


class ChannelCorrectionRequest(ContractModel):
    """
    Either a recorded touch or an order, whose payloads hint at a touch.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    touchpoint_id: UUID | MISSING = MISSING
    order_id: Annotated[
        str | MISSING,
        Field(
            description="A name that the outside world gave to something.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ] = MISSING
    to_channel: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    reason: Annotated[
        str,
        Field(
            description="Why it is done, in words that name no person.",
            max_length=500,
            min_length=1,
            pattern="^[^\\x00]*[^\\x00\\s][^\\x00]*$",
        ),
    ]


class ChannelCorrection(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    correction_id: UUID
    touchpoint_id: UUID
    order_id: Annotated[
        str | MISSING,
        Field(
            description="The order whose payloads hint at the touch; absent for a recorded one.",
            max_length=200,
            min_length=1,
            pattern="^[^\\x00-\\x1f\\x7f]+$",
        ),
    ] = MISSING
    from_channel: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    to_channel: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    user_id: UUID | MISSING = MISSING
    reason: Annotated[
        str,
        Field(
            description="Why it is done, in words that name no person.",
            max_length=500,
            min_length=1,
            pattern="^[^\\x00]*[^\\x00\\s][^\\x00]*$",
        ),
    ]
    corrected_at: AwareDatetime


class ChannelCorrectionPage(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    corrections: Annotated[list[ChannelCorrection], Field(max_length=200)]
    next_cursor: Annotated[
        str | None,
        Field(
            description="Where the next page begins; null on the last page.",
            max_length=1000,
            pattern="^[A-Za-z0-9_.-]+$",
        ),
    ]


class UnknownSource(ContractModel):
    """
    A source and medium as they were sent; absent where none was.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
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
    touch_count: Annotated[
        int, Field(description="Unknown touches of it in the window.", ge=0, le=9000000000000000000)
    ]
    day_count: Annotated[
        int, Field(description="Those of the window's last 24 hours.", ge=0, le=9000000000000000000)
    ]
    level: Literal["ok", "warning", "error"]


class UnknownChannelShare(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    window_start: AwareDatetime
    window_end: AwareDatetime
    touch_count: Annotated[int, Field(ge=0, le=9000000000000000000)]
    unknown_count: Annotated[int, Field(ge=0, le=9000000000000000000)]
    unknown_share_ppm: Annotated[int, Field(ge=0, le=1000000)]
    level: Literal["ok", "warning", "error"]
    sources: Annotated[
        list[UnknownSource],
        Field(
            description="The commonest, at most 50, and those above the daily threshold first.", max_length=50
        ),
    ]


class Reclassification(ContractModel):
    """
    How far the rules in force are applied to what was stored before them.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    status: Literal["waiting", "running", "completed"]
    touch_count: Annotated[int, Field(ge=0, le=9000000000000000000)]
    changed_count: Annotated[int, Field(ge=0, le=9000000000000000000)]
    started_at: AwareDatetime | MISSING = MISSING
    completed_at: AwareDatetime | MISSING = MISSING


class ChannelRuleSetSummary(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    version: Annotated[
        int,
        Field(
            description="Counts the tenant's versions; 0 where it never had rules of its own.",
            ge=0,
            le=2147483647,
        ),
    ]
    rule_count: Annotated[int, Field(ge=0, le=500)]
    reason: Annotated[
        str,
        Field(
            description="Why it is done, in words that name no person.",
            max_length=500,
            min_length=1,
            pattern="^[^\\x00]*[^\\x00\\s][^\\x00]*$",
        ),
    ]
    user_id: UUID | MISSING = MISSING
    created_at: AwareDatetime


class ChannelRuleSetPage(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    rule_sets: Annotated[list[ChannelRuleSetSummary], Field(max_length=200)]
    next_cursor: Annotated[
        str | None,
        Field(
            description="Where the next page begins; null on the last page.",
            max_length=1000,
            pattern="^[A-Za-z0-9_.-]+$",
        ),
    ]


class MovedRevenue(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    currency: Annotated[
        str, Field(description="An ISO 4217 code.", max_length=3, min_length=3, pattern="^[A-Z]{3}$")
    ]
    revenue_cents: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it; negative when money went back.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]


class ChannelMove(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    from_channel: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    to_channel: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    touch_count: Annotated[int, Field(ge=0, le=9000000000000000000)]
    revenue: Annotated[
        list[MovedRevenue],
        Field(
            description="What the new channel would be credited with for touches of the old one.",
            max_length=300,
        ),
    ]


class ChannelTotal(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    channel_code: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    currency: Annotated[
        str, Field(description="An ISO 4217 code.", max_length=3, min_length=3, pattern="^[A-Z]{3}$")
    ]
    before_cents: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it; negative when money went back.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]
    after_cents: Annotated[
        int,
        Field(
            description="Minor units of the currency beside it; negative when money went back.",
            ge=-9000000000000000000,
            le=9000000000000000000,
        ),
    ]


class ChannelDryRun(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    based_on_version: Annotated[
        int,
        Field(
            description="Counts the tenant's versions; 0 where it never had rules of its own.",
            ge=0,
            le=2147483647,
        ),
    ]
    dry_run_token: Annotated[
        str,
        Field(
            description="Proves that these rules were dry-run on this version.",
            max_length=1000,
            min_length=1,
            pattern="^[A-Za-z0-9_.-]+$",
        ),
    ]
    model: Annotated[
        str,
        Field(
            description="A stable machine code.", max_length=100, min_length=1, pattern="^[a-z][a-z0-9_]*$"
        ),
    ]
    touch_count: Annotated[
        int,
        Field(
            description="The window's touches, recorded ones and those that orders hint at.",
            ge=0,
            le=9000000000000000000,
        ),
    ]
    changed_count: Annotated[
        int, Field(description="Those of them that would have another channel.", ge=0, le=9000000000000000000)
    ]
    moves: Annotated[list[ChannelMove], Field(max_length=10000)]
    totals: Annotated[
        list[ChannelTotal],
        Field(
            description="Of the orders whose touches change, before and after; other orders keep what they have.",
            max_length=10000,
        ),
    ]


class ChannelRule(ContractModel):
    """
    Applies to a touch of which every condition holds.
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
    source: Annotated[
        str | MISSING,
        Field(
            description="A text to be equal to, in any case; a `*` before it, after it or on both sides stands for anything. `*` alone is anything at all.",
            max_length=200,
            min_length=1,
            pattern="^(?:\\*|\\*?[^\\x00-\\x1f\\x7f*]+\\*?)$",
        ),
    ] = MISSING
    medium: Annotated[
        str | MISSING,
        Field(
            description="A text to be equal to, in any case; a `*` before it, after it or on both sides stands for anything. `*` alone is anything at all.",
            max_length=200,
            min_length=1,
            pattern="^(?:\\*|\\*?[^\\x00-\\x1f\\x7f*]+\\*?)$",
        ),
    ] = MISSING
    campaign: Annotated[
        str | MISSING,
        Field(
            description="A text to be equal to, in any case; a `*` before it, after it or on both sides stands for anything. `*` alone is anything at all.",
            max_length=200,
            min_length=1,
            pattern="^(?:\\*|\\*?[^\\x00-\\x1f\\x7f*]+\\*?)$",
        ),
    ] = MISSING
    referrer_host: Annotated[
        str | MISSING,
        Field(
            description="A text to be equal to, in any case; a `*` before it, after it or on both sides stands for anything. `*` alone is anything at all.",
            max_length=200,
            min_length=1,
            pattern="^(?:\\*|\\*?[^\\x00-\\x1f\\x7f*]+\\*?)$",
        ),
    ] = MISSING
    click_id: Annotated[
        Literal["gclid", "gbraid", "wbraid", "fbclid", "ttclid", "msclkid", "li_fat_id", "sccid", "twclid"] | MISSING,
        Field(description="The name of a platform's click identifier, never its value."),
    ] = MISSING


class ChannelRulesRequest(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    based_on_version: Annotated[
        int,
        Field(
            description="Counts the tenant's versions; 0 where it never had rules of its own.",
            ge=0,
            le=2147483647,
        ),
    ]
    rules: Annotated[
        list[ChannelRule], Field(description="By precedence; the first that applies wins.", max_length=500)
    ]
    dry_run_token: Annotated[
        str,
        Field(
            description="Proves that these rules were dry-run on this version.",
            max_length=1000,
            min_length=1,
            pattern="^[A-Za-z0-9_.-]+$",
        ),
    ]
    reason: Annotated[
        str,
        Field(
            description="Why it is done, in words that name no person.",
            max_length=500,
            min_length=1,
            pattern="^[^\\x00]*[^\\x00\\s][^\\x00]*$",
        ),
    ]


class ChannelRuleSet(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    version: Annotated[
        int,
        Field(
            description="Counts the tenant's versions; 0 where it never had rules of its own.",
            ge=0,
            le=2147483647,
        ),
    ]
    mapping_version: Annotated[
        str,
        Field(
            description="The version of the built-in table, which fingerprints name, and that of these rules.",
            max_length=30,
            pattern="^[0-9]+\\.[0-9]+$",
        ),
    ]
    reason: Annotated[
        str | MISSING,
        Field(
            description="Why it is done, in words that name no person.",
            max_length=500,
            min_length=1,
            pattern="^[^\\x00]*[^\\x00\\s][^\\x00]*$",
        ),
    ] = MISSING
    user_id: UUID | MISSING = MISSING
    created_at: AwareDatetime | MISSING = MISSING
    rules: Annotated[
        list[ChannelRule], Field(description="By precedence; the first that applies wins.", max_length=500)
    ]
    reclassification: Reclassification | MISSING = MISSING


class ChannelDryRunRequest(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    based_on_version: Annotated[
        int,
        Field(
            description="Counts the tenant's versions; 0 where it never had rules of its own.",
            ge=0,
            le=2147483647,
        ),
    ]
    rules: Annotated[
        list[ChannelRule], Field(description="By precedence; the first that applies wins.", max_length=500)
    ]
    window_start: AwareDatetime
    window_end: AwareDatetime
