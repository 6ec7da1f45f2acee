import re

import pytest

from lists.rehearsal import CREDENTIALS, Rehearsal
from tests.rehearsal.clients import PHONES, ExotelClient

STRANGER = "ffeeddccbbaa99887766554433221100"
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}\+05:30")


@pytest.fixture
def exotel(rehearsal: Rehearsal) -> ExotelClient:
    rehearsal.exotel.set(per_minute=0, csv_delay=0.0)
    return ExotelClient(rehearsal)


def codes(answer) -> list[int]:
    return [item["code"] for item in answer.json()["response"]]


# Credentials and pace


@pytest.mark.parametrize("auth", [None, ("wrong", "pair"), (CREDENTIALS["exotel"]["api_key"], "wrong")])
def test_missing_or_wrong_credentials_are_refused(exotel, auth):
    answer = exotel("GET", "/lists", auth=auth)
    assert answer.status_code == 401
    assert answer.json()["response"]["error_data"]["code"] == 1010


def test_the_wrong_region_refuses_good_credentials(exotel, rehearsal):
    rehearsal.exotel.set(wrong_region=True)
    assert exotel("GET", "/lists").status_code == 401


def test_another_accounts_path_is_forbidden(exotel):
    assert exotel("GET", "/lists", sid="somebody1").status_code == 403


@pytest.mark.parametrize("status", [429, 503])
def test_the_minute_is_limited_with_headers_and_retry_after(exotel, rehearsal, status):
    rehearsal.exotel.set(per_minute=2, throttle_status=status)
    answers = [exotel("GET", "/lists") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, status]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[2].headers["Retry-After"] == "30"
    assert answers[2].json()["RestException"]["Code"] == "RATE_LIMITED"
    rehearsal.exotel.set(minute=0.0)
    assert exotel("GET", "/lists").status_code == 200


@pytest.mark.parametrize(
    ("envelope", "key"), [("documented", "response"), ("v2", "response"), ("rest", "RestException")]
)
def test_a_refusal_comes_in_either_envelope(exotel, rehearsal, envelope, key):
    rehearsal.exotel.set(envelope=envelope)
    answer = exotel("GET", f"/lists/{STRANGER}")
    assert (answer.status_code, key in answer.json()) == (404, True)


# Lists


def test_a_taken_name_is_a_409_item_in_a_207(exotel):
    first = exotel("POST", "/lists", json={"lists": [{"name": "callbacks", "tag": "w7"}]})
    assert (first.status_code, codes(first)) == (207, [200])
    assert first.json()["metadata"] == {"failed": 0, "total": 1, "success": 1}
    again = exotel("POST", "/lists", json={"lists": [{"name": "callbacks"}, {"name": "new"}, {}]})
    assert (again.status_code, codes(again)) == (207, [409, 200, 400])


def test_lists_are_filtered_by_part_of_a_name_twenty_a_page(exotel):
    exotel("POST", "/lists", json={"lists": [{"name": f"autumn {n:02}"} for n in range(25)] + [{"name": "winter"}]})
    assert len(exotel("GET", "/lists", params={"limit": 100}).json()["response"]) == 20
    rest = exotel("GET", "/lists", params={"name": "AUTUMN", "offset": 20, "sort_by": "name:asc"}).json()["response"]
    assert [item["data"]["name"] for item in rest] == [f"autumn {n}" for n in range(20, 25)]


def test_a_list_is_read_renamed_and_deleted_unless_a_campaign_uses_it(exotel, rehearsal):
    sid = exotel.list_sid()
    assert exotel("PUT", f"/lists/{sid}", json={"name": "renamed"}).json()["response"]["data"]["name"] == "renamed"
    assert codes(exotel("PUT", "/lists", json={"lists": [{"sid": sid, "name": "b"}, {"sid": STRANGER}]})) == [200, 404]
    assert exotel("GET", f"/lists/{sid}").json()["response"]["data"]["contact_count"] == 0
    rehearsal.exotel.use_in_campaign(sid)
    assert exotel("DELETE", f"/lists/{sid}").status_code == 409
    rehearsal.exotel.find_list(sid).campaigns.clear()
    assert exotel("DELETE", f"/lists/{sid}").status_code == 200
    assert exotel("GET", f"/lists/{sid}").status_code == 404


# Contacts


def test_contacts_are_created_item_by_item(exotel, rehearsal):
    rows = [{"number": PHONES[0], "first_name": "Mara"}, {"number": "not one"}, {}, {"number": "9800012345"}]
    answer = exotel("POST", "/contacts", json={"contacts": rows})
    assert (answer.status_code, codes(answer)) == (207, [200, 400, 400, 200])
    assert answer.json()["metadata"] == {"failed": 2, "total": 4, "success": 2}
    assert answer.json()["response"][3]["data"]["number"] == "+919800012345"
    assert rehearsal.book.applied("exotel") == [PHONES[0], "+919800012345"]


@pytest.mark.parametrize(("policy", "code", "same"), [("existing", 200, True), ("409", 409, None), ("new", 200, False)])
def test_a_known_number_is_returned_refused_or_made_twice(exotel, rehearsal, policy, code, same):
    rehearsal.exotel.set(known_number=policy)
    first = exotel.contact_sids(PHONES[:1])[0]
    item = exotel("POST", "/contacts", json={"contacts": [{"number": PHONES[0]}]}).json()["response"][0]
    assert item["code"] == code
    if same is not None:
        assert (item["data"]["sid"] == first) is same


@pytest.mark.parametrize("path", ["/contacts", "/lists/{sid}/contacts"])
def test_five_thousand_are_taken_at_once_and_not_one_more(exotel, path):
    sid = exotel.list_sid()
    name = "contacts" if path == "/contacts" else "contact_references"
    rows = [{"number": f"+4479009{n:05}", "contact_sid": STRANGER} for n in range(5001)]
    assert exotel("POST", path.format(sid=sid), json={name: rows}).status_code == 400
    assert exotel("POST", path.format(sid=sid), json={name: rows[:5000]}).status_code == 207
    assert exotel("POST", path.format(sid=sid), json={name: []}).status_code == 400


def test_contacts_are_read_twenty_a_page_newest_first_if_asked(exotel):
    sids = exotel.contact_sids(PHONES[:25])
    page = exotel("GET", "/contacts", params={"limit": 1000, "sort_by": "date_created:desc"}).json()["response"]
    assert [item["data"]["sid"] for item in page] == sids[:4:-1]
    list_sid = exotel.list_sid()
    exotel.add(list_sid, sids[3:5])
    query = {"list_sids": list_sid, "filter": "show_list"}
    shown = [item["data"] for item in exotel("GET", "/contacts", params=query).json()["response"]]
    assert [(each["sid"], each["lists"]) for each in shown] == [(sid, [list_sid]) for sid in sids[3:5]]


def test_a_contact_is_read_changed_and_deleted_from_its_lists_too(exotel, rehearsal):
    list_sid, (sid,) = exotel.list_sid(), exotel.contact_sids(PHONES[:1])
    exotel.add(list_sid, [sid])
    assert exotel("PUT", f"/contacts/{sid}", json={"tag": "w8"}).json()["response"]["data"]["tag"] == "w8"
    many = exotel("PUT", "/contacts", json={"contacts": [{"sid": sid, "tag": "w9"}, {"sid": STRANGER}]})
    assert codes(many) == [200, 404]
    data = exotel("GET", f"/contacts/{sid}").json()["response"]["data"]
    assert (data["tag"], data["number"]) == ("w9", PHONES[0])
    assert exotel("DELETE", f"/contacts/{sid}").status_code == 200
    assert exotel("GET", f"/contacts/{sid}").status_code == 404
    assert rehearsal.exotel.members(list_sid) == []


# Adding


def test_added_contacts_are_answered_one_by_one(exotel, rehearsal):
    list_sid, sids = exotel.list_sid(), exotel.contact_sids(PHONES[:2])
    answer = exotel.add(list_sid, [sids[0], STRANGER, sids[1]])
    body = answer.json()
    assert (answer.status_code, body["http_code"], codes(answer)) == (207, 207, [200, 404, 200])
    assert body["metadata"] == {"failed": 1, "total": 3, "success": 2}
    data = body["response"][0]["data"]
    assert (data["sid"], data["list_id"]) == (sids[0], list_sid)
    assert data["uri"] == f"/v2/Accounts/{exotel.sid}/contacts/{sids[0]}"
    assert STAMP.fullmatch(data["date_created"])
    assert body["response"][1]["error_data"]["code"] == 1002
    assert rehearsal.book.applied("exotel", list_sid) == PHONES[:2]


@pytest.mark.parametrize(("policy", "expected"), [("200", [200, 200]), ("409", [409, 200]), ("skip", [200])])
def test_a_member_added_again_is_200_409_or_passed_over(exotel, rehearsal, policy, expected):
    rehearsal.exotel.set(readd=policy)
    list_sid, sids = exotel.list_sid(), exotel.contact_sids(PHONES[:2])
    exotel.add(list_sid, sids[:1])
    assert codes(exotel.add(list_sid, sids)) == expected
    assert rehearsal.exotel.members(list_sid) == PHONES[:2]
    assert rehearsal.book.applied("exotel", list_sid) == PHONES[:2]


def test_items_fail_by_the_codes_dealt_to_them_and_are_not_applied(exotel, rehearsal):
    list_sid, sids = exotel.list_sid(), exotel.contact_sids(PHONES[:4])
    rehearsal.exotel.faults.next("add_to_list", item_codes=[200, 500])
    assert codes(exotel.add(list_sid, sids)) == [200, 500, 200, 500]
    assert rehearsal.exotel.members(list_sid) == [PHONES[0], PHONES[2]]
    assert codes(exotel.add(list_sid, sids)) == [200] * 4


@pytest.mark.parametrize("status", [207, 400, 200])
def test_when_all_items_fail_the_status_is_a_switch(exotel, rehearsal, status):
    rehearsal.exotel.set(all_failed_status=status)
    assert exotel.add(exotel.list_sid(), [STRANGER]).status_code == status


def test_muddled_answers_are_played_one_switch_at_a_time(exotel, rehearsal):
    list_sid, sids = exotel.list_sid(), exotel.contact_sids(PHONES[:3])

    def answer(**switches):
        rehearsal.exotel.faults.next("add_to_list", **switches)
        return exotel.add(list_sid, sids).json()

    def named(body):
        return [item["data"]["sid"] for item in body["response"]]

    assert [set(item["data"]) & {"sid", "Sid"} for item in answer(sid_key=True)["response"]] == [
        {"sid"},
        {"Sid"},
        {"sid"},
    ]
    assert [item.get("sid") for item in answer(bare_items=True)["response"]] == [None, sids[1], None]
    assert answer(wrong_metadata=True)["metadata"] == {"failed": 0, "total": 1, "success": 1}
    assert named(answer(reorder_items=True)) == sids[::-1]
    assert named(answer(items_missing=1)) == sids[:2]
    assert named(answer(items_doubled=1)) == [*sids, sids[0]]
    assert len(set(named(answer(items_extra=1))) - set(sids)) == 1
    assert answer(code_as_text=True)["response"][0]["code"] == "200"


def test_a_full_list_refuses_items(exotel, rehearsal):
    rehearsal.exotel.set(list_limit=1)
    assert codes(exotel.add(exotel.list_sid(), exotel.contact_sids(PHONES[:2]))) == [200, 400]


def test_an_unknown_list_is_404_as_a_whole(exotel):
    assert exotel.add(STRANGER, [STRANGER]).status_code == 404


def test_members_are_read_twenty_a_page_and_removed_one_by_one(exotel):
    list_sid, sids = exotel.list_sid(), exotel.contact_sids(PHONES[:25])
    exotel.add(list_sid, sids)
    path = f"/lists/{list_sid}/contacts"
    first = exotel("GET", path, params={"limit": 1000}).json()["response"]
    second = exotel("GET", path, params={"offset": 20}).json()["response"]
    assert [item["data"]["sid"] for item in first + second] == sids
    assert first[0]["data"]["number"] == PHONES[0]
    assert exotel("DELETE", f"{path}/{sids[0]}").status_code == 200
    assert exotel("DELETE", f"{path}/{sids[0]}").status_code == 404
    assert exotel("GET", f"/contacts/{sids[0]}").status_code == 200


# CSV


def test_a_csv_file_is_worked_through_later_and_doubles_are_counted(exotel, rehearsal):
    rehearsal.exotel.set(csv_delay=60.0)
    text = f"number,first_name\n{PHONES[0]},Mara\n{PHONES[0]},Again\n+1 202-555-0109,Spaces\n9800012345,Asha\n"
    started = exotel.upload(text)
    summary = started.json()["response"]["data"]["summary"]
    assert started.status_code == 202
    path = f"/csv-status/{summary['upload_id']}"
    assert summary["url"].endswith(path)
    assert exotel("GET", path).json()["response"]["data"]["status"] == "in-progress"
    rehearsal.exotel.set(clock_offset=61.0)
    data = exotel("GET", path).json()["response"]["data"]
    assert (data["status"], data["list_sid"]) == ("completed", summary["list_sid"])
    assert data["stats"] == {"duplicate": 1, "total": 4, "success": 2, "failed": 1}
    assert rehearsal.exotel.members("from a file") == [PHONES[0], "+919800012345"]
    exotel.upload(text, "PUT", f"/{summary['list_sid']}")
    rehearsal.exotel.set(clock_offset=122.0)
    assert rehearsal.book.applied("exotel", summary["list_sid"]) == [PHONES[0], "+919800012345"]


@pytest.mark.parametrize(
    ("shape", "path"), [("summary", ["data", "summary"]), ("list", ["data", "list"]), ("array", [0, "data"])]
)
def test_an_upload_is_acknowledged_in_one_of_three_shapes(exotel, rehearsal, shape, path):
    rehearsal.exotel.set(csv_reply=shape, csv_stats="flat")
    told = exotel.upload(f"number\n{PHONES[0]}\n").json()["response"]
    for step in path:
        told = told[step]
    list_sid = rehearsal.exotel.find_list("from a file").id
    assert told.get("list_sid", told.get("sid")) == list_sid


def test_flat_stats_other_words_for_running_and_a_failed_file(exotel, rehearsal):
    rehearsal.exotel.set(csv_stats="flat", csv_running="processing", csv_delay=60.0)
    running = exotel.upload("number\n").json()["response"]["data"]["summary"]["upload_id"]
    assert exotel("GET", f"/csv-status/{running}").json()["response"]["data"]["status"] == "processing"
    rehearsal.exotel.set(csv_delay=0.0, csv_fails=True)
    failed = exotel.upload(f"number\n{PHONES[0]}\n").json()["response"]["data"]["summary"]["upload_id"]
    data = exotel("GET", f"/csv-status/{failed}").json()["response"]["data"]
    assert (data["status"], data["success_count"]) == ("failed", 0)


def test_an_upload_must_be_multipart_with_its_fields(exotel):
    assert exotel("POST", "/contacts/csv-upload", json={"list_name": "x", "file_name": "y"}).status_code == 400
    assert exotel.upload("phone\n+12025550100\n").status_code == 400
    assert exotel.upload("number\n", list_name="").status_code == 400
    assert exotel.upload("number\n", type="other").status_code == 400
    assert exotel.upload("number,a,b,c,d,e,f\n", type="dynamic").status_code == 400
    assert exotel.upload("number,a,b,c,d,e\n", type="dynamic").status_code == 202
    assert exotel("GET", "/csv-status/u0").status_code == 404
