"""Contacts, the lists they are in, and the numbers nobody may call."""

from collections.abc import Iterable
from typing import Self

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Concat

from lists import phones
from lists.fields import BY_NAME, OTHER_NUMBERS


class ContactQuerySet(models.QuerySet):
    def matching(self, text: str) -> Self:
        """Contacts whose number holds the digits of `text`, in any spelling, or whose name or e-mail holds the text.

        All of them when it is empty.
        """
        text = text.strip()
        if not text:
            return self
        words = Q(email__icontains=text)
        for field in ("first_name", "last_name", "company"):
            words |= Q(**{f"{field}__icontains": text})
        if len(parts := text.split(None, 1)) == 2:
            words |= Q(first_name__icontains=parts[0], last_name__icontains=parts[1])
        if digits := phones.search_key(text):
            words |= Q(phone__contains=digits)
        return self.filter(words)

    def with_other_number(self, numbers: Iterable[str]) -> Self:
        """Contacts that have one of the numbers, E.164, besides their own.

        Looks at every contact that has other numbers, so look by `phone` first.
        """
        held = Concat(Value(", "), KT(f"extra__{OTHER_NUMBERS}"), Value(","), output_field=TextField())
        is_one = Q(*(("other_numbers__contains", f", {number},") for number in numbers), _connector=Q.OR)
        if not is_one:
            return self.none()
        return self.filter(extra__has_key=OTHER_NUMBERS).alias(other_numbers=held).filter(is_one)


class Contact(models.Model):
    """One number is one contact: it is the vendors' rule too."""

    phone = models.CharField("phone number", max_length=16, help_text="E.164, as lists.phones gives it")
    first_name = models.CharField(max_length=BY_NAME["first_name"].longest, blank=True)
    last_name = models.CharField(max_length=BY_NAME["last_name"].longest, blank=True)
    salutation = models.CharField(max_length=BY_NAME["salutation"].longest, blank=True)
    email = models.CharField("e-mail", max_length=BY_NAME["email"].longest, blank=True)
    company = models.CharField(max_length=BY_NAME["company"].longest, blank=True)
    tag = models.CharField(max_length=BY_NAME["tag"].longest, blank=True)
    time_zone = models.CharField(max_length=BY_NAME["time_zone"].longest, blank=True)
    extra = models.JSONField("extra attributes", default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ContactQuerySet.as_manager()

    class Meta:
        constraints = [
            # Not `unique=True`: on PostgreSQL that adds a second index, for LIKE, which no search could use.
            models.UniqueConstraint(fields=["phone"], name="contact_phone_is_unique"),
            models.CheckConstraint(condition=Q(phone__startswith="+"), name="contact_phone_is_e164"),
        ]
        permissions = [
            ("see_numbers", "Can see phone numbers in full"),
            ("export_contacts", "Can export the contacts of a list"),
        ]

    def __str__(self) -> str:
        return self.name or "A contact without a name"

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class ContactListQuerySet(models.QuerySet):
    def current(self) -> Self:
        return self.filter(archived_at=None)

    def matching(self, text: str) -> Self:
        """Lists whose name or description holds `text`; all of them when it is empty."""
        text = text.strip()
        return self.filter(Q(name__icontains=text) | Q(description__icontains=text)) if text else self


class ContactList(models.Model):
    name = models.CharField(max_length=200, unique=True)
    # A text field does not hold its own limit on either database, so the form and `create_list` share this validator.
    description = models.TextField(blank=True, validators=[MaxLengthValidator(2000)])
    default_region = models.CharField(
        max_length=2, blank=True, help_text="The country of numbers written without one, as two letters"
    )
    allow_duplicates = models.BooleanField(default=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="contact_lists"
    )
    contact_count = models.PositiveIntegerField(default=0, help_text="Memberships, kept by whoever changes them")
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    contacts = models.ManyToManyField(Contact, through="Membership", related_name="contact_lists")

    objects = ContactListQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A contact in a list; more than once only where the list allows duplicates."""

    pk = models.CompositePrimaryKey("contact_list_id", "contact_id", "occurrence")
    # The primary key begins with the list, so the list needs no index of its own.
    contact_list = models.ForeignKey(ContactList, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="memberships")
    occurrence = models.PositiveIntegerField(default=1)
    extra = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"contact {self.contact_id} in list {self.contact_list_id}"


class SuppressionQuerySet(models.QuerySet):
    def active(self) -> Self:
        return self.filter(lifted_at=None)


class Suppression(models.Model):
    """Do not contact. Imports and syncs may add one, never lift it; lifting takes its own right and a reason."""

    phone = models.CharField("phone number", max_length=16, unique=True)
    reason = models.CharField(max_length=200)
    source = models.CharField(
        max_length=200, blank=True, help_text="Where the wish came from: a page, a file, a command"
    )
    asked_on = models.DateField(null=True, blank=True, help_text="The day of the wish, where a file told it")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True, blank=True)
    lift_reason = models.CharField(max_length=200, blank=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        permissions = [("lift_suppression", "Can lift a do-not-contact")]

    def __str__(self) -> str:
        return f"do not contact {phones.mask(self.phone)}"

    @property
    def came_from(self) -> str:
        """Where the wish came from, in words."""
        return {"page": "typed in here", "command": "a command"}.get(self.source, self.source)
