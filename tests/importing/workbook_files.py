"""Workbooks and archives as programs save them, made from plain tables, so that no binary file has to be kept."""

import zipfile
from collections.abc import Mapping, Sequence
from datetime import date as Date
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

Cell = str | float | bool | None | dict[str, str]
"""A text, a number, a ticked box, nothing, or {"date": "2026-07-31"}."""
Sheets = Mapping[str, Sequence[Sequence[Cell]]]
"""{name of the sheet: its rows}, in the order of the tabs."""

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
DAY_ZERO = 693594
"""The ordinal of 30 December 1899, from which spreadsheets count days."""


def write_workbook(path: Path, sheets: Sheets) -> None:
    """Write an .xlsx or .ods, as the name says."""
    parts = {".xlsx": _xlsx, ".ods": _ods}[path.suffix](sheets)
    write_zip(path, {name: text.encode() for name, text in parts.items()})


def write_zip(path: Path, members: Mapping[str, bytes]) -> None:
    """Write an archive; the first member is stored as it is, as OpenDocument wants its own kind to be."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, (name, content) in enumerate(members.items()):
            archive.writestr(name, content, zipfile.ZIP_DEFLATED if place else zipfile.ZIP_STORED)


def _xlsx(sheets: Sheets) -> dict[str, str]:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    numbers = range(1, len(sheets) + 1)
    tabs = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{at}" r:id="rId{at}"/>'
        for at, name in zip(numbers, sheets, strict=True)
    )
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{at}.xml" ContentType="{kind}.worksheet+xml"/>' for at in numbers
    )
    relations = "".join(
        f'<Relationship Id="rId{at}" Type="{office}/worksheet" Target="worksheets/sheet{at}.xml"/>' for at in numbers
    )
    return {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/>{overrides}</Types>',
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{HEAD}<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{tabs}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships xmlns="{package}/relationships">{relations}'
        f'<Relationship Id="styles" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        # The second style is the built-in date, number format 14.
        "xl/styles.xml": f'{HEAD}<styleSheet xmlns="{main}"><fonts count="1"><font/></fonts>'
        '<fills count="1"><fill/></fills><borders count="1"><border/></borders>'
        '<cellStyleXfs count="1"><xf/></cellStyleXfs>'
        '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
        **{
            f"xl/worksheets/sheet{at}.xml": f'{HEAD}<worksheet xmlns="{main}"><sheetData>{_xlsx_rows(rows)}</sheetData>'
            "</worksheet>"
            for at, rows in zip(numbers, sheets.values(), strict=True)
        },
    }


def _xlsx_rows(rows: Sequence[Sequence[Cell]]) -> str:
    written = []
    for line, row in enumerate(rows, 1):
        cells = "".join(_xlsx_cell(f"{chr(65 + at)}{line}", cell) for at, cell in enumerate(row))
        if cells:
            written.append(f'<row r="{line}">{cells}</row>')
    return "".join(written)


def _xlsx_cell(place: str, cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return f'<c r="{place}" t="b"><v>{int(cell)}</v></c>'
        case int() | float():
            return f'<c r="{place}"><v>{cell}</v></c>'
        case {"date": date}:
            return f'<c r="{place}" s="1"><v>{_day_number(date)}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{escape(str(cell))}</t></is></c>'


def _day_number(date: str) -> int:
    return Date.fromisoformat(date).toordinal() - DAY_ZERO


def _ods(sheets: Sheets) -> dict[str, str]:
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    names = {space: f"urn:oasis:names:tc:opendocument:xmlns:{space}:1.0" for space in ("office", "table", "text")}
    spaces = " ".join(f'xmlns:{space}="{name}"' for space, name in names.items())
    tables = "".join(
        f"<table:table table:name={quoteattr(name)}>{''.join(map(_ods_row, rows)) or _ods_row([])}</table:table>"
        for name, rows in sheets.items()
    )
    manifest = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    return {
        "mimetype": kind,
        "META-INF/manifest.xml": f'{HEAD}<manifest:manifest xmlns:manifest="{manifest}">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>',
        "content.xml": f'{HEAD}<office:document-content {spaces} office:version="1.2"><office:body>'
        f"<office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>",
    }


def _ods_row(row: Sequence[Cell]) -> str:
    return f"<table:table-row>{''.join(map(_ods_cell, row)) or _ods_cell(None)}</table:table-row>"


def _ods_cell(cell: Cell) -> str:
    match cell:
        case None:
            return "<table:table-cell/>"
        case bool():
            value = str(cell).lower()
            return f'<table:table-cell office:value-type="boolean" office:boolean-value="{value}"/>'
        case int() | float():
            return f'<table:table-cell office:value-type="float" office:value="{cell}"/>'
        case {"date": date}:
            return f'<table:table-cell office:value-type="date" office:date-value="{date}"/>'
    text = f"<text:p>{escape(str(cell))}</text:p>"
    return f'<table:table-cell office:value-type="string">{text}</table:table-cell>'
