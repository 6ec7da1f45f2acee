"""Make numbers do-not-contact."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from lists.management.base import JsonCommand, Refused
from lists.phones import REGIONS
from lists.services.suppressions import numbered, suppress

UNREAD_TOLD = 20
"""Lines that could not be read and are told one by one."""


class Command(JsonCommand):
    help = "Make numbers do-not-contact, given here or one a line in a file. A number there already is left as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("numbers", nargs="*", metavar="NUMBER", help="in any spelling")
        parser.add_argument("--file", type=Path, help="a text file with one number a line")
        parser.add_argument("--reason", default="", help="kept with each number; needed unless --file is given")
        parser.add_argument("--region", default="", metavar="IN", help="country of numbers without a country code")

    def run(self, **options: Any) -> dict[str, Any]:
        file, region = options["file"], options["region"].upper()
        if bool(options["numbers"]) == bool(file):
            raise Refused("Give numbers, or a file of them with --file; one of the two.")
        if options["numbers"] and not options["reason"].strip():
            raise Refused("Say with --reason why these numbers must not be contacted; it is kept with them.")
        if region and region not in REGIONS:
            raise Refused(f"“{region}” is no country. Write it as two letters, such as IN or GB.")
        reason = options["reason"].strip() or f"in the file {file.name}"
        if len(reason) > 200:
            raise Refused(f"The reason has {len(reason)} characters; 200 are kept. Shorten it.")
        spellings = numbered(options["numbers"]) if options["numbers"] else self.lines(file)
        source = f"file {file.name}"[:200] if file else "command"
        result = suppress(spellings, reason=reason, region=region, source=source)
        self.result = result
        return {"added": result.added, "already": result.already}

    @staticmethod
    def lines(file: Path) -> Iterator[tuple[int, str]]:
        """The lines that hold something; a first line without a digit is a heading."""
        try:
            text = file.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise Refused(f"{file} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise Refused(f"{file} is not a text file in UTF-8. Save it as plain text or CSV in UTF-8.") from error
        for number, line in numbered(text.splitlines()):
            if number > 1 or any(char.isdigit() for char in line):
                yield number, line

    def tell(self, result: dict[str, Any]) -> None:
        self.stdout.write(self.result.sentence)

    def needs_a_person(self, result: dict[str, Any]) -> bool:
        unread_lines = self.result.unread
        for unread in unread_lines[:UNREAD_TOLD]:
            self.stderr.write(f"Line {unread.line}: {unread.reason} {unread.suggestion}")
        if len(unread_lines) > UNREAD_TOLD:
            self.stderr.write(f"And {len(unread_lines) - UNREAD_TOLD:,} lines more.")
        return bool(unread_lines)
