"""openpyxl, which shares nothing with the writer, opens what was written."""

import io
import zipfile
from datetime import UTC, timedelta
from functools import partial
from xml.etree import ElementTree as ET

import openpyxl
import pytest

from skeldir.formats import xlsx
from tests.formats.world import COLUMNS, FORMULAS, rows, told


def test_every_value_comes_back() -> None:
    """Amounts that a double cannot hold as text, instants to the millisecond."""
    sent = rows(1_050)
    book = openpyxl.load_workbook(io.BytesIO(told(xlsx.encode, sent)))
    head, *lines = book["things"].iter_rows(values_only=True)
    assert head == tuple(column.name for column in COLUMNS)
    assert len(lines) == len(sent)
    for (word, cents, day, at), line in zip(sent, lines, strict=True):
        escaped = {"\ufffe\uffff": "_xFFFE__xFFFF_", "_x0041_": "_x005F_x0041_", "\x01\x1f": "_x0001__x001F_"}
        assert (line[0] or "").replace("_x000D_", "\r") == escaped.get(word, word)
        assert line[1] == (cents if abs(cents) < 10**15 else str(cents))
        assert line[2].date() == day
        assert abs(line[3].replace(tzinfo=UTC) - at) < timedelta(milliseconds=1)


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_is_a_formula(text: str) -> None:
    """A cell is of the type that the column says."""
    book = openpyxl.load_workbook(io.BytesIO(told(xlsx.encode, [(text, -5, rows(1)[0][2], rows(1)[0][3])])))
    word, cents, *_ = next(book["things"].iter_rows(min_row=2))
    assert (word.data_type, cents.data_type, cents.value) == ("s", "n", -5)


def test_a_full_sheet_is_followed_by_another_with_the_same_head() -> None:
    sent = rows(250)
    book = openpyxl.load_workbook(io.BytesIO(told(partial(xlsx.encode, rows_per_sheet=101), sent)))
    assert book.sheetnames == ["things", "things 2", "things 3"]
    assert [sheet.max_row for sheet in book] == [101, 101, 51]
    assert {sheet["B1"].value for sheet in book} == {"cents"}
    told_cents = [line[1] for sheet in book for line in sheet.iter_rows(min_row=2, values_only=True)]
    assert list(map(int, told_cents)) == [row[1] for row in sent]


def test_so_is_one_that_grows_too_large_for_a_plain_archive() -> None:
    """A sheet's size is that of its XML: long texts reach 2 GiB before Excel's limit of rows."""
    sent = rows(350)
    written = told(partial(xlsx.encode, bytes_per_sheet=20_000), sent, batch=10)
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        sizes = [part.file_size for part in archive.infolist() if "/sheet" in part.filename]
    assert len(sizes) > 1
    assert all(20_000 <= size < 25_000 for size in sizes[:-1])
    book = openpyxl.load_workbook(io.BytesIO(written))
    told_cents = [line[1] for sheet in book for line in sheet.iter_rows(min_row=2, values_only=True)]
    assert list(map(int, told_cents)) == [row[1] for row in sent]


def test_the_archive_is_plain_and_its_xml_well_formed() -> None:
    """No part has its size behind it or needs 64 bits: Excel refuses what other readers forgive."""
    written = told(xlsx.encode, rows(100))
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        assert archive.testzip() is None
        for part in archive.infolist():
            assert not part.flag_bits & 0x08, "a data descriptor"
            assert part.extra == b"", "zip64"
            ET.fromstring(archive.read(part))
