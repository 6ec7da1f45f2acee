"""The imports and the wizard: every step by form posts, what each role may do, and what hostile files come to."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects, assertTemplateNotUsed

from lists import jobs
from lists.importing.undo import Undone
from lists.masking import hide_numbers
from lists.models import AuditEvent, Contact, ContactList, Import, RemoteContact, RemoteList, Suppression
from lists.sync import readiness
from lists.templatetags.imports import differing, marked
from tests.factories import join, make_connection, make_contact, make_list, make_user
from tests.importing.worlds import commit, csv_bytes, preview, run, undo, work

pytestmark = pytest.mark.django_db

ASHA, RAVI, MINA = "+919800012345", "+919800012346", "+919800012347"
HOSTILE = '<script>alert("x")</script>'


def part(target: str) -> dict[str, str]:
    return {"HX-Request": "true", "HX-Target": target}


def send(client: Client, content: bytes, contact_list: ContactList | None = None, *, name="renewals.csv", **fields):
    """Post the upload form as a browser does."""
    contact_list = contact_list or make_list(default_region="IN")
    return client.post(
        reverse("imports-new"),
        {"file": SimpleUploadedFile(name, content), "contact_list": contact_list.pk, **fields},
    )


def uploaded(client: Client, content: bytes, contact_list: ContactList | None = None, **fields) -> Import:
    assert send(client, content, contact_list, **fields).status_code == 302
    return Import.objects.latest("pk")


def url(step: str, imported: Import) -> str:
    return reverse(f"imports-{step}", args=[imported.pk])


def fields_of(response) -> dict[str, str]:
    """What a browser would post back of the form on a page, unchanged."""
    form = response.context["form"]
    return {name: form[name].value() or "" for name in form.fields}


def ready(client: Client, rows: Sequence[Sequence[str]], contact_list: ContactList | None = None) -> Import:
    """A checked import that this person uploaded."""
    imported = preview(rows, contact_list or make_list(default_region="IN"))
    imported.created_by = client.user
    imported.save(update_fields=["created_by"])
    return imported


def done(client: Client, rows: Sequence[Sequence[str]], contact_list: ContactList | None = None) -> Import:
    return commit(ready(client, rows, contact_list))


# The whole road ------------------------------------------------------------------------------------------------------


def test_a_file_goes_through_every_step_by_plain_posts(uploader):
    contact_list = make_list("Renewals July", default_region="IN")
    make_contact(RAVI, first_name="Ravi", contact_list=contact_list)
    content = csv_bytes(
        [
            ["98000 12345", "Asha", "Rao", "", "Pune"],
            [RAVI, "Ravi", "Haddad", "", ""],
            ["9.19877E+11", "Mina", "", "", ""],
        ]
    )

    response = send(uploader, content, contact_list)
    imported = Import.objects.get()
    assertRedirects(response, url("read", imported))

    response = uploader.get(url("read", imported))
    assertContains(response, "<title>Read · renewals.csv · Imports", html=False)
    response = uploader.post(url("read", imported), {**fields_of(response), "continue": "yes"})
    assertRedirects(response, url("columns", imported))

    response = uploader.post(url("columns", imported), fields_of(uploader.get(url("columns", imported))))
    assertRedirects(response, url("check", imported))
    assertContains(uploader.get(url("check", imported)), "Every row is being checked")
    assert Contact.objects.count() == 1

    work(imported)
    response = uploader.get(url("check", imported))
    assertContains(response, "Import 2 contacts")
    assertContains(response, "Check · renewals.csv · Imports")
    assert Contact.objects.count() == 1

    assertRedirects(uploader.post(url("commit", imported)), url("detail", imported), fetch_redirect_response=False)
    assertContains(uploader.get(url("detail", imported)), "Saving the contacts")
    work(imported)
    assert imported.ledger == {
        "created": 1, "updated": 1, "unchanged": 0, "merged": 0, "skipped": 0, "rejected": 1, "suppressed": 0,
    }  # fmt: skip
    response = uploader.get(url("detail", imported))
    assertContains(response, "In “Renewals July”: 2 contacts of the file, 1 of them new to the list.")
    assertContains(response, "Download 1 rejected row")
    assert set(contact_list.contacts.values_list("phone", flat=True)) == {ASHA, RAVI}

    assertContains(uploader.get(url("undo", imported)), "Undo this import")
    uploader.post(url("undo", imported))
    work(imported)
    assert list(Contact.objects.values_list("phone", "last_name")) == [(RAVI, "")]
    assertContains(uploader.get(url("detail", imported)), "Taken back: 1 left “Renewals July”")


# The list of imports -------------------------------------------------------------------------------------------------


def test_unfinished_uploads_stand_apart_from_what_was_imported(uploader):
    draft = uploaded(uploader, csv_bytes([[ASHA, "Asha", "", "", ""]]))
    finished = done(uploader, [[RAVI, "Ravi", "", "", ""]])
    response = uploader.get(reverse("imports-index"))
    assert list(response.context["unfinished"]) == [draft]
    assert response.context["page"].rows == [finished]


def test_discarded_uploads_are_not_listed(uploader):
    draft = uploaded(uploader, csv_bytes([[ASHA, "Asha", "", "", ""]]))
    uploader.post(url("discard", draft))
    response = uploader.get(reverse("imports-index"))
    assert not response.context["unfinished"]
    assert response.context["page"].rows == []


def test_without_imports_the_page_says_what_it_is_for(uploader, auditor):
    assertContains(uploader.get(reverse("imports-index")), "No file has been imported yet")
    assertContains(uploader.get(reverse("imports-index")), reverse("imports-new"))
    assertNotContains(auditor.get(reverse("imports-index")), reverse("imports-new"))


def test_older_imports_are_a_page_further(uploader, monkeypatch):
    monkeypatch.setattr("lists.views.imports.IMPORTS_SHOWN", 1)
    contact_list = make_list()
    older, newer = (run([[phone, "", "", "", ""]], contact_list) for phone in (ASHA, RAVI))
    assert uploader.get(reverse("imports-index")).context["page"].rows == [newer]
    response = uploader.get(reverse("imports-index"), {"before": newer.pk}, headers=part("imports-table"))
    assertTemplateNotUsed(response, "base.html")
    assert response.context["page"].rows == [older]


# Upload --------------------------------------------------------------------------------------------------------------


def test_the_list_one_came_from_is_chosen_already(uploader):
    contact_list = make_list()
    response = uploader.get(reverse("imports-new"), {"list": contact_list.pk})
    assert response.context["form"]["contact_list"].value() == contact_list.pk
    assert uploader.get(reverse("imports-new"), {"list": "nonsense"}).status_code == 200


def test_rows_can_be_pasted(uploader):
    contact_list = make_list(default_region="IN")
    pasted = "Phone\tFirst name\n98000 12345\tAsha\n"
    response = uploader.post(reverse("imports-new"), {"pasted": pasted, "contact_list": contact_list.pk})
    imported = Import.objects.get()
    assertRedirects(response, url("read", imported))
    assert (imported.filename, imported.headers) == ("pasted rows.csv", ["Phone", "First name"])


def test_the_form_says_everything_that_is_missing_at_once(uploader):
    response = uploader.post(reverse("imports-new"), {})
    assertContains(response, "Choose a file, or paste rows.")
    assertContains(response, "Choose the list the contacts go into.")
    assertContains(response, 'role="alert"')


def test_a_file_and_pasted_rows_together_are_one_too_many(uploader):
    assertContains(send(uploader, b"Phone\n1\n", pasted="Phone\n2"), "not both")


def test_what_was_chosen_stays_when_the_file_is_refused(uploader):
    contact_list = make_list()
    response = send(uploader, b"", contact_list)
    assertContains(response, "The file is empty")
    assert response.context["form"]["contact_list"].value() == str(contact_list.pk)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty"),
        (b"Phone,Name\n", "a header and no rows"),
        (b"%PDF-1.7 and so on", "This is a PDF document"),
        (bytes(range(256)) * 20, "This file is not text"),
        (b"<!doctype html><html><body>Log in</body></html>", "This is a web page"),
        (b"Phone," + b",".join(b"c%d" % i for i in range(20_000)) + b"\n1,2\n", "a file may have 500"),
        (b"Phone,Name\n+919800012345," + b"x" * 5_000_000 + b"\n", "on line 2"),
    ],
    ids=["empty", "header only", "pdf", "binary", "page", "columns", "cell"],
)
def test_a_file_that_cannot_be_read_is_told_in_a_sentence(uploader, content, sentence):
    response = send(uploader, content)
    told = response
    if response.status_code == 302:  # what stands further down is found by the check
        imported = Import.objects.get()
        posted = uploader.post(url("columns", imported), fields_of(uploader.get(url("columns", imported))))
        assertRedirects(posted, url("check", imported), fetch_redirect_response=False)
        told = uploader.get(url("check", work(imported)))
    assertContains(told, sentence)
    assert Contact.objects.count() == 0


def test_a_file_without_a_phone_column_stays_at_the_columns(uploader):
    imported = uploaded(uploader, b"Name,City\nAsha,Pune\n")
    response = uploader.post(url("columns", imported), fields_of(uploader.get(url("columns", imported))))
    assertContains(response, "Choose the column that holds the phone number.")
    imported.refresh_from_db()
    assert imported.state == "draft"


def test_a_file_over_the_cap_is_answered_with_413_and_words(uploader, settings, uploads):
    settings.MAX_UPLOAD_MB = 1
    response = send(uploader, b"Phone\n" + b"+919800012345\n" * 100_000)
    assertContains(response, "The file is over 1 MB", status_code=413)
    assert not Import.objects.exists()
    assert not [file for file in uploads.rglob("*") if file.is_file()]


def test_too_much_pasted_is_answered_with_413_and_words(uploader):
    pasted = "Phone\n" + "+919800012345\n" * 250_000
    response = uploader.post(reverse("imports-new"), {"pasted": pasted, "contact_list": make_list().pk})
    assertContains(response, "That is too much to paste", status_code=413)


def test_a_refused_upload_is_swapped_alone(uploader):
    response = uploader.post(reverse("imports-new"), {}, headers=part("imports-upload"))
    assertTemplateNotUsed(response, "base.html")
    assertContains(response, 'id="imports-upload"')


def test_an_upload_by_htmx_goes_on_to_the_next_step(uploader):
    contact_list = make_list()
    response = uploader.post(
        reverse("imports-new"),
        {"pasted": f"Phone\n{ASHA}\n", "contact_list": contact_list.pk},
        headers=part("imports-upload"),
    )
    assert response["HX-Redirect"] == url("read", Import.objects.get())


def test_a_form_sent_twice_is_one_import(uploader):
    contact_list, content = make_list(), csv_bytes([[ASHA, "Asha", "", "", ""]])
    first, second = send(uploader, content, contact_list), send(uploader, content, contact_list)
    assert first["Location"] == second["Location"]
    assert Import.objects.exclude(state="discarded").count() == 1


def test_the_same_file_later_is_another_import(uploader):
    contact_list, content = make_list(), csv_bytes([[ASHA, "Asha", "", "", ""]])
    first = uploaded(uploader, content, contact_list)
    Import.objects.update(created_at=timezone.now() - timedelta(minutes=5))
    assert uploaded(uploader, content, contact_list) != first


def test_a_manager_makes_the_list_while_uploading(manager):
    response = manager.post(
        reverse("imports-new"),
        {"pasted": f"Phone\n{ASHA}\n", "target": "new", "new_name": "Autumn", "new_region": "IN"},
    )
    assert response.status_code == 302
    contact_list = Import.objects.get().contact_list
    assert (contact_list.name, contact_list.default_region, contact_list.owner) == ("Autumn", "IN", manager.user)
    assert AuditEvent.objects.filter(action="created", object_name="Autumn").exists()


def test_a_new_list_needs_a_name_of_its_own(manager):
    make_list("Autumn", owner=make_user("campaign manager"))
    given = {"pasted": f"Phone\n{ASHA}\n", "target": "new"}
    assertContains(manager.post(reverse("imports-new"), given), "Give the new list a name.")
    response = manager.post(reverse("imports-new"), {**given, "new_name": "Autumn"})
    assertContains(response, "There is a list “Autumn” already.")


def test_a_refused_file_leaves_no_empty_list_behind(manager):
    file = SimpleUploadedFile("a.csv", b"")
    manager.post(reverse("imports-new"), {"file": file, "target": "new", "new_name": "Autumn"})
    assert not ContactList.objects.exists()


def test_somebody_who_may_not_make_lists_makes_none_by_upload(uploader):
    uploader.post(reverse("imports-new"), {"pasted": f"Phone\n{ASHA}\n", "target": "new", "new_name": "Mine"})
    assert not ContactList.objects.exists()


def test_files_are_not_put_into_an_archived_list(uploader):
    contact_list = make_list(archived_at=timezone.now())
    assert send(uploader, csv_bytes([[ASHA, "", "", "", ""]]), contact_list).status_code == 200
    assert not Import.objects.exists()


def test_an_upload_without_the_token_of_the_page_is_refused(uploader):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(uploader.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert strict.post(reverse("imports-new"), {"pasted": "Phone\n1"}).status_code == 403


def test_the_template_passes_our_own_checks(uploader):
    content = uploader.get(reverse("imports-template")).content
    imported = uploaded(uploader, content)
    uploader.post(url("columns", imported), fields_of(uploader.get(url("columns", imported))))
    imported = work(imported)
    assert (imported.state, imported.records, imported.created) == ("ready", 1, 1)


# Read ----------------------------------------------------------------------------------------------------------------


def test_another_encoding_is_shown_at_once(uploader):
    imported = uploaded(uploader, "Phone,Name\n+919800012345,Łucja\n+919800012346,Zoë\n".encode("cp1250"))
    chosen = {"encoding": "cp1250", "delimiter": "comma", "header": "yes"}
    response = uploader.post(url("read", imported), chosen, headers=part("imports-reading"))
    assertTemplateNotUsed(response, "base.html")
    assertContains(response, "Łucja")
    imported.refresh_from_db()
    assert imported.dialect["encoding"] == "cp1250"


def test_an_encoding_that_was_guessed_is_told_as_not_certain(uploader):
    imported = uploaded(uploader, "Phone,Name\n+919800012345,Müller\n".encode("cp1252"))
    assertContains(uploader.get(url("read", imported)), "How this file is encoded is not certain")
    certain = uploaded(uploader, "Phone,Name\n+919800012345,Müller\n".encode())
    assertNotContains(uploader.get(url("read", certain)), "not certain")


def test_an_encoding_that_cannot_be_is_refused_and_the_old_one_stays(uploader):
    imported = uploaded(uploader, "Phone,Name\n+919800012345,Müller\n".encode("cp1252"))
    response = uploader.post(url("read", imported), {"encoding": "utf-8", "delimiter": "comma", "header": "yes"})
    assertContains(response, "Line 2 cannot be read as Unicode (UTF-8)")
    imported.refresh_from_db()
    assert imported.dialect["encoding"] == "cp1252"


@pytest.mark.parametrize("step", ["read", "columns"])
def test_an_upload_that_is_gone_from_the_disk_is_told(uploader, step):
    imported = uploaded(uploader, csv_bytes([[ASHA, "Asha", "", "", ""]]))
    imported.file.storage.delete(imported.file.name)
    assertContains(uploader.get(url(step, imported), follow=True), "is no longer on the server. Upload the file again.")


def test_a_large_file_is_not_counted_while_somebody_waits(uploader, monkeypatch):
    monkeypatch.setattr("lists.pages.reading.COUNTED_AT_ONCE", 0)
    imported = uploaded(uploader, csv_bytes([[ASHA, "Asha", "", "", ""]]))
    response = uploader.get(url("read", imported))
    assertContains(response, "The rows are counted when the whole file is checked.")


def test_a_large_file_says_how_it_is_read_all_the_same(uploader, monkeypatch):
    monkeypatch.setattr("lists.pages.reading.COUNTED_AT_ONCE", 0)
    rows = "".join(f"A,98000123{at},,B,98000124{at}\n" for at in range(10, 16))
    response = uploader.get(url("read", uploaded(uploader, f"Renewals\nName,Mobile,,Name,Mobile\n{rows}".encode())))
    assertContains(response, "The header is on line 2.")
    assertContains(response, "2 tables stand side by side; they are read one below the other.")
    rows = "".join(f'"A,98000123{at}"\n' for at in range(10, 16))
    response = uploader.get(url("read", uploaded(uploader, f'"Name,Mobile"\n{rows}'.encode())))
    assertContains(response, "Every line is one quoted cell, so each is read once more inside.")


def test_without_a_header_the_first_row_is_a_contact(uploader):
    imported = uploaded(uploader, f"{ASHA},Asha\n{RAVI},Ravi\n".encode())
    response = uploader.get(url("read", imported))
    assert [row.line for row in response.context["rows"]] == [1, 2]
    assertContains(response, "Column 1")


def test_rows_too_short_and_too_long_are_shown_as_they_are(uploader):
    imported = uploaded(uploader, b"Phone,Name,City\n+919800012345,Asha\n+919800012346,Ravi,Pune,East\n")
    response = uploader.get(url("read", imported))
    assertContains(response, "1 cell missing")
    assertContains(response, "more than the header has")
    assertContains(response, "2 rows with fewer or more cells than the header")


def test_invisible_damage_is_drawn():
    assert marked("Asha ") == 'Asha<span class="cell-mark" title="space at the edge">·</span>'
    assert marked("Asha\u2028Rao") == 'Asha<span class="cell-mark" title="line break">↵</span>Rao'
    assert 'title="no-break space"' in marked("As\u00a0ha")
    assert 'title="right-to-left override"' in marked("csv\u202eexe")
    assert 'title="apostrophe of a spreadsheet"' in marked("'+919800012345")
    assert marked("O'Neil") == "O&#x27;Neil"


def test_only_what_differs_is_marked():
    assert differing("Rao", "Rau") == 'Ra<mark class="differs">o</mark>'
    assert differing("Rao", "Rao") == "Rao"
    assert differing(HOSTILE, "") == ('<mark class="differs">&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;</mark>')


# Columns -------------------------------------------------------------------------------------------------------------


def test_every_column_comes_with_samples_and_a_reason(uploader):
    imported = uploaded(uploader, b"Mobile No.,Ward\n98000 12345,East\n98000 12346,\n")
    response = uploader.get(url("columns", imported))
    mobile, ward = response.context["matches"]
    assert (mobile.suggestion.samples, mobile.field.value()) == (("98000 12345", "98000 12346"), "phone")
    assertContains(response, "is another name for phone number")
    assertContains(response, "50 % filled in")
    assert ward.suggestion.field is None


def test_two_columns_for_one_field_are_refused_beside_the_second(uploader):
    imported = uploaded(uploader, b"Phone,Firm,Branch\n98000 12345,Blue Heron,East\n")
    given = fields_of(uploader.get(url("columns", imported))) | {"column_1": "company", "column_2": "company"}
    response = uploader.post(url("columns", imported), given, headers=part("imports-columns"))
    assertTemplateNotUsed(response, "base.html")
    assert response.context["form"].errors == {
        "column_2": ["Company is taken from “Firm” already. Choose one of the two columns."]
    }


def test_extras_values_for_all_rows_and_the_policy_are_kept(uploader):
    imported = uploaded(uploader, b"Phone,Ward\n98000 12345,East\n")
    given = fields_of(uploader.get(url("columns", imported)))
    uploader.post(
        url("columns", imported),
        given | {"column_1": "extra", "same_tag": "july", "on_existing": "replace", "region": "IN"},
    )
    commit(work(imported))
    asha = Contact.objects.get(phone=ASHA)
    assert (asha.extra, asha.tag) == ({"Ward": "East"}, "july")
    assert imported.on_existing == "replace"


def test_a_file_with_the_same_columns_is_matched_as_last_time(uploader):
    first = uploaded(uploader, b"Line,Ward\n98000 12345,East\n")
    given = fields_of(uploader.get(url("columns", first))) | {"column_0": "phone", "column_1": "tag"}
    uploader.post(url("columns", first), given)
    commit(work(first))
    second = uploaded(uploader, b"ward;LINE\nWest;98000 12346\n")
    response = uploader.get(url("columns", second))
    assertContains(response, "Matched as for renewals.csv")
    assert [match.field.value() for match in response.context["matches"]] == ["tag", "phone"]


def test_a_hostile_header_and_cell_and_file_name_stay_text_on_every_page(manager):
    make_connection("leadlex", HOSTILE)
    contact_list = make_list(HOSTILE, default_region="IN")
    make_contact(RAVI, first_name="Ravi", company=HOSTILE, contact_list=contact_list)
    rows = [["Phone", "First name", HOSTILE], ["98000 12345", HOSTILE, HOSTILE], ["98000 12345", "Asha", HOSTILE],
            ["12", HOSTILE, HOSTILE], [RAVI, "{{ 7|add:7 }}", HOSTILE]]  # fmt: skip
    table = io.StringIO()
    csv.writer(table).writerows(rows)
    imported = uploaded(manager, table.getvalue().encode(), contact_list, name=f"{HOSTILE}.csv", target="existing")
    pages = [manager.get(url("read", imported)), manager.get(url("columns", imported))]
    given = fields_of(pages[1]) | {"column_2": "extra", "on_existing": "replace", "same_company": HOSTILE}
    manager.post(url("columns", imported), given)
    pages.append(manager.get(url("check", imported)))
    work(imported)
    tabs = ("rows", "problems", "duplicates", "vendors")
    pages += [manager.get(url("check", imported), {"tab": tab}) for tab in tabs]
    commit(imported)
    pages += [manager.get(url("detail", imported), {"tab": tab}) for tab in ("rows", "problems", "settings")]
    pages += [manager.get(url("undo", imported)), manager.get(reverse("imports-index"))]
    pages += [manager.get(reverse("imports-new"))]
    for page in pages:
        assert page.status_code == 200
        assert "<script>alert" not in page.content.decode()
        assert "&lt;script&gt;alert" in page.content.decode()


# Check ---------------------------------------------------------------------------------------------------------------


def test_the_check_polls_until_it_is_over(uploader):
    imported = uploaded(uploader, csv_bytes([[ASHA, "Asha", "", "", ""]]))
    uploader.post(url("columns", imported), fields_of(uploader.get(url("columns", imported))))
    response = uploader.get(url("check", imported), headers=part("imports-check"))
    assertTemplateNotUsed(response, "base.html")
    assertContains(response, 'hx-trigger="every 1s"')
    work(imported)
    response = uploader.get(url("check", imported), headers=part("imports-check"))
    assertContains(response, "Import 1 contact")
    assertNotContains(response, "hx-trigger")


def test_a_missing_worker_is_told_while_one_waits(uploader):
    imported = uploaded(uploader, csv_bytes([[ASHA, "Asha", "", "", ""]]))
    uploader.post(url("columns", imported), fields_of(uploader.get(url("columns", imported))))
    assertContains(uploader.get(url("check", imported)), "No worker has checked in")
    cache.set(jobs.CHECK_IN, timezone.now())
    assertNotContains(uploader.get(url("check", imported)), "No worker has checked in")


def test_each_term_of_the_equation_opens_exactly_its_rows(uploader):
    contact_list = make_list()
    make_contact(ASHA, first_name="Asha", contact_list=contact_list)
    make_contact(RAVI, first_name="Ravi", contact_list=contact_list)
    Suppression.objects.create(phone="+919800012349", reason="asked")
    imported = ready(
        uploader,
        [[ASHA, "Asha", "", "", ""], [RAVI, "Ravi", "Haddad", "", ""], [MINA, "Mina", "", "", ""],
         [MINA, "Mina", "", "", ""], ["12", "", "", "", ""], ["98000 12349", "", "", "", ""]],
        contact_list,
    )  # fmt: skip
    shown = {
        outcome: [
            shown.row.line for shown in uploader.get(url("check", imported), {"outcome": outcome}).context["page"].rows
        ]
        for outcome in imported.ledger
    }
    assert shown == {
        "created": [4], "updated": [3], "unchanged": [2], "merged": [5], "skipped": [], "rejected": [6],
        "suppressed": [7],
    }  # fmt: skip
    response = uploader.get(url("check", imported), {"outcome": "updated"}, headers=part("imports-rows"))
    assertTemplateNotUsed(response, "base.html")
    assert [tuple(change) for change in response.context["page"].rows[0].changes] == [("last name", "", "Haddad")]
    assertContains(uploader.get(url("check", imported), {"outcome": "merged"}), "Same number as line 4")


def test_rows_are_paged_by_line(uploader, monkeypatch):
    monkeypatch.setattr("lists.pages.imports.ROWS_SHOWN", 2)
    imported = ready(uploader, [[f"98000 1234{n}", "", "", "", ""] for n in range(5)])
    first = uploader.get(url("check", imported), {"tab": "rows"}).context["page"]
    second = uploader.get(url("check", imported), {"tab": "rows", "after": first.next}).context["page"]
    assert [[shown.row.line for shown in page.rows] for page in (first, second)] == [[2, 3], [4, 5]]


@pytest.mark.parametrize("query", ["outcome=__class__", "after=-1", "after=999999999999999999999", "code=%00", "tab=x"])
def test_an_address_somebody_edited_hides_nothing_and_breaks_nothing(uploader, query):
    imported = ready(uploader, [[ASHA, "Asha", "", "", ""]])
    assert uploader.get(f"{url('check', imported)}?{query}").status_code == 200


def test_a_repair_names_its_rule_beside_the_cell_it_came_from(uploader):
    imported = ready(uploader, [["0091 98000 12345", "Asha", "", "", ""]])
    response = uploader.get(url("check", imported), {"tab": "rows"})
    (shown,) = response.context["page"].rows
    assert shown.written == "0091 98000 12345"
    assert "00 → +" in shown.rule


def test_rejections_are_grouped_by_cause(uploader):
    imported = ready(
        uploader, [["9.19877E+11", "", "", "", ""], ["9.19878E+11", "", "", "", ""], ["12", "", "", "", ""]]
    )
    response = uploader.get(url("check", imported))
    counts = [cause["count"] for cause in response.context["errors"]]
    assert counts == [2, 1]
    assertContains(response, "the spreadsheet has cut this number")
    link = response.context["errors"][0]["href"]
    assert [shown.row.line for shown in uploader.get(link).context["page"].rows] == [2, 3]


def test_duplicates_are_told_by_pattern_with_both_sides(uploader):
    contact_list = make_list()
    make_contact(RAVI, first_name="Ravi", last_name="Haddad", contact_list=contact_list)
    imported = ready(
        uploader,
        [[ASHA, "Asha", "Rao", "", ""], [ASHA, "Asha", "Rau", "", ""], [RAVI, "Ravi", "Hadad", "", ""]],
        contact_list,
    )
    response = uploader.get(url("check", imported), {"tab": "duplicates"})
    ((pattern, sides),) = response.context["in_file"].patterns
    assert (pattern.sentence, pattern.rows) == ("Same number, other last name", 1)
    assert ("Last name", "Rao", "Rau") in sides.fields
    ((pattern, sides),) = response.context["known"].patterns
    assert (pattern.sentence, sides.first) == ("Same number, other last name", "What we have")
    assert {effect.policy: effect.updated for effect, _ in response.context["effects"]} == {
        "keep": 0, "fill": 0, "replace": 1,
    }  # fmt: skip


def test_another_policy_checks_the_file_again(uploader):
    contact_list = make_list()
    make_contact(RAVI, first_name="Ravi", last_name="Haddad", contact_list=contact_list)
    imported = ready(uploader, [[RAVI, "Ravi", "Hadad", "", ""]], contact_list)
    assert imported.unchanged == 1
    assertRedirects(
        uploader.post(url("policy", imported), {"on_existing": "replace"}),
        f"{url('check', imported)}?tab=duplicates",
        fetch_redirect_response=False,
    )
    assert work(imported).updated == 1
    assert Contact.objects.get().last_name == "Haddad"


def test_what_another_policy_would_do_equals_what_it_does(uploader):
    contact_list = make_list()
    make_contact(ASHA, first_name="Asha", contact_list=contact_list, extra={"City": "Pune"})
    make_contact(RAVI, first_name="Ravi", contact_list=contact_list)
    make_contact(MINA, last_name="Rao", contact_list=contact_list)
    rows = [[ASHA, "Asha", "", "", "Nagpur"], [RAVI, "Ravi", "Haddad", "", ""], [MINA, "", "Rau", "", ""]]
    imported = ready(uploader, rows, contact_list)
    told = uploader.get(url("check", imported), {"tab": "duplicates"}).context["effects"]
    for effect, _ in told:
        assert preview(rows, contact_list, effect.policy).updated == effect.updated


def test_a_failed_check_says_why_and_what_can_be_done(uploader):
    rows = "".join(f"98000{number:05d},Asha\n" for number in range(120_000))
    imported = uploaded(uploader, f"Phone,Name\n{rows}98000 12345,Asha{',' * 500}\n98000 12346,Ravi\n".encode())
    uploader.post(url("columns", imported), fields_of(uploader.get(url("columns", imported))))
    work(imported)
    response = uploader.get(url("detail", imported), follow=True)
    assertContains(response, "The file could not be checked; nothing was saved")
    assertContains(response, "a file may have 500")
    assertContains(uploader.get(url("read", imported)), "Is this how the file reads?")


# Vendors -------------------------------------------------------------------------------------------------------------


def test_each_vendor_says_what_it_would_make_of_the_list(manager):
    contact_list = make_list("A name that is far longer than forty-eight characters", description="")
    make_connection("kore", "Kore")
    leadlex = make_connection("leadlex", "LeadLex")
    known = make_contact(ASHA, contact_list=contact_list)
    RemoteContact.objects.create(connection=leadlex, contact=known, remote_id="c-1")
    imported = ready(manager, [[ASHA, "Asha", "", "", ""], [RAVI, "Ravi", "", "", ""]], contact_list)
    response = manager.get(url("check", imported), {"tab": "vendors"})
    kore, lead = response.context["readiness"]
    assert [blocks for _, blocks in kore.problems] == [True, True]
    assertContains(response, "List name is 53 characters, 48 allowed.")
    assertContains(response, "1 have no LeadLex id yet; they are made there first (1 request).")
    assert (lead.ready, lead.list_size, lead.is_blocked) == (2, 2, False)


def test_a_contact_without_a_name_is_counted_once_for_the_vendor_that_minds(manager):
    contact_list = make_list()
    make_connection("leadlex", "LeadLex")
    make_contact(MINA, first_name="Mina")
    imported = ready(
        manager, [[ASHA, "", "", "", ""], [RAVI, "Ravi", "", "", ""], [MINA, "", "", "", ""]], contact_list
    )
    (lead,) = readiness.judge_import(imported)
    assert lead.problems == [("1 of the contacts: name is empty, LeadLex gets the number in its place.", False)]


def test_what_sending_costs_is_reckoned_by_the_connections_own_settings(manager):
    contact_list = make_list()
    make_connection("kore", "Kore", settings={"batch_size": "1"})
    lead = make_connection("leadlex", "LeadLex", settings={"per_day": "3", "batch_size": "1"})
    imported = ready(manager, [[ASHA, "Asha", "", "", ""], [RAVI, "Ravi", "", "", ""]], contact_list)
    kore, small = readiness.judge_import(imported)
    assert kore.notes == [
        "Sending all of them takes 2 requests, and 1 more to read the list back: less than a minute at 50 requests "
        "a minute, 1,800 an hour."
    ]
    assert small.problems == [
        ("Of the 3 requests a day, 3 are left today; the rest goes out after 00:00 UTC.", False)
    ]  # fmt: skip
    lead.settings["per_day"] = "10000"
    lead.save()
    assert readiness.judge_import(imported)[1].problems == []


def test_under_keep_a_file_gives_no_name_to_a_contact_we_have(manager):
    contact_list = make_list()
    make_connection("leadlex", "LeadLex")
    make_contact(MINA)
    rows = [[ASHA, "Asha", "", "", ""], [MINA, "Mina", "", "", ""]]
    told = {
        policy: readiness.judge_import(preview(rows, contact_list, policy))[0].problems for policy in ("keep", "fill")
    }
    assert told["fill"] == []
    assert told["keep"][0][0].startswith("1 of the contacts: name is empty")


@pytest.mark.parametrize(("size", "refused"), [(99_998, False), (99_999, True)])
def test_a_list_over_a_vendors_limit_is_told_before_anything_is_imported(manager, size, refused):
    contact_list = make_list(contact_count=size)
    make_connection("exotel", "Exotel")
    imported = ready(manager, [[ASHA, "", "", "", ""], [RAVI, "", "", "", ""]], contact_list)
    assert [line.is_blocked for line in readiness.judge_list(imported)] == [refused]
    assert [line.list_size for line in readiness.judge_import(imported)] == [size + 2]


def test_contacts_in_the_list_already_do_not_make_it_longer(manager):
    contact_list = make_list()
    make_connection("exotel", "Exotel")
    join(contact_list, make_contact(ASHA))
    make_contact(RAVI)
    imported = ready(manager, [[ASHA, "", "", "", ""], [RAVI, "", "", "", ""]], contact_list)
    assert [line.list_size for line in readiness.judge_import(imported)] == [2]


# Commit and after ----------------------------------------------------------------------------------------------------


def test_a_commit_sent_twice_imports_once(uploader):
    imported = ready(uploader, [[ASHA, "Asha", "", "", ""]])
    for _ in range(2):
        response = uploader.post(url("commit", imported))
        assertRedirects(response, url("detail", imported), fetch_redirect_response=False)
    work(imported)
    uploader.post(url("commit", imported))
    assert Contact.objects.count() == 1
    assert AuditEvent.objects.filter(action="started import").count() == 1


def test_a_draft_cannot_be_committed_past_the_check(uploader):
    imported = uploaded(uploader, csv_bytes([[ASHA, "Asha", "", "", ""]]))
    assertRedirects(uploader.post(url("commit", imported)), url("check", imported), target_status_code=302)
    imported.refresh_from_db()
    assert imported.state == "draft"


def test_what_was_decided_otherwise_than_previewed_is_told(uploader):
    imported = ready(uploader, [[ASHA, "Asha", "", "", ""]])
    make_contact(ASHA, first_name="Asha")
    commit(imported)
    assertContains(uploader.get(url("detail", imported)), "Contacts changed between the preview and the import")


def test_problems_are_shown_without_going_over_the_rows(uploader):
    imported = done(uploader, [["12", "", "", "", ""], ["13", "", "", "", ""]])
    with CaptureQueriesContext(database) as asked:
        assertContains(uploader.get(url("detail", imported), {"tab": "problems"}), "See 2 rows")
    assert not [query["sql"] for query in asked if "GROUP BY" in query["sql"] or "COUNT(" in query["sql"]]


def test_causes_are_told_when_the_rows_were_removed_with_age(uploader):
    imported = done(uploader, [["12", "", "", "", ""]])
    imported.rows.all().delete()
    Import.objects.update(thinned_at=timezone.now(), file="")
    response = uploader.get(url("detail", imported), {"tab": "problems"})
    assertContains(response, "See the row")
    assertNotContains(response, "Download 1 rejected row")


def test_the_rejected_file_holds_as_many_rows_as_the_button_says(uploader):
    imported = done(
        uploader,
        [["12", "=cmd()", "Rao", "", "Pune"], [ASHA, "Asha", "", "", ""], ["9.19877E+11", "+919800012345", "", "", ""]],
    )
    assertContains(uploader.get(url("detail", imported)), "Download 2 rejected rows")
    response = uploader.post(url("rejected", imported))
    content = b"".join(response.streaming_content).decode("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(content))
    assert header[:5] == ["Phone", "First name", "Last name", "Email", "City"]
    assert header[5:] == ["_line", "_code", "_column", "_value", "_reason", "_suggestion"]
    assert [(row[0], row[1], row[5]) for row in rows] == [("12", "'=cmd()", "2"), ("9.19877E+11", "+919800012345", "4")]
    assert response["Content-Disposition"] == 'attachment; filename="renewals rejected.csv"'
    event = AuditEvent.objects.get(action="exported")
    assert (event.actor, event.details) == (uploader.user, {"rejected": 2})


def test_a_file_name_cannot_break_the_header_of_the_download(uploader):
    imported = done(uploader, [["12", "", "", "", ""]])
    Import.objects.update(filename='a"b\r\nX-Evil: 1.csv')
    response = uploader.post(url("rejected", imported))
    assert "X-Evil" not in response
    assert "\r" not in response["Content-Disposition"]


def test_the_page_keeps_how_it_was_imported(uploader):
    imported = done(uploader, [[ASHA, "Asha", "", "", "Pune"]])
    response = uploader.get(url("detail", imported), {"tab": "settings"})
    assertContains(response, imported.content_hash)
    assertContains(response, "Column “Phone”")
    assertContains(response, "Fill blanks only")


def test_a_file_imported_before_is_told_and_never_blocked(uploader):
    contact_list = make_list()
    first = done(uploader, [[ASHA, "Asha", "", "", ""]], contact_list)
    again = ready(uploader, [[ASHA, "Asha", "", "", ""]], contact_list)
    response = uploader.get(url("check", again))
    assertContains(response, "This very file was imported")
    assertContains(response, url("detail", first))
    assert response.context["to_import"] == 1


def test_a_discarded_upload_leaves_neither_rows_nor_file(uploader):
    imported = ready(uploader, [[ASHA, "Asha", "", "", ""]])
    assertRedirects(uploader.post(url("discard", imported)), reverse("imports-index"))
    work(imported)
    assert (imported.state, imported.rows.count(), bool(imported.file)) == ("discarded", 0, False)
    assertContains(uploader.get(url("detail", imported)), "Discarded before anything of it was saved")


def test_what_is_imported_cannot_be_discarded(uploader):
    imported = done(uploader, [[ASHA, "Asha", "", "", ""]])
    uploader.post(url("discard", imported))
    imported.refresh_from_db()
    assert imported.state == "completed"


def test_undo_tells_its_plan_and_does_it_once(uploader):
    contact_list = make_list()
    make_contact(RAVI, first_name="Ravi", contact_list=contact_list)
    imported = done(uploader, [[ASHA, "Asha", "", "", ""], [RAVI, "Ravi", "Haddad", "", ""]], contact_list)
    assert uploader.get(url("undo", imported)).context["plan"] == Undone(removed=1, restored=1, conflicts=0, left=1)
    for _ in range(2):
        response = uploader.post(url("undo", imported))
        assertRedirects(response, url("detail", imported), fetch_redirect_response=False)
    assert work(imported).state == "undone"
    assert AuditEvent.objects.filter(action="started undo").count() == 1


def test_the_steps_of_a_finished_import_lead_to_its_page(uploader):
    imported = done(uploader, [[ASHA, "Asha", "", "", ""]])
    for step in ("read", "columns", "check"):
        assertRedirects(uploader.get(url(step, imported)), url("detail", imported))
    undo(imported)
    assertRedirects(uploader.get(url("undo", imported)), url("detail", imported))


def test_an_import_whose_rows_were_removed_with_age_still_tells_its_counts(uploader):
    imported = done(uploader, [[ASHA, "Asha", "", "", ""], ["12", "", "", "", ""]])
    imported.rows.all().delete()
    Import.objects.update(thinned_at=timezone.now(), file="")
    response = uploader.get(url("detail", imported), {"tab": "rows"})
    assertContains(response, "The rows have been removed with age")
    assertNotContains(response, "Undo this import")
    assertNotContains(response, "Download 1 rejected row")
    assertRedirects(uploader.get(url("undo", imported)), url("detail", imported))


def test_an_import_of_a_deleted_list_is_still_readable(uploader):
    imported = done(uploader, [[ASHA, "Asha", "", "", ""]])
    imported.contact_list.delete()
    assertContains(uploader.get(url("detail", imported)), "(deleted)")


# Who may what --------------------------------------------------------------------------------------------------------

READERS = ["index", "check", "detail"]
MAKERS = ["new", "template", "read", "columns"]
CHANGES = ["policy", "commit", "discard"]


def address(name: str, imported: Import) -> str:
    return reverse(f"imports-{name}") if name in {"index", "new", "template"} else url(name, imported)


@pytest.fixture
def checked(uploader: Client) -> Import:
    return ready(uploader, [["98000 12345", "Asha", "", "", ""], ["98000 9", "", "", "", ""]])


@pytest.mark.parametrize("name", [*READERS, *MAKERS, "undo"])
def test_nobody_sees_anything_without_logging_in(client, checked, name):
    assert client.get(address(name, checked))["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("name", [*READERS, *MAKERS, "undo"])
def test_somebody_without_a_role_is_refused(client_of, checked, name):
    assert client_of("").get(address(name, checked)).status_code == 403


@pytest.mark.parametrize("name", READERS)
def test_an_auditor_reads(auditor, checked, name):
    assert auditor.get(address(name, checked), follow=True).status_code == 200


@pytest.mark.parametrize("name", [*MAKERS, "undo"])
def test_an_auditor_opens_nothing_that_changes_or_shows_numbers(auditor, checked, name):
    assert auditor.get(address(name, checked)).status_code == 403


@pytest.mark.parametrize("name", [*CHANGES, "rejected"])
def test_an_auditor_changes_nothing(auditor, checked, name):
    assert auditor.post(address(name, checked)).status_code == 403
    checked.refresh_from_db()
    assert checked.state == "ready"


@pytest.mark.parametrize("name", [*CHANGES, "rejected"])
def test_a_change_is_a_post(uploader, checked, name):
    assert uploader.get(address(name, checked)).status_code == 405


@pytest.mark.parametrize("name", [*READERS[1:], "read", "columns", "undo"])
def test_an_import_that_is_not_there_is_not_found(administrator, name):
    assert administrator.get(reverse(f"imports-{name}", args=[404_404])).status_code == 404


def test_rejected_rows_are_taken_by_people_who_are_logged_in_and_have_the_right(client, client_of, checked):
    assert client.post(url("rejected", checked))["Location"].startswith(reverse("account_login"))
    assert client_of("").post(url("rejected", checked)).status_code == 403
    assert client_of("uploader").post(reverse("imports-rejected", args=[404_404])).status_code == 404


def test_an_auditor_is_shown_no_button_that_would_be_refused(auditor, checked):
    response = auditor.get(url("check", checked))
    assertNotContains(response, url("commit", checked))
    assertNotContains(response, url("discard", checked))
    assertNotContains(response, url("rejected", checked))


@pytest.mark.parametrize("tab", ["rows", "problems", "duplicates"])
def test_no_number_is_seen_by_somebody_who_may_not_see_them(uploader, auditor, tab):
    contact_list = make_list()
    make_contact(RAVI, contact_list=contact_list)
    rows = [["98000 12345", "Asha", "", "", ""], ["0098000-12345", "Call 98000 12345", "", "", ""],
            ["98000 12345", "Mina", "", "", ""], [RAVI, "Ravi", "", "", ""]]  # fmt: skip
    imported = ready(uploader, rows, contact_list)
    telling = re.compile(r"98000[\s-]?1234")
    assert telling.search(uploader.get(url("check", imported), {"tab": "rows"}).content.decode())
    assert not telling.search(auditor.get(url("check", imported), {"tab": tab}).content.decode())
    commit(imported)
    assert not telling.search(auditor.get(url("detail", imported), {"tab": tab}).content.decode())


@pytest.mark.parametrize(
    "text",
    ["+91 98000 12345", "9.19877E+11", "(020) 7946-0018", "call 98000.12345 now", "٩٨٠٠٠١٢٣٤٥", "98000\u00a012345"],
)
def test_numbers_inside_a_text_are_hidden_but_for_their_end(text):
    shown = hide_numbers(text)
    assert sum(char.isdigit() for char in shown) == 3
    assert "•" in shown


def test_hiding_numbers_leaves_words_and_small_numbers_alone():
    assert hide_numbers("12 Harbour Road, flat 3") == "12 Harbour Road, flat 3"


def test_undo_tells_what_each_vendor_keeps(uploader):
    imported = done(uploader, [("phone", "name"), (ASHA, "Asha")])
    for vendor in ("kore", "leadlex", "exotel"):
        connection = make_connection(vendor)
        RemoteList.objects.create(contact_list=imported.contact_list, connection=connection, remote_id="1", name="July")
    page = uploader.get(url("undo", imported))
    assertContains(page, "Kore.ai has no way to take contacts off from outside")
    assertContains(page, "Exotel lets single contacts be taken off")
    assertContains(page, "LeadLex lets single contacts be taken off")


def test_everybody_undoes_their_own_import_and_administrators_any(uploader, manager, administrator):
    own = done(uploader, [[ASHA, "Asha", "", "", ""]])
    assert uploader.get(url("undo", own)).status_code == 200
    assert manager.get(url("undo", own)).status_code == 403
    assert manager.post(url("undo", own)).status_code == 403
    assertNotContains(manager.get(url("detail", own)), "Undo this import")
    assert administrator.get(url("undo", own)).status_code == 200


def test_a_right_taken_away_in_the_middle_ends_the_wizard_and_keeps_the_draft(uploader):
    imported = uploaded(uploader, csv_bytes([[ASHA, "Asha", "", "", ""]]))
    uploader.user.groups.clear()
    assert uploader.post(url("columns", imported), {}).status_code == 403
    imported.refresh_from_db()
    assert imported.state == "draft"


def test_a_colleague_goes_on_with_a_draft(client_of: Callable[[str], Client], uploader):
    imported = uploaded(uploader, csv_bytes([[ASHA, "Asha", "", "", ""]]))
    assert client_of("uploader").get(url("columns", imported)).status_code == 200
