"""What commands that take a file share: how it is read and matched, and what is answered of that."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from lists import jobs
from lists.fields import FIELDS, SUPPRESSION_FIELDS
from lists.importing import columns, flow, reading
from lists.importing.columns import NUMBERS, Mapping
from lists.importing.flow import ImportRefused, Target
from lists.importing.reading import Dialect
from lists.importing.refusals import FileRefused
from lists.importing.row_warnings import KINDS
from lists.management.base import JsonCommand, Refused
from lists.models import Import, ImportState, OnExisting, OtherPerson
from lists.phones import REGIONS, region_of

CHUNK = 1024 * 1024


def add_reading_arguments(parser: CommandParser) -> None:
    """How a file is read, whatever is detected."""
    parser.add_argument("--encoding", help="read it so, whatever is detected: utf-8, cp1252, …")
    parser.add_argument("--delimiter", help="one character, or comma, semicolon, tab, pipe, caret, tilde")
    parser.add_argument("--sheet", help="the sheet of a workbook; the first that holds anything when left out")
    header = parser.add_mutually_exclusive_group()
    header.add_argument("--header-line", type=int, metavar="N", help="the header is on this line of the file")
    header.add_argument("--header", action="store_true", help="the first line that holds anything is the header")
    header.add_argument("--no-header", action="store_true", help="the first row is a record too")


def header_asked(options: dict[str, Any]) -> tuple[bool | None, int | None]:
    """(whether there is a header, its line) as `reading.detect` takes them; None is for it to find out."""
    if options["header_line"] is not None:
        return True, options["header_line"]
    return (True if options["header"] else False if options["no_header"] else None), None


class FileCommand(JsonCommand):
    """A command that takes a file on the road of the pages, in this process."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            dest="mapped",
            metavar="field=Header",
            help="a field and its column, by header or as #3; extra=Header keeps a column, ignore=Header leaves it "
            "out; columns not named are guessed",
        )
        parser.add_argument("--region", default="", help="country of numbers written without one")
        add_reading_arguments(parser)

    def analysed(self, target: Target, options: dict[str, Any]) -> Import:
        """The file received, read and matched as asked for, and every row decided.

        Raises FileRefused, ImportRefused, ValueError or Refused; then nothing of it is left.
        """
        path = Path(options["file"])
        try:
            with path.open("rb") as file:
                chunks = iter(lambda: file.read(CHUNK), b"")
                imported = flow.receive(chunks, path.name, target, None, sheet=options["sheet"])
        except OSError as error:
            raise Refused(f"“{path}” cannot be opened: {error.strerror}.") from error
        try:
            self.read_as_asked(imported, options)
            flow.match_columns(
                imported,
                self.mapping(imported, options),
                options.get("on_existing", OnExisting.FILL),
                options.get("other_person", OtherPerson.KEEP),
            )
            jobs.work_to_end("import", imported.pk)
            imported.refresh_from_db()
            if imported.state == ImportState.FAILED:
                raise ImportRefused(imported.failure)
        except (FileRefused, ImportRefused, ValueError, Refused):
            self.discard(imported)
            raise
        return imported

    @staticmethod
    def discard(imported: Import) -> None:
        flow.discard(imported, None)
        jobs.work_to_end("import", imported.pk)

    @staticmethod
    def read_as_asked(imported: Import, options: dict[str, Any]) -> None:
        has_header, header_line = header_asked(options)
        dialect = reading.detect(
            imported.table_path, options["encoding"], options["delimiter"], has_header, header_line
        ).dialect
        if dialect != Dialect.from_dict(imported.dialect):
            flow.read_as(imported, dialect)

    def mapping(self, imported: Import, options: dict[str, Any]) -> Mapping:
        """What was guessed, corrected by what was asked for. Raises ValueError."""
        region = None
        if options["region"]:
            region = region_of(options["region"]) or ""
            if region not in REGIONS:
                raise ValueError(f"“{options['region']}” is no country we know. Write two letters, IN for India.")
        guess = flow.guess_columns(imported, region)
        self.questions = [question.sentence for question in guess.questions]
        known = SUPPRESSION_FIELDS if imported.is_of_suppressions else FIELDS
        mapping = columns.corrected(guess.mapping, options["mapped"], imported.headers, known)
        if options.get("numbers"):
            mapping.numbers = options["numbers"]
        for option, are_imported in (("let_in", True), ("leave_out", False)):
            mapping.switches |= dict.fromkeys(options.get(option) or [], are_imported)
        if options.get("keep_columns"):
            mapping.extras = sorted({*mapping.extras, *mapping.not_imported(imported.headers)})
        return mapping


def add_choices(parser: CommandParser) -> None:
    """What a person chooses on the pages beside the columns."""
    switchable = [code.value for code, kind in KINDS.items() if kind.is_choice]
    parser.add_argument("--numbers", choices=NUMBERS, help="which of several numbers of a row is taken")
    parser.add_argument("--keep-columns", action="store_true", help="keep columns that are no field as attributes")
    parser.add_argument("--let-in", action="append", choices=switchable, help="import rows with this warning")
    parser.add_argument("--leave-out", action="append", choices=switchable, help="leave out rows with this warning")
    parser.add_argument("--on-existing", choices=OnExisting.values, default=OnExisting.FILL)
    parser.add_argument("--other-person", choices=OtherPerson.values, default=OtherPerson.KEEP)


def mapping_told(imported: Import) -> dict[str, Any]:
    """How a file was read and matched, as commands answer it.

    mapping       {field: header, or several}; "extra" are attributes, "unsure" may say who must not be contacted
    not_imported  headers
    header_line   of the file, from 1; None where it has no header
    """
    mapping, headers = Mapping.from_dict(imported.mapping), imported.headers
    told: dict[str, Any] = {name: headers[at] for name, at in mapping.columns.items()}
    for name, positions in (("phone", mapping.phones), ("do_not_contact", mapping.opt_out_columns)):
        if len(positions) > 1:
            told[name] = [headers[at] for at in positions]
    if mapping.extras:
        told["extra"] = [headers[at] for at in mapping.extras]
    if mapping.unsure:
        told["unsure"] = [headers[at] for at in mapping.unsure]
    dialect = Dialect.from_dict(imported.dialect)
    return {
        "mapping": told,
        "not_imported": [headers[at] for at in mapping.not_imported(headers)],
        "header_line": (dialect.header_line or 1) if dialect.has_header else None,
    }
