"""Create a list."""

from typing import Any

from django.core.management.base import CommandParser

from lists import services
from lists.forms.lists import ListForm
from lists.management.base import JsonCommand, Refused
from lists.services import lists


class Command(JsonCommand):
    help = "Create a list. The name must not be taken."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name")
        parser.add_argument("--description", default="", help="Kore.ai takes no list without one")
        parser.add_argument("--region", default="", metavar="IN", help="country of numbers without a country code")
        parser.add_argument("--allow-duplicates", action="store_true")

    def run(self, **options: Any) -> dict[str, Any]:
        form = ListForm(
            {
                "name": options["name"],
                "description": options["description"],
                "default_region": options["region"].upper(),
                "allow_duplicates": options["allow_duplicates"],
            }
        )
        if not form.is_valid():
            raise Refused(
                " ".join(f"{form[name].label}: {error}" for name, errors in form.errors.items() for error in errors)
            )
        try:
            contact_list = lists.create_list(form.save(commit=False), None)
        except services.Refused as taken:
            raise Refused(taken) from taken
        return {"list_id": contact_list.pk, "name": contact_list.name}

    def tell(self, result: dict[str, Any]) -> None:
        self.stdout.write(f"The list “{result['name']}” is there; its id is {result['list_id']}.")
