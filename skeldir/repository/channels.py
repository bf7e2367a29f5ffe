"""Channels: the shared taxonomy, a tenant's own beside it, and the log of what became of these."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from skeldir.domain.channel_states import ChannelState
from skeldir.domain.ids import uuid7

CHANNELS_MAX: Final = 900
"""Own channels per tenant: with the shared ones they fit one answer."""

_LIST: Final = text("""
    SELECT code AS channel_code, display_name AS channel_name, family, is_paid, state, is_own
      FROM channels
     ORDER BY code COLLATE "C"
""")

_GET: Final = text("""
    SELECT code AS channel_code, display_name AS channel_name, family, is_paid, state, is_own
      FROM channels
     WHERE code = :code
""")

_LOCK: Final = text("SELECT state FROM tenant_channels WHERE code = :code FOR UPDATE")

# Who is retiring one at this moment is waited for, and what became of it is seen.
_HOLD: Final = text("""
    SELECT code FROM tenant_channels WHERE code = ANY(CAST(:codes AS text[])) ORDER BY code FOR SHARE
""")

_COUNT: Final = text("SELECT count(*) FROM tenant_channels")

_ADD: Final = text("""
    INSERT INTO tenant_channels (code, family, is_paid, display_name)
    VALUES (:code, :family, :is_paid, :name)
    ON CONFLICT (tenant_id, code) DO NOTHING
    RETURNING code
""")

# Its trigger changes the channel's state, or refuses to; nothing else can.
_TRANSITION: Final = text("""
    INSERT INTO channel_transitions (transition_id, code, from_state, to_state, user_id, reason)
    VALUES (:transition_id, :code, :from_state, :to_state, :user_id, :reason)
    RETURNING transition_id, code AS channel_code, from_state, to_state, user_id, reason, transitioned_at
""")

_TRANSITIONS: Final = text("""
    SELECT transition_id, code AS channel_code, from_state, to_state, user_id, reason, transitioned_at
      FROM channel_transitions
     WHERE code = :code
     ORDER BY transitioned_at DESC, transition_id DESC
""")

_HAS_RULES: Final = text("""
    SELECT EXISTS (
        SELECT FROM channel_rules
         WHERE channel_code = :code AND version = (SELECT max(version) FROM channel_rule_sets))
""")


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel that revenue can be credited to."""

    channel_code: str
    channel_name: str
    family: str
    is_paid: bool
    state: ChannelState
    is_own: bool


@dataclass(frozen=True, slots=True)
class Transition:
    """A line of the log: who changed a channel's state, when and why; the first one made the channel."""

    transition_id: UUID
    channel_code: str
    from_state: ChannelState | None
    to_state: ChannelState
    user_id: UUID | None
    reason: str
    transitioned_at: datetime


def everything(session: Session) -> list[Channel]:
    """Return every channel by its code."""
    return [Channel(*row) for row in session.execute(_LIST)]


def get(session: Session, code: str) -> Channel | None:
    """Return a channel, shared or own."""
    row = session.execute(_GET, {"code": code}).one_or_none()
    return None if row is None else Channel(*row)


def lock(session: Session, code: str) -> ChannelState | None:
    """Return the state of an own channel, which nobody else changes until this transaction ends."""
    state: ChannelState | None = session.execute(_LOCK, {"code": code}).scalar_one_or_none()
    return state


def hold(session: Session, codes: Collection[str]) -> None:
    """Have whoever changes the state of these own channels wait until this transaction ends."""
    session.execute(_HOLD, {"codes": list(codes)})


def has_room(session: Session) -> bool:
    """Tell whether the tenant may have another channel."""
    return int(session.execute(_COUNT).scalar_one()) < CHANNELS_MAX


def add(session: Session, channel: Channel, by: UUID | None, reason: str) -> bool:
    """Make an own channel, a draft; False when there is one of its code."""
    row = {"code": channel.channel_code, "family": channel.family, "is_paid": channel.is_paid}
    added = session.execute(_ADD, {**row, "name": channel.channel_name}).one_or_none()
    if added is not None:
        transition(session, channel.channel_code, None, "draft", by, reason)
    return added is not None


def transition(  # noqa: PLR0917 - a line of the log has these
    session: Session,
    code: str,
    from_state: ChannelState | None,
    to_state: ChannelState,
    by: UUID | None,
    reason: str,
) -> Transition:
    """Change an own channel's state by writing it down; the database refuses what the lifecycle does."""
    said = {"code": code, "from_state": from_state, "to_state": to_state, "user_id": by, "reason": reason}
    return Transition(*session.execute(_TRANSITION, {"transition_id": uuid7(), **said}).one())


def transitions(session: Session, code: str) -> list[Transition]:
    """Return what became of an own channel, the latest first."""
    return [Transition(*row) for row in session.execute(_TRANSITIONS, {"code": code})]


def has_rules(session: Session, code: str) -> bool:
    """Tell whether rules in force lead to a channel."""
    return bool(session.execute(_HAS_RULES, {"code": code}).scalar_one())
