"""Push contacts to each rehearsal vendor and say what it cost, beside a plain loop that sends the same requests.

    python benchmarks/push_contacts.py [--contacts 100000] [--batch 100] [--in-flight 8] [--latency 0.0] [--vendor kore]

The vendors play in a process of their own with their pace switched off, and so is ours. The database is a fresh one:
SQLite in a temporary folder, or the empty one that --database names. The baseline has no database: threads, a requests
session each, the same bodies. CPU is this process's own.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def main() -> None:
    arguments = parsed()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(
            SECRET_KEY="only-for-a-benchmark-" + "0123456789abcdef" * 4,
            CREDENTIAL_KEYS="YmVuY2htYXJrcy1vbmx5LWJlbmNobWFya3Mtb25seS0=",
            DATABASE_URL=arguments.database or f"sqlite:///{folder}/benchmark.sqlite3",
            MEDIA_ROOT=folder,
            DEBUG="off",
            REHEARSAL="on",
            DJANGO_SETTINGS_MODULE="contactadmin.settings",
        )
        import django

        django.setup()
        import logging

        from django.core.management import call_command

        logging.disable(logging.WARNING)
        call_command("migrate", verbosity=0)
        contact_list = filled_list(arguments.contacts)
        for vendor in arguments.vendor or ["kore", "leadlex", "exotel"]:
            with Rehearsing(arguments.latency) as rehearsing:
                measure(vendor, contact_list, rehearsing, arguments)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--in-flight", type=int, default=8)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before every answer")
    parser.add_argument("--vendor", action="append", choices=["kore", "leadlex", "exotel"])
    parser.add_argument("--database", help="a database URL whose database is empty; SQLite when left out")
    return parser.parse_args()


def filled_list(contacts: int) -> Any:
    """A list with so many contacts of example numbers."""
    from lists.models import Contact, ContactList, Membership

    contact_list = ContactList.objects.create(
        name="Benchmark", description="Made to be measured", contact_count=contacts
    )
    people = (
        Contact(phone=f"+9198{number:08d}", first_name="Asha", last_name=f"Rao {number}", salutation="Mrs")
        for number in range(contacts)
    )
    while lot := list(islice(people, 5_000)):
        Contact.objects.bulk_create(lot)
    memberships = (
        Membership(contact_list=contact_list, contact=each) for each in Contact.objects.only("pk").iterator()
    )
    while lot := list(islice(memberships, 5_000)):
        Membership.objects.bulk_create(lot)
    return contact_list


class Rehearsing:
    """The rehearsal vendors in their own process."""

    def __init__(self, latency: float) -> None:
        self.latency = latency

    def __enter__(self) -> "Rehearsing":
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "rehearsal", "--port", "0", "--json"], stdout=subprocess.PIPE
        )
        assert self.process.stdout
        self.url = json.loads(self.process.stdout.readline())["url"]
        self.control({"settings": {"per_minute": 0, "latency": self.latency}})
        self.control({"vendor": "kore", "settings": {"apply_delay": 0.0}})
        self.control({"vendor": "leadlex", "settings": {"per_day": None}})
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.terminate()
        self.process.wait()

    def control(self, order: dict[str, Any]) -> None:
        import requests

        requests.post(f"{self.url}/_control", json=order, timeout=30).raise_for_status()


def measure(vendor: str, contact_list: Any, rehearsing: Rehearsing, arguments: argparse.Namespace) -> None:
    from lists import jobs
    from lists.models import Connection
    from lists.rehearsal import CREDENTIALS
    from lists.sync import accounts, planning
    from lists.vendors.registry import vendor_class

    secrets = {setting.name for setting in vendor_class(vendor).settings if setting.secret}
    connection = Connection.objects.create(
        vendor=vendor,
        name=vendor,
        settings={
            "base_url": f"{rehearsing.url}/{vendor}",
            "per_minute": 0,
            "per_hour": 0,
            "per_day": 0,
            "in_flight": arguments.in_flight,
            "batch_size": arguments.batch,
            **{key: value for key, value in CREDENTIALS[vendor].items() if key not in secrets},
        },
        rehearsal=True,
    )
    connection.set_secrets({key: value for key, value in CREDENTIALS[vendor].items() if key in secrets})
    connection.save()
    contacts = arguments.contacts
    print(f"\n{vendor_class(vendor).label}: {contacts:,} contacts, batches of {arguments.batch}, "
          f"{arguments.in_flight} in flight, {arguments.latency * 1000:.0f} ms of latency")  # fmt: skip

    run: Any = None

    def plan() -> None:
        nonlocal run
        run = planning.plan(contact_list, connection)

    def send() -> None:
        jobs.work("run", run.pk)  # until there is something to wait for: what is accepted is read back later

    def confirm() -> None:
        jobs.work_to_end("run", run.pk)

    told("plan", contacts, *timed(plan))
    planning.queue(run, None)
    told("send", contacts, *timed(send))
    run.refresh_from_db()
    sending = span_of_sending(run)
    if not run.is_over:
        told("read back", contacts, *timed(confirm))
        run.refresh_from_db()
    print(f"  {run.state}: {run.added + run.confirmed:,} in the list, {run.request_count:,} requests")
    print(f"  peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    rehearsing.control({"vendor": vendor, "forget": True})
    client = accounts.connected(connection)
    base_wall, base_cpu = timed(lambda: baseline(client, run, arguments.in_flight, arguments.batch))
    told("plain loop", contacts, base_wall, base_cpu)
    print(f"  sending took {sending:.2f} s, {base_wall / sending:.2f} of the plain loop's speed")
    if arguments.latency:
        ideal = run.batches.count() * arguments.latency / arguments.in_flight
        print(f"  latency and batches in flight allow {ideal:.2f} s: "
              f"we reach {ideal / sending:.2f} of that, the plain loop {ideal / base_wall:.2f}")  # fmt: skip


def span_of_sending(run: Any) -> float:
    """Seconds from the first batch's leaving to the last one's answer."""
    sent = run.attempts.exclude(batch=None).order_by("id")
    first, last = sent.first(), sent.last()
    return (last.started_at - first.started_at).total_seconds() + last.latency_ms / 1000


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """(seconds, CPU seconds of this process)."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def told(what: str, contacts: int, wall: float, cpu: float) -> None:
    print(
        f"  {what:<11}{wall:7.2f} s  {contacts / wall:>9,.0f} contacts/s  {cpu / contacts * 1e6:6.1f} µs CPU a contact"
    )


def baseline(vendor: Any, run: Any, in_flight: int, batch: int) -> None:
    """What anybody would write first: threads, a requests session each, no database."""
    from lists.models import Contact
    from lists.sync import translating
    from lists.vendors.records import NewList

    target = vendor.create_list(NewList(run.list_name, "Made to be measured"))
    records = [
        translating.record(number, values)
        for number, values in enumerate(Contact.objects.order_by("pk").values_list(*translating.FIELDS))
    ]
    ids: dict[str, str] = {}
    for operation in vendor.operations[run.kind]:
        size = min(batch, operation.batch)
        todo: SimpleQueue[list[Any]] = SimpleQueue()
        for start in range(0, len(records), size):
            todo.put(records[start : start + size])
        threads = [
            threading.Thread(target=send_plainly, args=(vendor, operation, target, todo, ids)) for _ in range(in_flight)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def send_plainly(vendor: Any, operation: Any, target: Any, todo: Any, ids: dict[str, str]) -> None:
    import requests

    from lists.vendors.records import Answer

    session = requests.Session()
    session.trust_env = False
    while True:
        try:
            batch = todo.get_nowait()
        except Empty:
            return
        if "remote_id" in operation.needs:
            batch = [record._replace(remote_id=ids[record.key]) for record in batch]
        request = operation.request(vendor, target, [operation.entry(record) for record in batch])
        reply = session.request(
            request.method,
            vendor.base_url + request.path,
            json=request.json,
            params=request.params,
            headers=vendor.headers(request),
            timeout=60,
        )
        reply.raise_for_status()
        reading = operation.read(Answer(reply.status_code, reply.headers, reply.content), batch)
        if operation.gives_ids:
            ids.update((result.key, result.remote_id) for result in reading.results)


if __name__ == "__main__":
    main()
