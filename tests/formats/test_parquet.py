"""pyarrow, which shares nothing with the writer, reads what was written, with its types."""

import io

import pyarrow as pa
import pyarrow.parquet as pq

from skeldir.formats import parquet
from skeldir.formats.parquet_columns import ROWS_MAX
from tests.formats.world import rows, told


def test_every_value_comes_back_with_its_type() -> None:
    sent = rows(3_001)
    table = pq.read_table(io.BytesIO(told(parquet.encode, sent)))
    assert [(field.name, field.type, field.nullable) for field in table.schema] == [
        ("word", pa.string(), False),
        ("cents", pa.int64(), False),
        ("day", pa.date32(), False),
        ("at", pa.timestamp("us", tz="UTC"), False),
    ]
    assert [tuple(row.values()) for row in table.to_pylist()] == sent


def test_row_groups_follow_each_other_and_each_is_written_when_it_is_full() -> None:
    """More rows than a group holds are several, and bytes come out before the end."""
    sent = rows(ROWS_MAX + 5_000)
    written = told(parquet.encode, sent, batch=2_000)
    file = pq.ParquetFile(io.BytesIO(written))
    assert file.num_row_groups == 2
    assert file.metadata.row_group(0).num_rows <= ROWS_MAX
    assert file.read().column("word").to_pylist() == [row[0] for row in sent]
    assert [int(c) for c in file.read(["cents"]).column("cents").to_pylist()] == [row[1] for row in sent]


def test_the_footer_says_what_the_table_is() -> None:
    written = told(parquet.encode, rows(1), head={"model": "linear"}, tail=lambda: {"row_count": 1})
    told_of_it = pq.ParquetFile(io.BytesIO(written)).metadata.metadata
    assert told_of_it == {b"model": b"linear", b"row_count": b"1"}


def test_no_rows_are_a_file_with_columns() -> None:
    table = pq.read_table(io.BytesIO(told(parquet.encode, [])))
    assert (table.num_rows, table.column_names) == (0, ["word", "cents", "day", "at"])
