"""The life of a channel: a draft is prepared, an active one is mapped to, the others only remembered."""

from typing import Final, Literal, get_args

ChannelState = Literal["draft", "active", "deprecated", "archived"]

STATES: Final[tuple[ChannelState, ...]] = get_args(ChannelState)

_NEXT: Final[dict[ChannelState, tuple[ChannelState, ...]]] = {
    "draft": ("active",),
    "active": ("deprecated", "archived"),
    "deprecated": ("archived",),
    "archived": (),
}


def next_states(state: ChannelState) -> tuple[ChannelState, ...]:
    """Return the states that a channel may go to; a database trigger says the same."""
    return _NEXT[state]
