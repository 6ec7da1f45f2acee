"""Whatever was uploaded, as a plain text table: out of its ZIP archive, out of its workbook."""

from dataclasses import dataclass
from pathlib import Path

from lists.importing import formats, workbooks
from lists.importing.workbooks import Sheet


@dataclass(frozen=True)
class Table:
    """A plain text table.

    path    the file itself, or the plain table made from it
    inside  the name the file has in its ZIP archive; "" where there is none
    sheets  of the workbook; empty where it is none
    sheet   the name of the one read
    """

    path: Path
    inside: str = ""
    sheets: tuple[Sheet, ...] = ()
    sheet: str = ""


def plain_table(
    source: Path, folder: Path, *, sheet: str | None = None, largest_bytes: int = formats.LARGEST_UNPACKED
) -> Table:
    """The table in a file. Raises FileRefused; then nothing is left in the folder.

    folder         where NAME.plain is made for a file that is no text table itself
    sheet          the name of the sheet of a workbook; None takes the first that holds anything
    largest_bytes  what the content of a ZIP archive may measure
    """
    kind, table, inside = formats.kind(source), source, ""
    plain = folder / f"{source.name}.plain"
    unpacked = folder / f"{source.name}.unpacked"
    try:
        if kind == "zip":
            inside = formats.table_in_zip(source, unpacked, largest_bytes)
            kind, table = formats.kind(unpacked), unpacked
            if kind == "zip":
                raise formats.no_table()
        if kind == "workbook":
            converted = workbooks.plain_table(table, plain, sheet=sheet)
            return Table(plain, inside, converted.sheets, converted.sheet)
        if inside:
            unpacked.rename(plain)
            return Table(plain, inside)
        return Table(source)
    finally:
        unpacked.unlink(missing_ok=True)
