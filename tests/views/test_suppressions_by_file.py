"""Do not contact by file: the upload, the way through the wizard, and who may go it."""

import re
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects, assertTemplateNotUsed

from lists.importing import flow
from lists.importing.columns import Mapping
from lists.importing.flow import ImportRefused, Target
from lists.importing.row_warnings import KINDS, Code
from lists.models import Contact, Import, Suppression
from lists.pages.access import may_work_on
from tests.factories import make_contact, make_import, make_list, make_suppression
from tests.importing.worlds import commit, work

pytestmark = pytest.mark.django_db

ASHA, RAVI = "+919800012345", "+919800012346"
FILE = f"Phone,Reason,Date\n{ASHA},asked by e-mail,2026-03-02\n{RAVI},,\n9.19877E+11,asked,\n".encode()
UPLOAD_PART = {"HX-Request": "true", "HX-Target": "suppressions-upload"}


def send(client: Client, content: bytes = FILE, *, name="opted_out.csv", reason="Register of March", **extra):
    """Post the upload form as a browser does."""
    fields = {"file": SimpleUploadedFile(name, content), "reason": reason}
    return client.post(reverse("suppressions-upload"), fields, **extra)


def url(step: str, imported: Import) -> str:
    return reverse(f"imports-{step}", args=[imported.pk])


def checked(user, content: bytes = FILE) -> Import:
    """A file of numbers that has been analysed and waits for a person."""
    imported = flow.receive([content], "opted_out.csv", Target(None, "Register of March"), user)
    flow.match_columns(imported, Mapping.from_dict(imported.mapping))
    return work(imported)


# Upload --------------------------------------------------------------------------------------------------------------


def test_a_file_goes_on_to_the_steps_of_every_import(manager):
    response = send(manager)
    imported = Import.objects.get()
    assertRedirects(response, url("read", imported), fetch_redirect_response=False)
    assert (imported.purpose, imported.list_name, imported.contact_list) == ("suppression", "Do not contact", None)
    assert (imported.reason, imported.created_by) == ("Register of March", manager.user)
    assert not Suppression.objects.exists()


def test_the_upload_says_what_is_expected(manager):
    response = manager.get(reverse("suppressions-upload"))
    for words in ("Phone number", "Reason", "Since", "Of several in a cell, every one counts", "What we expect"):
        assertContains(response, words)


def test_an_upload_by_htmx_goes_on_to_the_next_step(manager):
    response = send(manager, headers=UPLOAD_PART)
    assert response.headers["HX-Redirect"] == url("read", Import.objects.get())


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"%PDF-1.7\n", "opted_out.pdf", "PDF"),
        (b"Phone,Reason\n", "opted_out.csv", "no rows"),
        (b"", "opted_out.csv", "empty"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_a_sentence_and_the_reason_stays(manager, content, name, sentence):
    response = send(manager, content, name=name, headers=UPLOAD_PART)
    assertTemplateNotUsed(response, "base.html")
    assertContains(response, sentence)
    assertContains(response, "Register of March")
    assert not Import.objects.exists()


def test_no_file_is_asked_for(manager):
    response = manager.post(reverse("suppressions-upload"), {"reason": "asked"})
    assertContains(response, "Choose a file.")
    assert not Import.objects.exists()


def test_a_file_over_the_cap_is_refused_while_it_arrives(manager, settings, uploads):
    settings.MAX_UPLOAD_MB = 1
    response = send(manager, FILE + b"x" * 1024 * 1024)
    assertContains(response, "The file is over 1 MB", status_code=413)
    assert not [file for file in uploads.rglob("*") if file.is_file()]


def test_a_form_sent_twice_is_one_import(manager):
    assert send(manager).url == send(manager).url
    assert Import.objects.unfinished().count() == 1
    assert send(manager, reason="another register").url != send(manager).url


# The way through the wizard ------------------------------------------------------------------------------------------


def test_what_is_checked_is_what_is_saved(manager):
    make_suppression(RAVI, reason="asked in May")
    imported = checked(manager.user)
    preview = imported.ledger
    assert (preview["created"], preview["unchanged"], preview["rejected"]) == (1, 1, 1)
    assert Suppression.objects.count() == 1
    imported = commit(imported)
    assert (imported.state, imported.ledger) == ("completed", preview)
    asha = Suppression.objects.get(phone=ASHA)
    assert (asha.reason, asha.source, asha.asked_on) == ("asked by e-mail", "opted_out.csv, line 2", date(2026, 3, 2))
    assert asha.created_by == manager.user
    assert Suppression.objects.get(phone=RAVI).reason == "asked in May"
    assert not Contact.objects.exists()


def test_a_number_added_by_somebody_else_in_between_is_counted_as_there_already(manager):
    imported = checked(manager.user)
    make_suppression(ASHA, reason="asked a moment ago")
    imported = commit(imported)
    assert (imported.created, imported.unchanged) == (1, 1)
    assert Suppression.objects.get(phone=ASHA).reason == "asked a moment ago"


def test_what_a_file_made_do_not_contact_is_not_undone(administrator):
    imported = commit(checked(administrator.user))
    with pytest.raises(ImportRefused, match="one by one"):
        flow.begin_undo(imported, administrator.user)
    assert Suppression.objects.active().count() == 2


def test_the_pages_of_the_import_open(manager):
    imported = checked(manager.user)
    assertContains(manager.get(url("read", imported)), "opted_out.csv")
    assertContains(manager.get(url("check", imported), {"tab": "rows"}), "Do not contact")
    commit(imported)
    assertContains(manager.get(url("detail", imported), {"tab": "rows"}), "Do not contact")


def test_the_button_counts_the_numbers_that_are_new(manager):
    make_suppression(RAVI)
    imported = checked(manager.user)
    page = manager.get(url("check", imported))
    assertContains(page, "1 number would become do-not-contact. Nothing is saved yet.")
    assertContains(page, "Make 1 number do-not-contact")
    assertContains(page, "1 is there already. Stays out: 1 rejected.")
    commit(imported)
    page = manager.get(url("detail", imported))
    assertContains(page, "1 number of the file became do-not-contact.")


def test_a_file_with_no_new_number_says_so_and_offers_nothing_to_save(manager):
    make_suppression(ASHA)
    make_suppression(RAVI)
    imported = checked(manager.user, f"Phone\n{ASHA}\n{RAVI}\n".encode())
    page = manager.get(url("check", imported))
    assertContains(page, "2 numbers of the file are do-not-contact already; the file adds none.")
    assertContains(page, "2 are there already.")
    assertNotContains(page, url("commit", imported))
    commit(imported)
    assertContains(manager.get(url("detail", imported)), "2 numbers of the file are do-not-contact already")


def test_the_pages_speak_of_numbers_and_not_of_contacts_or_a_list(manager):
    imported = checked(manager.user)
    page = manager.get(url("check", imported), {"tab": "problems"})
    assertContains(page, "only a phone number can refuse a row. The others count all the same.")
    assertContains(page, "<dt>Purpose</dt>", html=True)
    assertNotContains(page, "<dt>List</dt>", html=True)
    assertNotContains(manager.get(url("check", imported), {"tab": "rows"}), '<th scope="col">Contact</th>', html=True)
    flow.begin_commit(imported, manager.user)
    assertContains(manager.get(url("detail", imported)), "Saving the numbers")


def test_each_row_shows_the_reason_that_is_kept(manager):
    imported = checked(manager.user)
    page = manager.get(url("check", imported), {"tab": "rows"})
    assertContains(page, '<th scope="col">Reason</th>', html=True)
    for words in ("asked by e-mail", "since 2026-03-02", "Register of March"):
        assertContains(page, words, count=1)
    make_suppression(RAVI, reason="asked in May")
    imported = checked(manager.user)
    assertNotContains(manager.get(url("check", imported), {"tab": "rows"}), "Register of March")


def test_the_result_says_which_reason_is_kept_where_nobody_gave_one(manager):
    imported = flow.receive([f"Phone\n{ASHA}\n".encode()], "opted_out.csv", Target(None), manager.user)
    flow.match_columns(imported, Mapping.from_dict(imported.mapping))
    commit(work(imported))
    assertContains(manager.get(url("detail", imported), {"tab": "settings"}), "Said so in opted_out.csv")


def test_the_result_leads_to_the_do_not_contact_list(manager):
    imported = commit(checked(manager.user))
    button = f'<a class="btn btn-primary" href="{reverse("suppressions-index")}">'
    assertContains(manager.get(url("detail", imported)), button)


def test_what_came_out_differently_is_told_of_the_do_not_contact_list(manager):
    imported = checked(manager.user)
    make_suppression(ASHA)
    commit(imported)
    sentence = "The do-not-contact list changed between the preview and the import, so it came out differently: "
    assertContains(manager.get(url("detail", imported)), f"{sentence}created 2 → 1, unchanged 0 → 1.")


@pytest.mark.parametrize("code", list(Code))
def test_no_advice_speaks_of_what_a_file_of_numbers_does_not_have(code):
    spoken_of_contacts_alone = {
        Code.SEVERAL_NUMBERS, Code.EMAIL_LEFT_OUT, Code.TIME_ZONE_LEFT_OUT, Code.OPT_OUT_UNSURE, Code.OTHER_PERSON,
    }  # fmt: skip
    if code not in spoken_of_contacts_alone:
        assert not re.search(r"\b(contact|list)\b", KINDS[code].title + KINDS[code].advice)


def test_every_phone_column_counts_without_a_question(manager):
    rows = "".join(f"+919800012{at},+919800013{at}\n" for at in range(300, 306))
    content = f"Contact one,Contact two\n{rows}".encode()
    of_contacts = flow.receive([content], "renewals.csv", Target(make_list(default_region="IN")), None)
    assert [question.code for question in flow.guess_columns(of_contacts).questions] == ["which_phone"]
    imported = flow.receive([content], "opted_out.csv", Target(None), manager.user)
    guess = flow.guess_columns(imported)
    assert (set(guess.mapping.phones), guess.questions) == ({0, 1}, [])
    page = manager.get(url("columns", imported))
    assertContains(page, "Every number in it counts.")
    assertNotContains(page, "Could also be phone number")
    assert "first_phone" not in page.context["form"].fields
    assert [match.place for match in page.context["matches"]] == ["", ""]


# Who may -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["uploader", "auditor"])
def test_who_may_not_add_numbers_uploads_none(client_of, role):
    client = client_of(role)
    assert client.get(reverse("suppressions-upload")).status_code == 403
    assert send(client).status_code == 403
    assertNotContains(client.get(reverse("suppressions-index")), reverse("suppressions-upload"))
    assert not Import.objects.exists()


@pytest.mark.parametrize(
    ("role", "of_contacts", "of_suppressions"),
    [
        ("uploader", True, False),
        ("campaign manager", True, True),
        ("administrator", True, True),
        ("auditor", False, False),
    ],
)
def test_a_file_is_worked_on_with_the_right_its_purpose_takes(client_of, role, of_contacts, of_suppressions):
    user = client_of(role).user
    assert may_work_on(user, make_import()) is of_contacts
    assert may_work_on(user, Import(purpose="suppression")) is of_suppressions


@pytest.mark.parametrize(
    ("step", "method"),
    [
        ("read", "get"),
        ("columns", "get"),
        ("columns", "post"),
        ("policy", "post"),
        ("commit", "post"),
        ("discard", "post"),
    ],
)
def test_an_uploader_takes_no_step_with_a_file_of_numbers(uploader, manager, step, method):
    imported = flow.receive([FILE], "opted_out.csv", Target(None), manager.user)
    assert getattr(uploader, method)(url(step, imported)).status_code == 403
    imported.refresh_from_db()
    assert imported.state == "draft"


def test_a_form_without_its_token_is_refused(manager):
    stranger = Client(enforce_csrf_checks=True)
    stranger.force_login(manager.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert send(stranger).status_code == 403
    assert not Import.objects.exists()


def test_strangers_log_in_first(client):
    assert client.get(reverse("suppressions-upload")).url.startswith(reverse("account_login"))


# The list ------------------------------------------------------------------------------------------------------------


def test_the_list_tells_where_a_number_came_from_and_when_it_was_asked_for(manager):
    make_suppression(ASHA, source="opted_out.csv, line 2", asked_on=date(2026, 3, 2))
    make_suppression(RAVI, source="command")
    response = manager.get(reverse("suppressions-index"))
    for words in ("opted_out.csv, line 2", "2 March 2026", "a command", reverse("suppressions-upload")):
        assertContains(response, words)


def test_the_numbers_of_a_file_are_found_by_its_name(manager):
    wanted = make_suppression(ASHA, source="opted_out.csv, line 2")
    make_suppression(RAVI, source="page")
    assert manager.get(reverse("suppressions-index"), {"q": "opted_out"}).context["page"].rows == [wanted]


# Contacts with several numbers ---------------------------------------------------------------------------------------


def test_a_contact_is_found_by_another_number_of_its_own():
    contact_list = make_list()
    imported = flow.receive([f"Phone,Mobile\n{ASHA},{RAVI}\n".encode()], "renewals.csv", Target(contact_list), None)
    flow.match_columns(imported, Mapping({"phone": 0}, more_phones=[1]))
    commit(work(imported))
    [asha] = Contact.objects.all()
    assert asha.phone == ASHA
    assert list(Contact.objects.with_other_number([RAVI])) == [asha]
    assert list(Contact.objects.with_other_number(["+14155550101", RAVI])) == [asha]


@pytest.mark.parametrize("numbers", [[], [ASHA], [RAVI[:-1]], ["gold"]])
def test_only_a_whole_other_number_finds_a_contact(numbers):
    make_contact(ASHA, extra={"Other numbers": f"+14155550101, {RAVI}", "plan": "gold"})
    make_contact("+919800012347", extra={"plan": RAVI})
    assert not Contact.objects.with_other_number(numbers).exists()
