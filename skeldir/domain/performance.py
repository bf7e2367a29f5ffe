"""What advertising brought for its money: integer sums, and ratios of them that are rounded once.

A conversion is an order that was captured, counted on the day of its first capture. It is new when it is
the first of its journey, else repeat. Its share per channel and campaign is that of the captured amount,
in millionths; the shares of an order are 1,000,000 exactly, because each is the difference of two running
totals, both rounded down: so the shares of all channels add up to the number of orders.
"""

from dataclasses import dataclass, fields
from typing import Final

PPM: Final = 1_000_000
LARGEST: Final = 9 * 10**18
"""No ratio says anything beyond; it is cut there, so that it fits 64 bits."""


def half_even(numerator: int, denominator: int) -> int | None:
    """Divide by a number above 0 and round to the nearest integer, halves to the even one; None for 0."""
    if denominator <= 0:
        return None
    quotient, remainder = divmod(numerator, denominator)
    if 2 * remainder > denominator or (2 * remainder == denominator and quotient % 2):
        quotient += 1
    return max(-LARGEST, min(LARGEST, quotient))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was credited: revenue net of what was taken back, and conversions whole and in shares."""

    revenue_cents: int = 0
    conversion_count: int = 0
    new_conversion_count: int = 0
    conversions_ppm: int = 0
    new_conversions_ppm: int = 0

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


@dataclass(frozen=True, slots=True)
class Spend:
    """What was spent, shown and clicked.

    A platform may tell clicks on some days and not on others: each ratio is of the rows that tell both of
    its sides.
    """

    spend_cents: int = 0
    impressions: int | None = None
    clicks: int | None = None
    clicked_cents: int = 0
    """The cost of the rows that tell clicks."""
    rated_impressions: int = 0
    rated_clicks: int = 0
    """The impressions and clicks of the rows that tell both."""

    def __add__(self, other: "Spend") -> "Spend":
        return Spend(
            self.spend_cents + other.spend_cents,
            _sum(self.impressions, other.impressions),
            _sum(self.clicks, other.clicks),
            self.clicked_cents + other.clicked_cents,
            self.rated_impressions + other.rated_impressions,
            self.rated_clicks + other.rated_clicks,
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """Outcome and spend of the same days in the same currency, side by side."""

    outcome: Outcome = Outcome()
    spend: Spend = Spend()

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(self.outcome + other.outcome, self.spend + other.spend)

    @property
    def roas_ppm(self) -> int | None:
        """Return revenue per spend in millionths; None where nothing was spent."""
        return half_even(self.outcome.revenue_cents * PPM, self.spend.spend_cents)

    @property
    def cpa_cents(self) -> int | None:
        """Return the spend per attributed conversion; None where there is none."""
        return half_even(self.spend.spend_cents * PPM, self.outcome.conversions_ppm)

    @property
    def new_cpa_cents(self) -> int | None:
        """Return the spend per attributed new conversion; None where there is none."""
        return half_even(self.spend.spend_cents * PPM, self.outcome.new_conversions_ppm)

    @property
    def cpc_cents(self) -> int | None:
        """Return the cost per click; None where no click was told."""
        return half_even(self.spend.clicked_cents, self.spend.clicks or 0)

    @property
    def ctr_ppm(self) -> int | None:
        """Return clicks per impression in millionths; None where no impression was told."""
        return half_even(self.spend.rated_clicks * PPM, self.spend.rated_impressions)


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other
