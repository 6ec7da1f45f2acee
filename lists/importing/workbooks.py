"""Workbooks (XLSX, XLS, ODS) into plain tables, once, in a process of their own that gives its memory back.

The plain table is UTF-8, separated by commas, and line N of it is row N of the sheet, so everything after is the road
of any other file. Numbers come as whole digits, without exponent; dates as 2026-07-01.

    python -m lists.importing.workbooks SOURCE TARGET LARGEST_CELLS LARGEST_BYTES [SHEET]

prints one JSON object: what was converted, or the refusal.
"""

import csv
import io
import json
import math
import re
import resource
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, NamedTuple

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from lists.importing.formats import LARGEST_UNPACKED, password_needed, refuse_too_large
from lists.importing.refusals import FileRefused

LARGEST_CELLS = 50_000_000
LARGEST_PLAIN = 500 * 1024 * 1024
"""Bytes of the plain table."""
LONGEST_SECONDS = 300
MOST_MEMORY = 3 * 1024 * 1024 * 1024
"""Bytes the process may ask for: the whole sheet is held at once, about 70 MB for each 100,000 rows."""
LINE_BREAK = "\u2028"
"""What stands for a line break inside a cell, so that a row stays one line."""

_ROOT = Path(__file__).resolve().parents[2]


class Sheet(NamedTuple):
    """A sheet of a workbook and the size of the area in use."""

    name: str
    rows: int
    columns: int


@dataclass(frozen=True)
class Converted:
    """The sheets a workbook has, in its own order, and the one that was turned into a plain table."""

    sheets: tuple[Sheet, ...]
    sheet: str


def plain_table(
    source: Path,
    target: Path,
    *,
    sheet: str | None = None,
    largest_cells: int = LARGEST_CELLS,
    largest_bytes: int = LARGEST_PLAIN,
    longest_seconds: float = LONGEST_SECONDS,
) -> Converted:
    """Write one sheet of a workbook to `target` as a plain table. Raises FileRefused; then `target` is not left behind.

    sheet  its name; None takes the first that holds anything
    """
    if zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            refuse_too_large(source, archive, LARGEST_UNPACKED)
    command = [sys.executable, "-m", __name__, str(source.resolve()), str(target.resolve())]
    command += [str(largest_cells), str(largest_bytes), *([] if sheet is None else [sheet])]
    try:
        done = subprocess.run(command, cwd=_ROOT, capture_output=True, timeout=longest_seconds, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        answer = _as_answer(_too_large())
    else:
        if done.returncode == 0:
            answer = json.loads(done.stdout)
        else:  # a signal ends it where memory does; a workbook that breaks the reader ends it by itself
            answer = _as_answer(_too_large() if done.returncode < 0 else _damaged())
    if "refused" in answer:
        target.unlink(missing_ok=True)
        raise FileRefused(answer["refused"], answer["message"])
    return Converted(tuple(Sheet(*known) for known in answer["sheets"]), answer["sheet"])


def _as_answer(refusal: FileRefused) -> dict[str, str]:
    return {"refused": refusal.code, "message": refusal.message}


def _too_large() -> FileRefused:
    return FileRefused(
        "too_large", "This workbook is too large to be read as one. Save the sheet as CSV, or split it into several."
    )


def _damaged() -> FileRefused:
    return FileRefused(
        "damaged_workbook", "This workbook is damaged. Open it in its program, save it again, and upload that file."
    )


# --- inside the process -----------------------------------------------------------------------------------------------


def convert(source: Path, target: Path, largest_cells: int, largest_bytes: int, sheet: str | None) -> Converted:
    """As `plain_table`, in this very process."""
    try:
        with _opened(source) as workbook:
            names = [known.name for known in workbook.sheets_metadata if known.typ == SheetTypeEnum.WorkSheet]
            hidden = {known.name for known in workbook.sheets_metadata if known.visible != SheetVisibleEnum.Visible}
            sheets = [_measured(workbook.get_sheet_by_name(name)) for name in names]
            chosen = _chosen(sheets, hidden, sheet)
            if chosen.rows * chosen.columns > largest_cells:
                raise _too_large()
            _write(workbook.get_sheet_by_name(chosen.name), target, largest_bytes)
    except PasswordError as error:
        raise password_needed() from error
    except CalamineError as error:
        raise _damaged() from error
    return Converted(tuple(sheets), chosen.name)


def _opened(source: Path) -> CalamineWorkbook:
    """The workbook; one whose list of sheets is missing or broken gets one made from the sheets that are there."""
    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(source.read_bytes()))
    except PasswordError:
        raise
    except CalamineError:
        repaired = _with_list_of_sheets(source)
        if repaired is None:
            raise
        return CalamineWorkbook.from_filelike(repaired)


_XML = "http://schemas.openxmlformats.org"
_RELATED = f"{_XML}/officeDocument/2006/relationships"
_REBUILT = ("_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels")
_SHEET_PART = re.compile(r"xl/worksheets/(sheet(\d+)\.xml)").fullmatch


def _with_list_of_sheets(source: Path) -> IO[bytes] | None:
    """An XLSX file whose sheets are all listed; None where there is none, or it is no XLSX file at all."""
    if not zipfile.is_zipfile(source):
        return None
    repaired = io.BytesIO()
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(repaired, "w", zipfile.ZIP_DEFLATED) as made:
        parts = set(archive.namelist())
        sheets = sorted((int(match[2]), match[1]) for part in parts if (match := _SHEET_PART(part)))
        if not sheets:
            return None
        for part in parts.difference(_REBUILT):
            made.writestr(part, archive.read(part))
        related = [(f"r{number}", "worksheet", f"worksheets/{name}") for number, name in sheets]
        related += [(kind, kind, f"{kind}.xml") for kind in ("sharedStrings", "styles") if f"xl/{kind}.xml" in parts]
        listed = "".join(f'<sheet name="Sheet{number}" sheetId="{number}" r:id="r{number}"/>' for number, _ in sheets)
        made.writestr("_rels/.rels", _relationships([("r1", "officeDocument", "xl/workbook.xml")]))
        made.writestr("xl/_rels/workbook.xml.rels", _relationships(related))
        made.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_XML}/spreadsheetml/2006/main" xmlns:r="{_RELATED}">'
            f"<sheets>{listed}</sheets></workbook>",
        )
    repaired.seek(0)
    return repaired


def _relationships(related: Iterable[tuple[str, str, str]]) -> str:
    entries = "".join(f'<Relationship Id="{key}" Type="{_RELATED}/{kind}" Target="{to}"/>' for key, kind, to in related)
    return f'<Relationships xmlns="{_XML}/package/2006/relationships">{entries}</Relationships>'


def _measured(sheet: CalamineSheet) -> Sheet:
    rows = sheet.end[0] + 1 if sheet.end else 0
    return Sheet(sheet.name, rows, sheet.width)


def _chosen(sheets: Sequence[Sheet], hidden: set[str], name: str | None) -> Sheet:
    if name is not None:
        for sheet in sheets:
            if sheet.name.strip().casefold() == name.strip().casefold():
                return sheet
        names = ", ".join(f"“{sheet.name}”" for sheet in sheets)
        raise FileRefused("unknown_sheet", f"The workbook has no sheet “{name}”. Its sheets are: {names}.")
    filled = [sheet for sheet in sheets if sheet.rows]
    if not filled:
        raise FileRefused("empty", "The workbook holds nothing. Check that the contacts are in it, and save it again.")
    # A title sheet or a word to the reader often comes first; what has rows and columns is a table.
    seen = [sheet for sheet in filled if sheet.name not in hidden] or filled
    tables = [sheet for sheet in seen if sheet.rows > 1 and sheet.columns > 1]
    return (tables or [sheet for sheet in seen if sheet.rows > 1] or seen)[0]


def _write(sheet: CalamineSheet, target: Path, largest_bytes: int) -> None:
    """One line for each row of the sheet, cut after the last column that holds anything; blank rows are blank lines."""
    width = _used_width(sheet.iter_rows())
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for number, row in enumerate(sheet.iter_rows()):
            cells = [_text(value) for value in row[:width]]
            writer.writerow(cells if any(cells) else [])
            if number % 1000 == 0 and file.tell() > largest_bytes:
                raise _too_large()


def _used_width(rows: Iterable[Sequence[Any]]) -> int:
    width = 0
    for row in rows:
        for at in range(len(row) - 1, width - 1, -1):
            if row[at] != "":
                width = at + 1
                break
    return width


_BREAKS = re.compile("\r\n|\r|\n")


def _text(value: Any) -> str:
    """A cell as it would be typed by hand."""
    if isinstance(value, str):
        if "\n" in value or "\r" in value:
            value = _BREAKS.sub(LINE_BREAK, value)
        return value.replace("\0", "")
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        if value.is_integer():
            return str(int(value))
        return format(Decimal(repr(value)), "f") if math.isfinite(value) else ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _main(source: str, target: str, largest_cells: str, largest_bytes: str, sheet: str | None = None) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    answer: dict[str, Any]
    try:
        answer = asdict(convert(Path(source), Path(target), int(largest_cells), int(largest_bytes), sheet))
    except FileRefused as refusal:
        answer = _as_answer(refusal)
    except MemoryError:
        answer = _as_answer(_too_large())
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    _main(*sys.argv[1:])
