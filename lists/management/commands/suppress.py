"""Make numbers do-not-contact."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from lists import jobs
from lists.fields import BY_NAME
from lists.importing import causes, flow
from lists.importing.flow import ImportRefused, Target
from lists.importing.lines import line_in_words
from lists.importing.refusals import FileRefused
from lists.importing.row_warnings import KINDS, Code
from lists.management.base import Refused
from lists.management.files import FileCommand, mapping_told
from lists.models import ImportState, RowOutcome
from lists.phones import REGIONS
from lists.services.suppressions import Suppressed, Unread, numbered, suppress

REJECTED_TOLD = 20
"""Lines that hold no number we can use and are told one by one."""
LONGEST_REASON = BY_NAME["reason"].longest


class Command(FileCommand):
    help = (
        "Make numbers do-not-contact, given here or in any file the importer reads. A number there already is left as "
        "it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("numbers", nargs="*", metavar="NUMBER", help="in any spelling")
        parser.add_argument("--file", type=Path, help="a file with a column of numbers; reason and date if it has them")
        parser.add_argument("--reason", default="", help="kept with each number; needed unless --file is given")

    def run(self, **options: Any) -> dict[str, Any]:
        if bool(options["numbers"]) == bool(options["file"]):
            raise Refused("Give numbers, or a file of them with --file; one of the two.")
        reason = options["reason"].strip()
        if len(reason) > LONGEST_REASON:
            raise Refused(f"The reason has {len(reason)} characters; {LONGEST_REASON} are kept. Shorten it.")
        return self.from_file(reason, options) if options["file"] else self.from_numbers(reason, options)

    def from_numbers(self, reason: str, options: dict[str, Any]) -> dict[str, Any]:
        region = options["region"].upper()
        if not reason:
            raise Refused("Say with --reason why these numbers must not be contacted; it is kept with them.")
        if region and region not in REGIONS:
            raise Refused(f"“{region}” is no country. Write it as two letters, such as IN or GB.")
        result = suppress(numbered(options["numbers"]), reason=reason, region=region, source="command")
        self.rejected = len(result.unread)
        self.first_rejected = result.unread[:REJECTED_TOLD]
        return {"added": result.added, "already": result.already}

    def from_file(self, reason: str, options: dict[str, Any]) -> dict[str, Any]:
        try:
            imported = self.analysed(Target(None, reason), options)
            flow.begin_commit(imported, None)
        except (FileRefused, ImportRefused, ValueError) as refused:
            raise Refused(refused) from refused
        jobs.work_to_end("import", imported.pk)
        imported.refresh_from_db()
        rows = imported.rows.filter(outcome=RowOutcome.REJECTED).order_by("line")[:REJECTED_TOLD]
        self.rejected = imported.rejected
        self.first_rejected = [Unread(row.line, row.value, row.reason, row.suggestion) for row in rows]
        return {
            "added": imported.created,
            "already": imported.unchanged,
            "import_id": imported.pk,
            "status": imported.state,
            "records": imported.records,
            "merged": imported.merged,
            "skipped": imported.skipped,
            "rejected": imported.rejected,
            **mapping_told(imported),
            "warnings": causes.counts_by_code(imported),
        }

    def tell(self, result: dict[str, Any]) -> None:
        self.stdout.write(Suppressed(result["added"], result["already"]).sentence)
        for field, header in result.get("mapping", {}).items():
            self.stdout.write(f"  {field}: {', '.join(header) if isinstance(header, list) else header}")
        if result.get("not_imported"):
            self.stdout.write(f"Not imported: {', '.join(result['not_imported'])}")
        for code, rows in result.get("warnings", {}).items():
            self.stdout.write(f"{rows:,} × {KINDS[Code(code)].title}")

    def needs_a_person(self, result: dict[str, Any]) -> bool:
        """Whoever stands in a row that was rejected may still be called."""
        for unread in self.first_rejected:
            self.stderr.write(f"{line_in_words(unread.line).capitalize()}: {unread.reason} {unread.suggestion}")
        if self.rejected > REJECTED_TOLD:
            self.stderr.write(f"And {self.rejected - REJECTED_TOLD:,} lines more.")
        return self.rejected > 0 or result.get("status") == ImportState.FAILED
