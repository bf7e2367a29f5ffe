"""CSV goes through other people's readers unharmed, and harms no spreadsheet."""

import csv
import io
from datetime import date, datetime

import pytest

from skeldir.formats import delimited
from skeldir.formats.delimited import neutral
from tests.formats.world import COLUMNS, FORMULAS, ODD, rows, told


def test_every_value_comes_back_from_a_reader_of_rfc_4180() -> None:
    """Except that what would be calculated has its apostrophe."""
    sent = rows(3_000)
    written = told(delimited.encode, sent).decode("utf-8")
    head, *lines = csv.reader(io.StringIO(written, newline=""), strict=True)
    assert head == [column.name for column in COLUMNS]
    assert [
        (line[0], int(line[1]), date.fromisoformat(line[2]), datetime.fromisoformat(line[3]))
        for line in lines
    ] == [(neutral(word), cents, day, at) for word, cents, day, at in sent]


def test_lines_end_as_the_rfc_says() -> None:
    written = told(delimited.encode, [r for r in rows(400) if str(r[0]).startswith("order")])
    assert written.endswith(b"\r\n")
    assert written.count(b"\n") == written.count(b"\r\n")
    assert not written.startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_calculate_is_shown_instead(text: str) -> None:
    assert neutral(text) == f"'{text}"


@pytest.mark.parametrize("text", ODD)
def test_what_it_would_not_calculate_is_left_alone(text: str) -> None:
    assert neutral(text) == text


def test_numbers_stay_numbers_and_texts_stand_in_quotes() -> None:
    """A negative amount has no apostrophe; a text with another separator opens no cell."""
    lines = told(delimited.encode, [("a;=1+1", -1_000, date(2026, 1, 1), rows(1)[0][3])]).split(b"\r\n")
    assert lines[1] == b'"a;=1+1",-1000,"2026-01-01","2026-11-20T09:30:00.000001Z"'


def test_no_rows_are_a_head_alone() -> None:
    assert told(delimited.encode, []) == b'"word","cents","day","at"\r\n'
