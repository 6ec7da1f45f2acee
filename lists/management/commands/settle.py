"""Ask a vendor what became of contacts that are accepted or unknown."""

from typing import Any

from django.core.management.base import CommandParser

from lists import jobs
from lists.management.base import Refused
from lists.management.commands.push import Command as PushCommand
from lists.models import SyncRun
from lists.sync import history, settling
from lists.sync.planning import PlanRefused


class Command(PushCommand):
    help = "Read back what is accepted or unknown in a run, and send once more what is surely missing."

    def add_arguments(self, parser: CommandParser) -> None:
        super(PushCommand, self).add_arguments(parser)
        parser.add_argument("run", type=int, metavar="RUN", help="the run's number")
        parser.add_argument(
            "--count-as",
            choices=["confirmed", "not_sent"],
            help="ask nobody: count what is open as this, for somebody has looked there",
        )

    def run(self, **options: Any) -> dict[str, Any]:
        run = SyncRun.objects.filter(pk=options["run"]).first()
        if not run:
            raise Refused(f"There is no run {options['run']}. `runs` lists them.")
        try:
            if options["count_as"]:
                settling.decide(run, None, arrived=options["count_as"] == "confirmed")
            else:
                settling.settle(run)
        except PlanRefused as refusal:
            raise Refused(refusal) from refusal
        jobs.work_to_end("run", run.pk)  # which does nothing where it is over
        run.refresh_from_db()
        return history.as_json(run)
