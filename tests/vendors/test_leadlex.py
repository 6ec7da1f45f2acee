"""LeadLex: what the adapter sends, and what it makes of the replies."""

import json

import pytest

from lists.vendors.errors import ListGone, NameTaken, RequestRefused, VendorBusy
from lists.vendors.leadlex import ADD_TO_LIST, CREATE_CONTACTS, LeadLex
from lists.vendors.records import Answer, ContactRecord, NewList, Outcome, RemoteListInfo

from .contract import ASHA, JON, LIST, MARA, PEOPLE, VendorContract
from .network import sample


def answer(body: object) -> Answer:
    return Answer(200, {}, json.dumps(body).encode())


class TestLeadLex(VendorContract):
    vendor_class = LeadLex
    settings = {}
    secrets = {"api_key": "wbk_live_only_for_tests_0123456789"}
    error_body = {"error": {"code": "validation_error", "message": "not accepted"}}
    segments_of_delete = 3

    def test_the_key_goes_into_the_header(self, network):
        network.sample("leadlex_lists")
        self.connected(network).check()
        assert network.received[0].headers["Authorization"] == "Bearer wbk_live_only_for_tests_0123456789"

    def test_contacts_are_created_in_bulk(self, network):
        network.sample("leadlex_created", 201)
        vendor = self.connected(network)
        request = CREATE_CONTACTS.request(vendor, None, [CREATE_CONTACTS.entry(person) for person in PEOPLE])
        reading = CREATE_CONTACTS.read(vendor.send(request), PEOPLE)
        assert network.received[0].path == "/v1/contacts/bulk"
        assert network.received[0].json()["contacts"][0] == {
            "full_name": "Mara Quist",
            "first_name": "Mara",
            "last_name": "Quist",
            "email": "mara@example.com",
            "phone": "+12025550123",
            "company": "Quist & Co",
            "tags": ["w7"],
        }
        assert [result.remote_id[-1] for result in reading.results] == ["a", "b", "c"]
        assert {result.outcome for result in reading.results} == {Outcome.ADDED}

    def test_an_id_at_the_wrong_place_is_not_believed(self):
        body = sample("leadlex_created")
        body["data"]["contacts"].reverse()
        reading = CREATE_CONTACTS.read(answer(body), PEOPLE)
        assert [result.outcome for result in reading.results] == [Outcome.UNKNOWN, Outcome.ADDED, Outcome.UNKNOWN]

    def test_a_shorter_answer_is_matched_by_name_and_address(self):
        body = sample("leadlex_created")
        del body["data"]["contacts"][1]
        body["data"]["contacts"][1]["email"] = "asha@example.com"
        reading = CREATE_CONTACTS.read(answer(body), PEOPLE)
        assert [result.remote_id[-1:] for result in reading.results] == ["a", "", "c"]
        assert reading.results[1].outcome is Outcome.UNKNOWN
        assert len(reading.warnings) == 2

    def test_twins_in_a_shorter_answer_are_told_apart_by_nobody(self):
        twin = MARA._replace(key="d", phone="+12025550126")
        body = sample("leadlex_created")
        reading = CREATE_CONTACTS.read(answer(body), [MARA, twin, JON, ASHA])
        assert [result.outcome for result in reading.results[:2]] == [Outcome.UNKNOWN, Outcome.UNKNOWN]

    def test_two_contacts_leadlex_takes_for_one_are_not_both_added(self):
        body = sample("leadlex_created")
        body["data"]["contacts"][1] = body["data"]["contacts"][0]
        twin = MARA._replace(key="d", phone="+12025550126")
        reading = CREATE_CONTACTS.read(answer(body), [MARA, twin, ASHA])
        assert [result.outcome for result in reading.results] == [Outcome.ADDED, Outcome.REJECTED, Outcome.ADDED]

    @pytest.mark.parametrize(
        ("record", "name", "what"),
        [
            (ContactRecord("x", "+12025550125", company="Noor Ltd", email="i@example.com"), "Noor Ltd", "company"),
            (ContactRecord("x", "+12025550125", email="i@example.com"), "i@example.com", "e-mail address"),
            (ContactRecord("x", "+12025550125"), "+12025550125", "number"),
        ],
    )
    def test_who_has_no_name_goes_by_something_else_and_that_is_told(self, record, name, what):
        assert CREATE_CONTACTS.entry(record)["full_name"] == name
        problem = LeadLex.judge_record(record)
        assert problem.message == f"name is empty, LeadLex gets the {what} in its place"
        assert not problem.blocks

    def test_how_many_were_there_is_sent_minus_added(self):
        reading = ADD_TO_LIST.read(answer(sample("leadlex_added")), PEOPLE)
        assert {result.outcome for result in reading.results} == {Outcome.ADDED}
        assert (reading.added, reading.already_present, reading.list_count) == (1, 2, 312)

    def test_when_none_was_added_each_was_there_before(self):
        reading = ADD_TO_LIST.read(answer({"data": {"added": 0, "contact_count": 3}}), PEOPLE)
        assert {result.outcome for result in reading.results} == {Outcome.ALREADY_PRESENT}
        assert (reading.added, reading.already_present) == (0, 0)

    @pytest.mark.parametrize("added", [4, -1, None, "many"])
    def test_a_count_that_cannot_be_is_told(self, added):
        reading = ADD_TO_LIST.read(answer({"data": {"added": added}}), PEOPLE)
        assert len(reading.warnings) == 1
        assert (reading.added, reading.already_present) == (3, 0)

    def test_counts_may_come_as_text(self):
        assert ADD_TO_LIST.read(answer({"data": {"added": "1"}}), PEOPLE).already_present == 2

    def test_ids_named_invalid_are_told_apart_from_ids_never_sent(self, network):
        network.sample("leadlex_invalid_ids", 400, X_Request_ID="r-1")
        vendor = self.connected(network)
        with pytest.raises(RequestRefused) as caught:
            vendor.send(ADD_TO_LIST.request(vendor, LIST, [ADD_TO_LIST.entry(person) for person in PEOPLE]))
        assert caught.value.invalid_keys == ("id-jon",)
        assert caught.value.strangers == ("id-nobody-sent",)
        assert (caught.value.code, caught.value.request_id) == ("validation_error", "r-1")

    def test_a_name_that_is_taken_brings_the_list_along(self, network):
        network.sample("leadlex_name_taken", 400).sample("leadlex_lists")
        with pytest.raises(NameTaken) as caught:
            self.connected(network).create_list(NewList("autumn-callbacks-07"))
        assert caught.value.found == (
            RemoteListInfo("5c1e7700-0000-4000-8000-0000000000ff", "autumn-callbacks-07", 312),
        )

    def test_another_refusal_of_a_list_stays_one_and_says_which_field(self, network):
        network.answers({"error": {"message": "check", "details": {"fields": {"name": "too long"}}}}, 400)
        network.sample("leadlex_lists")
        with pytest.raises(RequestRefused, match="name: too long") as caught:
            self.connected(network).create_list(NewList("another"))
        assert not isinstance(caught.value, NameTaken)

    def test_removing_somebody_who_is_not_on_the_list_is_done(self, network):
        network.answers({"error": {"code": "membership_not_found", "message": "x"}}, 404)
        self.connected(network).remove_member(LIST, "id-mara")
        assert network.received[0].path == "/v1/lists/list-0001/contacts/id-mara"

    def test_removing_somebody_from_a_list_that_is_gone_is_told(self, network):
        network.answers({"error": {"code": "list_not_found", "message": "x"}}, 404)
        with pytest.raises(ListGone):
            self.connected(network).remove_member(LIST, "id-mara")

    def test_members_are_read_oldest_first_a_hundred_at_a_time(self, network):
        page = {"data": {"contacts": [{"id": "1", "phone": "+12025550123"}]}, "meta": {"total": 1}}
        network.answers(page)
        assert [member.phone for page in self.connected(network).read_members(LIST) for member in page] == [MARA.phone]
        assert network.received[0].query == {
            "list_id": "list-0001",
            "sort": "created_at",
            "page": "1",
            "per_page": "100",
        }

    def test_pages_shorter_than_asked_for_are_all_read(self, network):
        for number in range(3):
            contacts = [{"id": f"{number}-{n}", "phone": "+12025550123"} for n in range(2)]
            network.answers({"data": {"contacts": contacts}, "meta": {"page": number + 1, "per_page": 2, "total": 6}})
        assert sum(map(len, self.connected(network).read_members(LIST))) == 6
        assert [received.query["page"] for received in network.received] == ["1", "2", "3"]

    @pytest.mark.parametrize(
        ("headers", "seconds"),
        [
            ({"X_RateLimit_Remaining": "12", "X_RateLimit_Reset": "1861920000"}, 60),
            ({"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "1861927200"}, 7200),
            ({"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "1"}, 60),
            ({"Retry_After": "5", "X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "1861927200"}, 5),
            ({}, 60),
        ],
    )
    def test_the_minute_and_the_day_are_told_apart(self, network, headers, seconds):
        network.answers(self.error_body, 429, Date="Tue, 01 Jan 2029 00:00:00 GMT", **headers)
        with pytest.raises(VendorBusy) as caught:
            self.connected(network).check()
        assert caught.value.retry_after == seconds

    def test_the_add_may_be_repeated_and_the_create_may_not(self):
        assert ADD_TO_LIST.repeat_is_harmless
        assert not CREATE_CONTACTS.repeat_is_harmless

    def test_repeats_within_a_list_are_worth_a_word(self):
        (problem,) = LeadLex.judge_list(NewList("x", allow_duplicates=True))
        assert (problem.field, problem.blocks) == ("allow_duplicates", False)
