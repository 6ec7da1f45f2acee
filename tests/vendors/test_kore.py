"""Kore.ai: what the adapter sends, and what it makes of the replies."""

import csv
import io

import jwt
import pytest

from lists.vendors.errors import CredentialsRefused, OutcomeUnknown, RequestRefused, UnreadableReply
from lists.vendors.kore import Kore
from lists.vendors.records import Answer, ContactRecord, Member, NewList, Outcome, RemoteListInfo

from .contract import JON, LIST, MARA, PEOPLE, VendorContract
from .network import sample

APP = "st-5f0d2c1e-0000-4000-8000-00000000d3e0"
SECRET = "only-for-tests-and-long-enough-to-sign-with"


class TestKore(VendorContract):
    vendor_class = Kore
    settings = {"app_id": APP, "account_id": "65f000000000000000000001", "client_id": "cs-0f0e0d0c-1111"}
    secrets = {"client_secret": SECRET}
    error_body = {"errors": [{"msg": "not accepted", "code": 4002}]}
    segments_of_delete = 8

    def test_the_token_is_bare_short_lived_and_new_for_every_attempt(self, network):
        network.sample("kore_all_lists")
        vendor = self.connected(network)
        vendor.find_lists("x")
        vendor.find_lists("x")
        first, second = (received.headers for received in network.received)
        claims = jwt.decode(first["auth"], SECRET, algorithms=["HS256"])
        assert claims["appId"] == "cs-0f0e0d0c-1111"
        assert claims["sub"] == "contactadmin"
        assert claims["exp"] - claims["iat"] == 330
        assert not {"iss", "aud"} & claims.keys()
        assert claims["jti"] != jwt.decode(second["auth"], SECRET, algorithms=["HS256"])["jti"]
        assert (first["iid"], first["accountId"]) == (APP, "65f000000000000000000001")
        assert "Authorization" not in first

    def test_issuer_and_audience_are_sent_where_the_connection_says_so(self, network):
        vendor = self.connected(network, issuer="cs-1", audience="https://example.com")
        claims = jwt.decode(vendor.token(), SECRET, algorithms=["HS256"], audience="https://example.com")
        assert claims["iss"] == "cs-1"

    def test_a_refused_token_is_minted_anew_once(self, network):
        network.answers(self.error_body, 401).sample("kore_all_lists")
        vendor = self.connected(network)
        paced = []
        vendor.before_call = lambda: paced.append(1)
        assert vendor.find_lists("nobody") == []
        assert len(network.received) == len(paced) == 2
        network.answers(self.error_body, 401)
        network._replies.popleft()
        with pytest.raises(CredentialsRefused) as caught:
            vendor.find_lists("nobody")
        assert caught.value.attempts == 2
        assert len(network.received) == 4

    def test_a_clock_that_is_wrong_is_told(self, network):
        network.answers(self.error_body, 401, Date="Tue, 02 Jan 2029 00:00:00 GMT")
        with pytest.raises(CredentialsRefused, match=r"clock is .* seconds (ahead of|behind) Kore.ai's"):
            self.connected(network).check()

    def test_contacts_go_into_the_list_by_its_name(self, network):
        network.answers({"message": "contacts are being added"})
        vendor = self.connected(network)
        (add,) = vendor.operations["list"]
        answer = vendor.send(add.request(vendor, LIST, [add.entry(person) for person in PEOPLE]))
        assert network.received[0].path == f"/api/1.1/public/{APP}/campaign/contactList/addContacts"
        assert network.received[0].json() == {
            "contact_list_name": "autumn-callbacks-07",
            "data": [
                {"phoneNumber": "+12025550123"},
                {"phoneNumber": "+12025550124"},
                {"phoneNumber": "+919800012345"},
            ],
        }
        assert [result.outcome for result in add.read(answer, PEOPLE).results] == [Outcome.ACCEPTED] * 3

    @pytest.mark.parametrize(("status", "body"), [(200, {"status": "success", "message": "queued"}), (202, {})])
    def test_any_success_is_accepted_and_never_added(self, network, status, body):
        network.answers(body, status)
        vendor = self.connected(network)
        (add,) = vendor.operations["list"]
        reading = add.read(vendor.send(add.request(vendor, LIST, [add.entry(MARA)])), [MARA])
        assert reading.results[0].outcome is Outcome.ACCEPTED

    @pytest.mark.parametrize("body", [{"errors": [{"msg": "no", "code": 400}]}, {"status": "failed", "message": "no"}])
    def test_an_error_under_a_200_is_not_accepted(self, network, body):
        network.answers(body)
        vendor = self.connected(network)
        (add,) = vendor.operations["list"]
        with pytest.raises(OutcomeUnknown, match="no"):
            vendor.send(add.request(vendor, LIST, [add.entry(MARA)]))
        with pytest.raises(RequestRefused):
            vendor.find_lists("x")

    def test_names_go_along_where_the_connection_says_so(self, network):
        vendor = self.connected(network, extra_keys="1")
        (add,) = vendor.operations["list"]
        assert add.entry(MARA) == {
            "phoneNumber": "+12025550123",
            "firstName": "Mara",
            "lastName": "Quist",
            "timeZone": "Europe/Berlin",
        }
        assert "first_name" in add.carries
        assert Kore.operations["list"][0].entry(MARA) == {"phoneNumber": "+12025550123"}

    def test_a_list_is_created_as_the_table_says(self, network):
        network.sample("kore_create_list")
        made = self.connected(network).create_list(NewList("autumn-callbacks-07", "Customers who asked"))
        assert made == RemoteListInfo("cl-a1b2c3d-0001-4abc-8def-0123456789ab", "autumn-callbacks-07", 0)
        assert network.received[0].path.endswith(
            f"/agentassist/api/v1/public/{APP}/campaign/contactList/createContactList"
        )
        assert network.received[0].json() == {
            "name": "autumn-callbacks-07",
            "description": "Customers who asked",
            "source": "passiveApi",
            "allowDuplicates": False,
        }

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"name": "another"}, UnreadableReply),
            ({"_id": ""}, UnreadableReply),
            ({"allowDuplicates": True}, RequestRefused),
            ({"source": "localDrive"}, RequestRefused),
        ],
    )
    def test_a_list_that_is_not_the_one_asked_for_is_not_used(self, network, change, error):
        body = sample("kore_create_list")
        body["data"] |= change
        network.answers(body)
        with pytest.raises(error):
            self.connected(network).create_list(NewList("autumn-callbacks-07", "x"))

    def test_lists_are_told_apart_by_case_and_by_what_fills_them(self, network):
        network.sample("kore_all_lists")
        vendor = self.connected(network)
        assert vendor.find_lists("autumn-callbacks-07") == [
            RemoteListInfo("cl-1", "autumn-callbacks-07", 312, in_use=True)
        ]
        (file,) = vendor.find_lists("from-a-file")
        assert "localDrive" in file.problem

    def test_members_are_read_with_their_paging_in_the_query(self, network):
        network.sample("kore_members")
        assert list(self.connected(network).read_members(LIST)) == [
            [Member("cc-0000aaaa", "+12025550123"), Member("cc-0000aaab", "12025550124")]
        ]
        assert network.received[0].query == {"accountId": "65f000000000000000000001", "skip": "0", "limit": "50"}

    def test_the_address_book_gets_a_quoted_file(self, network):
        network.sample("kore_imported")
        vendor = self.connected(network)
        (operation,) = vendor.operations["address_book"]
        request = operation.request(vendor, None, [operation.entry(person) for person in PEOPLE])
        rows = list(csv.DictReader(io.StringIO(request.csv)))
        assert rows[0] == {
            "firstName": "Mara",
            "lastName": "Quist",
            "salutation": "Mrs.",
            "cellPhoneNumber": "2025550123",
            "cellPhoneCountryCode": "+1",
            "cellPhoneExtension": "+",
        }
        assert (rows[2]["cellPhoneCountryCode"], rows[2]["cellPhoneNumber"]) == ("+91", "9800012345")
        assert '"+91"' in request.csv
        reading = operation.read(vendor.send(request), PEOPLE)
        assert network.received[0].headers["Content-Type"].startswith("multipart/form-data; boundary=")
        assert b'name="result_file"' in network.received[0].body
        assert [(r.key, r.outcome, r.remote_id) for r in reading.results] == [
            ("a", Outcome.ADDED, "65f0aa11bb22cc33dd44ee55"),
            ("b", Outcome.UNKNOWN, ""),
            ("c", Outcome.ADDED, "65f0aa11bb22cc33dd44ee56"),
        ]

    def test_contacts_nobody_sent_are_told(self):
        (operation,) = Kore.operations["address_book"]
        answer = Answer(200, {}, b'[{"id": "1", "cellPhone": {"phoneNumber": "+12025550199"}}]')
        assert operation.read(answer, [JON]).warnings == ("Kore.ai returned 1 contacts that were not sent.",)

    def test_the_address_book_wants_names_and_a_salutation(self):
        assert Kore.judge_record(ContactRecord("x", "+12025550125")) is None
        missing = Kore.judge_record(ContactRecord("x", "+12025550125", "Ida", "Noor"), "address_book")
        assert missing.blocks
        assert missing.message == "salutation is empty, Kore.ai requires it"
        doctor = Kore.judge_record(ContactRecord("x", "+12025550125", "Ida", "Noor", "Dr."), "address_book")
        assert not doctor.blocks

    def test_long_names_and_missing_descriptions_are_told_in_figures(self):
        problems = Kore.judge_list(NewList("x" * 53, "d" * 257))
        assert [problem.message for problem in problems] == [
            "list name is 53 characters, 48 allowed",
            "description is 257 characters, 256 allowed",
        ]
        assert [p.message for p in Kore.judge_list(NewList("x"))] == ["description is empty, Kore.ai requires one"]
        assert Kore.judge_list(NewList("x" * 48, "d" * 256, allow_duplicates=True)) == []

    @pytest.mark.parametrize("status", [400, 412, 500])
    def test_a_text_about_the_rate_is_throttling_whatever_the_status(self, network, status):
        network.answers({"errors": [{"msg": "Rate limit of 60 per minute exceeded", "code": status}]}, status)
        vendor = self.connected(network)
        with pytest.raises(Exception, match="fewer requests") as caught:
            vendor.send(vendor.operations["list"][0].request(vendor, LIST, []))
        assert caught.value.retry_after == 60

    def test_a_text_about_the_size_asks_for_halving(self, network):
        network.answers({"errors": [{"msg": "data must hold at most 1000 entries", "code": 412}]}, 412)
        vendor = self.connected(network)
        with pytest.raises(RequestRefused) as caught:
            vendor.send(vendor.operations["list"][0].request(vendor, LIST, []))
        assert caught.value.too_large

    def test_prefixes_cannot_lead_elsewhere(self, network):
        vendor = self.connected(network, api_prefix="api/2.0/public/")
        assert vendor.api_path == f"/api/2.0/public/{APP}"
