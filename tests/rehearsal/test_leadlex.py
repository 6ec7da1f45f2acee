import pytest

from lists.rehearsal import Rehearsal
from lists.rehearsal.leadlex import EXPIRED_KEY, READ_ONLY_KEY
from tests.rehearsal.clients import PHONES, LeadLexClient

STRANGER = "0d9f4a10-0000-4000-8000-00000000000b"


@pytest.fixture
def leadlex(rehearsal: Rehearsal) -> LeadLexClient:
    return LeadLexClient(rehearsal)


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


# Credentials and pace


@pytest.mark.parametrize("key", ["", "wbk_unknown", EXPIRED_KEY])
def test_a_missing_unknown_or_expired_key_is_refused(rehearsal, key):
    assert code(LeadLexClient(rehearsal, key)("GET", "/lists")) == (401, "invalid_key")


def test_a_key_that_may_only_read_is_told_so(rehearsal):
    reader = LeadLexClient(rehearsal, READ_ONLY_KEY)
    assert reader("GET", "/lists").status_code == 200
    assert code(reader("POST", "/lists", json={"name": "x"})) == (403, "insufficient_permissions")


@pytest.mark.parametrize("permission", ["write", "contacts:write", "write:contacts"])
def test_every_spelling_of_the_permission_lets_a_key_write(rehearsal, permission):
    rehearsal.leadlex.add_key("wbk_spelled", permissions=(permission,))
    assert LeadLexClient(rehearsal, "wbk_spelled")("POST", "/lists", json={"name": "x"}).status_code == 201


def test_lists_and_contacts_of_another_workspace_do_not_exist(leadlex, rehearsal):
    rehearsal.leadlex.add_key("wbk_other", workspace="other")
    other = LeadLexClient(rehearsal, "wbk_other")
    assert code(leadlex.add(other.list_id(), leadlex.contact_ids(PHONES[:1]))) == (404, "not_found")
    strangers = other.contact_ids(PHONES[:1])
    assert leadlex.add(leadlex.list_id(), strangers).json()["error"]["details"] == {"invalid_ids": strangers}


@pytest.mark.parametrize(("retry_after", "header"), [(None, None), (7, "7")])
def test_the_minute_is_limited_while_the_headers_speak_of_the_day(leadlex, rehearsal, retry_after, header):
    rehearsal.leadlex.set(per_minute=2, per_day=100, retry_after=retry_after)
    answers = [leadlex("GET", "/lists") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert code(answers[2]) == (429, "rate_limited")
    assert answers[2].headers.get("Retry-After") == header
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["99", "98", "98"]
    assert int(answers[0].headers["X-RateLimit-Reset"]) % 86_400 == 0
    rehearsal.leadlex.set(minute=0.0)
    assert leadlex("GET", "/lists").status_code == 200


def test_the_day_is_limited_until_midnight(leadlex, rehearsal):
    rehearsal.leadlex.set(per_minute=0, per_day=2)
    answers = [leadlex("GET", "/lists") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["X-RateLimit-Remaining"] == "0"
    rehearsal.leadlex.set(clock_offset=86_400.0)
    assert leadlex("GET", "/lists").status_code == 200


def test_rate_comes_before_permission_and_list_before_body(leadlex, rehearsal):
    rehearsal.leadlex.set(per_day=1)
    leadlex("GET", "/lists")
    assert LeadLexClient(rehearsal, READ_ONLY_KEY)("POST", "/lists", json={}).status_code == 429
    rehearsal.leadlex.set(per_day=0)
    assert leadlex.add("abc-123", []).status_code == 404


# Lists


def test_a_name_is_required_and_belongs_to_one_list(leadlex, rehearsal):
    made = leadlex("POST", "/lists", json={"name": "callbacks", "description": "week 7"}).json()["data"]
    assert (made["name"], made["description"], made["contact_count"]) == ("callbacks", "week 7", 0)
    twice = leadlex("POST", "/lists", json={"name": "callbacks"})
    assert code(twice) == (400, "validation_error")
    assert "name" in twice.json()["error"]["details"]["fields"]
    assert code(leadlex("POST", "/lists", json={})) == (400, "validation_error")
    rehearsal.leadlex.set(created_status=200)
    assert leadlex("POST", "/lists", json={"name": "another"}).status_code == 200


def test_lists_are_read_in_pages_in_either_shape(leadlex, rehearsal):
    for name in ("a", "b", "c"):
        leadlex.list_id(name)
    answer = leadlex("GET", "/lists", params={"page": 2, "per_page": 2}).json()
    assert [each["name"] for each in answer["data"]["lists"]] == ["c"]
    assert answer["meta"] == {"page": 2, "per_page": 2, "total": 3}
    rehearsal.leadlex.set(lists_shape="bare")
    assert [each["name"] for each in leadlex("GET", "/lists").json()["data"]] == ["a", "b", "c"]


def test_a_deleted_list_takes_its_memberships_and_leaves_the_contacts(leadlex):
    list_id, ids = leadlex.list_id(), leadlex.contact_ids(PHONES[:2])
    leadlex.add(list_id, ids)
    gone = leadlex("DELETE", f"/lists/{list_id}").json()["data"]
    assert gone == {"deleted": True, "id": list_id, "memberships_removed": 2}
    assert code(leadlex("DELETE", f"/lists/{list_id}")) == (404, "list_not_found")
    assert leadlex("GET", f"/contacts/{ids[0]}").status_code == 200


def test_a_contact_is_removed_from_a_list_once(leadlex):
    list_id, ids = leadlex.list_id(), leadlex.contact_ids(PHONES[:1])
    leadlex.add(list_id, ids)
    assert leadlex("DELETE", f"/lists/{list_id}/contacts/{ids[0]}").json()["data"]["removed"] is True
    assert code(leadlex("DELETE", f"/lists/{list_id}/contacts/{ids[0]}")) == (404, "membership_not_found")
    assert code(leadlex("DELETE", f"/lists/nope/contacts/{ids[0]}")) == (404, "list_not_found")


# Adding


def test_added_counts_the_new_ones_and_contact_count_all_of_them(leadlex, rehearsal):
    list_id, ids = leadlex.list_id(), leadlex.contact_ids(PHONES[:5])
    leadlex.add(list_id, ids[:2])
    again = leadlex.add(list_id, [*ids, ids[4]])
    assert again.json()["data"] == {"added": 3, "list_id": list_id, "contact_count": 5}
    assert rehearsal.book.applied("leadlex", list_id) == PHONES[:5]
    assert rehearsal.book.sent_twice("leadlex", list_id) == dict.fromkeys(PHONES[:2], 2)


@pytest.mark.parametrize("ids", [[], None, "one", [1, 2]])
def test_what_is_no_list_of_ids_is_refused(leadlex, ids):
    answer = leadlex("POST", f"/lists/{leadlex.list_id()}/contacts", json={"contact_ids": ids})
    assert code(answer) == (400, "validation_error")


def test_a_hundred_ids_are_taken_and_one_more_refuses_all(leadlex, rehearsal):
    list_id = leadlex.list_id()
    ids = leadlex.contact_ids([*PHONES, "+12025550100"])
    assert code(leadlex.add(list_id, ids)) == (400, "validation_error")
    assert rehearsal.leadlex.members(list_id) == []
    assert leadlex.add(list_id, ids[:100]).json()["data"]["added"] == 100


@pytest.mark.parametrize(("keeps", "stored"), [(False, 0), (True, 2)])
def test_a_bad_id_refuses_the_request_and_the_good_ones_are_kept_or_not(leadlex, rehearsal, keeps, stored):
    rehearsal.leadlex.set(store_valid_ids=keeps)
    list_id, ids = leadlex.list_id(), leadlex.contact_ids(PHONES[:2])
    answer = leadlex.add(list_id, [ids[0], STRANGER, ids[1], "malformed"])
    assert code(answer) == (400, "validation_error")
    assert answer.json()["error"]["details"]["invalid_ids"] == [STRANGER, "malformed"]
    assert len(rehearsal.leadlex.members(list_id)) == stored


def test_invalid_ids_may_be_left_unnamed_or_name_strangers(leadlex, rehearsal):
    list_id = leadlex.list_id()
    rehearsal.leadlex.faults.next("add_to_list", name_invalid_ids=False)
    assert "details" not in leadlex.add(list_id, [STRANGER]).json()["error"]
    rehearsal.leadlex.faults.next("add_to_list", stray_invalid_ids=2)
    named = leadlex.add(list_id, [STRANGER]).json()["error"]["details"]["invalid_ids"]
    assert (named[0], len(named)) == (STRANGER, 3)


def test_merged_contacts_are_no_longer_valid(leadlex, rehearsal):
    rehearsal.leadlex.set(merged_every=2)
    list_id, ids = leadlex.list_id(), leadlex.contact_ids(PHONES[:4])
    assert leadlex.add(list_id, ids).json()["error"]["details"]["invalid_ids"] == [ids[1], ids[3]]


def test_the_unknown_list_has_either_of_two_codes(leadlex, rehearsal):
    ids = leadlex.contact_ids(PHONES[:1])
    assert code(leadlex.add("nope", ids)) == (404, "not_found")
    rehearsal.leadlex.set(list_gone_code="list_not_found")
    assert code(leadlex.add("nope", ids)) == (404, "list_not_found")


# Contacts


def test_members_of_a_list_are_read_a_hundred_at_a_time(leadlex):
    list_id, ids = leadlex.list_id(), leadlex.contact_ids([*PHONES, *PHONES[:20]])
    leadlex.add(list_id, ids[100:])
    leadlex.add(list_id, ids[:100])
    page = leadlex("GET", "/contacts", params={"list_id": list_id, "per_page": 500}).json()
    assert [each["id"] for each in page["data"]["contacts"]] == ids[:100]
    assert page["meta"] == {"page": 1, "per_page": 100, "total": 120}
    newest = leadlex("GET", "/contacts", params={"sort": "-created_at", "per_page": 1}).json()
    assert newest["data"]["contacts"][0]["id"] == ids[-1]
    assert leadlex("GET", "/contacts").json()["meta"]["per_page"] == 50


def test_contacts_are_found_by_name_and_mail_but_not_by_phone(leadlex):
    leadlex("POST", "/contacts", json={"full_name": "Quist, Mara", "email": "Mara@example.org", "phone": PHONES[0]})
    for search, found in (("mara q", 1), ("EXAMPLE.ORG", 1), ("2025550100", 0)):
        assert leadlex("GET", "/contacts", params={"search": search}).json()["meta"]["total"] == found
    after = {"created_after": "2100-01-01T00:00:00Z"}
    assert leadlex("GET", "/contacts", params=after).json()["meta"]["total"] == 0
    assert leadlex("GET", "/contacts", params={"sort": "phone"}).status_code == 400
    assert code(leadlex("GET", f"/contacts/{STRANGER}")) == (404, "not_found")


@pytest.mark.parametrize(("policy", "status", "total"), [("existing", 200, 1), ("create", 201, 2), ("refuse", 400, 1)])
def test_a_contact_needs_a_name_or_a_mail_and_a_known_mail_is_a_switch(leadlex, rehearsal, policy, status, total):
    rehearsal.leadlex.set(create_duplicate=policy)
    assert leadlex("POST", "/contacts", json={"phone": PHONES[0]}).status_code == 400
    person = {"full_name": "Mara Quist", "email": "mara@example.org", "priority": "high"}
    made = leadlex("POST", "/contacts", json=person).json()["data"]
    assert (made["first_name"], made["last_name"], made["priority"]) == ("Mara", "Quist", 1)
    assert leadlex("POST", "/contacts", json=person).status_code == status
    assert leadlex("GET", "/contacts").json()["meta"]["total"] == total


def test_five_hundred_contacts_are_created_at_once_and_not_one_more(leadlex):
    rows = [{"full_name": f"Mara {n}"} for n in range(501)]
    assert leadlex("POST", "/contacts/bulk", json={"contacts": rows}).status_code == 400
    assert leadlex("POST", "/contacts/bulk", json={"contacts": rows[:500]}).json()["data"]["created"] == 500
    assert leadlex("POST", "/contacts/bulk", json={"contacts": [{"phone": PHONES[0]}]}).status_code == 400


def test_an_import_matches_by_mail_or_phone_and_remembers_its_key(leadlex, rehearsal):
    body = {"rows": [{"full_name": "Mara Quist", "phone": PHONES[0]}, {"phone": PHONES[1]}]}
    first = leadlex("POST", "/import/contacts", {"Idempotency-Key": "k1"}, json=body)
    assert first.json()["data"]["created_count"] == 1
    assert [error["row_number"] for error in first.json()["data"]["errors"]] == [2]
    assert leadlex("POST", "/import/contacts", {"Idempotency-Key": "k1"}, json=body).json() == first.json()
    assert leadlex("POST", "/import/contacts", json=body).json()["data"]["skipped_count"] == 1
    table = {"csv": "Name,Tel\nMaren Quist,1 202 555 0100\n", "mapping": {"Name": "full_name", "Tel": "phone"}}
    assert (
        leadlex("POST", "/import/contacts", json=table | {"update_existing": True}).json()["data"]["updated_count"] == 1
    )
    rehearsal.leadlex.set(clock_offset=90_000.0)
    again = leadlex("POST", "/import/contacts", {"Idempotency-Key": "k1"}, json=body).json()
    assert again["data"]["skipped_count"] == 1


def test_an_import_of_more_than_five_hundred_rows_is_queued(leadlex, rehearsal):
    rehearsal.leadlex.set(import_delay=60.0)
    rows = [{"full_name": f"Mara {n}"} for n in range(501)]
    assert leadlex("POST", "/import/contacts", json={"rows": rows}).json()["data"]["status"] == "queued"
    assert leadlex("GET", "/contacts").json()["meta"]["total"] == 0
    rehearsal.leadlex.set(clock_offset=61.0)
    assert leadlex("GET", "/contacts").json()["meta"]["total"] == 501


def test_an_import_above_twenty_megabytes_is_too_large(leadlex):
    assert code(leadlex("POST", "/import/contacts", json={"csv": "x" * 20_000_001})) == (413, "payload_too_large")


def test_contacts_are_exported_as_csv_ten_times_an_hour(leadlex):
    list_id, ids = leadlex.list_id(), leadlex.contact_ids(PHONES[:3])
    leadlex.add(list_id, ids[:2])
    lines = leadlex("GET", "/contacts/export", params={"list_id": list_id}).text.splitlines()
    assert [line.split(",")[0] for line in lines] == ["id", *ids[:2]]
    assert [leadlex("GET", "/contacts/export").status_code for _ in range(10)] == [200] * 9 + [429]


def test_merging_moves_memberships_and_retires_ids(leadlex, rehearsal):
    list_id, ids = leadlex.list_id(), leadlex.contact_ids(PHONES[:3])
    leadlex.add(list_id, ids[1:])
    merged = leadlex("POST", "/contacts/merge", json={"primary_id": ids[0], "duplicate_ids": [ids[1]]})
    assert merged.status_code == 200
    assert sorted(rehearsal.leadlex.members(list_id)) == [PHONES[0], PHONES[2]]
    assert leadlex.add(list_id, [ids[1]]).status_code == 400


def test_contacts_are_deleted_in_bulk_after_a_dry_run(leadlex):
    ids = leadlex.contact_ids(PHONES[:2])
    body = {"contact_ids": [*ids, STRANGER]}
    for dry_run, left in ((True, 2), (False, 0)):
        gone = leadlex("POST", "/contacts/bulk-delete", json=body | {"dry_run": dry_run}).json()["data"]
        assert (gone["deleted_count"], gone["not_found_count"]) == (2, 1)
        assert leadlex("GET", "/contacts").json()["meta"]["total"] == left


def test_every_answer_carries_a_request_id_and_a_wrong_method_is_405(leadlex):
    answer = leadlex("PUT", "/lists")
    assert answer.status_code == 405
    assert answer.headers["X-Request-ID"].startswith("req_")
