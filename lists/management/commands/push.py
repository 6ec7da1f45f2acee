"""Send a list to a vendor."""

from typing import Any

from django.core.management.base import CommandParser

from lists import jobs
from lists.management.base import JsonCommand, Refused
from lists.models import Connection, ContactList, RunKind, RunState, SyncRun
from lists.models.sync import PLAN_STATES
from lists.sync import history, planning


class Command(JsonCommand):
    help = "Plan a push of a list over a connection, and queue it."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("list", help="the list's name")
        parser.add_argument("--to", required=True, metavar="CONNECTION", help="the connection's name")
        parser.add_argument("--kind", choices=RunKind.values, default=RunKind.LIST)
        parser.add_argument("--plan-only", action="store_true", help="plan and send nothing; a person sends it later")
        parser.add_argument("--inline", action="store_true", help="run it in this process, to its end")
        parser.add_argument("--approve", action="store_true", help="send the plan that waits already, as it stands")

    def run(self, **options: Any) -> dict[str, Any]:
        contact_list = ContactList.objects.filter(name=options["list"]).first()
        if not contact_list:
            raise Refused(f"There is no list named “{options['list']}”. Make it with `create_list`.")
        connection = Connection.objects.filter(name=options["to"]).first()
        if not connection:
            raise Refused(f"There is no connection named “{options['to']}”. Make it with `connect`.")
        try:
            run = self.waiting_plan(contact_list, connection, options["kind"]) if options["approve"] else None
            run = run or planning.plan(contact_list, connection, options["kind"], trigger="command")
            if not options["plan_only"]:
                send = planning.approve if run.state == RunState.AWAITING_APPROVAL else planning.queue
                send(run, None)
        except planning.PlanRefused as refusal:
            raise Refused(refusal) from refusal
        if options["inline"] and not options["plan_only"]:
            jobs.work_to_end("run", run.pk)
        run.refresh_from_db()
        return history.as_json(run)

    @staticmethod
    def waiting_plan(contact_list: ContactList, connection: Connection, kind: str) -> SyncRun | None:
        plans = SyncRun.objects.filter(contact_list=contact_list, connection=connection, kind=kind)
        return plans.filter(state__in=PLAN_STATES).first()

    def tell(self, result: dict[str, Any]) -> None:
        run = SyncRun.objects.get(pk=result["run_id"])
        self.stdout.write(f"Run {run.pk}, {run.get_state_display()}: {history.sentence(run)}")
        if run.failure:
            self.stdout.write(run.failure)
        for cause in run.causes:
            words = f" “{cause['words']}”" if cause["words"] else ""
            self.stdout.write(f"  {cause['count']:,} {cause['class'].replace('_', ' ')}: {cause['explanation']}{words}")

    def needs_a_person(self, result: dict[str, Any]) -> bool:
        return result["status"] in {
            RunState.COMPLETED_WITH_PROBLEMS,
            RunState.FAILED,
            RunState.STALLED,
            RunState.STOPPED,
        }
