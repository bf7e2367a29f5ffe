"""A table with everything in it that a format could trip over."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from skeldir.formats.tables import Column, Encode, Row, Table

COLUMNS = (
    Column("word", "text"),
    Column("cents", "integer"),
    Column("day", "date"),
    Column("at", "instant"),
)
# What spreadsheets calculate (OWASP's list, and what Excel takes for the same in East Asian languages).
FORMULAS = (
    *("=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", "\n=1"),
    *("＝1+1", "＋1", "－1", "＠A1"),  # noqa: RUF001 - they are meant
)
ODD = (
    *(
        "",
        " ",
        "plain",
        'say "hi", you',
        "a;=1+1",
        "two\r\nlines",
        "tab\there",
        "<&>\"'",
        "_x0041_",
        "\x01\x1f",
    ),
    *("über", "日本語", "🎈", "\ufffe\uffff", "'", "null", "1e9", "007", "x" * 200),
)
NUMBERS = (0, 1, -1, -1_000, 999_999_999_999_999, -(10**15), 2**53 + 1, 9 * 10**18, -9 * 10**18)
AT = datetime(2026, 11, 20, 9, 30, 0, 1, tzinfo=UTC)


def rows(count: int) -> list[Row]:
    """Return so many rows, the odd ones first."""
    words = (*FORMULAS, *ODD)
    return [
        (
            words[n] if n < len(words) else f"order-{n // 3}",
            NUMBERS[n % len(NUMBERS)],
            date(1970, 1, 1) + timedelta(days=n % 40_000),
            AT + timedelta(seconds=n, microseconds=n),
        )
        for n in range(count)
    ]


def told(encode: Encode, told_rows: list[Row], batch: int = 100, **more: Any) -> bytes:
    """Encode rows in batches, and check that nothing waits for the end that need not."""

    def batches() -> Iterator[list[Row]]:
        for start in range(0, len(told_rows), batch):
            yield told_rows[start : start + batch]

    return b"".join(encode(Table("things", COLUMNS, batches(), **more)))
