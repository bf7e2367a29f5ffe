"""How the overview says its figures: the filters of its templates."""

from collections.abc import Mapping
from typing import Final

from flask import Flask

from skeldir.domain.models import share_ppm
from skeldir.domain.money_text import amount_text

MINUS: Final = "\N{MINUS SIGN}"
KIND_NAMES: Final[Mapping[str, str]] = {
    "authorised": "Authorised",
    "captured": "Captured",
    "refunded": "Refunded",
    "disputed": "Disputed",
    "dispute_reversed": "Disputes won",
    "adjusted": "Adjusted",
}
OUTCOME_NAMES: Final[Mapping[str, str]] = {
    "booked": "Booked",
    "recorded": "Recorded",
    "dead_lettered": "Set aside",
}


def add_filters(app: Flask) -> None:
    """Teach the templates to write amounts, shares, returns, kinds, outcomes and reasons."""
    app.jinja_env.filters.update(
        amount=lambda cents, currency: amount_text(cents, currency).replace("-", MINUS),
        share=share_text,
        bar=bar_percent,
        roas=roas_text,
        bar_of=lambda cents, whole: bar_percent(share_ppm(cents, whole)),
        kind=lambda code: KIND_NAMES.get(code, code),
        outcome=lambda code: OUTCOME_NAMES.get(code, code),
        words=lambda code: code.replace("_", " "),
    )


def share_text(share_ppm: int) -> str:
    """Write millionths as per cent with one decimal, rounded half up."""
    tenths = (abs(share_ppm) + 500) // 1_000
    return f"{MINUS if share_ppm < 0 and tenths else ''}{tenths // 10}.{tenths % 10} %"


def roas_text(roas_ppm: int) -> str:
    """Write a return on ad spend as a multiple with two decimals, rounded half up."""
    hundredths = (abs(roas_ppm) + 5_000) // 10_000
    sign = MINUS if roas_ppm < 0 and hundredths else ""
    return f"{sign}{hundredths // 100:,}.{hundredths % 100:02d}\N{MULTIPLICATION SIGN}"


def bar_percent(share_ppm: int) -> str:
    """Return how much of its rail a share fills; what was more than taken back fills nothing."""
    return f"{min(max(share_ppm, 0), 1_000_000) / 10_000:.2f}"
