from typing import Any

from django.core.management.base import CommandParser

from lists import jobs
from lists.importing import flow
from lists.importing import undo as undoing
from lists.importing.flow import ImportRefused
from lists.importing.policy import Policy
from lists.importing.progress import Progress
from lists.management.base import JsonCommand, Refused
from lists.models import Import, ImportState


class Command(JsonCommand):
    help = "Take an import back: what it created goes, what it changed gets its earlier values."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("import_id", type=int, metavar="ID")
        parser.add_argument("--dry-run", action="store_true", help="tell what would happen, and change nothing")

    def run(self, **options: Any) -> dict[str, Any]:
        imported = Import.objects.filter(pk=options["import_id"]).first()
        if imported is None:
            raise Refused(f"There is no import {options['import_id']}.")
        if imported.state != ImportState.COMPLETED and not flow.broke_off(imported):
            raise Refused(
                f"Import {imported.pk} is {imported.get_state_display()}; only one that has saved rows can be undone."
            )
        if options["dry_run"]:
            return undoing.plan(imported.pk, Policy.of(imported), list_id=imported.contact_list_id)._asdict()
        try:
            flow.begin_undo(imported, None)
        except ImportRefused as refused:
            raise Refused(refused) from refused
        jobs.work_to_end("import", imported.pk)
        imported.refresh_from_db()
        return Progress.from_json(imported.progress).undo.undone._asdict()

    def tell(self, result: dict[str, Any]) -> None:
        self.stdout.write(
            f"{result['removed']:,} removed, {result['restored']:,} given their earlier values, "
            f"{result['conflicts']:,} left alone because somebody has changed them since. "
            f"{result['left']:,} left the list."
        )

    def needs_a_person(self, result: dict[str, Any]) -> bool:
        return result["conflicts"] > 0
