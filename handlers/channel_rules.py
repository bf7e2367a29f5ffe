"""Operations of api-contracts/openapi/v1/channel-rules.yaml."""

import hashlib
from collections.abc import Sequence
from dataclasses import astuple
from typing import Final
from uuid import UUID

import orjson
from pydantic import MISSING

from generated.models import common_channels as models
from handlers.channels import reason_of, refuse_personal, require_active, unprocessable, user_of
from skeldir.domain import windows
from skeldir.domain.channel_rules import Mapping, Rule
from skeldir.domain.errors import Conflict, FieldError, MalformedRequest, NotFound
from skeldir.http.context import Context
from skeldir.http.cursors import make_cursor, read_cursor
from skeldir.queue import messages
from skeldir.queue.sending import enqueue
from skeldir.repository import (
    attribution_settings,
    channel_dry_runs,
    channel_rules,
    channels,
    reclassification,
)
from skeldir.repository.channel_dry_runs import DryRun
from skeldir.repository.channel_rules import RuleSet, Summary
from skeldir.repository.reclassification import Walk

WINDOW_DAYS_MAX: Final = 92
CONDITIONS: Final = ("source", "medium", "campaign", "referrer_host")


def list_channel_rules(ctx: Context, *, version: int | None) -> models.ChannelRuleSet:
    """Return a version of the rules; of the one in force also how far it is applied."""
    newest = channel_rules.newest(ctx.session)
    number = newest if version is None else version
    found = channel_rules.get(ctx.session, number)
    if found is None:
        raise NotFound(f"There is no version {number} of the rules.")
    return _rule_set(found, reclassification.walk(ctx.session, number), is_in_force=number == newest)


def replace_channel_rules(ctx: Context, *, body: models.ChannelRulesRequest) -> models.ChannelRuleSet:
    """Put rules in force that a dry run was made of, and have them applied to what is stored."""
    reason = reason_of(body.reason)
    channels.hold(ctx.session, {rule.channel_code for rule in body.rules})
    rules = _checked(ctx, body.rules)
    _require_dry_run(ctx.tenant_id, body.based_on_version, rules, body.dry_run_token)
    kept = channel_rules.put(ctx.session, body.based_on_version, rules, user_of(ctx), reason)
    if kept is None:
        raise _outdated(body.based_on_version)
    enqueue(ctx.session, messages.reclassify_touches(tenant_id=ctx.tenant_id))
    return _rule_set(kept, None, is_in_force=True)


def dry_run_channel_rules(ctx: Context, *, body: models.ChannelDryRunRequest) -> models.ChannelDryRun:
    """Compute what rules would change of a window; the snapshot cannot even be written to."""
    window = windows.recompute_window(body.window_start, body.window_end, days_max=WINDOW_DAYS_MAX)
    rules = _checked(ctx, body.rules)
    if channel_rules.newest(ctx.session) != body.based_on_version:
        raise _outdated(body.based_on_version)
    parameters = attribution_settings.current(ctx.session).parameters()
    result = channel_dry_runs.run(ctx.session, Mapping(rules), window, parameters)
    return models.ChannelDryRun(
        based_on_version=body.based_on_version,
        dry_run_token=make_cursor(ctx.tenant_id, *_bound(body.based_on_version, rules), []),
        model=parameters.model,
        touch_count=result.touch_count,
        changed_count=sum(result.changed.values()),
        moves=_moves(result),
        totals=_totals(result),
    )


def list_channel_rule_sets(ctx: Context, *, limit: int, cursor: str | None) -> models.ChannelRuleSetPage:
    """Return a page of versions, the latest first."""
    before = None
    if cursor is not None:
        before = int(read_cursor(ctx.tenant_id, "listChannelRuleSets", {}, cursor)[0])
    found = channel_rules.page(ctx.session, before, limit + 1)
    next_cursor = None
    if len(found) > limit:
        position = [str(found[limit - 1].version)]
        next_cursor = make_cursor(ctx.tenant_id, "listChannelRuleSets", {}, position)
    shown = [_summary(one) for one in found[:limit]]
    return models.ChannelRuleSetPage(rule_sets=shown, next_cursor=next_cursor)


def _checked(ctx: Context, sent: Sequence[models.ChannelRule]) -> list[Rule]:
    """Return the rules, if all lead to active channels and name no person."""
    require_active(ctx, {f"body.rules.{n}.channel_code": rule.channel_code for n, rule in enumerate(sent)})
    for number, rule in enumerate(sent):
        for name in CONDITIONS:
            pattern = getattr(rule, name)
            # Digits alone are a campaign's own number, as in touches; one in ten looks like a card's.
            if pattern is not MISSING and not pattern.strip("*").isdigit():
                refuse_personal(f"body.rules.{number}.{name}", pattern)
    return [_rule(rule) for rule in sent]


def _bound(based_on: int, rules: Sequence[Rule]) -> tuple[str, dict[str, object]]:
    """Return what a token of a dry run is good for: these rules on that version."""
    told = orjson.dumps([astuple(rule) for rule in rules])
    return "dryRunChannelRules", {"based_on": based_on, "rules": hashlib.sha256(told).hexdigest()}


def _require_dry_run(tenant_id: UUID, based_on: int, rules: Sequence[Rule], token: str) -> None:
    try:
        read_cursor(tenant_id, *_bound(based_on, rules), token)
    except MalformedRequest:
        message = "is not of a dry run of these rules on this version"
        raise unprocessable(FieldError("body.dry_run_token", "no_dry_run", message)) from None


def _outdated(based_on: int) -> Conflict:
    return Conflict(f"Version {based_on} of the rules is not in force any more: make another dry run.")


def _moves(result: DryRun) -> list[models.ChannelMove]:
    revenue: dict[tuple[str, str], list[models.MovedRevenue]] = {}
    for (old, new, currency), cents in sorted(result.moved.items()):
        moved = models.MovedRevenue(currency=currency, revenue_cents=cents)
        revenue.setdefault((old, new), []).append(moved)
    return [
        models.ChannelMove(
            from_channel=old,
            to_channel=new,
            touch_count=result.changed.get((old, new), 0),
            revenue=revenue.get((old, new), []),
        )
        for old, new in sorted(result.changed.keys() | revenue.keys())
    ]


def _totals(result: DryRun) -> list[models.ChannelTotal]:
    return [
        models.ChannelTotal(
            channel_code=channel,
            currency=currency,
            before_cents=result.before.get((channel, currency), 0),
            after_cents=result.after.get((channel, currency), 0),
        )
        for channel, currency in sorted(result.before.keys() | result.after.keys())
    ]


def _rule(sent: models.ChannelRule) -> Rule:
    def given(value: str | MISSING) -> str | None:
        return None if value is MISSING else value

    return Rule(
        sent.channel_code,
        given(sent.source),
        given(sent.medium),
        given(sent.campaign),
        given(sent.referrer_host),
        given(sent.click_id),
    )


def _rule_set(found: RuleSet, walk: Walk | None, *, is_in_force: bool) -> models.ChannelRuleSet:
    rules = [
        {name: value for name, value in zip(_NAMES, astuple(rule), strict=True) if value is not None}
        for rule in found.rules
    ]
    return models.ChannelRuleSet(
        version=found.version,
        mapping_version=channel_rules.mapping_version(found.version),
        reason=found.reason or MISSING,
        user_id=found.user_id or MISSING,
        created_at=found.created_at or MISSING,
        rules=[models.ChannelRule.model_validate(rule) for rule in rules],
        reclassification=_walk(walk) if is_in_force else MISSING,
    )


_NAMES: Final = ("channel_code", *CONDITIONS, "click_id")


def _walk(at: Walk | None) -> models.Reclassification:
    if at is None:
        return models.Reclassification(status="waiting", touch_count=0, changed_count=0)
    return models.Reclassification(
        status="completed" if at.completed_at else "running",
        touch_count=at.touch_count,
        changed_count=at.changed_count,
        started_at=at.started_at,
        completed_at=at.completed_at or MISSING,
    )


def _summary(one: Summary) -> models.ChannelRuleSetSummary:
    return models.ChannelRuleSetSummary(
        version=one.version,
        rule_count=one.rule_count,
        reason=one.reason,
        user_id=one.user_id or MISSING,
        created_at=one.created_at,
    )
