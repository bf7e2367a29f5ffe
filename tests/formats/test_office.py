"""LibreOffice, where there is one, opens what was written: the same rows, sheets and sums."""

import csv
import io
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest

from skeldir.formats import xlsx
from tests.formats.world import COLUMNS, rows, told

SOFFICE = shutil.which("soffice")
SECONDS_MAX = 120
# Comma, double quote, UTF-8, from the first line on, no cell quoted for being a text, values as they are
# stored and not as they are shown, and every sheet into a file of its own.
AS_CSV = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"


@pytest.mark.skipif(SOFFICE is None, reason="there is no soffice (LibreOffice) on the path")
def test_every_sheet_opens_with_the_same_rows_and_sums(tmp_path: Path) -> None:
    """Amounts beyond 15 digits are texts to it and lose nothing; formulas stay texts; dates are dates."""
    sent = rows(2_500)
    book = tmp_path / "book.xlsx"
    book.write_bytes(told(partial(xlsx.encode, rows_per_sheet=1_001), sent))
    opened = converted(book)
    assert [path.stem for path in opened] == ["book-things", "book-things 2", "book-things 3"]
    sheets = [list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))) for path in opened]
    assert {tuple(sheet[0]) for sheet in sheets} == {tuple(column.name for column in COLUMNS)}
    lines = [line for sheet in sheets for line in sheet[1:]]
    assert len(lines) == len(sent)
    assert [int(line[1]) for line in lines] == [row[1] for row in sent]
    assert lines[0][0] == sent[0][0], "a formula stays a text"
    assert lines[-1][0] == sent[-1][0]


def converted(book: Path) -> list[Path]:
    """Have LibreOffice write each sheet as CSV; return the files in the order of the sheets."""
    command = [
        *(str(SOFFICE), "--headless", f"-env:UserInstallation={(book.parent / 'profile').as_uri()}"),
        *("--convert-to", AS_CSV, "--outdir", str(book.parent), str(book)),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=SECONDS_MAX)
    return sorted(book.parent.glob("*.csv"), key=lambda path: (len(path.stem), path.stem))
