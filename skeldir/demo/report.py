"""The answer, as tables that fit the terminal, and the proof that it adds up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from skeldir.demo.conduct import MODELS, Answer, Sent
from skeldir.demo.deliveries import Mishap
from skeldir.domain.money_text import amount_text, money_text

SIDE_BY_SIDE_COLUMNS: Final = 72
MODEL_NAMES: Final = {
    "first_touch": "First touch",
    "last_touch": "Last touch",
    "last_non_direct": "Non-direct",
    "linear": "Linear",
}
TOLD: Final = "What was told"
MISHAPS: Final[Mapping[Mishap, str]] = {
    "twice": "the same webhook again",
    "partial": "a partial refund",
    "early": "a refund before its capture",
    "personal": "an order full of personal data",
    "malformed": "an amount of 129.999",
    "incomplete": "a charge without currency",
    "unknown": "a topic nobody maps",
    "forged": "a forged signature",
}


@dataclass(frozen=True, slots=True)
class Proof:
    """One promise, and whether it was kept."""

    about: str
    text: str
    holds: bool


def channels(answer: Answer, width: int) -> Iterable[RenderableType]:
    """Show revenue by channel, the models side by side where the terminal is wide enough."""
    for currency in _currencies(answer):
        names, cells = _by_channel(answer, currency)
        title = f"Revenue by channel, {currency}"
        if width >= SIDE_BY_SIDE_COLUMNS:
            yield _grid(title, names, cells, currency, MODELS)
        else:
            for model in MODELS:
                yield _grid(f"{title}: {MODEL_NAMES[model].lower()}", names, cells, currency, [model])


def ledger(answer: Answer) -> RenderableType:
    """Show what the ledger holds, by currency and kind."""
    table = _table("Ledger", "", "Entries", "Effect")
    for part in answer.ledger["currencies"]:
        for kind in part["kinds"]:
            name = kind["kind"].replace("_", " ")
            effect = money_text(kind["effect_cents"], part["currency"])
            table.add_row(name, str(kind["entry_count"]), effect)
        table.add_row(
            "net", "", money_text(part["net_cents"], part["currency"]), style="bold", end_section=True
        )
    return table


def spend(answer: Answer) -> Iterable[RenderableType]:
    """Show what advertising cost and brought, channel by channel."""
    for part in answer.performance.get("currencies", ()):
        currency = part["currency"]
        table = _table(f"Return on ad spend, {currency}", "Channel", "Spend", "Revenue", "ROAS", "Per order")
        for channel in part["channels"]:
            figures = channel["figures"]
            if figures["spend_cents"]:
                table.add_row(channel["channel_name"], *_return(figures, currency))
        table.columns[0].footer = "All channels"
        table.show_footer = True
        for column, text in zip(table.columns[1:], _return(part["totals"], currency), strict=True):
            column.footer = text
        yield table


def _return(figures: Mapping[str, int], currency: str) -> tuple[str, str, str, str]:
    roas, cpa = figures.get("roas_ppm"), figures.get("cpa_cents")
    return (
        amount_text(figures["spend_cents"], currency),
        amount_text(figures["revenue_cents"], currency),
        "-" if roas is None else f"{roas // 1_000_000}.{roas % 1_000_000 // 10_000:02d}",
        "-" if cpa is None else amount_text(cpa, currency),
    )


def mishaps(sent: Sequence[Sent]) -> RenderableType:
    """Show what was not ordinary about the month, and what became of it."""
    table = Table(title="What else arrived", title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    table.add_column("Sent", ratio=2)
    table.add_column("HTTP", justify="right")
    table.add_column("What became of it", ratio=3)
    first = {one.delivery.event_id: one for one in reversed(sent)}
    for one in sent:
        mishap = one.delivery.mishap
        if mishap is not None:
            outcome, style = _outcome(one, first[one.delivery.event_id])
            told = f"{one.delivery.vendor.capitalize()}: {MISHAPS[mishap]}"
            table.add_row(told, str(one.status), Text(outcome, style))
    return table


def proofs(answer: Answer, sent: Sequence[Sent]) -> list[Proof]:
    """Check every promise that the story makes, model by model and currency by currency."""
    net = {part["currency"]: part["net_cents"] for part in answer.ledger["currencies"]}
    lines = [
        _sum_proof(answer, model, currency, net.get(currency, 0))
        for model in MODELS
        for currency in answer.expected_net
    ]
    for currency, expected in answer.expected_net.items():
        text = f"Ledger net = what the shop really earned: {money_text(expected, currency)}"
        lines.append(Proof(TOLD, text, net.get(currency) == expected))
    return [*lines, *_spend_proofs(answer), _answers(sent)]


def privacy(found: int) -> Proof:
    """Say whether anything personal that was sent was found in the database."""
    return Proof(TOLD, f"Personal data kept: {'none' if found == 0 else f'IN {found} PLACES'}", found == 0)


def proof_text(lines: Sequence[Proof]) -> RenderableType:
    """Show the proofs by what they are about, those that fail in red."""
    shown = Text()
    for about in dict.fromkeys(line.about for line in lines):
        shown.append(f"{about}\n", "bold")
        for line in lines:
            if line.about == about:
                mark, style = ("✓", "green") if line.holds else ("✗", "bold red")
                shown.append(f"{mark} {line.text}\n", style)
    return shown


def _sum_proof(answer: Answer, model: str, currency: str, booked: int) -> Proof:
    allocated = sum(
        channel["revenue_cents"]
        for part in answer.reports[model]["currencies"]
        if part["currency"] == currency
        for channel in part["channels"]
    )
    sums = f"{money_text(allocated, currency)} = {money_text(booked, currency)}"
    return Proof(MODEL_NAMES[model], f"Σ allocations = ledger net, to the cent: {sums}", allocated == booked)


def _spend_proofs(answer: Answer) -> Iterable[Proof]:
    """Check that campaigns are their channels, channels the whole, and shares of orders whole orders."""
    for part in answer.performance.get("currencies", ()):
        totals, channels = part["totals"], part["channels"]
        counted, told = totals["spend_cents"], answer.expected_spend_cents
        sums = f"{money_text(counted, part['currency'])} = {money_text(told, part['currency'])}"
        yield Proof(TOLD, f"Ad spend counted = ad spend told: {sums}", counted == told)
        holds = totals["attributed_conversions_ppm"] == 1_000_000 * totals["conversion_count"]
        for name in ("spend_cents", "revenue_cents", "attributed_conversions_ppm"):
            holds &= totals[name] == sum(channel["figures"][name] for channel in channels)
            for channel in channels:
                campaigns = sum(campaign["figures"][name] for campaign in channel["campaigns"])
                holds &= campaigns == channel["figures"][name]
        orders = f"shares of orders to {totals['conversion_count']} orders"
        yield Proof(MODEL_NAMES["linear"], f"Σ campaigns = channels = total, and the {orders}", holds)


def _answers(sent: Sequence[Sent]) -> Proof:
    """Check that each mishap was answered as it should be."""
    first = {one.delivery.event_id: one for one in reversed(sent)}
    set_aside = {"malformed", "incomplete", "unknown"}
    wrong = []
    for one in sent:
        mishap, outcome = one.delivery.mishap, one.answer.get("outcome")
        expected = None if mishap == "forged" else "dead_lettered" if mishap in set_aside else "booked"
        if outcome != expected or (mishap == "twice" and one.answer != first[one.delivery.event_id].answer):
            wrong.append(f"{one.delivery.vendor} {one.delivery.topic} ({mishap}): {outcome}")
    text = f"{len(sent)} webhooks, each booked, set aside or refused as it should be"
    return Proof(TOLD, "; ".join([text, *wrong]) if wrong else text, not wrong)


def _outcome(one: Sent, first: Sent) -> tuple[str, str]:
    if one.delivery.mishap == "forged":
        return f"refused ({one.answer['code']}), stored nowhere", "red"
    if one.answer["outcome"] == "dead_lettered":
        return f"set aside: {one.answer['reason_code']}, {one.answer.get('reason_field', 'body')}", "yellow"
    if one.delivery.mishap == "twice":
        same = one.answer == first.answer
        return ("the first receipt again, booked once" if same else "ANOTHER RECEIPT"), ""
    booked: Mapping[Mishap, str] = {
        "partial": "booked, and taken back from the channels that had earned it",
        "early": "booked, and attributed once the capture was told",
        "personal": "booked; only the allow-listed fields are kept",
    }
    return booked.get(one.delivery.mishap or "twice", "booked"), ""


def _currencies(answer: Answer) -> list[str]:
    return [part["currency"] for part in answer.ledger["currencies"]]


def _by_channel(answer: Answer, currency: str) -> tuple[dict[str, str], dict[tuple[str, str], int]]:
    """Return the channels' names and, per model and channel, the revenue; the biggest channel first."""
    names: dict[str, str] = {}
    cells: dict[tuple[str, str], int] = {}
    for model in reversed(MODELS):  # linear first: it orders the rows
        for part in answer.reports[model]["currencies"]:
            if part["currency"] == currency:
                for row in sorted(part["channels"], key=lambda row: -int(row["revenue_cents"])):
                    names.setdefault(row["channel_code"], row["channel_name"])
                    cells[model, row["channel_code"]] = row["revenue_cents"]
    return names, cells


def _grid(
    title: str,
    names: Mapping[str, str],
    cells: Mapping[tuple[str, str], int],
    currency: str,
    models: Sequence[str],
) -> RenderableType:
    table = _table(title, "Channel", *(MODEL_NAMES[model] for model in models))
    best = {model: max(cells.get((model, code), 0) for code in names) for model in models}
    for code, name in names.items():
        row = [name]
        for model in models:
            cents = cells.get((model, code))
            text = "-" if cents is None else amount_text(cents, currency)
            row.append(f"[bold green]{text}[/]" if cents == best[model] else text)
        table.add_row(*row, end_section=code == list(names)[-1])
    sums = [sum(cells.get((model, code), 0) for code in names) for model in models]
    table.add_row("Sum", *(amount_text(cents, currency) for cents in sums), style="bold")
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    table.add_column(columns[0], no_wrap=True)
    for column in columns[1:]:
        table.add_column(column, justify="right", no_wrap=True)
    return table
