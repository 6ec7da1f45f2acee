"""What the commands of the scriptable face share: one JSON object, one sentence of refusal, three exit codes."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

DONE, PROBLEMS, REFUSED = 0, 1, 2


class Refused(CommandError):
    """What was asked cannot be done; one sentence that says why and what to do. The command exits with 2."""

    def __init__(self, sentence: object) -> None:
        super().__init__(str(sentence), returncode=REFUSED)


class JsonCommand(BaseCommand):
    """A command that answers with one object.

    `run` does the work and returns the object, its keys in the order of the documentation; raise `Refused` there.
    `tell` says the same to a person. `needs_a_person` decides between the exit codes 0 and 1.
    """

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="answer with one JSON object on standard output")

    def handle(self, *_args: Any, **options: Any) -> None:
        as_json = options.pop("json")
        result = self.run(**options)
        if as_json:
            self.stdout.write(json.dumps(result, cls=DjangoJSONEncoder, ensure_ascii=False))
        else:
            self.tell(result)
        if self.needs_a_person(result):
            self.stdout.flush()
            sys.exit(PROBLEMS)

    def run(self, **options: Any) -> dict[str, Any]:
        raise NotImplementedError

    def tell(self, result: dict[str, Any]) -> None:
        for name, value in result.items():
            self.stdout.write(f"{name.replace('_', ' ')}: {value}")

    def needs_a_person(self, result: dict[str, Any]) -> bool:
        return False
