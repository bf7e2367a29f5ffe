"""One line of a benchmark's table."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """What was measured of us, of a peer in the same run, and the mark that we must reach.

    The mark is one of ours alone, or of the ratio.
    """

    name: str
    ours: float
    peer: float | None = None
    unit: str = "s"
    mark: float | None = None
    more_is_better: bool = False
    mark_is_ratio: bool = False

    @property
    def ratio(self) -> float | None:
        """How many times better we are than the peer."""
        if not self.peer or not self.ours:
            return None
        return self.ours / self.peer if self.more_is_better else self.peer / self.ours

    @property
    def met(self) -> bool | None:
        """Whether the mark is reached; None without one."""
        if self.mark is None:
            return None
        if self.mark_is_ratio:
            return self.ratio is not None and self.ratio >= self.mark
        return self.ours >= self.mark if self.more_is_better else self.ours <= self.mark

    def as_json(self) -> dict[str, Any]:
        """Return the row as design §12 prints it."""
        return {
            "name": self.name,
            "ours": self.ours,
            "peer": self.peer,
            "unit": self.unit,
            "ratio": self.ratio,
            "mark": self.mark,
            "met": self.met,
        }
