from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.management.base import CommandParser

from lists.importing import opening, reading
from lists.management.base import JsonCommand, Refused


class Command(JsonCommand):
    help = "Tell how a file is read and what is in it; nothing is stored."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--encoding", help="read it so, whatever is detected: utf-8, cp1252, …")
        parser.add_argument("--delimiter", help="one character, or comma, semicolon, tab, pipe, caret, tilde")
        parser.add_argument("--sheet", metavar="NAME", help="the sheet of a workbook; the first that holds anything")
        header = parser.add_mutually_exclusive_group()
        header.add_argument("--header-line", type=int, metavar="N", help="the line of the file that is the header")
        header.add_argument(
            "--header", action="store_true", default=None, help="there is a header, whatever is detected"
        )
        header.add_argument(
            "--no-header", dest="header", action="store_false", default=None, help="the first row is a contact too"
        )

    def run(self, **options: Any) -> dict[str, Any]:
        file = options["file"]
        try:
            with TemporaryDirectory() as folder:
                table = opening.plain_table(Path(file), Path(folder), sheet=options["sheet"])
                seen = reading.inspect(
                    table.path, options["encoding"], options["delimiter"], options["header"], options["header_line"]
                )
        except reading.FileRefused as refusal:
            raise Refused(refusal.message) from refusal
        except OSError as error:
            raise Refused(f"“{file}” cannot be opened: {error.strerror}.") from error
        return seen.as_dict()

    def tell(self, result: dict[str, Any]) -> None:
        separated = reading.DELIMITERS.get(result["delimiter"], result["delimiter"])
        self.stdout.write(f"{reading.ENCODINGS[result['encoding']]}, separated by {separated}.")
        self.stdout.write(
            f"{result['records']:,} rows, {result['blank']:,} blank lines, "
            f"{result['ragged']:,} rows with fewer or more cells than the header."
        )
        apart = {"above_header": result["above"], **result["apart"]}
        for note, count in apart.items():
            if count:
                self.stdout.write(f"{reading.NOTES[note]}: {count:,}")
        where = f" (line {result['header_line']})" if result["header_line"] else ""
        self.stdout.write(f"Header{where}: {', '.join(result['header']) or 'none'}")
        for record in result["sample"]:
            self.stdout.write(f"{record['line']:>8}  {' | '.join(record['cells'])}")
