import time
from typing import Any

from django.core.management.base import CommandParser

from lists import exporting, jobs
from lists.importing import causes, flow
from lists.importing.flow import ImportRefused, Target
from lists.importing.refusals import FileRefused
from lists.importing.row_warnings import KINDS, Code
from lists.management.base import Refused
from lists.management.files import FileCommand, add_choices, mapping_told
from lists.models import ContactList, Import, ImportState, RowOutcome


class Command(FileCommand):
    help = "Bring a file into a list on the road the pages take, in this process."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--list", required=True, dest="list_name", metavar="NAME", help="the list; it must exist")
        add_choices(parser)
        parser.add_argument("--dry-run", action="store_true", help="tell what would happen, and save nothing")
        parser.add_argument("--rejected", metavar="OUT.csv", help="write the rejected rows here")

    def run(self, **options: Any) -> dict[str, Any]:
        began = time.monotonic()
        self.is_guessed = not any(option.startswith("phone=") for option in options["mapped"])
        contact_list = ContactList.objects.current().filter(name=options["list_name"]).first()
        if contact_list is None:
            raise Refused(f"There is no list “{options['list_name']}”. Make it with create_list first.")
        try:
            imported = self.analysed(Target(contact_list), options)
            try:
                if options["rejected"]:  # that they cannot be written shows while nothing is saved yet
                    self.write_rejected(imported, options["rejected"])
            except Refused:
                self.discard(imported)
                raise
            if options["dry_run"]:
                result = self.told(imported, began)
                self.discard(imported)
            else:
                flow.begin_commit(imported, None, unanswered=True)
                jobs.work_to_end("import", imported.pk)
                imported.refresh_from_db()
                result = self.told(imported, began)
        except (FileRefused, ImportRefused, ValueError) as refused:
            raise Refused(refused) from refused
        return result

    def told(self, imported: Import, began: float) -> dict[str, Any]:
        self.unanswered = flow.open_questions(imported)
        return {
            "import_id": imported.pk,
            "status": imported.state,
            "records": imported.records,
            "blank": imported.blank,
            **{outcome: getattr(imported, outcome) for outcome in RowOutcome.values},
            "seconds": round(time.monotonic() - began, 3),
            **mapping_told(imported),
            "warnings": causes.counts_by_code(imported),
            "questions": self.questions,
        }

    def write_rejected(self, imported: Import, path: str) -> None:
        try:
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.writelines(exporting.rejected_rows(imported))
        except OSError as error:
            raise Refused(f"The rejected rows cannot be written to “{path}”: {error.strerror}.") from error

    def needs_a_person(self, result: dict[str, Any]) -> bool:
        """Rejected rows are an ordinary end; none are a half import, a file of which a guess could take less than half,
        and a column nobody has answered for."""
        if result["status"] == ImportState.FAILED or result["rejected"] == result["records"]:
            return True
        for header in self.unanswered:
            self.stderr.write(
                f"“{header}” may say who must not be contacted. Import it again with --map do_not_contact=… or "
                "--map ignore=…; until then, who may have said no is do-not-contact."
            )
        is_bad_guess = self.is_guessed and 2 * result["rejected"] > result["records"]
        if is_bad_guess:
            self.stderr.write("Most rows were rejected. Say with --map which column holds the phone number.")
        return is_bad_guess or bool(self.unanswered)

    def tell(self, result: dict[str, Any]) -> None:
        terms = [f"{result[outcome]:,} {outcome}" for outcome in RowOutcome.values if result[outcome]]
        verb = "would be" if result["status"] == ImportState.READY else "="
        self.stdout.write(f"{result['records']:,} rows {verb} {' + '.join(terms)}")
        if result["blank"]:
            self.stdout.write(f"{result['blank']:,} blank lines besides.")
        for field, headers in result["mapping"].items():
            said = ", ".join(headers) if isinstance(headers, list) else headers
            self.stdout.write(f"  {field}: {said}")
        if result["not_imported"]:
            self.stdout.write(f"Not imported: {', '.join(result['not_imported'])}")
        for code, rows in result["warnings"].items():
            self.stdout.write(f"{rows:,} × {KINDS[Code(code)].title}")
        for question in result["questions"]:
            self.stdout.write(question)
        self.stdout.write(f"Import {result['import_id']}, {result['status']}, {result['seconds']} s.")
