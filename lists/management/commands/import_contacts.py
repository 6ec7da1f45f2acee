import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from lists import exporting, jobs
from lists.importing import columns, flow, reading
from lists.importing.columns import Mapping
from lists.importing.flow import ImportRefused
from lists.importing.progress import Progress
from lists.importing.reading import Dialect, FileRefused
from lists.management.base import JsonCommand, Refused
from lists.models import ContactList, Import, ImportState, OnExisting, RowOutcome
from lists.phones import REGIONS, region_of

CHUNK = 1024 * 1024


class Command(JsonCommand):
    help = "Bring a file into a list on the road the pages take, in this process."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--list", required=True, dest="list_name", metavar="NAME", help="the list; it must exist")
        parser.add_argument(
            "--map",
            action="append",
            dest="mapped",
            metavar="field=Header",
            help="a field and its column, by header or as #3; extra=Header keeps a column; guessed when left out",
        )
        parser.add_argument("--region", help="country of numbers written without one; the list's own when left out")
        parser.add_argument("--encoding", help="read it so, whatever is detected: utf-8, cp1252, …")
        parser.add_argument("--delimiter", help="one character, or comma, semicolon, tab, pipe")
        parser.add_argument("--no-header", action="store_true", help="the first row is a contact too")
        parser.add_argument("--on-existing", choices=OnExisting.values, default=OnExisting.FILL)
        parser.add_argument("--dry-run", action="store_true", help="tell what would happen, and save nothing")
        parser.add_argument("--rejected", metavar="OUT.csv", help="write the rejected rows here")

    def run(self, **options: Any) -> dict[str, Any]:
        began = time.monotonic()
        self.failure = ""
        contact_list = ContactList.objects.current().filter(name=options["list_name"]).first()
        if contact_list is None:
            raise Refused(f"There is no list “{options['list_name']}”. Make it with create_list first.")
        try:
            imported = self.analysed(contact_list, options)
            if options["dry_run"]:
                result = self.told(imported)
                self.discard(imported)
            else:
                flow.begin_commit(imported, None)
                jobs.work_to_end("import", imported.pk)
                imported.refresh_from_db()
                result = self.told(imported)
                if options["rejected"] and Progress.from_json(imported.progress).drifted:
                    self.write_again(imported, options["rejected"])
        except (FileRefused, ImportRefused, ValueError) as refused:
            raise Refused(refused) from refused
        return {**result, "seconds": round(time.monotonic() - began, 3)}

    def analysed(self, contact_list: ContactList, options: dict[str, Any]) -> Import:
        """The file received, read and matched as asked for, every row decided, the rejected ones written out.

        Nothing of it is left when refused; that the rejected rows cannot be written shows while nothing is saved yet.
        """
        path = Path(options["file"])
        try:
            with path.open("rb") as file:
                imported = flow.receive(iter(lambda: file.read(CHUNK), b""), path.name, contact_list, None)
        except OSError as error:
            raise Refused(f"“{path}” cannot be opened: {error.strerror}.") from error
        try:
            self.read_as_asked(imported, options)
            flow.match_columns(imported, self.mapping(imported, options), options["on_existing"])
            jobs.work_to_end("import", imported.pk)
            imported.refresh_from_db()
            if imported.state == ImportState.FAILED:
                raise ImportRefused(imported.failure)
            if options["rejected"]:
                self.write_rejected(imported, options["rejected"])
        except (FileRefused, ImportRefused, ValueError, Refused):
            self.discard(imported)
            raise
        return imported

    @staticmethod
    def discard(imported: Import) -> None:
        flow.discard(imported, None)
        jobs.work_to_end("import", imported.pk)

    def read_as_asked(self, imported: Import, options: dict[str, Any]) -> None:
        asked = options["encoding"], options["delimiter"], False if options["no_header"] else None
        dialect = reading.detect(imported.file.path, *asked).dialect
        if dialect != Dialect.from_dict(imported.dialect):
            flow.read_as(imported, dialect)

    def mapping(self, imported: Import, options: dict[str, Any]) -> Mapping:
        mapping = Mapping.from_dict(imported.mapping)
        region = mapping.region
        if options["region"]:
            region = region_of(options["region"]) or ""
            if region not in REGIONS:
                raise ValueError(f"“{options['region']}” is no country we know. Write two letters, IN for India.")
        if options["mapped"]:
            return columns.from_options(options["mapped"], imported.headers, region)
        mapping.region = region
        return mapping

    def told(self, imported: Import) -> dict[str, Any]:
        return {
            "import_id": imported.pk,
            "status": imported.state,
            "records": imported.records,
            "blank": imported.blank,
            **{outcome: getattr(imported, outcome) for outcome in RowOutcome.values},
        }

    def write_rejected(self, imported: Import, path: str) -> None:
        try:
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.writelines(exporting.rejected_rows(imported))
        except OSError as error:
            raise Refused(f"The rejected rows cannot be written to “{path}”: {error.strerror}.") from error

    def write_again(self, imported: Import, path: str) -> None:
        """What somebody made do-not-contact, or lifted, after the check is rejected or is not any more."""
        try:
            self.write_rejected(imported, path)
        except Refused as refused:  # the import is done, so this is no refusal any more
            self.failure = str(refused)

    def needs_a_person(self, result: dict[str, Any]) -> bool:
        """Rejected rows are an ordinary end; a file of which nothing could be taken, or a half import, is none."""
        if self.failure:
            self.stderr.write(self.failure)
            return True
        return result["status"] == ImportState.FAILED or result["rejected"] == result["records"]

    def tell(self, result: dict[str, Any]) -> None:
        terms = [f"{result[outcome]:,} {outcome}" for outcome in RowOutcome.values if result[outcome]]
        verb = "would be" if result["status"] == ImportState.READY else "="
        self.stdout.write(f"{result['records']:,} rows {verb} {' + '.join(terms)}")
        if result["blank"]:
            self.stdout.write(f"{result['blank']:,} blank lines besides.")
        self.stdout.write(f"Import {result['import_id']}, {result['status']}, {result['seconds']} s.")
