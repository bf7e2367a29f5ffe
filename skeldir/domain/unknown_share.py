"""From when on it matters how many touches no rule can tell apart. All bounds are integers, and exclusive."""

from typing import Final, Literal

Level = Literal["ok", "warning", "error"]
LEVELS: Final[tuple[Level, ...]] = ("ok", "warning", "error")

WINDOW_DAYS: Final = 7
WARNING_PERCENT: Final = 5
ERROR_PERCENT: Final = 10
DAY_COUNT_MAX: Final = 100
"""More unknown touches of one source and medium within 24 hours deserve a rule of their own."""


def level_of_share(unknown_count: int, touch_count: int) -> Level:
    """Judge the share of unknown touches among all of the window."""
    if unknown_count * 100 > touch_count * ERROR_PERCENT:
        return "error"
    return "warning" if unknown_count * 100 > touch_count * WARNING_PERCENT else "ok"


def level_of_source(day_count: int) -> Level:
    """Judge how often one source and medium could not be told apart within 24 hours."""
    return "warning" if day_count > DAY_COUNT_MAX else "ok"
