"""The attribution models, and shares of what they credit."""

from typing import Final, Literal, get_args

Model = Literal["first_touch", "last_touch", "last_non_direct", "linear"]

MODELS: Final[tuple[Model, ...]] = get_args(Model)

DIRECT: Final = "direct"
"""The channel of an order that no touch led to."""

TAXONOMY_VERSION: Final = 2
"""Raised when channels are mapped differently, so that every window's inputs count as changed."""

_PPM: Final = 1_000_000
_SHARE_PPM_MAX: Final = 10**12


def share_ppm(part_cents: int, whole_cents: int) -> int:
    """Return the part in millionths of the whole, rounded down; 0 of nothing.

    Where parts of both signs nearly cancel out a share has no meaning, and is cut where it is absurd.
    """
    if whole_cents == 0:
        return 0
    return max(-_SHARE_PPM_MAX, min(_SHARE_PPM_MAX, part_cents * _PPM // whole_cents))
