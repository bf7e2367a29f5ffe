"""The split of an amount by weights, exact to the cent, as SQL."""

from typing import Final, Literal

Number = Literal["bigint", "numeric"]

NUMBERS: Final[tuple[Number, ...]] = ("bigint", "numeric")
"""The quick one first. Postgres refuses a bigint that overflows; numeric holds any product of two amounts."""


def total(expression: str, number: Number) -> str:
    """Return SQL that adds up in a number's own type: of bigints the sum would be a numeric."""
    return f"CAST({expression} AS {number})"


def quotient(dividend: str, divisor: str, number: Number) -> str:
    """Return SQL that divides and rounds down; neither side is negative."""
    return f"({dividend}) / ({divisor})" if number == "bigint" else f"div({dividend}, {divisor})"


def split(source: str, number: Number, *, is_by_channel: bool = False) -> str:
    """Return SQL that splits `amount` by `weight`: largest remainder, channels first, then campaigns.

    The source offers `entry_nth` (the parts of one amount share it), `amount`, `channel_code`,
    `campaign_id` and `weight`, both texts in the C collation, so that no server's language decides a tie;
    its columns are kept and `cents` is added. No weight may be negative and not all of an entry's may be 0.
    `is_by_channel`: the `channel_count` channels share equally, and weights only share among campaigns.
    """
    return among_campaigns(among_channels(source, number, is_by_channel=is_by_channel), number)


def among_channels(source: str, number: Number, *, is_by_channel: bool = False) -> str:
    """Return the first half of `split`: each row with its channel's `channel_cents`.

    With them `campaigns`, among how many rows these are still to be split.
    """
    once = "FILTER (WHERE nth_of_channel = 1) OVER (PARTITION BY entry_nth)"
    in_channels = total(f"sum(channel_base) {once}", number)
    share, shares = ("1", "channel_count") if is_by_channel else ("channel_weight", "total_weight")
    channel_base = quotient(f"amount * {share}", shares, number)
    return f"""
    SELECT share.*, channel_base + CASE WHEN dense_rank() OVER (
               PARTITION BY entry_nth ORDER BY channel_rest DESC, channel_code
           ) <= amount - {in_channels} THEN 1 ELSE 0 END AS channel_cents
      FROM (SELECT weighed.*,
                   {channel_base} AS channel_base,
                   mod(amount * {share}, {shares}) AS channel_rest
              FROM (SELECT given.*,
                           {total("sum(weight) OVER entry", number)} AS total_weight,
                           {total("sum(weight) OVER channel", number)} AS channel_weight,
                           count(*) OVER channel AS campaigns,
                           row_number() OVER channel AS nth_of_channel
                      FROM ({source}) AS given
                    WINDOW entry AS (PARTITION BY entry_nth),
                           channel AS (PARTITION BY entry_nth, channel_code)
                   ) AS weighed
           ) AS share
    """  # noqa: S608 - built from this module's constants only


def among_campaigns(source: str, number: Number) -> str:
    """Return the second half of `split`: what the first made, and each row's `cents`."""
    in_campaigns = total("sum(base) OVER (PARTITION BY entry_nth, channel_code)", number)
    base = quotient("channel_cents * weight", "greatest(channel_weight, 1)", number)
    return f"""
    SELECT whole.*, base + CASE WHEN campaigns > 1 AND row_number() OVER (
               PARTITION BY entry_nth, channel_code ORDER BY rest DESC, campaign_id
           ) <= channel_cents - {in_campaigns} THEN 1 ELSE 0 END AS cents
      FROM (SELECT channel.*,
                   CASE campaigns WHEN 1 THEN channel_cents ELSE {base} END AS base,
                   CASE campaigns WHEN 1 THEN 0
                        ELSE mod(channel_cents * weight, greatest(channel_weight, 1)) END AS rest
              FROM ({source}) AS channel
           ) AS whole
    """  # noqa: S608 - built from this module's constants only
