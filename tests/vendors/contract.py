"""What holds for every adapter, whatever vendor it speaks to. Each vendor's tests inherit it and say what is theirs."""

import contextlib
import json
import logging
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, ClassVar

import pytest

from lists.vendors.base import HttpVendor, Operation
from lists.vendors.errors import (
    CredentialsRefused,
    ListGone,
    NotSent,
    OutcomeUnknown,
    QuotaExhausted,
    RequestRefused,
    UnreadableReply,
    VendorBusy,
    VendorCannot,
    VendorError,
    VendorNotConfigured,
)
from lists.vendors.http import Transport
from lists.vendors.records import (
    ID_SLOT,
    Answer,
    ContactRecord,
    Member,
    NewList,
    Outcome,
    RemoteListInfo,
    Request,
    filled,
)

from .network import Network

LIST = RemoteListInfo("list-0001", "autumn-callbacks-07")
MARA = ContactRecord(
    "a", "+12025550123", "Mara", "Quist", "Mrs.", "mara@example.com", "Quist & Co", "w7", "Europe/Berlin", "id-mara"
)
JON = ContactRecord("b", "+12025550124", "Jon", "Okoye", "Mr.", "jon@example.com", remote_id="id-jon")
ASHA = ContactRecord("c", "+919800012345", "Asha", "Rao", "Mrs.", "asha@example.com", remote_id="id-asha")
PEOPLE = [MARA, JON, ASHA]


class VendorContract:
    vendor_class: ClassVar[type[HttpVendor]]
    settings: ClassVar[dict[str, str]]
    secrets: ClassVar[dict[str, str]]
    error_body: ClassVar[Any]  # how this vendor words a refusal; holds "not accepted"
    path_of_list: ClassVar[str] = ""  # what every call on a list must have in its path

    def connected(self, network: Network, **settings: str) -> HttpVendor:
        return self.vendor_class(
            {**self.settings, "base_url": network.url, **settings},
            self.secrets,
            allowed_hosts=["127.0.0.1"],
            transport=Transport(connect_timeout=2, read_timeout=2, deadline=4),
        )

    def batches(self, vendor: HttpVendor) -> list[tuple[Operation, Request]]:
        """One request of every operation of every kind of push."""
        return [
            (operation, operation.request(vendor, LIST, [operation.entry(person) for person in PEOPLE]))
            for operations in vendor.operations.values()
            for operation in operations
        ]

    # Declarations

    def test_every_operation_declares_what_a_planner_needs(self):
        vendor_class = self.vendor_class
        assert vendor_class.operations["list"]
        for operations in vendor_class.operations.values():
            known: set[str] = {"remote_list"}
            for operation in operations:
                assert 0 < operation.default_batch <= operation.batch
                assert set(operation.needs) <= known
                assert set(operation.required_fields) <= {*operation.carries, "phone"}
                if operation.gives_ids:
                    known.add("remote_id")
            assert len({operation.name for operation in operations}) == len(operations)

    def test_every_setting_has_a_label_and_secrets_have_no_default(self):
        names = [setting.name for setting in self.vendor_class.settings]
        assert len(set(names)) == len(names)
        assert {"base_url", "per_minute", "per_day", "in_flight", "batch_size"} <= set(names)
        assert ("per_hour" in names) == (self.vendor_class.limits.per_hour is not None)
        assert all(setting.label for setting in self.vendor_class.settings)
        assert not any(setting.default for setting in self.vendor_class.settings if setting.secret)

    def test_the_same_batch_is_the_same_request(self, network):
        vendor = self.connected(network)
        assert self.batches(vendor) == self.batches(vendor)

    def test_an_id_not_known_yet_is_a_slot_that_must_be_filled(self):
        for operations in self.vendor_class.operations.values():
            for operation in operations:
                stranger = ContactRecord("x", "+12025550125", "Ida", "Noor", "Mrs.")
                entry = operation.entry(stranger)
                if "remote_id" in operation.needs:
                    assert filled([entry], ["id-ida"]) == [
                        operation.entry(ContactRecord("x", "+12025550125", remote_id="id-ida"))
                    ]
                    with pytest.raises(ValueError, match="before the vendor's id"):
                        filled([entry], [""])
                else:
                    assert ID_SLOT not in json.dumps(entry)

    # Lists and contacts are judged before anything is sent

    def test_a_list_within_all_limits_has_no_problem(self):
        assert self.vendor_class.judge_list(NewList("autumn-callbacks-07", "week 7"), 1000) == []

    def test_a_list_without_a_name_is_a_problem(self):
        problems = self.vendor_class.judge_list(NewList(" ", "week 7"))
        assert [(problem.field, problem.message) for problem in problems] == [("name", "list name is empty")]

    def test_a_full_contact_has_no_problem(self):
        for kind in self.vendor_class.operations:
            assert self.vendor_class.judge_record(MARA, kind) is None

    def test_a_missing_credential_is_told_by_its_name(self):
        for setting in self.vendor_class.settings:
            if setting.required:
                settings = {name: value for name, value in self.settings.items() if name != setting.name}
                secrets = {name: value for name, value in self.secrets.items() if name != setting.name}
                with pytest.raises(VendorNotConfigured, match=setting.label.lower()):
                    self.vendor_class(settings, secrets)

    def test_a_credential_pasted_with_a_line_break_is_refused_without_being_shown(self):
        name, value = next(iter(self.secrets.items()))
        with pytest.raises(VendorNotConfigured) as caught:
            self.vendor_class(self.settings, {**self.secrets, name: f"{value}\r\nX-Other: 1"})
        assert value not in str(caught.value)

    @pytest.mark.parametrize(
        "url",
        [
            "http://169.254.169.254/latest",
            "https://127.0.0.1",
            "https://[::1]",
            "https://2130706433",
            "https://0x7f.1",
            "https://user@{host}",
            "https://{host}.",
            "https://{host}:8443",
            "http://{host}",
            "https://{host}.example.com",
            "https://example.com/{host}",
            "https://{host}/?next=1",
            "https://{host}#x",
            "https://{host}/../x",
            "ftp://{host}",
            "//{host}",
            "nonsense",
        ],
    )
    def test_only_the_vendors_own_hosts_may_be_called(self, url):
        with pytest.raises(VendorNotConfigured):
            self.vendor_class({**self.settings, "base_url": url.format(host=self.vendor_class.hosts[0])}, self.secrets)

    def test_the_usual_address_may_be_called(self):
        assert self.vendor_class(self.settings, self.secrets).base_url.startswith("https://")

    def test_the_account_key_names_the_account_and_shows_nothing_of_it(self, network):
        one, same = self.connected(network), self.connected(network, per_minute="7")
        assert one.account_key == same.account_key
        assert not any(secret in one.account_key for secret in self.secrets.values())

    # What a status means

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (401, CredentialsRefused),
            (403, CredentialsRefused),
            (402, QuotaExhausted),
            (400, RequestRefused),
            (409, RequestRefused),
            (412, RequestRefused),
            (415, RequestRefused),
            (422, RequestRefused),
            (429, VendorBusy),
            (500, OutcomeUnknown),
            (502, OutcomeUnknown),
            (504, OutcomeUnknown),
            (302, VendorNotConfigured),
        ],
    )
    def test_http_failures_become_typed_errors(self, network, status, error):
        network.answers(self.error_body, status, Location="http://169.254.169.254/")
        vendor = self.connected(network)
        for _operation, request in self.batches(vendor):
            with pytest.raises(error) as caught:
                vendor.send(request)
            assert caught.value.status == status
            assert sum((error.stops_run, error.batch_fails, error.retry, error.unknown)) == 1
            if status not in (302,):
                assert "not accepted" in str(caught.value)

    def test_a_404_on_a_list_stops_the_run_and_so_does_a_wrong_address(self, network):
        network.answers(self.error_body, 404)
        vendor = self.connected(network)
        for operation, request in self.batches(vendor):
            with pytest.raises(ListGone if "remote_list" in operation.needs else VendorNotConfigured) as caught:
                vendor.send(request)
            assert caught.value.stops_run

    def test_a_batch_too_large_says_so(self, network):
        network.answers(b"<html>413 Request Entity Too Large</html>", 413)
        vendor = self.connected(network)
        for _operation, request in self.batches(vendor):
            with pytest.raises(RequestRefused) as caught:
                vendor.send(request)
            assert caught.value.too_large

    @pytest.mark.parametrize(
        ("told", "seconds"),
        [("7", 7), ("0", 1), ("-1", 1), ("1000000000", 86_400), ("1.5", 1.5), ("Mon, 01 Jan 2029 00:00:00 GMT", 1)],
    )
    def test_a_throttled_answer_tells_how_long_to_wait(self, network, told, seconds):
        network.answers(self.error_body, 429, Retry_After=told, Date="Tue, 02 Jan 2029 00:00:00 GMT")
        vendor = self.connected(network)
        with pytest.raises(VendorBusy) as caught:
            vendor.send(self.batches(vendor)[0][1])
        assert caught.value.retry_after == seconds

    def test_a_wait_told_as_a_date_is_measured_on_the_vendors_clock(self, network):
        now = datetime(2029, 1, 2, tzinfo=UTC)
        then = format_datetime(now + timedelta(seconds=90), usegmt=True)
        network.answers(self.error_body, 429, Retry_After=then, Date=format_datetime(now, usegmt=True))
        vendor = self.connected(network)
        with pytest.raises(VendorBusy) as caught:
            vendor.send(self.batches(vendor)[0][1])
        assert caught.value.retry_after == 90

    @pytest.mark.parametrize("told", ["soon", "nan", ""])
    def test_a_wait_nobody_can_read_is_left_to_the_usual_one(self, network, told):
        network.answers(self.error_body, 429, Retry_After=told)
        vendor = self.connected(network)
        with pytest.raises(VendorBusy) as caught:
            vendor.send(self.batches(vendor)[0][1])
        assert caught.value.retry_after in (None, 60.0)

    # What the network does

    def test_a_refused_connection_was_surely_not_sent(self, network):
        vendor = self.connected(network, base_url="http://127.0.0.1:1")
        for _operation, request in self.batches(vendor):
            with pytest.raises(NotSent):
                vendor.send(request)

    def test_a_connection_closed_instead_of_an_answer_is_an_unknown_outcome(self, network):
        network.behaves(lambda sock: None)
        vendor = self.connected(network)
        for _operation, request in self.batches(vendor):
            with pytest.raises(OutcomeUnknown):
                vendor.send(request)

    @pytest.mark.parametrize(
        "body",
        [
            b"<html>one moment</html>",
            b"",
            b'{"data": {"added": ',
            b"[]",
            b"7",
            b"null",
            b'"ok"',
            b"\xff\xfe\x00",
            b"[" * 9999,
        ],
    )
    def test_a_success_nobody_can_read_is_an_unknown_outcome(self, network, body):
        network.answers(body)
        vendor = self.connected(network)
        for operation, request in self.batches(vendor):
            if body == b"[]" and operation.name == "import_contacts":
                continue  # there an empty array is an answer: nothing was created
            with pytest.raises(OutcomeUnknown):
                operation.read(vendor.send(request), PEOPLE)

    def test_a_success_that_speaks_of_an_error_is_an_unknown_outcome(self, network):
        network.answers({"error": "something went wrong"})
        vendor = self.connected(network)
        for operation, request in self.batches(vendor):
            with pytest.raises(OutcomeUnknown):
                operation.read(vendor.send(request), PEOPLE)

    # What must never be seen

    @pytest.mark.parametrize("status", [200, 400, 401, 404, 429, 500])
    def test_no_secret_and_no_number_reaches_an_error_or_the_log(self, network, status, caplog):
        caplog.set_level(logging.DEBUG)
        echo = [*self.secrets.values(), MARA.phone, MARA.phone[1:], MARA.email, "+1 (202) 555-0123"]
        vendor = self.connected(network)
        echo += vendor.headers(self.batches(vendor)[0][1]).values()
        network.answers(self.worded("\n".join(echo)), status)
        for operation, request in self.batches(vendor):
            try:
                answer = vendor.send(request)
                seen = vendor.masked(answer) + repr(operation.read(answer, PEOPLE).warnings)
            except VendorError as error:
                seen = "".join(traceback.format_exception(error)) + repr(error.__dict__) + str(error)
                assert "\n" not in str(error)
                assert error.__context__ is None or isinstance(error.__context__, VendorError | ValueError)
            seen += vendor.masked(request) + caplog.text
            for planted in [*self.secrets.values(), MARA.phone[1:], MARA.email, "555-0123"]:
                assert planted not in seen
            for header, value in network.received[-1].headers.items():
                if header.lower() in ("auth", "authorization"):
                    assert value.split()[-1] not in seen

    def test_no_secret_goes_into_an_address(self, network):
        network.answers({"data": {}})
        vendor = self.connected(network)
        for operation, request in self.batches(vendor):
            with contextlib.suppress(VendorError):
                operation.read(vendor.send(request), PEOPLE)
        for received in network.received:
            assert not any(secret in received.path + repr(received.query) for secret in self.secrets.values())

    @pytest.mark.parametrize(
        "name", ["../../admin", "a/b", "a%2fb", "a?b=c", "a#b", "a;b", "ä", "a b\r\nX: 1", "..", ""]
    )
    def test_an_id_is_one_segment_of_the_path_or_refused(self, network, name):
        network.answers({"data": {}, "response": {"code": 200, "data": {}}})
        vendor = self.connected(network)
        if "delete_list" not in vendor.can:
            return
        try:
            vendor.delete_list(RemoteListInfo(name, "x"))
        except RequestRefused:
            assert not network.received
        else:
            path = network.received[0].path
            assert path.count("/") == self.segments_of_delete
            assert not {"?", "#", " "} & set(path)

    segments_of_delete: ClassVar[int]

    def worded(self, words: str) -> Any:
        """The vendor's refusal with these words in it."""
        return json.loads(json.dumps(self.error_body).replace("not accepted", json.dumps(words)[1:-1]))

    # Calls beside the batches

    def test_every_call_is_paced_and_journalled(self, network):
        network.answers(self.error_body, 400)
        vendor = self.connected(network)
        journal = Journal()
        vendor.journal = journal
        vendor.before_call = lambda: journal.said.append("paced")
        with pytest.raises(VendorError):
            vendor.check()
        assert journal.said == ["paced", "sending find_lists", "failed RequestRefused"]

    def test_what_a_vendor_cannot_do_it_says(self, network):
        vendor = self.connected(network)
        calls: Mapping[str, Any] = {
            "update_list": lambda: vendor.update_list(LIST, NewList("x")),
            "remove_member": lambda: vendor.remove_member(LIST, "id"),
        }
        for name, call in calls.items():
            if name not in vendor.can:
                with pytest.raises(VendorCannot, match=vendor.label):
                    call()

    def test_a_failed_read_may_be_repeated(self, network):
        network.answers(self.error_body, 500)
        vendor = self.connected(network)
        with pytest.raises(VendorBusy):
            vendor.find_lists("autumn-callbacks-07")

    def test_a_vendor_that_repeats_a_page_for_ever_is_not_taken_for_complete(self, network):
        page = [Member("1", "+12025550123"), Member("2", "+12025550124")]
        vendor = self.connected(network)
        with pytest.raises(UnreadableReply, match="to its end"):
            list(vendor.walk(lambda read: (page, None)))

    def test_unknown_outcomes_are_never_results_of_success(self, network):
        vendor = self.connected(network)
        for operation, _request in self.batches(vendor):
            for body in (b"{}", b'{"data":{}}', b'{"response":[]}', b'{"data":{"contacts":[]}}'):
                try:
                    reading = operation.read(Answer(200, {}, body), PEOPLE)
                except UnreadableReply:
                    continue
                assert [result.key for result in reading.results] == ["a", "b", "c"]
                if operation.gives_ids:
                    assert {result.outcome for result in reading.results} == {Outcome.UNKNOWN}


class Journal:
    def __init__(self) -> None:
        self.said: list[str] = []

    def sending(self, request: Request) -> int:
        self.said.append(f"sending {request.operation}")
        return 1

    def answered(self, ref: int, answer: Answer) -> None:
        self.said.append(f"answered {answer.status}")

    def failed(self, ref: int, error: VendorError) -> None:
        self.said.append(f"failed {type(error).__name__}")
