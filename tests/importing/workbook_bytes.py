"""Small workbooks as bytes, made by hand: what the tests need of XLSX, ODS and XLS, and no more."""

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

Cell = str | int | float | bool | None
Rows = Sequence[Sequence[Cell]]

_XML = "http://schemas.openxmlformats.org"
_MAIN, _RELATED = f"{_XML}/spreadsheetml/2006/main", f"{_XML}/officeDocument/2006/relationships"
DATE, DATE_TIME = 14, 22
"""Number formats of Excel."""


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def xlsx(
    sheets: Mapping[str, Rows], *, hidden: Sequence[str] = (), formats: Mapping[tuple[int, int], int] | None = None
) -> bytes:
    """A workbook of Excel; "#REF!" is an error. formats: {(row, column) from 0: number format}"""
    names, formats, states = list(sheets), formats or {}, ("visible", "hidden")
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{at}" r:id="r{at}" state="{states[name in hidden]}"/>'
        for at, name in enumerate(names, start=1)
    )
    related = [("worksheet", f"worksheets/sheet{at}.xml") for at, _ in enumerate(names, start=1)]
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_XML}/package/2006/content-types"/>',
        "_rels/.rels": _relationships([("officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATED}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relationships([*related, ("styles", "styles.xml")]),
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="{DATE}"/>'
        f'<xf numFmtId="{DATE_TIME}"/></cellXfs></styleSheet>',
    }
    for at, rows in enumerate(sheets.values(), start=1):
        body = ""
        for y, row in enumerate(rows):
            cells = (_xlsx_cell(cell, y, x, formats.get((y, x))) for x, cell in enumerate(row))
            body += f'<row r="{y + 1}">{"".join(cells)}</row>'
        parts[f"xl/worksheets/sheet{at}.xml"] = f'<worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData></worksheet>'
    return zipped(parts)


def _relationships(related: Sequence[tuple[str, str]]) -> str:
    entries = "".join(
        f'<Relationship Id="r{at}" Type="{_RELATED}/{kind}" Target="{target}"/>'
        for at, (kind, target) in enumerate(related, start=1)
    )
    return f'<Relationships xmlns="{_XML}/package/2006/relationships">{entries}</Relationships>'


def _xlsx_cell(cell: Cell, y: int, x: int, number_format: int | None) -> str:
    where = f'r="{chr(65 + x)}{y + 1}"'
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return f'<c {where} t="b"><v>{int(cell)}</v></c>'
    if isinstance(cell, str) and cell.startswith("#"):
        return f'<c {where} t="e"><v>{cell}</v></c>'
    if isinstance(cell, str):
        return f'<c {where} t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
    style = {DATE: 1, DATE_TIME: 2}.get(number_format or 0, 0)
    return f'<c {where} s="{style}"><v>{cell!r}</v></c>'


def ods(sheets: Mapping[str, Rows]) -> bytes:
    """A workbook of LibreOffice."""
    tables = ""
    for name, rows in sheets.items():
        body = "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)
        tables += f'<table:table table:name="{escape(name)}">{body}</table:table>'
    space = "urn:oasis:names:tc:opendocument:xmlns"
    spaces = " ".join(f'xmlns:{part}="{space}:{part}:1.0"' for part in ("office", "table", "text"))
    body = f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{space}:manifest:1.0"/>',
            "content.xml": f"<office:document-content {spaces}>{body}</office:document-content>",
        }
    )


def _ods_cell(cell: Cell) -> str:
    if cell is None:
        return "<table:table-cell/>"
    if isinstance(cell, str):
        return f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>'
    return f'<table:table-cell office:value-type="float" office:value="{cell!r}"/>'


def xls(rows: Rows, name: str = "Sheet1") -> bytes:
    """A workbook of Excel 97: BIFF8 records in an OLE container."""
    cells = b"".join(
        _biff(0x0203, struct.pack("<HHHd", y, x, 0, cell))
        if isinstance(cell, int | float)
        else _biff(0x0204, struct.pack("<HHHHB", y, x, 0, len(str(cell)), 0) + str(cell).encode("latin-1"))
        for y, row in enumerate(rows)
        for x, cell in enumerate(row)
        if cell is not None
    )
    begin, end = struct.pack("<HHHHII", 0x0600, 0, 0, 0, 0, 0), _biff(0x000A, b"")
    size = struct.pack("<IIHHH", 0, len(rows), 0, max(map(len, rows)), 0)
    sheet = _biff(0x0809, begin[:2] + b"\x10\0" + begin[4:]) + _biff(0x0200, size) + cells + end
    head = _biff(0x0809, begin[:2] + b"\x05\0" + begin[4:])
    at = len(head) + 4 + 8 + len(name) + len(end)
    listed = _biff(0x0085, struct.pack("<IBBBB", at, 0, 0, len(name), 0) + name.encode("latin-1"))
    return ole({"Workbook": head + listed + end + sheet})


def _biff(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def ole(streams: Mapping[str, bytes]) -> bytes:
    """An OLE container with up to three streams, each padded so that it needs no sectors for small streams."""
    free, last, fat_mark = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    fat, data = [fat_mark, last], b""
    entries = [_ole_entry("Root Entry", 5, last, 0, child=1)]
    for at, (name, content) in enumerate(streams.items(), start=1):
        padded = content.ljust(max(4096, -(-len(content) // 512) * 512), b"\0")
        first, sectors = len(fat), len(padded) // 512
        fat += [*range(first + 1, first + sectors), last]
        data += padded
        entries.append(_ole_entry(name, 2, first, len(padded), right=at + 1 if at < len(streams) else free))
    directory = b"".join(entries).ljust(512, b"\0")
    fat += [free] * (128 - len(fat))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIIII", 0, 1, 1, 0, 4096, last, 0, last, 0, 0) + struct.pack("<108I", *[free] * 108)
    return head + struct.pack("<128I", *fat) + directory + data


def _ole_entry(
    name: str, kind: int, first: int, size: int, *, child: int = 0xFFFFFFFF, right: int = 0xFFFFFFFF
) -> bytes:
    coded = name.encode("utf-16-le") + b"\0\0"
    tree = struct.pack("<HBBIII", len(coded), kind, 1, 0xFFFFFFFF, right, child)
    return coded.ljust(64, b"\0") + tree + bytes(36) + struct.pack("<IQ", first, size)
