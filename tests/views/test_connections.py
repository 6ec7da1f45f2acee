import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertTemplateNotUsed

from lists.models import AuditEvent, Connection
from lists.models.sync import RunState
from lists.rehearsal import CREDENTIALS
from lists.sync import accounts
from lists.vendors.registry import VENDORS
from tests.factories import make_connection, make_run

SECRET = "wbk_not-to-be-seen"
LEADLEX = {"name": "LeadLex India", "api_key": SECRET, "per_minute": "10", "per_day": "100"}


def stored(**changes):
    return make_connection("leadlex", "LeadLex India", secrets={"api_key": SECRET}, **changes)


def test_a_vendor_is_connected_and_its_secret_encrypted(administrator):
    response = administrator.post(reverse("connections-create", args=["leadlex"]), LEADLEX)
    connection = Connection.objects.get()
    assert response.url == reverse("connections-detail", args=[connection.pk])
    assert (connection.vendor, connection.rehearsal, connection.secrets()) == ("leadlex", False, {"api_key": SECRET})
    assert SECRET not in connection.credentials + str(connection.settings)
    assert AuditEvent.objects.get().details["secrets"] == ["api_key"]


@pytest.mark.parametrize("vendor", ["kore", "leadlex", "exotel"])
def test_every_vendor_has_a_form_of_its_own_settings(administrator, vendor):
    response = administrator.get(reverse("connections-create", args=[vendor]))
    assertContains(response, "Requests a minute")
    assertContains(response, 'type="password"')


def test_a_new_connection_needs_its_secrets(administrator):
    response = administrator.post(
        reverse("connections-create", args=["leadlex"]),
        {**LEADLEX, "api_key": ""},
        headers={"HX-Request": "true", "HX-Target": "connections-edit"},
    )
    assertTemplateNotUsed(response, "base.html")
    assertContains(response, "Enter the API key")
    assert not Connection.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("name", "", "This field is required"),
        ("per_minute", "-1", "Write 0 or more"),
        ("base_url", "https://example.net", "is not a host of LeadLex"),
        ("base_url", f"http://{VENDORS['leadlex'].hosts[0]}", "must begin with https://"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_stored(administrator, field, value, told):
    response = administrator.post(reverse("connections-create", args=["leadlex"]), {**LEADLEX, field: value})
    assertContains(response, told)
    assert not Connection.objects.exists()


def test_two_connections_do_not_share_a_name(administrator):
    stored()
    response = administrator.post(reverse("connections-create", args=["leadlex"]), LEADLEX)
    assertContains(response, "There is a connection of this name already")


def test_a_secret_is_never_shown_and_a_blank_one_stays(administrator):
    connection = stored(settings={"per_minute": "10"})
    for route in ("connections-detail", "connections-edit"):
        assertNotContains(administrator.get(reverse(route, args=[connection.pk])), SECRET)
    administrator.post(
        reverse("connections-edit", args=[connection.pk]), {**LEADLEX, "api_key": "", "per_minute": "20"}
    )
    connection.refresh_from_db()
    assert (connection.settings["per_minute"], connection.secrets()) == ("20", {"api_key": SECRET})


def test_another_address_asks_for_the_secrets_again(administrator, settings):
    settings.VENDOR_HOSTS = ["leadlex.internal"]
    connection = stored(settings={"base_url": ""})
    address = reverse("connections-edit", args=[connection.pk])
    moved = {**LEADLEX, "base_url": "https://leadlex.internal/api", "api_key": ""}
    assertContains(administrator.post(address, moved), "The address changes, so enter the API key again.")
    connection.refresh_from_db()
    assert connection.settings["base_url"] == ""
    administrator.post(address, {**moved, "api_key": "wbk_new"})
    connection.refresh_from_db()
    assert (connection.settings["base_url"], connection.secrets()["api_key"]) == (moved["base_url"], "wbk_new")


def test_a_region_that_was_left_at_its_usual_one_is_no_other_address(administrator):
    connection = make_connection(
        "exotel", "Exotel", settings={"account_sid": "demo"}, secrets={"api_key": "k", "api_token": "t"}
    )
    kept = {"name": "Exotel", "account_sid": "demo", "base_url": ""}
    address = reverse("connections-edit", args=[connection.pk])
    response = administrator.post(address, {**kept, "region": "mumbai"})
    assertContains(response, "The address changes, so enter the API key again.")
    assert administrator.post(address, {**kept, "region": "singapore"}).status_code == 302


def test_a_rehearsal_brings_its_address_and_credentials(administrator, rehearsal):
    make_connection("exotel", "Exotel", rehearsal=True, settings={"base_url": f"{rehearsal.url}/exotel"})
    page = administrator.get(reverse("connections-create", args=["exotel"]), {"rehearsal": ""})
    initial = page.context["form"].initial
    assert initial["base_url"] == f"{rehearsal.url}/exotel"
    administrator.post(
        reverse("connections-create", args=["exotel"]),
        {
            "name": "Exotel to try",
            "region": "singapore",
            **{name: initial[name] for name in ("base_url", "account_sid")},
        },
    )
    connection = Connection.objects.get(name="Exotel to try")
    assert connection.rehearsal
    assert connection.secrets() == {name: CREDENTIALS["exotel"][name] for name in ("api_key", "api_token")}


def test_checking_asks_the_vendor_and_remembers_the_answer(administrator, connect):
    connection = connect("leadlex")
    response = administrator.post(reverse("connections-check", args=[connection.pk]), follow=True)
    connection.refresh_from_db()
    assert connection.health == "ok"
    assertContains(response, connection.health_text)


def test_a_vendor_that_refuses_is_told_in_its_own_sentence(administrator, connect):
    connection = connect("leadlex")
    connection.set_secrets({"api_key": "wbk_wrong"})
    connection.save()
    response = administrator.post(reverse("connections-check", args=[connection.pk]), follow=True)
    connection.refresh_from_db()
    assert connection.health == "failing"
    assertContains(response, connection.health_text)
    assertNotContains(response, "wbk_wrong")


def test_a_change_of_credentials_forgets_the_old_health(administrator):
    connection = stored(health="failing", health_text="refused")
    administrator.post(reverse("connections-edit", args=[connection.pk]), {**LEADLEX, "api_key": "wbk_new"})
    connection.refresh_from_db()
    assert (connection.health, connection.health_text) == ("unknown", "")


def test_a_connection_without_readable_credentials_still_has_its_page(administrator, settings):
    connection = stored()
    settings.CREDENTIAL_KEYS = ["b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb28="]
    assertContains(administrator.get(reverse("connections-detail", args=[connection.pk])), "not complete")


def test_an_archived_connection_is_put_away_and_comes_back(administrator):
    connection = stored()
    administrator.post(reverse("connections-archive", args=[connection.pk]))
    assert administrator.get(reverse("connections-index")).context["connections"] == []
    assert administrator.post(reverse("connections-check", args=[connection.pk])).status_code == 404
    administrator.post(reverse("connections-restore", args=[connection.pk]))
    assert administrator.get(reverse("connections-index")).context["connections"] == [(connection, None)]


def test_a_connection_is_not_archived_under_a_push(administrator):
    run = make_run(state=RunState.WAITING)
    response = administrator.post(reverse("connections-archive", args=[run.connection_id]), follow=True)
    assertContains(response, "A push over this connection is under way")


def test_a_vendor_or_connection_that_is_not_there_is_a_404(administrator):
    assert administrator.get(reverse("connections-create", args=["northwind"])).status_code == 404
    assert administrator.get(reverse("connections-detail", args=[999])).status_code == 404


def test_a_campaign_manager_looks_and_changes_nothing(manager):
    connection = stored()
    assertNotContains(manager.get(reverse("connections-index")), "Connect a vendor")
    assert manager.get(reverse("connections-detail", args=[connection.pk])).status_code == 200
    for address in (reverse("connections-new"), reverse("connections-edit", args=[connection.pk])):
        assert manager.get(address).status_code == 403
    for route in ("connections-check", "connections-archive", "connections-restore"):
        assert manager.post(reverse(route, args=[connection.pk])).status_code == 403


def test_an_uploader_sees_no_connections(uploader):
    assert uploader.get(reverse("connections-index")).status_code == 403


def test_strangers_log_in_first(client, db):
    assert client.get(reverse("connections-index")).url.startswith(reverse("account_login"))


def test_the_page_tells_what_is_used_of_every_quota(administrator, connect):
    connection = connect("kore", per_minute=50, per_hour=1800)
    accounts.pacer(accounts.connected(connection)).take()
    page = administrator.get(reverse("connections-detail", args=[connection.pk]))
    assertContains(page, "1 of 1,800 requests used")
    edit = administrator.get(reverse("connections-edit", args=[connection.pk]))
    assertContains(edit, "Requests in any hour")
    assertNotContains(
        administrator.get(reverse("connections-edit", args=[connect("exotel").pk])), "Requests in any hour"
    )
