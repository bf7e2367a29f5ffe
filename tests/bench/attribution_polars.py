"""Linear attribution in polars: files in, a file out, the same cents."""

from importlib import import_module
from pathlib import Path
from typing import Any

_COLUMNS = {
    "touches": ("journey_id", "at", "channel", "campaign"),
    "sales": ("order_id", "journey_id", "at"),
    "entries": ("entry_id", "order_id", "currency", "at", "effect"),
}
_CELL = ["order_id", "currency", "channel", "campaign"]


def compute(folder: Path, lookback_days: int) -> None:
    """Read the folder's files and write the allocations beside them."""
    pl = import_module("polars")
    touches, sales, entries = (
        pl.read_csv(folder / f"{name}.csv", has_header=False, new_columns=list(columns))
        for name, columns in _COLUMNS.items()
    )
    touches = touches.with_columns(pl.col("campaign").fill_null(""))
    credit = _credit(pl, touches, sales, lookback_days * 86_400_000_000)
    booked = entries.filter(pl.col("effect") > 0).rename({"effect": "amount"}).drop("at")
    part = _split(pl, booked.join(credit, on="order_id"))
    parts = [part, *_take_back(pl, entries, part)]
    rows = pl.concat([one.select("entry_id", "channel", "campaign", "cents") for one in parts])
    rows = rows.filter(pl.col("cents") != 0).sort("entry_id", "channel", "campaign")
    rows.write_csv(folder / "allocations.csv", include_header=False, quote_style="non_numeric")


def _credit(pl: Any, touches: Any, sales: Any, lookback: int) -> Any:
    seen = sales.join(touches, on="journey_id", suffix="_of_touch").filter(
        (pl.col("at_of_touch") <= pl.col("at")) & (pl.col("at_of_touch") > pl.col("at") - lookback)
    )
    weighed = seen.group_by("order_id", "channel", "campaign").agg(pl.len().cast(pl.Int64).alias("weight"))
    untouched = sales.join(weighed, on="order_id", how="anti").select(
        "order_id", channel=pl.lit("direct"), campaign=pl.lit(""), weight=pl.lit(1, pl.Int64)
    )
    return pl.concat([weighed, untouched])


def _split(pl: Any, given: Any) -> Any:
    """Add `cents`: the largest remainder, channels first, then campaigns."""
    entry, channel = ["entry_id"], ["entry_id", "channel"]
    col = pl.col
    channels = (
        given.group_by(channel)
        .agg(col("weight").sum().alias("in_channel"), col("amount").first())
        .with_columns(col("in_channel").sum().over(entry).alias("total"))
        .with_columns(
            (col("amount") * col("in_channel") // col("total")).alias("base"),
            (col("amount") * col("in_channel") % col("total")).alias("rest"),
        )
        .sort("entry_id", "rest", "channel", descending=[False, True, False])
        .with_columns(
            pl.int_range(pl.len()).over(entry).alias("nth"),
            (col("amount") - col("base").sum().over(entry)).alias("left"),
        )
        .select(*channel, "in_channel", (col("base") + (col("nth") < col("left"))).alias("of_channel"))
    )
    share = pl.max_horizontal("in_channel", 1)
    return (
        given.join(channels, on=channel)
        .with_columns(
            (col("of_channel") * col("weight") // share).alias("part"),
            (col("of_channel") * col("weight") % share).alias("remainder"),
        )
        .sort("entry_id", "channel", "remainder", "campaign", descending=[False, False, True, False])
        .with_columns(
            pl.int_range(pl.len()).over(channel).alias("nth"),
            (col("of_channel") - col("part").sum().over(channel)).alias("left"),
        )
        .with_columns((col("part") + (col("nth") < col("left"))).alias("cents"))
        .drop("in_channel", "of_channel", "part", "remainder", "nth", "left")
    )


def _take_back(pl: Any, entries: Any, part: Any) -> list[Any]:
    """Split each order's reversals, one after the other, over what remains."""
    col = pl.col
    reversal = (
        entries.filter(col("effect") < 0)
        .sort("order_id", "currency", "at", "entry_id")
        .with_columns(pl.int_range(pl.len()).over("order_id", "currency").alias("round"))
        .with_columns((-col("effect")).alias("amount"))
        .drop("at", "effect")
    )
    cell = (
        part.join(reversal.select("order_id").unique(), on="order_id", how="semi")
        .group_by(_CELL)
        .agg(col("cents").sum().alias("credited"))
        .with_columns(col("credited").alias("remaining"))
    )
    taken = []
    for number in range((reversal["round"].max() or 0) + 1 if len(reversal) else 0):
        given = reversal.filter(col("round") == number).join(cell, on=["order_id", "currency"])
        basis = pl.when(col("remaining").sum().over("entry_id") > 0).then("remaining").otherwise("credited")
        split = _split(pl, given.with_columns(basis.alias("weight")))
        cell = (
            cell.join(split.select(*_CELL, "cents"), on=_CELL, how="left")
            .with_columns((col("remaining") - col("cents").fill_null(0)).alias("remaining"))
            .drop("cents")
        )
        taken.append(split.with_columns(-col("cents")))
    return taken
