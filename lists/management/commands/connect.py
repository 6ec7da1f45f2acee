"""Create or change a connection to a vendor."""

import os
from typing import Any

from django.core.management.base import CommandParser

from lists import services
from lists.management.base import JsonCommand, Refused
from lists.models import Connection
from lists.services import connections
from lists.sync import accounts
from lists.vendors.base import HttpVendor, Setting
from lists.vendors.errors import VendorError
from lists.vendors.registry import VENDORS


class Command(JsonCommand):
    help = "Create or change a connection. Secrets come from the environment, never from the command line."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("vendor", choices=VENDORS)
        parser.add_argument("name")
        parser.add_argument("--set", action="append", default=[], metavar="key=value", dest="given")
        parser.add_argument("--secret", action="append", default=[], metavar="key=ENV_NAME", dest="secrets")
        parser.add_argument("--check", action="store_true", dest="ask", help="ask the vendor one harmless question")

    def run(self, **options: Any) -> dict[str, Any]:
        vendor = VENDORS[options["vendor"]]
        given = self.pairs(options["given"], [s for s in vendor.settings if not s.secret], vendor)
        secrets = {
            name: self.from_environment(variable)
            for name, variable in self.pairs(
                options["secrets"], [s for s in vendor.settings if s.secret], vendor
            ).items()
        }
        connection = Connection.objects.filter(name=options["name"]).first()
        if connection and connection.vendor != vendor.key:
            label = VENDORS[connection.vendor].label
            raise Refused(f"“{connection.name}” is a connection to {label}. Choose another name.")
        connection = connection or Connection(vendor=vendor.key, name=options["name"])
        connection.archived_at = None
        try:
            connections.save_connection(connection, vendor, given, secrets, None)
        except services.Refused as refusal:
            raise Refused(refusal) from refusal
        checked: str | None = None
        self.failure = ""
        if options["ask"]:
            try:
                checked = accounts.check(connection)
            except VendorError as error:
                self.failure = error.message
        return {"connection_id": connection.pk, "checked": bool(checked) if options["ask"] else None}

    @staticmethod
    def pairs(texts: list[str], known: list[Setting], vendor: type[HttpVendor]) -> dict[str, str]:
        names = {setting.name for setting in known}
        found = {}
        for text in texts:
            name, sign, value = text.partition("=")
            if not sign or name not in names:
                raise Refused(f"“{text}” is not one of {vendor.label}'s: {', '.join(sorted(names))}. Write key=value.")
            found[name] = value
        return found

    @staticmethod
    def from_environment(variable: str) -> str:
        if not (value := os.environ.get(variable)):
            raise Refused(f"The environment has no {variable}. Put the secret there, and its name after the =.")
        return value

    def tell(self, result: dict[str, Any]) -> None:
        self.stdout.write(f"Connection {result['connection_id']} is stored.")
        if result["checked"]:
            self.stdout.write(Connection.objects.get(pk=result["connection_id"]).health_text)

    def needs_a_person(self, result: dict[str, Any]) -> bool:
        if self.failure:
            self.stderr.write(self.failure)
        return result["checked"] is False
