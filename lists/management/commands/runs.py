"""The history of pushes."""

from typing import Any

from django.core.management.base import CommandParser

from lists.management.base import JsonCommand, Refused
from lists.models import ContactList, SyncRun
from lists.sync import history

NEWEST = 100


class Command(JsonCommand):
    help = "Show the newest runs, or one of them."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--list", metavar="NAME", help="only the runs of this list")
        parser.add_argument("--run", type=int, metavar="ID", help="this run alone")

    def run(self, **options: Any) -> dict[str, Any]:
        runs = SyncRun.objects.order_by("-id")
        if options["list"]:
            # History outlives the list, so its name then is as good as the list itself.
            if not (
                ContactList.objects.filter(name=options["list"]).exists()
                or runs.filter(list_name=options["list"]).exists()
            ):
                raise Refused(f"There is no list named “{options['list']}”.")
            runs = runs.filter(list_name=options["list"])
        if options["run"] is None:
            return {"runs": [self.told(run) for run in runs[:NEWEST]]}
        run = runs.filter(pk=options["run"]).first()
        if not run:
            raise Refused(f"There is no run {options['run']}. `runs` without --run lists them.")
        return self.told(run)

    @staticmethod
    def told(run: SyncRun) -> dict[str, Any]:
        return {**history.as_json(run), "causes": run.causes}

    def tell(self, result: dict[str, Any]) -> None:
        told = result.get("runs", [result])
        known = SyncRun.objects.in_bulk([each["run_id"] for each in told])
        for each in told:
            run = known[each["run_id"]]
            self.stdout.write(
                f"{run.pk:>6}  {run.created_at:%Y-%m-%d %H:%M}  {run.get_state_display():<24} {run}: "
                f"{history.sentence(run)}"
            )
            for cause in each["causes"] if "runs" not in result else ():
                self.stdout.write(f"        {cause['count']:,} {cause['class']}: {cause['explanation']}")
        if not told:
            self.stdout.write("There are no runs yet.")
