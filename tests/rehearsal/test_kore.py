import time

import pytest

from lists.rehearsal import CREDENTIALS, Rehearsal
from lists.rehearsal.kore import CAMPAIGNS
from tests.rehearsal.clients import PHONES, KoreClient

IMPORT_HEADER = "firstName,lastName,salutation,cellPhoneNumber,cellPhoneCountryCode,cellPhoneExtension\n"


@pytest.fixture
def kore(rehearsal: Rehearsal) -> KoreClient:
    rehearsal.kore.set(apply_delay=0.0)
    return KoreClient(rehearsal)


def members(kore: KoreClient, list_id: str, **query: int) -> dict:
    return kore.lists("GET", f"{list_id}/getAllContacts", params=query).json()["data"]


# Credentials


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"secret": "another secret, of another app altogether"}, 4002),
        ({"algorithm": "HS512"}, 4002),
        ({"appId": CREDENTIALS["kore"]["client_id"].upper()}, 4002),
        ({"sub": None}, 4002),
        ({"exp": 1_900_000, "jti": None}, 4002),
        ({"iat": 9_900_000_000, "exp": None, "jti": None}, 4002),
        ({"exp": int(time.time()) + 7200}, 401),
        ({"exp": None}, 401),
    ],
)
def test_a_token_that_is_not_right_is_refused(kore, claims, code):
    answer = kore.lists("GET", "getAllListDetails", headers=kore.headers(auth=kore.token(**claims)))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (401, code)


def test_a_token_without_jti_may_be_used_again_and_one_with_jti_may_not(kore):
    free = kore.headers(auth=kore.token(jti=None))
    assert [kore.lists("GET", "getAllListDetails", headers=free).status_code for _ in range(2)] == [200, 200]
    single = kore.headers()
    assert [kore.lists("GET", "getAllListDetails", headers=single).status_code for _ in range(2)] == [200, 401]


def test_an_app_that_enforces_jti_refuses_tokens_without(kore, rehearsal):
    rehearsal.kore.set(enforce_jti=True)
    answer = kore.lists("GET", "getAllListDetails", headers=kore.headers(auth=kore.token(jti=None)))
    assert answer.status_code == 401


def test_a_vendor_whose_clock_is_behind_refuses_a_token_from_its_future(kore, rehearsal):
    rehearsal.kore.set(clock_offset=-300.0)
    assert kore.create().status_code == 401


@pytest.mark.parametrize(
    "headers",
    [{"auth": None}, {"auth": "no token"}, {"iid": None}, {"accountId": None}, {"iid": "st-1"}, {"accountId": "6"}],
)
def test_the_headers_must_be_there_and_fit_the_path(kore, headers):
    kore.create()
    assert kore.add("callbacks", PHONES[:1], headers=kore.headers(**headers)).status_code == 401


def test_the_newer_base_takes_the_account_from_the_query(kore):
    headers = kore.headers(accountId=None, iid=None)
    account = {"accountId": CREDENTIALS["kore"]["account_id"]}
    answer = kore.lists("GET", "getAllListDetails", "/campaign/api/v2", headers=headers, params=account)
    assert answer.json()["data"] == []
    headers = kore.headers(accountId=None, iid=None)
    assert kore.lists("GET", "getAllListDetails", "/campaign/api/v2", headers=headers).status_code == 401


def test_an_app_without_the_scope_is_refused_with_401(kore, rehearsal):
    rehearsal.kore.add_account(CREDENTIALS["kore"], scopes=(CAMPAIGNS,))
    answer = kore.book("GET")
    assert answer.status_code == 401
    assert "scope" in answer.json()["errors"][0]["msg"]


def test_another_apps_path_is_refused(kore, rehearsal):
    other = {**CREDENTIALS["kore"], "app_id": "st-2", "client_id": "cs-2"}
    rehearsal.kore.add_account(other)
    answer = kore("GET", "/agentassist/api/v1/public/st-2/campaign/contactList/getAllListDetails")
    assert answer.status_code == 401


# Pace


@pytest.mark.parametrize("status", [429, 503, 400])
def test_the_minute_of_an_account_is_limited_without_saying_when_to_come_back(kore, rehearsal, status):
    rehearsal.kore.set(per_minute=2, throttle_status=status)
    answers = [kore.lists("GET", "getAllListDetails") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, status]
    assert "Retry-After" not in answers[2].headers
    assert "rate limit" in answers[2].json()["errors"][0]["msg"]
    rehearsal.kore.set(minute=0.0)
    assert kore.lists("GET", "getAllListDetails").status_code == 200


# Lists


def test_a_list_comes_back_as_it_was_made(kore):
    data = kore.create("autumn-callbacks-07", allowDuplicates=True).json()["data"]
    assert data["_id"].startswith("cl-")
    assert len(data["_id"].split("-")[1]) == 7
    expected = {"name": "autumn-callbacks-07", "status": "Ready", "totalRecordCount": 0, "source": "passiveApi"}
    assert data | expected | {"allowDuplicates": True, "isListInUse": False, "campaignInUse": []} == data
    assert kore.lists("GET", data["_id"]).json()["data"]["lname"] == "autumn-callbacks-07"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": None},
        {"name": None, "name1": "callbacks"},
        {"name": "n" * 49},
        {"description": None},
        {"description": "d" * 257},
        {"source": "passiveApiIntegration"},
        {"source": None},
        {"allowDuplicates": "true"},
    ],
)
@pytest.mark.parametrize("status", [412, 400])
def test_a_list_with_a_missing_or_bad_field_is_refused(kore, rehearsal, changes, status):
    rehearsal.kore.set(refusal_status=status)
    answer = kore.create(**changes)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, status)
    assert rehearsal.kore.all_lists == []


def test_names_and_descriptions_may_be_as_long_as_the_limit(kore):
    assert kore.create("n" * 48, description="d" * 256).status_code == 200


def test_two_lists_may_have_one_name_unless_that_is_switched_off(kore, rehearsal):
    assert [kore.create().status_code for _ in range(2)] == [200, 200]
    rehearsal.kore.set(duplicate_names="refuse")
    assert kore.create().status_code == 400


def test_all_lists_are_read_by_post_or_get_or_one_of_them(kore, rehearsal):
    kore.create()
    for method in ("POST", "GET"):
        assert [each["name"] for each in kore.lists(method, "getAllListDetails").json()["data"]] == ["callbacks"]
    rehearsal.kore.set(read_lists_method="GET")
    assert kore.lists("POST", "getAllListDetails").status_code == 405


def test_a_list_is_changed_and_deleted_unless_a_campaign_uses_it(kore, rehearsal):
    list_id = kore.create().json()["data"]["_id"]
    assert kore.lists("PUT", list_id, json={"name": "renamed"}).json()["data"]["body"]["name"] == "renamed"
    rehearsal.kore.use_in_campaign("renamed", "autumn")
    assert kore.lists("GET", list_id).json()["data"]["campaignInUse"][0]["name"] == "autumn"
    assert kore.lists("DELETE", list_id).status_code == 400
    rehearsal.kore.find_list("renamed").campaigns.clear()
    assert kore.lists("DELETE", list_id).json()["data"]["_id"] == list_id
    assert kore.lists("GET", list_id).status_code == 404


def test_a_wrong_method_is_405_and_an_unknown_path_404(kore):
    assert kore.lists("DELETE", "createContactList/x").status_code == 404
    assert kore.book("PATCH").status_code == 405


# Adding


def test_added_contacts_are_queued_and_appear_later(kore, rehearsal):
    rehearsal.kore.set(apply_delay=60.0)
    list_id = kore.create().json()["data"]["_id"]
    assert kore.add("callbacks", PHONES[:3]).json() == {"message": "contacts are being added"}
    assert members(kore, list_id)["totalResults"] == 0
    rehearsal.kore.set(clock_offset=61.0)
    assert [each["phoneNumber"] for each in members(kore, list_id)["results"]] == PHONES[:3]
    assert kore.lists("GET", list_id).json()["data"]["totalRecordCount"] == 3


def test_the_older_form_of_the_answer_has_a_status(kore, rehearsal):
    rehearsal.kore.set(reply_shape="old")
    kore.create()
    assert kore.add("callbacks", PHONES[:1]).json()["status"] == "success"


@pytest.mark.parametrize(("allowed", "expected"), [(False, 2), (True, 4)])
def test_the_list_decides_about_duplicates(kore, rehearsal, allowed, expected):
    list_id = kore.create(allowDuplicates=allowed).json()["data"]["_id"]
    kore.add("callbacks", PHONES[:2])
    kore.add("callbacks", [phone.lstrip("+") for phone in PHONES[:2]])
    assert len(rehearsal.kore.members(list_id)) == expected
    assert len(rehearsal.book.received("kore", list_id)) == 4


@pytest.mark.parametrize(("policy", "status", "lists"), [("error", 400, 0), ("drop", 200, 0), ("create", 200, 1)])
def test_an_unknown_list_name_is_refused_dropped_or_created(kore, rehearsal, policy, status, lists):
    rehearsal.kore.set(unknown_list=policy)
    assert kore.add("nowhere", PHONES[:1]).status_code == status
    assert len(rehearsal.kore.all_lists) == lists


@pytest.mark.parametrize(("share", "applied"), [(1.0, 4), (0.5, 2), (0.0, 0)])
def test_all_half_or_nothing_of_an_accepted_add_is_applied(kore, rehearsal, share, applied):
    rehearsal.kore.set(apply_share=share)
    kore.create()
    assert kore.add("callbacks", PHONES[:4]).status_code == 200
    assert rehearsal.kore.members("callbacks") == PHONES[:applied]


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"phoneNumber": "+12025550100"}]},
        {"contact_list_name": "callbacks"},
        {"contact_list_name": "callbacks", "data": []},
        {"contact_list_name": "callbacks", "data": [{"phone": "+12025550100"}]},
        {"contact_list_name": "callbacks", "data": ["+12025550100"]},
    ],
)
def test_an_add_without_its_fields_is_refused(kore, body):
    kore.create()
    assert kore.lists("POST", "addContacts", "/api/1.1", json=body).status_code == 412


def test_an_add_above_the_limit_that_may_be_set_is_refused(kore, rehearsal):
    rehearsal.kore.set(batch_limit=2)
    kore.create()
    assert [kore.add("callbacks", PHONES[:n]).status_code for n in (2, 3)] == [200, 413]


@pytest.mark.parametrize(("drops", "expected"), [(False, PHONES[:1]), (True, [])])
def test_what_is_no_number_vanishes_alone_or_with_its_batch(kore, rehearsal, drops, expected):
    rehearsal.kore.set(bad_number_drops_batch=drops)
    kore.create()
    kore.add("callbacks", [PHONES[0], "none"])
    assert rehearsal.kore.members("callbacks") == expected


def test_a_list_is_read_fifty_at_a_time(kore, rehearsal):
    list_id = kore.create().json()["data"]["_id"]
    kore.add("callbacks", PHONES[:60])
    first, second = members(kore, list_id, limit=200), members(kore, list_id, skip=50)
    assert (len(first["results"]), first["hasMore"], first["totalPages"]) == (50, True, 2)
    assert (len(second["results"]), second["hasMore"], second["skip"]) == (10, False, 50)
    rehearsal.kore.set(ignore_skip=True, strip_plus=True)
    again = members(kore, list_id, skip=50)["results"]
    assert again[0]["_id"] == first["results"][0]["_id"]
    assert again[0]["phoneNumber"] == PHONES[0].lstrip("+")


# The address book


def test_a_file_of_contacts_is_imported_as_multipart_and_answered_with_a_bare_array(kore, rehearsal):
    answer = kore.import_csv(IMPORT_HEADER + "Mara,Quist,Mrs.,2025550100,+1,+\nJon,Quist,Mr.,2025550101,1,+\n")
    assert [each["cellPhone"]["phoneNumber"] for each in answer.json()] == ["+12025550100", "+12025550101"]
    assert (answer.json()[0]["salutation"], answer.json()[0]["status"]) == ("Mrs", "ACTIVE")
    assert rehearsal.book.applied("kore") == ["+12025550100", "+12025550101"]


def test_an_import_sent_as_json_or_without_its_file_is_refused(kore):
    assert kore.book("POST", "/import-contacts", json=[]).status_code == 400
    assert kore.book("POST", "/import-contacts", files={"file": ("a.csv", b"x")}).status_code == 412


@pytest.mark.parametrize("row", ["Mara,,Mrs,2025550100,+1,+", "Mara,Quist,Dr,2025550100,+1,+", "Mara,Quist,Mrs,x,+1,+"])
def test_a_row_that_lacks_a_field_refuses_the_file(kore, row):
    assert kore.import_csv(f"{IMPORT_HEADER}{row}\n").status_code == 412


@pytest.mark.parametrize(("reported", "status", "rows"), [("missing", 200, 1), ("error", 400, 0), ("message", 200, 2)])
def test_a_number_that_exists_is_prevented_and_reported_in_one_of_three_ways(kore, rehearsal, reported, status, rows):
    kore.import_csv(IMPORT_HEADER + "Mara,Quist,Mrs,2025550100,+1,+\n")
    rehearsal.kore.set(prevented_rows=reported)
    answer = kore.import_csv(IMPORT_HEADER + "Mara,Q,Mrs,2025550100,+1,+\nJon,Quist,Mr,2025550101,+1,+\n")
    assert answer.status_code == status
    assert isinstance(answer.json(), dict) if status == 400 else len(answer.json()) == rows


def test_contacts_of_the_address_book_are_created_changed_read_and_softly_deleted(kore):
    person = {
        "firstName": "Mara",
        "lastName": "Quist",
        "salutation": "Mrs",
        "cellPhone": {"phoneNumber": "2025550100", "countryCode": "+1", "extension": "+"},
    }
    contact_id = kore.book("POST", json=[person]).json()[0]["id"]
    assert kore.book("PUT", f"/{contact_id}", json={"firstName": "Maren"}).json()["fullName"] == "Maren Quist"
    assert kore.book("PUT", "/bulk-update", json=[{"id": contact_id, "lastName": "Q"}]).json()[0]["lastName"] == "Q"
    page = kore.book("GET").json()
    assert (page["totalResults"], page["limit"], page["results"][0]["id"]) == (1, 10, contact_id)
    assert kore.book("DELETE", f"/{contact_id}").json()["status"] == "INACTIVE"
    assert kore.book("GET").json()["results"] == []
    gone = kore.book("DELETE", "/bulk-delete", json={"ids": [contact_id]}).json()
    assert (gone["successful"], gone["failed"]) == (0, 1)
    assert kore.book("POST", json=[person]).json()[0]["id"] != contact_id
