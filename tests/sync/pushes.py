"""Pushing in this process, as the command does."""

from collections import Counter

from lists import jobs
from lists.models import Connection, ContactList, RemoteList, SyncRun
from lists.sync import planning


def push(contact_list: ContactList, connection: Connection, kind: str = "list") -> SyncRun:
    """Plan, queue and work to the end."""
    run = planning.plan(contact_list, connection, kind)
    planning.queue(run, None)
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
