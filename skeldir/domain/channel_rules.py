"""A tenant's own mapping of origins to channels: the first rule that applies wins, then the built-in table.

Patterns are plain texts with an asterisk at one end or both. So each is judged in time linear in the text,
whatever a tenant writes: there is no expression that could be made to backtrack.
"""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Final

from skeldir.domain.channels import classify

_REMEMBERED_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class TouchOrigin:
    """What is told of where a touch came from."""

    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    referrer_host: str | None = None
    click_id: str | None = None

    @property
    def is_told(self) -> bool:
        """Tell whether anything is known of it."""
        return any(astuple(self))


@dataclass(frozen=True, slots=True)
class Rule:
    """A channel, and the patterns that an origin must match, all of them, to be taken for it."""

    channel_code: str
    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    referrer_host: str | None = None
    click_id: str | None = None

    @property
    def patterns(self) -> tuple[str | None, ...]:
        """Return the patterns in the order of an origin's parts."""
        return (self.source, self.medium, self.campaign, self.referrer_host, self.click_id)


Matches = Callable[[str], bool]


class Mapping:
    """Rules made ready: names the channel of any origin, and remembers what it has named."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Keep the rules by their precedence."""
        self._rules = [(rule.channel_code, _conditions(rule)) for rule in rules]
        self._known: dict[TouchOrigin, str] = {}

    def channel_of(self, origin: TouchOrigin) -> str:
        """Return the channel code of an origin; never fails."""
        code = self._known.get(origin)
        if code is None:
            if len(self._known) >= _REMEMBERED_MAX:
                self._known.clear()
            code = self._known[origin] = self._named(origin)
        return code

    def _named(self, origin: TouchOrigin) -> str:
        told = [(part or "").strip().casefold() for part in astuple(origin)]
        for code, conditions in self._rules:
            if all(told[place] and matches(told[place]) for place, matches in conditions):
                return code
        return classify(
            utm_source=origin.source,
            utm_medium=origin.medium,
            click_id=origin.click_id,
            referrer=origin.referrer_host,
        )


def _conditions(rule: Rule) -> list[tuple[int, Matches]]:
    return [(place, _matcher(pattern)) for place, pattern in enumerate(rule.patterns) if pattern is not None]


def _matcher(pattern: str) -> Matches:
    sought = pattern.strip("*").strip().casefold()
    begins, ends = pattern.endswith("*"), pattern.startswith("*")
    if begins and ends:
        return lambda told: sought in told
    if begins:
        return lambda told: told.startswith(sought)
    if ends:
        return lambda told: told.endswith(sought)
    return lambda told: told == sought
