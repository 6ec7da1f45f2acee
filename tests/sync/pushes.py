"""Pushing in this process, as the command does."""

from collections import Counter
from datetime import timedelta

from django.utils import timezone

from lists import jobs
from lists.models import Connection, ContactList, RemoteList, SyncRun
from lists.sync import planning


def push(contact_list: ContactList, connection: Connection, kind: str = "list") -> SyncRun:
    """Plan, queue and work to the end."""
    return work(queued(contact_list, connection, kind))


def queued(contact_list: ContactList, connection: Connection, kind: str = "list") -> SyncRun:
    run = planning.plan(contact_list, connection, kind)
    planning.queue(run, None)
    return run


def work_on(run: SyncRun) -> SyncRun:
    """To the end, after the worker that held it is gone."""
    SyncRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    return work(run)


def work(run: SyncRun) -> SyncRun:
    jobs.work_to_end("run", run.pk)
    run.refresh_from_db()
    assert_ledger_is_true(run)
    return run


def assert_ledger_is_true(run: SyncRun) -> None:
    """The run's counters are what its rows say."""
    counted = Counter(run.items.values_list("outcome", flat=True))
    assert {name: count for name, count in run.ledger.items() if count} == dict(counted)
    assert sum(run.ledger.values()) == run.total
    assert run.request_count >= run.attempts.count()
    assert run.batch_count == run.batches.count()


def remote_id(contact_list: ContactList) -> str:
    return RemoteList.objects.get(contact_list=contact_list).remote_id


def phones(contact_list: ContactList) -> list[str]:
    return sorted(contact_list.contacts.values_list("phone", flat=True))


def outcomes(run: SyncRun) -> dict[str, int]:
    return {name: count for name, count in run.ledger.items() if count}
