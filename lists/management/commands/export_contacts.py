"""Export a list as CSV."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from lists.exporting import export
from lists.management.base import JsonCommand, Refused
from lists.models import ContactList, Membership
from lists.models.audit import record as audit


class Command(JsonCommand):
    help = "Export the contacts of a list as CSV: safe in a spreadsheet, and the same contacts when imported again."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name")
        parser.add_argument("--out", type=Path, metavar="FILE", help="left out: standard output, without --json")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["json"] and options["out"] is None:
            raise Refused("Standard output holds the object or the file, not both: say with --out where the file goes.")
        super().handle(*args, **options)

    def run(self, **options: Any) -> dict[str, Any]:
        contact_list = ContactList.objects.filter(name=options["name"]).first()
        if contact_list is None:
            raise Refused(f"There is no list named “{options['name']}”.")
        self.out: Path | None = options["out"]
        if self.out is None:
            self.stdout.writelines(export(contact_list))
        else:
            try:
                with self.out.open("w", encoding="utf-8", newline="") as file:
                    file.writelines(export(contact_list))
            except OSError as error:
                raise Refused(f"{self.out} cannot be written: {error.strerror}.") from error
        rows = Membership.objects.filter(contact_list=contact_list).count()
        audit(None, "exported", contact_list, contacts=rows)
        return {"rows": rows}

    def tell(self, result: dict[str, Any]) -> None:
        if self.out:
            self.stdout.write(f"{result['rows']:,} rows are in {self.out}.")
