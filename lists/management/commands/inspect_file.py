from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from lists.importing import reading
from lists.management.base import JsonCommand, Refused


class Command(JsonCommand):
    help = "Tell how a file is read and what is in it; nothing is stored."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--encoding", help="read it so, whatever is detected: utf-8, cp1252, …")
        parser.add_argument("--delimiter", help="one character, or comma, semicolon, tab, pipe")
        parser.add_argument("--no-header", action="store_true", help="the first row is a contact too")

    def run(self, **options: Any) -> dict[str, Any]:
        file, has_header = options["file"], False if options["no_header"] else None
        try:
            return asdict(reading.inspect(file, options["encoding"], options["delimiter"], has_header))
        except reading.FileRefused as refusal:
            raise Refused(refusal.message) from refusal
        except OSError as error:
            raise Refused(f"“{file}” cannot be opened: {error.strerror}.") from error

    def tell(self, result: dict[str, Any]) -> None:
        separated = reading.DELIMITERS.get(result["delimiter"], result["delimiter"])
        self.stdout.write(f"{reading.ENCODINGS[result['encoding']]}, separated by {separated}.")
        self.stdout.write(
            f"{result['records']:,} rows, {result['blank']:,} blank lines, "
            f"{result['ragged']:,} rows with fewer or more cells than the header."
        )
        self.stdout.write(f"Header: {', '.join(result['header']) or 'none'}")
        for record in result["sample"]:
            self.stdout.write(f"{record['line']:>8}  {' | '.join(record['cells'])}")
