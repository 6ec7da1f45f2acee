"""The commands that push: names, options, keys and exit codes are a contract."""

import json

import pytest
from django.core.management import call_command

from lists.management.base import Refused
from lists.models import Connection, SyncRun
from tests.factories import make_connection, make_contact, make_list, make_run

pytestmark = pytest.mark.django_db
KEYS = [
    "run_id", "status", "planned", "added", "already_present", "accepted", "confirmed", "rejected", "unknown",
    "not_sent", "batches", "requests", "seconds",
]  # fmt: skip


def answer(capsys, *arguments: object) -> dict:
    """What the command answers as JSON; it must end well."""
    capsys.readouterr()
    call_command(*map(str, arguments), "--json")
    return json.loads(capsys.readouterr().out)


def test_push_inline_runs_to_the_end_and_answers_with_the_keys(connect, capsys):
    make_list("July", contacts=4)
    connect("leadlex", "LeadLex")
    told = answer(capsys, "push", "July", "--to", "LeadLex", "--inline")
    assert list(told) == KEYS
    assert (told["status"], told["planned"], told["added"]) == ("completed", 4, 4)


def test_push_queues_for_a_worker(connect, capsys):
    make_list("July", contacts=4)
    connect("leadlex", "LeadLex")
    told = answer(capsys, "push", "July", "--to", "LeadLex")
    assert (told["status"], told["requests"]) == ("queued", 0)


def test_a_plan_can_be_made_first_and_sent_as_it_stands(connect, capsys):
    make_list("July", contacts=4)
    connect("leadlex", "LeadLex")
    plan = answer(capsys, "push", "July", "--to", "LeadLex", "--plan-only")
    assert (plan["status"], plan["batches"]) == ("planned", 2)
    with pytest.raises(Refused, match="has a plan"):
        call_command("push", "July", "--to", "LeadLex")
    sent = answer(capsys, "push", "July", "--to", "LeadLex", "--approve", "--inline")
    assert (sent["run_id"], sent["status"]) == (plan["run_id"], "completed")


def test_push_that_ends_with_problems_exits_with_1(connect, rehearsal, capsys):
    make_list("July", contacts=2)
    connect("exotel", "Exotel")
    rehearsal.exotel.set(per_minute=0)
    rehearsal.exotel.faults.next("add_to_list", item_codes=[200, 404])
    with pytest.raises(SystemExit) as ended:
        call_command("push", "July", "--to", "Exotel", "--inline", "--json")
    assert ended.value.code == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["status"], told["rejected"]) == ("completed_with_problems", 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["August", "--to", "LeadLex"], "no list named “August”"),
        (["July", "--to", "Nobody"], "no connection named “Nobody”"),
        (["July", "--to", "LeadLex", "--kind", "address_book"], "has no address book"),
    ],
)
def test_push_explains_a_refusal_in_one_sentence_and_exits_with_2(arguments, words, connect):
    make_list("July", contacts=2)
    connect("leadlex", "LeadLex")
    with pytest.raises(Refused, match=words) as refusal:
        call_command("push", *arguments)
    assert refusal.value.returncode == 2


def test_runs_shows_the_history_with_causes(capsys):
    run = make_run({"added": 2, "rejected": 1}, state="completed_with_problems")
    told = answer(capsys, "runs", "--run", run.pk)
    assert list(told) == [*KEYS, "causes"]
    assert [each["run_id"] for each in answer(capsys, "runs", "--list", run.list_name)["runs"]] == [run.pk]
    with pytest.raises(Refused, match="no run 999"):
        call_command("runs", "--run", "999")


def test_settle_refuses_a_run_with_nothing_open(capsys):
    run = make_run({"added": 2})
    with pytest.raises(Refused, match="nothing to settle"):
        call_command("settle", str(run.pk))


def test_settle_reads_back_and_answers_as_push(connect, rehearsal, settings, capsys):
    settings.SETTLE_GAPS, settings.SETTLE_CEILING_SECONDS = [0.05], 0.2
    rehearsal.kore.set(apply_share=0.0)
    contact_list = make_list("July", contacts=3)
    connect("kore", "Kore")
    with pytest.raises(SystemExit):
        call_command("push", "July", "--to", "Kore", "--inline", "--json")
    run = SyncRun.objects.get()
    assert run.accepted == 3
    rehearsal.kore.gain(run.remote_list.remote_id, contact_list.contacts.values_list("phone", flat=True))
    told = answer(capsys, "settle", run.pk)
    assert (told["status"], told["confirmed"]) == ("completed", 3)


@pytest.mark.parametrize("word", ["confirmed", "not_sent"])
def test_settle_takes_a_persons_word(word, capsys):
    run = make_run({"added": 1, "unknown": 2}, state="completed_with_problems")
    if word == "confirmed":
        told = answer(capsys, "settle", run.pk, "--count-as", word)
        assert (told["status"], told["confirmed"], told["unknown"]) == ("completed", 2, 0)
    else:
        with pytest.raises(SystemExit):  # as for every run that ends with problems
            call_command("settle", str(run.pk), "--count-as", word)
        run.refresh_from_db()
        assert (run.not_sent, run.unknown) == (2, 0)


def test_connect_takes_settings_from_the_line_and_secrets_from_the_environment(rehearsal, monkeypatch, capsys):
    from lists.rehearsal import CREDENTIALS

    monkeypatch.setenv("LEADLEX_KEY", CREDENTIALS["leadlex"]["api_key"])
    told = answer(
        capsys, "connect", "leadlex", "LeadLex", "--set", f"base_url={rehearsal.url}/leadlex",
        "--set", "per_minute=0", "--secret", "api_key=LEADLEX_KEY", "--check",
    )  # fmt: skip
    connection = Connection.objects.get()
    assert told == {"connection_id": connection.pk, "checked": True}
    assert (connection.rehearsal, connection.health) == (True, "ok")
    assert connection.secrets() == {"api_key": CREDENTIALS["leadlex"]["api_key"]}
    assert CREDENTIALS["leadlex"]["api_key"] not in str(connection.settings)


def test_connect_with_a_wrong_secret_stores_and_exits_with_1(rehearsal, monkeypatch, capsys):
    monkeypatch.setenv("LEADLEX_KEY", "wbk_wrong")
    with pytest.raises(SystemExit) as ended:
        call_command(
            "connect", "leadlex", "LeadLex", "--set", f"base_url={rehearsal.url}/leadlex",
            "--secret", "api_key=LEADLEX_KEY", "--check", "--json",
        )  # fmt: skip
    told = capsys.readouterr()
    assert ended.value.code == 1
    assert json.loads(told.out)["checked"] is False
    assert "HTTP 401" in told.err
    assert "wbk_wrong" not in told.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "host=example.com"], "not one of LeadLex's"),
        (["--secret", "api_key=NOT_THERE"], "no NOT_THERE"),
        (["--set", "base_url=https://example.com"], "not a host of LeadLex"),
    ],
)
def test_connect_refuses_what_cannot_be_used(arguments, words, monkeypatch):
    monkeypatch.setenv("KEY", "wbk_x")
    with pytest.raises(Refused, match=words):
        call_command("connect", "leadlex", "LeadLex", "--secret", "api_key=KEY", *arguments)
    assert not Connection.objects.exists()


def test_a_new_address_asks_for_the_secrets_again(monkeypatch, rehearsal):
    make_connection("leadlex", "LeadLex", secrets={"api_key": "wbk_old"})
    with pytest.raises(Refused, match="give all secrets again: api_key"):
        call_command("connect", "leadlex", "LeadLex", "--set", f"base_url={rehearsal.url}/leadlex")


def test_connect_forgets_how_the_connection_was_once_it_changes(monkeypatch):
    connection = make_connection(
        "leadlex", "LeadLex", secrets={"api_key": "wbk_old"}, health="ok", health_text="Connected."
    )
    monkeypatch.setenv("KEY", "wbk_new")
    call_command("connect", "leadlex", "LeadLex", "--secret", "api_key=KEY")
    connection.refresh_from_db()
    assert (connection.health, connection.health_text) == ("unknown", "")
    assert connection.secrets() == {"api_key": "wbk_new"}


def test_rotate_credentials_writes_them_with_the_newest_key(settings, capsys):
    from cryptography.fernet import Fernet

    connection = make_connection("leadlex", secrets={"api_key": "wbk_1"})
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode(), *settings.CREDENTIAL_KEYS]
    assert answer(capsys, "rotate_credentials") == {"rotated": 1, "second_factors": 0}
    settings.CREDENTIAL_KEYS = settings.CREDENTIAL_KEYS[:1]
    connection.refresh_from_db()
    assert connection.secrets() == {"api_key": "wbk_1"}


def test_rotate_credentials_with_a_lost_key_changes_nothing(settings):
    from cryptography.fernet import Fernet

    connection = make_connection("leadlex", secrets={"api_key": "wbk_1"})
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(Refused, match="not in CREDENTIAL_KEYS"):
        call_command("rotate_credentials")
    before = connection.credentials
    connection.refresh_from_db()
    assert connection.credentials == before


def test_push_for_people_tells_a_sentence(connect, capsys):
    make_contact(contact_list=make_list("July"))
    connect("leadlex", "LeadLex")
    call_command("push", "July", "--to", "LeadLex", "--inline")
    assert "1 of 1 are in the list." in capsys.readouterr().out
