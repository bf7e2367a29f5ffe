"""The parts of a workbook around its rows, and how a text becomes a cell (ECMA-376 part 1)."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

DATE_STYLE, INSTANT_STYLE = 1, 2
SHEET_END: Final = b"</sheetData></worksheet>"

_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_WIDTH: Final = 24

# What XML cannot hold, or would not give back, is written _xHHHH_; so must be what looks like that
# already (ST_Xstring, part 1 §22.9.2.19). The markup itself is escaped as ever.
_UNFIT: Final = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff&<>]|_(?=x[0-9A-Fa-f]{4}_)")
_MARKUP: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


@lru_cache(maxsize=4_096)  # names repeat in their column, and ids line after line
def text_cell(text: str) -> str:
    """Write a text; it is one whatever it begins with, so that nothing is ever calculated."""
    if _UNFIT.search(text):
        text = _UNFIT.sub(_escaped, text)
    space = "" if text == text.strip() else ' xml:space="preserve"'
    return f'<c t="inlineStr"><is><t{space}>{text}</t></is></c>'


def sheet_path(number: int) -> str:
    """Return where the sheet of a number is, from 1 on."""
    return f"xl/worksheets/sheet{number}.xml"


def sheet_head(columns: int) -> str:
    """Return what stands before a sheet's rows: the first one stays in sight."""
    pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    view = f'<sheetViews><sheetView workbookViewId="0">{pane}</sheetView></sheetViews>'
    widths = f'<cols><col min="1" max="{columns}" width="{_WIDTH}" customWidth="1"/></cols>'
    return f'{_XML}<worksheet xmlns="{_MAIN}">{view}{widths}<sheetData>'


def around(sheets: Sequence[str]) -> dict[str, str]:
    """Return every part but the sheets themselves, by path."""
    numbers = range(1, len(sheets) + 1)
    listed = "".join(
        f'<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>'
        for number, name in zip(numbers, sheets, strict=True)
    )
    related = "".join(
        _relation(number, "worksheet", f"worksheets/sheet{number}.xml") for number in numbers
    ) + _relation(len(sheets) + 1, "styles", "styles.xml")
    types = "".join(
        f'<Override PartName="/{path}" ContentType="{_TYPE}.{kind}+xml"/>'
        for path, kind in [
            ("xl/workbook.xml", "sheet.main"),
            ("xl/styles.xml", "styles"),
            *((sheet_path(number), "worksheet") for number in numbers),
        ]
    )
    return {
        "[Content_Types].xml": (
            f'{_XML}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
            f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{types}</Types>'
        ),
        "_rels/.rels": _relations(_relation(1, "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": (
            f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": _relations(related),
        "xl/styles.xml": _STYLES,
    }


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    return _MARKUP.get(character) or f"_x{ord(character):04X}_"


def _relation(number: int, kind: str, target: str) -> str:
    return f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'


def _relations(listed: str) -> str:
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


# Excel wants one font, two fills, one border and one named style before it believes in cell formats.
_STYLES: Final = (
    f'{_XML}<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
