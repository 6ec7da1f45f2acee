"""Exotel: what the adapter sends, and what it makes of the replies."""

import json
from base64 import b64encode

import pytest

from lists.vendors.errors import NameTaken, OutcomeUnknown, RequestRefused, VendorBusy, VendorError
from lists.vendors.exotel import ADD_TO_LIST, CREATE_CONTACTS, Exotel
from lists.vendors.records import Answer, NewList, Outcome, RemoteListInfo

from .contract import ASHA, JON, LIST, MARA, PEOPLE, VendorContract
from .network import sample


def answer(body: object) -> Answer:
    return Answer(207, {}, json.dumps(body).encode())


def good(sid: str) -> dict:
    return {"code": 200, "error_data": None, "status": "success", "data": {"sid": sid}}


def bad(code: object = 400, words: str = "bad parameter") -> dict:
    return {"code": code, "status": "failure", "data": None, "error_data": {"code": 1002, "message": words}}


def outcomes(*items: dict) -> list[Outcome]:
    return [result.outcome for result in ADD_TO_LIST.read(answer({"response": list(items)}), PEOPLE).results]


class TestExotel(VendorContract):
    vendor_class = Exotel
    settings = {"account_sid": "acme1"}
    secrets = {"api_key": "key-only-for-tests-01", "api_token": "token-only-for-tests-01"}
    error_body = sample("exotel_refused_v2")
    segments_of_delete = 5

    def test_key_and_token_go_into_the_header(self, network):
        network.sample("exotel_lists")
        self.connected(network).check()
        expected = b64encode(b"key-only-for-tests-01:token-only-for-tests-01").decode()
        assert network.received[0].headers["Authorization"] == f"Basic {expected}"
        assert network.received[0].path == "/v2/accounts/acme1/lists"

    @pytest.mark.parametrize(
        ("chosen", "host"),
        [
            ({}, "https://api.exotel.com"),
            ({"region": "singapore"}, "https://api.exotel.com"),
            ({"region": "mumbai"}, "https://api.in.exotel.com"),
            ({"region": "singapore", "base_url": "https://api.in.exotel.com/"}, "https://api.in.exotel.com"),
        ],
    )
    def test_the_region_decides_the_host(self, chosen, host):
        assert Exotel({**self.settings, **chosen}, self.secrets).base_url == host

    def test_contacts_are_created_and_their_sids_found_by_number(self, network):
        network.sample("exotel_created", 207)
        vendor = self.connected(network)
        request = CREATE_CONTACTS.request(vendor, None, [CREATE_CONTACTS.entry(person) for person in PEOPLE])
        reading = CREATE_CONTACTS.read(vendor.send(request), PEOPLE)
        assert network.received[0].path == "/v2/accounts/acme1/contacts"
        assert network.received[0].json()["contacts"][0] == {
            "number": "+12025550123",
            "first_name": "Mara",
            "last_name": "Quist",
            "company_name": "Quist & Co",
            "email": "mara@example.com",
            "tag": "w7",
        }
        assert [(result.outcome, result.remote_id) for result in reading.results] == [
            (Outcome.ADDED, "ffeeddccbbaa99887766554433221100"),
            (Outcome.REJECTED, ""),  # nameless and out of place, but the only one left over
            (Outcome.ADDED, "00112233445566778899aabbccddeeff"),
        ]
        assert reading.results[1].message == "bad parameter: number not valid"

    def test_a_contact_created_without_a_sid_is_unknown(self):
        item = {"code": 200, "status": "success", "data": {"number": "+12025550123"}}
        reading = CREATE_CONTACTS.read(answer({"response": [item]}), [MARA])
        assert reading.results[0].outcome is Outcome.UNKNOWN

    def test_a_number_known_already_keeps_its_sid_where_it_is_told(self):
        item = bad(409, "number exists already") | {"data": {"sid": "s-1", "number": "+12025550123"}}
        (result,) = CREATE_CONTACTS.read(answer({"response": [item]}), [MARA]).results
        assert (result.outcome, result.remote_id) == (Outcome.ALREADY_PRESENT, "s-1")

    def test_members_are_added_by_sid_and_judged_one_by_one(self, network):
        network.sample("exotel_added", 207)
        vendor = self.connected(network)
        request = ADD_TO_LIST.request(vendor, LIST, [ADD_TO_LIST.entry(person) for person in PEOPLE])
        reading = ADD_TO_LIST.read(vendor.send(request), PEOPLE)
        assert network.received[0].path == "/v2/accounts/acme1/lists/list-0001/contacts"
        assert network.received[0].json() == {
            "contact_references": [{"contact_sid": "id-mara"}, {"contact_sid": "id-jon"}, {"contact_sid": "id-asha"}]
        }
        assert [result.outcome for result in reading.results] == [Outcome.ADDED, Outcome.REJECTED, Outcome.ADDED]
        assert (reading.results[1].code, reading.results[1].message) == ("1002", "bad parameter: no such contact")
        assert reading.warnings == ()

    def test_items_in_another_order_find_their_contacts(self):
        assert outcomes(good("id-asha"), good("id-mara"), good("id-jon")) == [Outcome.ADDED] * 3

    def test_a_failure_out_of_order_belongs_to_the_only_one_left(self):
        assert outcomes(bad(), good("id-asha"), good("id-mara")) == [Outcome.ADDED, Outcome.REJECTED, Outcome.ADDED]

    def test_different_failures_out_of_order_belong_to_nobody(self):
        assert outcomes(bad(), bad(404, "gone"), good("id-mara")) == [Outcome.ADDED, Outcome.UNKNOWN, Outcome.UNKNOWN]

    def test_failures_in_their_place_are_believed(self):
        assert outcomes(good("id-mara"), bad(), bad(404, "gone")) == [
            Outcome.ADDED,
            Outcome.REJECTED,
            Outcome.REJECTED,
        ]

    def test_who_is_left_out_is_unknown(self):
        assert outcomes(good("id-asha")) == [Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.ADDED]

    def test_a_missing_item_does_not_lend_its_place(self):
        assert outcomes(bad(), good("id-asha")) == [Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.ADDED]

    def test_successes_without_a_name_are_not_spread_over_those_left_out(self):
        nameless = {"code": 200, "status": "success", "data": {}}
        assert outcomes(good("id-asha"), nameless) == [Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.ADDED]

    def test_strangers_are_told_and_nothing_else(self):
        reading = ADD_TO_LIST.read(
            answer({"response": [good("id-mara"), good("id-jon"), good("id-asha"), good("id-x")]}), PEOPLE
        )
        assert {result.outcome for result in reading.results} == {Outcome.ADDED}
        assert reading.warnings == ("Exotel answered about 1 contacts that were not sent.",)

    def test_a_contact_told_twice_and_differently_is_unknown(self):
        failed = bad() | {"data": {"sid": "id-mara"}}
        assert outcomes(good("id-mara"), good("id-jon"), good("id-asha"), failed)[0] is Outcome.UNKNOWN
        assert outcomes(good("id-mara"), good("id-jon"), good("id-asha"), good("id-mara")) == [Outcome.ADDED] * 3

    @pytest.mark.parametrize(
        ("item", "outcome", "again"),
        [
            (bad(409), Outcome.ALREADY_PRESENT, False),
            (bad(400, "contact already in list"), Outcome.ALREADY_PRESENT, False),
            (bad(429), Outcome.REJECTED, True),
            (bad(503), Outcome.UNKNOWN, True),
            (bad("404"), Outcome.REJECTED, False),
            ({"code": 200, "status": "failure", "data": None}, Outcome.REJECTED, False),
            ({"code": "200", "status": "success", "data": {"SID": "ID-MARA"}}, Outcome.ADDED, False),
            ({"Sid": "id-mara"}, Outcome.ADDED, False),
            ({"Sid": "id-somebody-else"}, Outcome.UNKNOWN, False),
            ("nonsense", Outcome.UNKNOWN, False),
            (None, Outcome.UNKNOWN, False),
        ],
    )
    def test_an_item_is_read_however_it_comes(self, item, outcome, again):
        (result,) = ADD_TO_LIST.read(answer({"response": [item]}), [MARA]).results
        assert (result.outcome, result.again) == (outcome, again)

    def test_a_wrong_summary_is_a_warning(self):
        body = {"metadata": {"total": 1, "success": 1, "failed": 0}, "response": [good("id-mara"), good("id-jon")]}
        reading = ADD_TO_LIST.read(answer(body), [MARA, JON])
        assert reading.warnings == (
            "Exotel's summary (total 1, success 1) does not fit its items (total 2, success 2); the items count.",
        )

    def test_the_words_of_an_item_show_no_number(self):
        (result,) = ADD_TO_LIST.read(answer({"response": [bad(400, "bad number +12025550123\n")]}), [MARA]).results
        assert "2025550123" not in result.message
        assert "\n" not in result.message

    def test_a_list_is_created_and_its_item_checked(self, network):
        network.answers(
            {"response": [good("s-9") | {"data": {"sid": "s-9", "name": "autumn", "contact_count": 0}}]}, 207
        )
        assert self.connected(network).create_list(NewList("autumn")) == RemoteListInfo("s-9", "autumn", 0)
        assert network.received[0].json() == {"lists": [{"name": "autumn"}]}

    def test_a_list_that_exists_is_looked_up_by_its_exact_name(self, network):
        network.sample("exotel_list_exists", 207).sample("exotel_lists")
        with pytest.raises(NameTaken) as caught:
            self.connected(network).create_list(NewList("autumn-callbacks-07"))
        assert caught.value.found == (RemoteListInfo("1234567890abcdef1234567890abcdef", "autumn-callbacks-07", 312),)
        assert caught.value.request_id == "aa00bb11cc22dd35"

    @pytest.mark.parametrize(("code", "error"), [(400, RequestRefused), (500, OutcomeUnknown)])
    def test_an_item_that_failed_is_no_list(self, network, code, error):
        network.answers({"response": [bad(code)]}, 207)
        with pytest.raises(error):
            self.connected(network).create_list(NewList("autumn"))

    def test_members_are_paged_by_what_was_really_returned(self, network):
        for first in (0, 3, 6):
            items = [{"data": {"sid": f"s-{n}", "number": f"+120255501{n:02}"}} for n in range(first, first + 3)]
            network.answers({"response": items})
        network.answers({"response": []})
        assert sum(map(len, self.connected(network).read_members(LIST))) == 9
        assert [received.query["offset"] for received in network.received] == ["0", "3", "6", "9"]
        assert {received.query["limit"] for received in network.received} == {"20"}

    def test_a_csv_is_multipart_with_the_list_beside_it(self, network):
        network.answers({"response": {"code": 200, "data": {"summary": {"upload_id": "u0001", "list_sid": "s-9"}}}})
        upload = self.connected(network).upload_csv("autumn", [MARA, ASHA])
        assert (upload.upload_id, upload.list_sid) == ("u0001", "s-9")
        body = network.received[0].body
        assert network.received[0].headers["Content-Type"].startswith("multipart/form-data")
        for part in (b'name="list_name"\r\n\r\nautumn', b'name="type"\r\n\r\nstatic', b'name="file_name"; filename='):
            assert part in body
        assert b"number,first_name,last_name,company_name,email,tag\r\n+12025550123,Mara,Quist" in body

    @pytest.mark.parametrize("state", ["in-progress", "processing", "something new"])
    def test_a_word_nobody_knows_means_that_an_upload_still_runs(self, network, state):
        body = sample("exotel_csv_status")
        body["response"]["data"]["status"] = state
        network.answers(body)
        assert not self.connected(network).csv_status("u0001").is_finished

    def test_a_finished_upload_tells_its_counts(self, network):
        network.sample("exotel_csv_status")
        status = self.connected(network).csv_status("u0001")
        assert (status.is_finished, status.total, status.success, status.duplicate, status.failed) == (True, 4, 2, 1, 1)

    def test_the_older_envelope_is_understood(self, network):
        network.sample("exotel_refused_rest", 429, Retry_After="30")
        with pytest.raises(VendorBusy, match="too many requests") as caught:
            self.connected(network).check()
        assert (caught.value.code, caught.value.retry_after) == ("RATE_LIMITED", 30)

    def test_a_list_beyond_the_ceiling_is_told_in_figures(self):
        assert [problem.message for problem in Exotel.judge_list(NewList("x"), 100_001)] == [
            "list has 100,001 contacts, 100,000 allowed"
        ]

    def test_failures_of_a_whole_batch_under_a_400_are_items(self, network):
        network.answers({"http_code": 400, "response": [bad(), bad(), bad()]}, 400)
        vendor = self.connected(network)
        request = ADD_TO_LIST.request(vendor, LIST, [ADD_TO_LIST.entry(person) for person in PEOPLE])
        assert {r.outcome for r in ADD_TO_LIST.read(vendor.send(request), PEOPLE).results} == {Outcome.REJECTED}

    def test_a_401_with_items_is_still_about_the_credentials(self, network):
        network.answers({"http_code": 401, "response": [bad(401)] * 3}, 401)
        vendor = self.connected(network)
        request = ADD_TO_LIST.request(vendor, LIST, [ADD_TO_LIST.entry(person) for person in PEOPLE])
        with pytest.raises(VendorError) as caught:
            vendor.send(request)
        assert caught.value.stops_run

    def test_two_records_with_one_tail_are_not_mixed_up(self):
        other = ASHA._replace(key="d", phone="+449800012345")
        items = [good("s-1") | {"data": {"sid": "s-1", "number": "09800012345"}}]
        reading = CREATE_CONTACTS.read(answer({"response": items}), [ASHA, other])
        assert {result.outcome for result in reading.results} == {Outcome.UNKNOWN}
