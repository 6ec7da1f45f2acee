"""The queue worker and the tick."""

from typing import Any

from django.core.management.base import BaseCommand

from lists import jobs


class Command(BaseCommand):
    help = "Work on imports and pushes until SIGTERM or Ctrl-C, which finishes the step in hand."

    def handle(self, *args: Any, **options: Any) -> None:
        jobs.run_worker(on_ready=self.tell)

    def tell(self) -> None:
        self.stdout.write("The worker is ready.")
        self.stdout.flush()
