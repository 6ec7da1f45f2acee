"""A world to try everything in: people of every role, rehearsal connections, lists with example numbers."""

import hashlib
import hmac
from dataclasses import dataclass
from itertools import product
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import transaction
from django.utils.text import slugify

from lists.management.base import JsonCommand, Refused
from lists.models import Connection, Contact, ContactList, Membership, Suppression
from lists.permissions import ADMINISTRATOR, AUDITOR, CAMPAIGN_MANAGER, UPLOADER
from lists.rehearsal import CREDENTIALS
from lists.vendors.registry import VENDORS

PEOPLE = {"asha": UPLOADER, "ravi": CAMPAIGN_MANAGER, "mara": ADMINISTRATOR, "owen": AUDITOR}
FIRST_NAMES = ["Asha", "Ravi", "Zoë", "Jürgen", "Mara", "Liam", "Noor", "Inês", "Tomás", "Chloé"]
LAST_NAMES = ["Müller", "Okafor", "Núñez", "Smith", "O'Neil", "García", "Lindström", "Haddad", "Brown", "Sørensen"]


@dataclass(frozen=True)
class SampleList:
    name: str
    description: str
    area_codes: tuple[
        int, ...
    ]  # 100 numbers each: 555-0100 to 555-0199 are kept for fiction in every North American area


# The rehearsal plays LeadLex's largest plan; the adapter's default is the smallest, and nobody wants to wait for that.
PACE = {"leadlex": {"per_minute": "200", "per_day": "10000"}}

LISTS = (
    SampleList("Renewals July", "Customers whose contract ends in July", (212, 312)),
    SampleList("Autumn callbacks", "People who asked to be called back in autumn", (303, 415, 617, 702)),
)


def password_of(username: str) -> str:
    """The same on every run, different on every installation, and written nowhere."""
    return hmac.new(settings.SECRET_KEY.encode(), f"demo:{username}".encode(), hashlib.sha256).hexdigest()[:12]


class Command(JsonCommand):
    help = "Set up users, rehearsal connections and sample lists to try everything with; safe to run again."

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("--port", type=int, default=8000, help="where the pages are served")
        parser.add_argument("--rehearsal-port", type=int, default=8001, help="where the rehearsal vendors play")

    def run(self, **options: Any) -> dict[str, Any]:
        if not (settings.DEBUG or settings.REHEARSAL):
            raise Refused(
                "This looks like a production installation: DEBUG and REHEARSAL are both off. "
                "Switch REHEARSAL on where you want to try things."
            )
        call_command("migrate", verbosity=0)
        if not get_user_model().objects.exists():
            # A new database knows nothing of the lists an earlier one has made there, and must not fill them.
            settings.REHEARSAL_MEMORY.unlink(missing_ok=True)
        with transaction.atomic():
            users = [self.make_person(name, role) for name, role in PEOPLE.items()]
            for key in VENDORS:
                self.connect(key, f"http://127.0.0.1:{options['rehearsal_port']}/{key}")
            owner = User.objects.get(username="ravi")
            for sample in LISTS:
                self.fill(sample, owner)
            Suppression.objects.get_or_create(
                phone="+12125550103", defaults={"reason": "Asked on the phone not to be called", "source": "demo"}
            )
        return {"users": users, "url": f"http://127.0.0.1:{options['port']}/"}

    def make_person(self, username: str, role: str) -> dict[str, str]:
        person, is_new = get_user_model().objects.get_or_create(
            username=username,
            defaults={
                "first_name": username.title(),
                "email": f"{username}@example.com",
                "is_staff": role == ADMINISTRATOR,  # opens the users' page of the admin site
            },
        )
        password = password_of(username)
        if is_new:
            person.set_password(password)
            person.save(update_fields=["password"])
            person.groups.add(Group.objects.get(name=role))
        elif not person.check_password(password):
            password = "changed since"  # noqa: S105 - said in place of one
        return {"username": username, "role": role, "password": password}

    def connect(self, vendor: str, base_url: str) -> None:
        declared = VENDORS[vendor]
        secret_names = {setting.name for setting in declared.settings if setting.secret}
        given = CREDENTIALS[vendor]
        connection, is_new = Connection.objects.get_or_create(
            name=f"{declared.label} rehearsal",
            defaults={
                "vendor": vendor,
                "rehearsal": True,
                "settings": {
                    "base_url": base_url,
                    **PACE.get(vendor, {}),
                    **{name: value for name, value in given.items() if name not in secret_names},
                },
            },
        )
        if is_new:
            connection.set_secrets({name: value for name, value in given.items() if name in secret_names})
            connection.save(update_fields=["credentials"])

    def fill(self, sample: SampleList, owner: User) -> None:
        contact_list, is_new = ContactList.objects.get_or_create(
            name=sample.name,
            defaults={"description": sample.description, "default_region": "US", "owner": owner},
        )
        if not is_new:
            return
        people = [
            Contact(
                phone=f"+1{area}55501{line:02d}",
                first_name=first,
                last_name=last,
                salutation="Mrs" if line % 2 else "Mr",
                email=f"{slugify(first)}.{slugify(last)}.{area}@example.com" if line % 4 else "",
                tag="renewal" if line % 3 else "vip",
            )
            for area in sample.area_codes
            for line, (first, last) in enumerate(product(FIRST_NAMES, LAST_NAMES))
        ]
        Contact.objects.bulk_create(people, ignore_conflicts=True)
        contacts = Contact.objects.filter(phone__in=[person.phone for person in people])
        Membership.objects.bulk_create(Membership(contact_list=contact_list, contact=contact) for contact in contacts)
        contact_list.contact_count = len(contacts)
        contact_list.save(update_fields=["contact_count"])

    def tell(self, result: dict[str, Any]) -> None:
        self.stdout.write("\n  contactadmin is ready to try. Vendors are played here; nothing leaves this machine.\n\n")
        for user in result["users"]:
            self.stdout.write(f"    {user['username']:<8}{user['password']:<16}{user['role']}\n")
        self.stdout.write(f"\n  Log in at {result['url']}\n")
        self.stdout.write("  A messy file to upload: static/samples/renewals_july.csv\n\n")
