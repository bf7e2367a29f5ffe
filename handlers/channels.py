"""Operations of api-contracts/openapi/v1/channels.yaml."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from pydantic import MISSING

from generated.models import common_channels as models
from generated.models.common_revenue import Channel, ChannelList
from skeldir.domain import unknown_share
from skeldir.domain.channel_states import next_states
from skeldir.domain.errors import Conflict, FieldError, NotFound, Unprocessable
from skeldir.domain.models import share_ppm
from skeldir.domain.pii import personal_kind
from skeldir.http.context import Context, Reply
from skeldir.http.cursors import make_cursor, read_cursor
from skeldir.queue import messages
from skeldir.queue.sending import send_after_commit
from skeldir.repository import channel_corrections, channels, dirty_marks, unknown_touches
from skeldir.repository.channel_corrections import CorrectedTouch, Correction, Place
from skeldir.repository.channels import Transition
from skeldir.settings import get_settings

SOURCES_SHOWN: Final = 50


def list_channels(ctx: Context) -> ChannelList:
    """Return the shared taxonomy and the tenant's own channels."""
    found = channels.everything(ctx.session)
    return ChannelList(channels=[Channel.model_validate(one, from_attributes=True) for one in found])


def create_channel(ctx: Context, *, body: models.ChannelRequest) -> Reply[Channel]:
    """Make an own channel, a draft."""
    for field in ("channel_code", "channel_name", "family"):
        refuse_personal(f"body.{field}", getattr(body, field))
    made = channels.Channel(
        body.channel_code, body.channel_name, body.family, body.is_paid, state="draft", is_own=True
    )
    if not channels.has_room(ctx.session):
        raise Conflict(f"The tenant has {channels.CHANNELS_MAX} channels of its own.")
    known = channels.get(ctx.session, made.channel_code)
    if known or not channels.add(ctx.session, made, user_of(ctx), reason_of(body.reason)):
        raise Conflict(f"There is a channel {made.channel_code} already.")
    return Reply(Channel.model_validate(made, from_attributes=True), status=201)


def list_channel_transitions(ctx: Context, *, channel_code: str) -> models.ChannelTransitionList:
    """Return what became of an own channel."""
    found = channels.transitions(ctx.session, channel_code)
    if not found:
        raise NotFound(f"The tenant has no channel {channel_code} of its own.")
    return models.ChannelTransitionList(transitions=[_transition(one) for one in found])


def transition_channel(
    ctx: Context, *, channel_code: str, body: models.ChannelTransitionRequest
) -> Reply[models.ChannelTransition]:
    """Change an own channel's state, if its lifecycle allows it and no rule in force needs it."""
    reason = reason_of(body.reason)
    state = channels.lock(ctx.session, channel_code)
    if state is None:
        raise NotFound(f"The tenant has no channel {channel_code} of its own.")
    if body.to_state not in next_states(state):
        raise Conflict(f"A channel does not go from {state} to {body.to_state}.")
    if state == "active" and channels.has_rules(ctx.session, channel_code):
        raise Conflict(f"Rules in force lead to {channel_code}: replace them first.")
    written = channels.transition(ctx.session, channel_code, state, body.to_state, user_of(ctx), reason)
    return Reply(_transition(written), status=201)


def list_channel_corrections(ctx: Context, *, limit: int, cursor: str | None) -> models.ChannelCorrectionPage:
    """Return a page of corrections, the latest first."""
    after = None
    if cursor is not None:
        corrected_at, correction_id = read_cursor(ctx.tenant_id, "listChannelCorrections", {}, cursor)
        after = Place(datetime.fromisoformat(corrected_at), UUID(correction_id))
    found = channel_corrections.page(ctx.session, after, limit + 1)
    next_cursor = None
    if len(found) > limit:
        last = found[limit - 1].place
        position = [last.corrected_at.isoformat(), str(last.correction_id)]
        next_cursor = make_cursor(ctx.tenant_id, "listChannelCorrections", {}, position)
    shown = [_correction(one) for one in found[:limit]]
    return models.ChannelCorrectionPage(corrections=shown, next_cursor=next_cursor)


def correct_channel(
    ctx: Context, *, body: models.ChannelCorrectionRequest
) -> Reply[models.ChannelCorrection]:
    """Write down which channel a touch came through; the worker that attributes its journey applies it."""
    reason = reason_of(body.reason)
    touch = _touch(ctx, body)
    channels.hold(ctx.session, [body.to_channel])
    require_active(ctx, {"body.to_channel": body.to_channel})
    kept = channel_corrections.add(ctx.session, touch, body.to_channel, user_of(ctx), reason)
    dirty_marks.mark(ctx.session, {touch.journey_id: touch.occurred_at})
    rest = get_settings().attribution_debounce_seconds
    message = messages.attribute_marked(tenant_id=ctx.tenant_id, delay_seconds=rest)
    send_after_commit(ctx.session, message, at_most_every_seconds=rest)
    return Reply(_correction(kept), status=201)


def get_unknown_channel_share(ctx: Context) -> models.UnknownChannelShare:
    """Judge the last seven days' share of unknown touches, and what stands out among them."""
    end = datetime.now(UTC)
    start = end - timedelta(days=unknown_share.WINDOW_DAYS)
    counted = unknown_touches.counts(ctx.session, start, end)
    found = unknown_touches.sources(
        ctx.session, start, end, day_count_max=unknown_share.DAY_COUNT_MAX, limit=SOURCES_SHOWN
    )
    return models.UnknownChannelShare(
        window_start=start,
        window_end=end,
        touch_count=counted.touch_count,
        unknown_count=counted.unknown_count,
        unknown_share_ppm=share_ppm(counted.unknown_count, counted.touch_count),
        level=unknown_share.level_of_share(counted.unknown_count, counted.touch_count),
        sources=[
            models.UnknownSource(
                source=one.source or MISSING,
                medium=one.medium or MISSING,
                touch_count=one.touch_count,
                day_count=one.day_count,
                level=unknown_share.level_of_source(one.day_count),
            )
            for one in found
        ],
    )


def user_of(ctx: Context) -> UUID | None:
    """Return who asks, for the log."""
    return ctx.principal.user_id if ctx.principal else None


def reason_of(sent: str) -> str:
    """Return a reason as it is kept; refuses one that names somebody."""
    refuse_personal("body.reason", sent)
    return sent.strip()


def refuse_personal(field: str, value: str) -> None:
    """Refuse a text that looks like personal data, without repeating it."""
    kind = personal_kind(value)
    if kind is not None:
        raise unprocessable(FieldError(field, "personal_data", f"looks like personal data ({kind})"))


def require_active(ctx: Context, named: dict[str, str]) -> None:
    """Refuse channels, given by the fields that name them, to which nothing may be mapped.

    Who writes what names them holds them before, so that they are what was seen when it is written.
    """
    active = {one.channel_code for one in channels.everything(ctx.session) if one.state == "active"}
    message = "is not an active channel"
    errors = [
        FieldError(field, "channel_not_active", message) for field in named if named[field] not in active
    ]
    if errors:
        raise unprocessable(*errors[:100])


def unprocessable(*errors: FieldError) -> Unprocessable:
    """Return the refusal of a request for what is wrong with its fields."""
    return Unprocessable(f"{errors[0].field} {errors[0].message}", errors=errors)


def _touch(ctx: Context, body: models.ChannelCorrectionRequest) -> CorrectedTouch:
    if body.touchpoint_id is not MISSING:
        touch = channel_corrections.recorded_touch(ctx.session, body.touchpoint_id)
    elif body.order_id is not MISSING:
        touch = channel_corrections.hinted_touch(ctx.session, body.order_id)
    else:
        touch = None
    if touch is None:
        raise NotFound("There is no such touch.")
    return touch


def _transition(one: Transition) -> models.ChannelTransition:
    return models.ChannelTransition(
        transition_id=one.transition_id,
        channel_code=one.channel_code,
        from_state=one.from_state or MISSING,
        to_state=one.to_state,
        user_id=one.user_id or MISSING,
        reason=one.reason,
        transitioned_at=one.transitioned_at,
    )


def _correction(one: Correction) -> models.ChannelCorrection:
    return models.ChannelCorrection(
        correction_id=one.correction_id,
        touchpoint_id=one.touchpoint_id,
        order_id=one.order_id or MISSING,
        from_channel=one.from_channel,
        to_channel=one.to_channel,
        user_id=one.user_id or MISSING,
        reason=one.reason,
        corrected_at=one.corrected_at,
    )
