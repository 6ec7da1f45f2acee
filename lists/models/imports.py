"""An uploaded file on its way into a list, and what became of each of its rows."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.signals import pre_delete
from django.dispatch import receiver

from lists.fields import BY_NAME
from lists.models.contacts import Contact, ContactList
from lists.models.leases import Leased, LeasedQuerySet


class ImportState(models.TextChoices):
    DRAFT = "draft", "draft"  # uploaded; a person still says how to read and match it
    ANALYSING = "analysing", "analysing"
    READY = "ready", "ready to import"  # analysed; nothing saved yet
    COMMITTING = "committing", "importing"
    COMPLETED = "completed", "completed"
    FAILED = "failed", "failed"
    DISCARDED = "discarded", "discarded"
    UNDOING = "undoing", "undoing"
    UNDONE = "undone", "undone"


NOTHING_SAVED = (ImportState.DRAFT, ImportState.ANALYSING, ImportState.READY)
UNDER_WAY = (ImportState.ANALYSING, ImportState.COMMITTING, ImportState.UNDOING)


class Purpose(models.TextChoices):
    CONTACTS = "contacts", "contacts of a list"
    SUPPRESSION = "suppression", "numbers that are do-not-contact"


class OtherPerson(models.TextChoices):
    """What becomes of a row whose number belongs to somebody with another first and last name."""

    KEEP = "keep", "Keep the person we have"
    TAKE = "take", "Take the file's person whole"
    LEAVE_OUT = "leave_out", "Leave such rows out"


class OnExisting(models.TextChoices):
    KEEP = "keep", "Keep what is there"
    FILL = "fill", "Fill blanks only"
    REPLACE = "replace", "Replace with the file's values"


NO_FILES = {"file": "", "table": ""}
"""The fields of an import whose files were removed."""


class RowOutcome(models.TextChoices):
    """What becomes of a row; every row ends in exactly one. Blank text means: not decided yet."""

    CREATED = "created", "created"
    UPDATED = "updated", "updated"
    UNCHANGED = "unchanged", "unchanged"
    MERGED = "merged", "merged"
    SKIPPED = "skipped", "skipped"
    REJECTED = "rejected", "rejected"
    SUPPRESSED = "suppressed", "suppressed"


class ImportQuerySet(LeasedQuerySet):
    def unfinished(self) -> Self:
        """Uploads of which nothing is saved yet, and still may be."""
        return self.filter(state__in=NOTHING_SAVED)

    def under_way(self) -> Self:
        """Imports a worker has in hand, or is about to."""
        return self.filter(state__in=UNDER_WAY)


class Import(Leased):
    contact_list = models.ForeignKey(ContactList, null=True, on_delete=models.SET_NULL, related_name="imports")
    list_name = models.CharField(max_length=200, help_text="As it was; history outlives the list")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="imports"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    purpose = models.CharField(max_length=12, choices=Purpose, default=Purpose.CONTACTS)
    reason = models.CharField(
        max_length=200, blank=True, help_text="Why numbers are do-not-contact where the file does not say it itself"
    )

    file = models.FileField(upload_to="imports/", blank=True)
    filename = models.CharField(max_length=255, help_text="As the person's computer called it; never a path of ours")
    size = models.PositiveBigIntegerField(default=0, help_text="bytes")
    content_hash = models.CharField(max_length=64, db_index=True)  # "this very file was imported on …"
    header_hash = models.CharField(
        max_length=64, blank=True, db_index=True
    )  # the mapping used for such a header before

    table = models.FileField(
        upload_to="imports/",
        blank=True,
        help_text="The plain table made from a workbook or an archive; it is what is read",
    )
    sheet = models.CharField(max_length=200, blank=True, help_text="The sheet of the workbook that was read")
    sheets = models.JSONField(default=list, blank=True, help_text="[[name, rows, columns]] of a workbook")

    dialect = models.JSONField(
        default=dict, blank=True, help_text="How the file is read: lists.importing.reading.Dialect"
    )
    headers = models.JSONField(default=list, blank=True)
    mapping = models.JSONField(default=dict, blank=True, help_text="lists.importing.columns.Mapping")
    on_existing = models.CharField(max_length=10, choices=OnExisting, default=OnExisting.FILL)
    other_person = models.CharField(max_length=10, choices=OtherPerson, default=OtherPerson.KEEP)

    state = models.CharField(max_length=12, choices=ImportState, default=ImportState.DRAFT)
    failure = models.TextField(blank=True, help_text="A sentence: what is wrong, where, what to do")
    progress = models.JSONField(default=dict, blank=True, help_text="Where the job stands, and its cursor")

    records = models.PositiveIntegerField(default=0)
    blank = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    merged = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    suppressed = models.PositiveIntegerField(default=0)
    unsaved = models.PositiveIntegerField(default=0, help_text="Rows that an import which broke off did not reach")
    joined = models.PositiveIntegerField(default=0, help_text="Memberships added; counted beside the outcomes")

    causes = models.JSONField(
        default=list, blank=True, help_text="lists.importing.causes: why rows are no contacts, most rows first"
    )
    warnings = models.JSONField(
        default=list, blank=True, help_text="lists.importing.causes: what rows are warned of, most rows first"
    )
    opt_outs = models.JSONField(
        default=dict, blank=True, help_text="{do-not-contact column: {what it says, as it was compared: rows}}"
    )
    duplicates = models.JSONField(
        default=dict, blank=True, help_text="lists.importing.duplicates: the figures of the preview, counted once"
    )

    analysed_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    thinned_at = models.DateTimeField(null=True, blank=True, help_text="Its rows and file were removed, by age")

    objects = ImportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=["ready", "completed", "undoing", "undone"])
                | Q(
                    records=F("created")
                    + F("updated")
                    + F("unchanged")
                    + F("merged")
                    + F("skipped")
                    + F("rejected")
                    + F("suppressed")
                    + F("unsaved")
                ),
                name="import_ledger_closes",
            ),
        ]
        indexes = [
            # a list's page: its imports, newest first
            models.Index(fields=["contact_list", "-id"], name="import_of_list"),
            # the tick, and what the dashboard shows under way
            models.Index(fields=["state", "due_at"], name="import_wanting"),
        ]
        permissions = [
            ("upload_file", "Can upload a file and import it into a list"),
            ("undo_import", "Can undo any import; one's own is always allowed"),
        ]

    def __str__(self) -> str:
        return f"{self.filename} into {self.list_name}"

    @property
    def is_of_suppressions(self) -> bool:
        return self.purpose == Purpose.SUPPRESSION

    @property
    def table_path(self) -> str:
        """The path of the text file that is read, line by line."""
        return self.table.path if self.table else self.file.path

    def remove_files(self) -> None:
        """Remove the upload and what was made from it; whoever calls this stores that they are gone: `NO_FILES`."""
        for file in (self.file, self.table):
            if file:
                file.delete(save=False)

    @property
    def to_import(self) -> int:
        """Rows that are a contact of the list afterwards, or whose number becomes do-not-contact."""
        if self.is_of_suppressions:
            return self.created
        return self.created + self.updated + self.unchanged

    @property
    def is_under_way(self) -> bool:
        return self.state in UNDER_WAY

    @property
    def ledger(self) -> dict[str, int]:
        """{outcome: rows}, in the order of the equation."""
        return {outcome: getattr(self, outcome) for outcome in RowOutcome.values}


class ImportRow(models.Model):
    """One record of the file. Written and read in bulk: see lists.importing.staging, matching and saving.

    A row never outlives its import, though the database does not check a key for each of a million rows: rows are only
    added by a transaction that holds their import's row, which it has changed under the token (`jobs.JobLease.store`),
    and deleting an import begins with taking that row (`_hold_import`).
    """

    pk = models.CompositePrimaryKey("imported_id", "line")
    imported = models.ForeignKey(
        Import, on_delete=models.CASCADE, related_name="rows", db_index=False, db_constraint=False
    )
    line = models.PositiveIntegerField(
        help_text="Where the record begins in the file; the first line is 1. Of further rows of a line: importing.lines"
    )
    raw = models.JSONField(help_text="The cells as they stand in the file")

    phone = models.CharField(max_length=16, blank=True)
    first_name = models.CharField(max_length=BY_NAME["first_name"].longest, blank=True)
    last_name = models.CharField(max_length=BY_NAME["last_name"].longest, blank=True)
    salutation = models.CharField(max_length=BY_NAME["salutation"].longest, blank=True)
    email = models.CharField(max_length=BY_NAME["email"].longest, blank=True)
    company = models.CharField(max_length=BY_NAME["company"].longest, blank=True)
    tag = models.CharField(max_length=BY_NAME["tag"].longest, blank=True)
    time_zone = models.CharField(max_length=BY_NAME["time_zone"].longest, blank=True)
    extra = models.JSONField(default=dict, blank=True)
    others = models.JSONField(null=True, help_text="Further numbers of the row, which are no contact of their own")
    occurrence = models.PositiveIntegerField(
        default=1, help_text="Counts a number's rows where the list allows duplicates"
    )

    outcome = models.CharField(max_length=10, choices=RowOutcome, blank=True)
    same_as = models.PositiveIntegerField(null=True, help_text="The line that had this number first")
    code = models.CharField(max_length=40, blank=True)
    column = models.CharField(max_length=200, blank=True)
    value = models.TextField(blank=True)
    reason = models.TextField(blank=True)
    suggestion = models.TextField(blank=True)
    warned = models.CharField(
        max_length=200, blank=True, help_text="The codes of its warnings, with commas around; details by cleaning again"
    )

    # The contact the row was about, or would create: its id is drawn when the row is staged (`staging.contact_ids`).
    # No constraint: deleting a contact must not scan the rows of every import for it.
    contact = models.ForeignKey(
        Contact, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="import_rows"
    )
    before = models.JSONField(null=True, help_text="{field: earlier value} of what the import changed")
    joined = models.BooleanField(
        default=False, help_text="This row added a contact we had to the list; a created one always joins"
    )

    class Meta:
        indexes = [
            # a term of the equation, page by page
            models.Index(fields=["imported", "outcome", "line"], name="row_by_outcome"),
            models.Index(fields=["phone", "imported"], name="row_by_phone"),  # a number's life; repeats inside the file
            # the rows of a warning; most rows have none
            models.Index(fields=["imported", "line"], name="row_by_warning", condition=~Q(warned="")),
            # the repeats of a lot; most rows are none
            models.Index(fields=["imported", "same_as"], name="row_by_same_as", condition=Q(same_as__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"line {self.line}"


@receiver(pre_delete, sender=Import)
def _hold_import(instance: Import, **kwargs: object) -> None:
    """Let a worker who is just adding rows finish, so that they are seen and deleted with the import."""
    Import.objects.select_for_update().filter(pk=instance.pk).first()
