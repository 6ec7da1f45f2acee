"""Pushes to vendors: the plan, every request it took, and what became of every contact."""

import json
from datetime import date, datetime, timedelta
from typing import Any, Self

import orjson
from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Now, TruncDate
from django.utils import timezone

from lists import phones
from lists.models.connections import Connection, RemoteList
from lists.models.contacts import Contact, ContactList
from lists.models.leases import Leased, LeasedQuerySet


class RunKind(models.TextChoices):
    LIST = "list", "Contact list"
    ADDRESS_BOOK = "address_book", "Address book"


class RunState(models.TextChoices):
    PLANNED = "planned", "planned"
    AWAITING_APPROVAL = "awaiting_approval", "awaiting approval"
    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    WAITING = "waiting", "waiting"
    STOPPING = "stopping", "stopping"
    COMPLETED = "completed", "completed"
    COMPLETED_WITH_PROBLEMS = "completed_with_problems", "completed with problems"
    STOPPED = "stopped", "stopped"
    FAILED = "failed", "failed"
    STALLED = "stalled", "stalled"


FINAL_STATES = (RunState.COMPLETED, RunState.COMPLETED_WITH_PROBLEMS, RunState.STOPPED, RunState.FAILED)
PLAN_STATES = (RunState.PLANNED, RunState.AWAITING_APPROVAL)
PROBLEM_STATES = (
    RunState.FAILED,
    RunState.STALLED,
    RunState.AWAITING_APPROVAL,
    RunState.COMPLETED_WITH_PROBLEMS,
)
UNDER_WAY = (RunState.QUEUED, RunState.RUNNING, RunState.WAITING, RunState.STOPPING, RunState.STALLED)


class ItemOutcome(models.TextChoices):
    """Where a contact of a plan stands. *Accepted* is not *confirmed*; *unknown* is neither failed nor sent."""

    PLANNED = "planned", "planned"
    SENDING = "sending", "sending"
    ADDED = "added", "added"
    ALREADY_PRESENT = "already_present", "already present"
    ACCEPTED = "accepted", "accepted, unconfirmed"
    CONFIRMED = "confirmed", "confirmed"
    REJECTED = "rejected", "rejected"
    UNKNOWN = "unknown", "unknown"
    NOT_SENT = "not_sent", "not sent"


# A later plan leaves these out: the vendor holds them, may hold them, or has them queued.
HELD_OUTCOMES = (
    ItemOutcome.ADDED,
    ItemOutcome.ALREADY_PRESENT,
    ItemOutcome.ACCEPTED,
    ItemOutcome.CONFIRMED,
    ItemOutcome.UNKNOWN,
)


class SyncRunQuerySet(LeasedQuerySet):
    def release(self, pk: int, token: int, *, after: timedelta | None = None, over: bool = False) -> None:
        with transaction.atomic():
            super().release(pk, token, after=after, over=over)
            # Who asked to stop while the worker was letting go does not wait as long as the vendor wants us to.
            self.filter(pk=pk, state=RunState.STOPPING).update(due_at=Now())

    def active(self) -> Self:
        return self.exclude(state__in=FINAL_STATES)

    def with_problems(self) -> Self:
        """Runs that need a person: failed, stalled, awaiting approval, or ended with something open."""
        return self.filter(state__in=PROBLEM_STATES)

    def live(self) -> Self:
        return self.filter(rehearsal=False)

    def under_way(self) -> Self:
        """Runs a worker has in hand, or is about to."""
        return self.filter(state__in=UNDER_WAY)

    def needing_a_person(self, since: datetime) -> Self:
        """Runs that wait for somebody, and those that ended badly after `since` with no later run of the same push."""
        later = SyncRun.objects.filter(
            contact_list=OuterRef("contact_list"), connection=OuterRef("connection"), pk__gt=OuterRef("pk")
        )
        waiting = Q(state__in=[RunState.STALLED, RunState.AWAITING_APPROVAL])
        ended_badly = Q(state__in=[RunState.FAILED, RunState.COMPLETED_WITH_PROBLEMS], created_at__gte=since)
        return self.filter(waiting | ended_badly & ~Exists(later))

    def chosen(
        self,
        *,
        vendor: str = "",
        connection: Connection | None = None,
        contact_list: ContactList | None = None,
        state: str = "",
        trigger: str = "",
        problems: bool = False,
        by: models.Model | None = None,
        since: date | None = None,
        until: date | None = None,
        rehearsal: str = "",
    ) -> Self:
        """The filters of the history, each narrowing the others; an empty one hides nothing. Days include both ends."""
        runs = self.with_problems() if problems else self
        exactly: dict[str, Any] = {
            "vendor": vendor,
            "connection": connection,
            "contact_list": contact_list,
            "state": state,
            "trigger": trigger,
            "created_by": by,
            "created_at__date__gte": since,
            "created_at__date__lte": until,
            "rehearsal": {"only": True, "without": False}.get(rehearsal),
        }
        return runs.filter(**{name: value for name, value in exactly.items() if value not in ("", None)})

    def newest_per_connection(self, count: int) -> Self:
        """The newest `count` runs that were sent, of every connection, oldest first."""
        sent = self.exclude(started_at=None)
        # Where each connection's begin is found by index; a window function would read every run there ever was.
        of_connection = sent.filter(connection=OuterRef("pk")).order_by("-id").values("pk")
        begins = Connection.objects.annotate(begins=Subquery(of_connection[count - 1 : count]))
        wanted = Q(pk__in=[])
        for connection, first in begins.values_list("pk", "begins"):
            wanted |= Q(connection=connection, pk__gte=first or 0)
        return sent.filter(wanted).order_by("id")

    def outcomes_by_day(self, since: datetime) -> dict[date, dict[str, int]]:
        """{day: {outcome: contacts}} of the runs begun from `since` on; days without a run are left out."""
        days = (
            self.filter(created_at__gte=since).annotate(day=TruncDate("created_at")).values_list("day").order_by("day")
        )
        sums = days.annotate(**{f"sum_{outcome}": Sum(outcome) for outcome in ItemOutcome.values})
        return {day: dict(zip(ItemOutcome.values, numbers, strict=True)) for day, *numbers in sums}


class SyncRun(Leased):
    contact_list = models.ForeignKey(ContactList, null=True, on_delete=models.SET_NULL, related_name="runs")
    connection = models.ForeignKey(Connection, null=True, on_delete=models.SET_NULL, related_name="runs")
    remote_list = models.ForeignKey(RemoteList, null=True, on_delete=models.SET_NULL, related_name="runs")
    list_name = models.CharField(max_length=200, help_text="As it was; history outlives the list")
    connection_name = models.CharField(max_length=100)
    vendor = models.CharField(max_length=20)
    rehearsal = models.BooleanField(default=False)
    kind = models.CharField(max_length=12, choices=RunKind, default=RunKind.LIST)

    state = models.CharField(max_length=24, choices=RunState, default=RunState.PLANNED)
    waiting_for = models.CharField(
        max_length=300, blank=True, help_text="“LeadLex's daily quota”, “confirming 312 contacts”"
    )
    failure = models.TextField(blank=True, help_text="A sentence: what stopped the run, and what to do")
    plan_hash = models.CharField(max_length=64)
    settings_used = models.JSONField(
        default=dict, blank=True, help_text="Limits, pace and settings as they were; no secret"
    )
    progress = models.JSONField(default=dict, blank=True, help_text="Cursors of sending and settling")
    causes = models.JSONField(
        default=list, blank=True, help_text="lists.sync.history: problems grouped, most contacts first"
    )

    # Kept with every batch, so that no page counts items.
    total = models.PositiveIntegerField(default=0, help_text="Contacts in the plan")
    planned = models.PositiveIntegerField(default=0)
    sending = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    already_present = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    confirmed = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    unknown = models.PositiveIntegerField(default=0)
    not_sent = models.PositiveIntegerField(default=0)
    held_before = models.PositiveIntegerField(
        default=0, help_text="Contacts left out because the vendor holds them already"
    )
    batch_count = models.PositiveIntegerField(default=0)
    request_count = models.PositiveIntegerField(default=0)

    trigger = models.CharField(max_length=20, default="person", help_text="person, command, import, retry")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="runs")
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    stopped_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    approved_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    idle = models.DurationField(default=timedelta, help_text="Between an end and being taken up again, all together")
    thinned_at = models.DateTimeField(null=True, help_text="What its requests said was removed, by age")

    objects = SyncRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contact_list", "connection"],
                condition=~Q(state__in=["completed", "completed_with_problems", "stopped", "failed"]),
                name="one_active_run",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["completed", "completed_with_problems", "stopped"])
                | Q(
                    total=models.F("added")
                    + models.F("already_present")
                    + models.F("accepted")
                    + models.F("confirmed")
                    + models.F("rejected")
                    + models.F("unknown")
                    + models.F("not_sent")
                ),
                name="run_ledger_closes",
            ),
        ]
        indexes = [
            # a list's vendors; what is held
            models.Index(fields=["contact_list", "connection", "-id"], name="run_of_list"),
            models.Index(fields=["state", "due_at"], name="run_wanting"),  # the tick; the dashboard's attention
            # health of a connection; history by vendor
            models.Index(fields=["connection", "-id"], name="run_of_connection"),
        ]
        permissions = [
            ("push_list", "Can plan a push and send it to a vendor"),
            ("approve_run", "Can approve another person's plan"),
        ]

    def __str__(self) -> str:
        return f"{self.list_name} → {self.connection_name}"

    @property
    def is_over(self) -> bool:
        return self.state in FINAL_STATES

    @property
    def ledger(self) -> dict[str, int]:
        """{outcome: contacts}, in the order of the equation: what is done first, what is to come last."""
        to_come = [ItemOutcome.SENDING.value, ItemOutcome.PLANNED.value]
        done = [outcome for outcome in ItemOutcome.values if outcome not in to_come]
        return {outcome: getattr(self, outcome) for outcome in (*done, *to_come)}

    @property
    def is_plan(self) -> bool:
        """Nothing has left yet, and a person is asked first."""
        return self.state in PLAN_STATES

    @property
    def is_under_way(self) -> bool:
        return self.state in UNDER_WAY

    @property
    def has_problems(self) -> bool:
        return self.state in PROBLEM_STATES

    @property
    def duration(self) -> timedelta | None:
        """From the first step to the last, to now while it is under way; without the time nobody was at it."""
        if not self.started_at:
            return None
        return (self.finished_at or timezone.now()) - self.started_at - self.idle

    @property
    def decided(self) -> int:
        """Contacts whose outcome is known or given up: what progress counts."""
        return self.total - self.planned - self.sending

    def previous(self) -> "SyncRun | None":
        """The run of the same push before this one."""
        before = SyncRun.objects.filter(
            contact_list=self.contact_list_id, connection=self.connection_id, kind=self.kind
        )
        return before.filter(pk__lt=self.pk).order_by("-pk").first()

    @property
    def can_stop(self) -> bool:
        return self.is_under_way and self.state != RunState.STOPPING

    @property
    def can_resume(self) -> bool:
        """It ended part-way, or was given up after its workers crashed; what is left can go out as planned."""
        parked = self.state == RunState.STALLED and self.due_at is None
        return self.planned > 0 and (self.state == RunState.FAILED or parked)

    @property
    def open(self) -> int:
        """Contacts whose end only the vendor knows."""
        return self.accepted + self.unknown

    @property
    def can_settle(self) -> bool:
        return self.is_over and self.open > 0

    @property
    def can_plan_again(self) -> bool:
        return self.is_over and self.contact_list_id is not None and self.connection_id is not None


class EntriesDecoder(json.JSONDecoder):
    """Reads them once more for every batch that is sent, so the fast way."""

    def decode(self, s: str, *_: Any) -> Any:
        return orjson.loads(s)


class SyncBatch(models.Model):
    """One request of the plan: an operation on the contacts of a span of positions."""

    class State(models.TextChoices):
        PLANNED = "planned", "planned"
        SENDING = "sending", "sending"  # an attempt is recorded; no answer is
        ANSWERED = "answered", "answered"
        UNKNOWN = "unknown", "unknown"
        REFUSED = "refused", "refused"
        NOT_SENT = "not_sent", "not sent"

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="batches", db_index=False)
    sequence = models.PositiveIntegerField(help_text="Order of sending; the first is 1")
    operation = models.CharField(max_length=40)
    first = models.PositiveIntegerField(help_text="Position of its first item")
    last = models.PositiveIntegerField(help_text="Position of its last item")
    entries = models.JSONField(
        decoder=EntriesDecoder,
        help_text="What the request says of each contact, in order, exactly; "
        "ids an earlier phase gives stand as a slot",
    )
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    parent = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.CASCADE,
        related_name="children",
        help_text="The refused batch it is a part of",
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "sequence"], name="one_batch_per_sequence")]

    def __str__(self) -> str:
        return f"batch {self.sequence} of run {self.run_id}"


class SyncAttempt(models.Model):
    """One request, stored before its bytes leave; what came back is added afterwards."""

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="attempts", db_index=False)
    batch = models.ForeignKey(
        SyncBatch,
        null=True,
        on_delete=models.CASCADE,
        related_name="attempts",
        help_text="None for looking up and reading back",
    )
    operation = models.CharField(max_length=40)
    method = models.CharField(max_length=7)
    path = models.CharField(max_length=500)
    token = models.PositiveIntegerField(default=0, help_text="The fencing token it was sent under")
    contacts = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()
    waited_ms = models.PositiveIntegerField(default=0, help_text="For the pace, before it left")
    latency_ms = models.PositiveIntegerField(null=True)
    status = models.PositiveSmallIntegerField(null=True, help_text="HTTP status; none when there was no answer")
    problem = models.CharField(max_length=40, blank=True, help_text="The VendorError's name; blank when answered well")
    words = models.TextField(blank=True, help_text="The vendor's own words, masked")
    request_id = models.CharField(max_length=100, blank=True, help_text="The vendor's support handle")
    request_excerpt = models.TextField(blank=True, help_text="Secrets and numbers masked, at most 4 KB")
    answer_excerpt = models.TextField(blank=True, help_text="Secrets and numbers masked, at most 4 KB")

    class Meta:
        indexes = [models.Index(fields=["run", "id"], name="attempt_of_run")]  # the requests tab, in order

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def waited(self) -> timedelta:
        return timedelta(milliseconds=self.waited_ms)

    @property
    def latency(self) -> timedelta | None:
        return None if self.latency_ms is None else timedelta(milliseconds=self.latency_ms)


class SyncItemQuerySet(models.QuerySet):
    def matching(self, text: str) -> Self:
        """Items whose contact has this number, in any spelling, or part of it, or this text in its name.

        All of them when it is empty. Only for the items of one run: it reads each of their contacts.
        """
        text = text.strip()
        if not text:
            return self
        digits = phones.search_key(text)
        # A whole number is found by its index; only a part of one needs every contact of the run.
        if digits and (contact := Contact.objects.filter(phone=f"+{digits}").values_list("pk", flat=True).first()):
            return self.filter(contact=contact)
        words = Q(contact__first_name__icontains=text) | Q(contact__last_name__icontains=text)
        return self.filter(words | Q(contact__phone__contains=digits) if digits else words)

    def chosen(self, *, outcome: str = "", code: str = "", q: str = "") -> Self:
        """The filters of the run's contacts; an empty one hides nothing."""
        exactly = {name: value for name, value in (("outcome", outcome), ("code", code)) if value}
        return self.filter(**exactly).matching(q).order_by("position")


class SyncItem(models.Model):
    """One contact of a plan. Written in spans and lots, never one by one."""

    pk = models.CompositePrimaryKey("run_id", "position")
    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="items", db_index=False)
    position = models.PositiveIntegerField(help_text="Order in the plan; the first is 1")
    # No constraint: history outlives the contact.
    contact = models.ForeignKey(
        Contact, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="sync_items"
    )
    occurrence = models.PositiveIntegerField(default=1)
    outcome = models.CharField(max_length=15, choices=ItemOutcome, default=ItemOutcome.PLANNED)
    code = models.CharField(max_length=60, blank=True, help_text="The vendor's code, or our reason's name")
    words = models.CharField(max_length=300, blank=True, help_text="The vendor's own words")
    batch = models.ForeignKey(
        SyncBatch, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="items"
    )
    changed_at = models.DateTimeField(null=True)

    objects = SyncItemQuerySet.as_manager()

    class Meta:
        constraints = [
            # Begins with the contact: it also serves a contact's own history.
            models.UniqueConstraint(fields=["contact", "run", "occurrence"], name="one_item_per_membership"),
        ]
        indexes = [
            # a term of the run's equation, page by page
            models.Index(fields=["run", "outcome", "position"], name="item_by_outcome"),
        ]

    def __str__(self) -> str:
        return f"position {self.position} of run {self.run_id}"
