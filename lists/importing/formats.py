"""What kind of file was uploaded: a text table, a workbook, a ZIP archive, or something refused by what it is.

The content decides, never the name; the name of a file inside a ZIP archive is all that is known of it beforehand.
Nothing is unpacked before the archive's own directory has said how large it would become.
"""

import codecs
import json
import mmap
import re
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Literal

from lists.importing.refusals import FileRefused

SAMPLE_BYTES = 64 * 1024
LARGEST_UNPACKED = 200 * 1024 * 1024
"""Bytes that all the files of an archive, or the parts of a workbook, may have together once unpacked."""
LARGEST_RATIO = 100
"""How many times larger than the archive its content may be; more than that is made to fill a disk."""
TOO_SMALL_TO_HARM = 10 * 1024 * 1024
"""Bytes below which the ratio does not matter: a small sheet of equal rows packs very well."""

Kind = Literal["text", "workbook", "zip"]

_SAVE_AS = "Open it in its program, save it as .xlsx or CSV (UTF-8), and upload that file."
_UNPACK = "Unpack it and upload the table inside."
_EXPORT = "Export the contacts as a table (.xlsx or CSV) and upload that file."
_ASK_FOR_TABLE = "Upload the table itself, saved as .xlsx or CSV."

_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF-", "a PDF document", "Ask for the table it was made from, saved as .xlsx or CSV."),
    (b"\x1f\x8b", "a gzip archive", _UNPACK),
    (b"BZh", "a bzip2 archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"\xfd7zXZ\x00", "an xz archive", _UNPACK),
    (b"\x89PNG\r\n\x1a\n", "a picture (PNG)", _ASK_FOR_TABLE),
    (b"\xff\xd8\xff", "a picture (JPEG)", _ASK_FOR_TABLE),
    (b"GIF8", "a picture (GIF)", _ASK_FOR_TABLE),
    (b"{\\rtf", "a text document (RTF)", _SAVE_AS),
    (b"SQLite format 3\x00", "a database file", _EXPORT),
    (b"PAR1", "a Parquet file", _EXPORT),
)
"""(first bytes, what it is, what to do)"""

_OPEN_IN_EXCEL = "open it in Excel and save it as .xlsx or CSV"
_TEXTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), message)
    for pattern, message in (
        (r"BEGIN:VCARD", f"This is a set of contact cards (vCard), not a table. {_EXPORT}"),
        (r"BEGIN:VCALENDAR", f"This is a calendar, not a table. {_EXPORT}"),
        (
            r"MIME-Version:.{0,2000}Content-Type:",
            f"This is a web archive under the name of a workbook, as some programs make: {_OPEN_IN_EXCEL}.",
        ),
        (
            r"<\?xml\b.{0,2000}urn:schemas-microsoft-com:office:(?:spreadsheet|excel)",
            f"This is an XML table under the name of a workbook, as Excel 2003 made: {_OPEN_IN_EXCEL}.",
        ),
        (
            r"<(?!.*(?:<form\b|type=.?password))(?:!doctype|!--|\?xml|html|head|body|meta|style|div)\b.*<table\b",
            f"This is an HTML table under the name of a workbook, as many portals make: {_OPEN_IN_EXCEL}.",
        ),
        (r"<table\b", f"This is an HTML table under the name of a workbook, as many portals make: {_OPEN_IN_EXCEL}."),
        (
            r"<(?:!doctype html|html|head|body|!--|meta|form|div|script)\b|<\?xml\b.{0,500}<html\b",
            "This is a web page, not a table; a download that asks to log in first often ends like this. "
            "Download the file again while logged in.",
        ),
        (r"<\?xml\b", f"This is an XML file, not a table. {_EXPORT}"),
    )
)
"""(how a text begins, what is said of it); the first that fits speaks"""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_JSON = re.compile(r"\s*(?:\{\s*(?:\"|\})|\[\s*(?:[\[{\"]|\]))")


def kind(path: Path | str) -> Kind:
    """What a file is by its content. Raises FileRefused for what is neither a table nor holds one."""
    path = Path(path)
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
    if not head:
        raise FileRefused("empty", "The file is empty. Export it again and check that it has rows.")
    for signature, what, advice in _SIGNATURES:
        if head.startswith(signature):
            raise FileRefused("not_a_table", f"This is {what}, not a table. {advice}")
    if head.startswith(_OLE):
        return _old_office(path)
    if head.startswith(_ZIP):
        return _archive(path)
    _refuse_text_that_is_no_table(head)
    return "text"


def _old_office(path: Path) -> Kind:
    """A file of Office before 2007, or one that Office has encrypted; its directory names its parts in UTF-16."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        parts = {
            name for name in ("EncryptedPackage", "Workbook", "Book") if content.find(name.encode("utf-16-le")) > 0
        }
    if "EncryptedPackage" in parts:
        raise password_needed()
    if not parts:
        raise FileRefused("not_a_table", f"This is an Office document, not a table. {_SAVE_AS}")
    return "workbook"


def password_needed(what: str = "workbook") -> FileRefused:
    return FileRefused("password", f"This {what} is protected by a password. Save it without one and upload it again.")


_OFFICE_PARTS: tuple[tuple[str, str], ...] = (
    ("word/", "a Word document"),
    ("ppt/", "a presentation"),
    ("Index/Document.iwa", "a document of Numbers, Pages or Keynote"),
)
_SPREADSHEET = "application/vnd.oasis.opendocument.spreadsheet"


def _archive(path: Path) -> Kind:
    """A workbook and a plain archive are both ZIP files; the names inside tell which."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            media_type = ""
            if names and names[0] == "mimetype" and archive.getinfo("mimetype").file_size < 200:
                media_type = archive.read("mimetype").decode("latin-1")
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise _damaged_archive() from error
    if any(name.startswith("xl/") for name in names) or media_type.startswith(_SPREADSHEET):
        return "workbook"
    if media_type:
        raise FileRefused("not_a_table", f"This is an OpenDocument file that is no spreadsheet. {_SAVE_AS}")
    for part, what in _OFFICE_PARTS:
        if any(name.startswith(part) for name in names):
            raise FileRefused("not_a_table", f"This is {what}, not a table. {_SAVE_AS}")
    return "zip"


def _damaged_archive() -> FileRefused:
    return FileRefused("damaged_archive", "This ZIP archive or workbook is damaged. Save or download it again.")


def _refuse_text_that_is_no_table(head: bytes) -> None:
    text = _as_text(head).lstrip()
    for begins, message in _TEXTS:
        if begins.match(text):
            raise FileRefused("not_a_table", message)
    if _JSON.match(text) and _looks_like_json(text):
        raise FileRefused("not_a_table", f"This is a JSON file, not a table. {_EXPORT}")


def _as_text(head: bytes) -> str:
    """Markup and marks read right in any encoding that has ASCII in it."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "latin-1"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if head.startswith(mark):
            return head.removeprefix(mark).decode(encoding, errors="replace")
    return head.decode("latin-1")


def _looks_like_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        # The head of a long file is cut off somewhere; keys and colons tell it from a table that begins with a bracket.
        return bool(re.search(r"\"\s*:\s*[\[{\"0-9tfn-]", text[:4096]))
    return True


def refuse_binary(head: bytes) -> None:
    """Raise FileRefused for bytes that are no text in any encoding; UTF-16 and UTF-32 must be ruled out before."""
    control = sum(head.count(bytes([code])) for code in (*range(1, 9), *range(14, 27), *range(28, 32), 127))
    if control > max(len(head) * 0.02, 2):
        raise FileRefused("not_a_table", f"This file is not text, so it is not a table. {_SAVE_AS}")


# --- archives ---------------------------------------------------------------------------------------------------------

TABLE_ENDINGS = (".csv", ".tsv", ".tab", ".txt", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")


def refuse_too_large(path: Path, archive: zipfile.ZipFile, largest_bytes: int = LARGEST_UNPACKED) -> None:
    """Raise FileRefused when an archive says of itself that it holds more than we unpack."""
    unpacked = sum(info.file_size for info in archive.infolist())
    allowed = min(largest_bytes, max(LARGEST_RATIO * path.stat().st_size, TOO_SMALL_TO_HARM))
    if unpacked > allowed:
        raise too_large_unpacked(largest_bytes)


def too_large_unpacked(largest_bytes: int = LARGEST_UNPACKED) -> FileRefused:
    return FileRefused(
        "too_large",
        f"Unpacked, this file would be over {largest_bytes // 1024 // 1024} MB or more than {LARGEST_RATIO} times its "
        "size. Split it into several files, or save it as CSV.",
    )


def table_in_zip(source: Path, target: Path, largest_bytes: int = LARGEST_UNPACKED) -> str:
    """Unpack the one table of an archive into `target`; its name inside. Raises FileRefused, leaving no file."""
    try:
        with zipfile.ZipFile(source) as archive:
            refuse_too_large(source, archive, largest_bytes)
            table = _only_table(archive)
            with archive.open(table) as packed, target.open("wb") as file:
                size = 0
                while block := packed.read(SAMPLE_BYTES):
                    size += len(block)
                    if size > table.file_size:  # the directory lied
                        raise too_large_unpacked(largest_bytes)
                    file.write(block)
    except FileRefused:
        target.unlink(missing_ok=True)
        raise
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        target.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:  # a full disk is not the archive's fault
            raise
        raise _damaged_archive() from error
    return table.filename


def _only_table(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    tables = [info for info in archive.infolist() if _is_table(info.filename)]
    if not tables:
        raise no_table()
    if len(tables) > 1:
        names = ", ".join(f"“{PurePosixPath(info.filename).name}”" for info in tables[:5])
        more = f" and {len(tables) - 5} more" if len(tables) > 5 else ""
        raise FileRefused(
            "several_tables",
            f"This ZIP archive holds {len(tables)} tables: {names}{more}. Unpack it and upload them one by one.",
        )
    if tables[0].flag_bits & 0x1:
        raise password_needed("ZIP archive")
    return tables[0]


def no_table() -> FileRefused:
    return FileRefused("no_table", "This ZIP archive holds no table. Put one .csv, .xlsx, .xls or .ods file into it.")


def _is_table(name: str) -> bool:
    """Whether a name is that of a table; what macOS and hidden folders add is none."""
    parts = PurePosixPath(name).parts
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return not name.endswith("/") and not hidden and name.lower().endswith(TABLE_ENDINGS)
