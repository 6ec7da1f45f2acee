"""Files as people really have them, imported by command: who must be there afterwards, and who must not.

`tests/samples/importer/index.jsonl` says it, one case a line; `Case` explains the keys. Workbooks and archives are made
from the plain tables of `built.json`, so that a reader sees what is in them.
"""

import csv
import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse
from pytest_django.asserts import assertNotContains

from lists.models import Contact, ContactList, Import, Membership, RowOutcome, Suppression
from tests.importing.workbook_files import write_workbook, write_zip

pytestmark = pytest.mark.django_db

SAMPLES = Path(__file__).parent.parent / "samples" / "importer"
BUILT: dict[str, dict[str, Any]] = json.loads((SAMPLES / "built.json").read_text(encoding="utf-8"))
LIST = "July"
FIELDS = {"first": "first_name", "last": "last_name"}
"""The short names the index uses; the others are the fields' own."""
REFUSED = 2


@dataclass(frozen=True)
class Case:
    """One line of the index. A key left out is not judged.

    file, files     imported into one list, one after the other; the answer judged is the last one's
    shows           what the case is about
    region          the list's country
    before          commands run first; a word that names a sample stands for its path
    map, options    `--map` and further words of import_contacts
    expect          {number: {field: value}} of contacts that must be in the list; a list holds allowed alternatives
    never           numbers that must be nobody's contact, or not callable where a contact was there before
    do_not_contact  exactly the numbers that are on the do-not-contact list afterwards
    outcomes        counts of the answer
    mapping         {field: header}, None for a field without a column; a list holds allowed alternatives
    not_imported    headers the answer must name as left out
    header_line     the line of the header in the answer
    warnings        codes the answer must count; an empty list: none at all
    exported        texts an export of the list must hold
    refused         words of the sentence of a file that is refused, in any case
    exit            the exit code of the last import
    """

    shows: str
    region: str
    file: str = ""
    files: list[str] = field(default_factory=list)
    before: list[list[str]] = field(default_factory=list)
    map: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    expect: dict[str, Any] = field(default_factory=dict)
    never: list[str] = field(default_factory=list)
    do_not_contact: list[str] | None = None
    outcomes: dict[str, int] = field(default_factory=dict)
    mapping: dict[str, Any] = field(default_factory=dict)
    not_imported: list[str] = field(default_factory=list)
    header_line: int | None = None
    warnings: list[str] | None = None
    exported: list[str] = field(default_factory=list)
    refused: str | None = None
    exit: int | None = None

    def __str__(self) -> str:
        return " then ".join(Path(name).stem for name in self.names) + "".join(
            f" {' '.join(words)}" for words in (*self.before, self.options) if words
        )

    @property
    def names(self) -> list[str]:
        return self.files or [self.file]


CASES = [Case(**json.loads(line)) for line in (SAMPLES / "index.jsonl").read_text(encoding="utf-8").splitlines()]


@dataclass(repr=False)
class Answer:
    """What a command said: its object, its exit code, and its sentence when it refused.

    earlier  numbers that were a contact before it began; no case is judged for their being there
    """

    result: dict[str, Any]
    code: int
    refusal: str = ""
    earlier: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"exit {self.code}: {self.refusal or json.dumps(self.result, ensure_ascii=False)}"


def call(*words: str) -> Answer:
    out, complaints, code = StringIO(), StringIO(), 0
    try:
        call_command(*words, "--json", stdout=out, stderr=complaints)
    except SystemExit as ended:
        code = int(ended.code or 0)
    except CommandError as refused:
        return Answer({}, refused.returncode, str(refused))
    return Answer(json.loads(out.getvalue()), code)


@pytest.fixture
def sample(tmp_path: Path) -> Callable[[str], Path]:
    """`sample("july.xlsx")`: the path of a sample, made first where it is a workbook or an archive."""

    def path(name: str) -> Path:
        if name not in BUILT:
            return SAMPLES / name
        target = tmp_path / name
        recipe = BUILT[name]
        if "sheets" in recipe:
            write_workbook(target, recipe["sheets"])
        else:
            members = recipe["members"].items()
            write_zip(target, {inside: path(other).read_bytes() if other else b"\0" for inside, other in members})
        return target

    return path


@pytest.fixture
def imported(sample) -> Callable[[Case], Answer]:
    """`imported(case)`: its commands run, its files imported; what the last import answered."""

    def run(case: Case) -> Answer:
        assert not call("create_list", LIST, "--description", "cases", "--region", case.region).refusal
        for words in case.before:
            done = call(*(str(sample(word)) if is_sample(word) else word for word in words))
            assert done.code != REFUSED, f"{words}: {done}"
        mapped = [word for choice in case.map for word in ("--map", choice)]
        for name in case.names:
            earlier = frozenset(Contact.objects.values_list("phone", flat=True))
            answer = call("import_contacts", str(sample(name)), "--list", LIST, *mapped, *case.options)
        return replace(answer, earlier=earlier)

    return run


def is_sample(word: str) -> bool:
    return word in BUILT or (SAMPLES / word).is_file()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_file_ends_as_its_case_wants(case: Case, imported, tmp_path):
    answer = imported(case)
    complaints = [*judged(case, answer), *judged_contacts(case, answer.earlier), *judged_export(case, tmp_path)]
    assert not complaints, "\n".join([case.shows, *complaints, repr(answer)])


def judged(case: Case, answer: Answer) -> Iterator[str]:
    """What is wrong with the command's answer."""
    if case.refused is not None:
        if answer.code != REFUSED or case.refused.lower() not in answer.refusal.lower():
            yield f"it is not refused with “{case.refused}”"
        return
    if answer.code == REFUSED:
        yield "it is refused"
        return
    result = answer.result
    if result["records"] != sum(result[outcome] for outcome in RowOutcome.values):
        yield "the outcomes do not add up to the records"
    for outcome, count in case.outcomes.items():
        if result[outcome] != count:
            yield f"{outcome} is {result[outcome]}, not {count}"
    if case.exit is not None and answer.code != case.exit:
        yield f"the exit code is {answer.code}, not {case.exit}"
    if case.header_line is not None and result.get("header_line") != case.header_line:
        yield f"the header line is {result.get('header_line')}, not {case.header_line}"
    for name, wanted in case.mapping.items():
        header = result.get("mapping", {}).get(name)
        if first_of(header) not in (wanted if isinstance(wanted, list) else [wanted]):
            yield f"{name} is the column {header}, not {wanted}"
    if missing := set(case.not_imported) - set(result.get("not_imported", [])):
        yield f"not named as left out: {sorted(missing)}"
    if case.warnings is not None:
        counted = {code for code, count in result.get("warnings", {}).items() if count}
        if not case.warnings and counted:
            yield f"it warns of {sorted(counted)}, and nothing is the matter"
        if missing := set(case.warnings) - counted:
            yield f"not warned of: {sorted(missing)}"


def first_of(header: Any) -> Any:
    """The header, or the first of several."""
    return (header[0] if header else None) if isinstance(header, list) else header


def judged_contacts(case: Case, earlier: Collection[str]) -> Iterator[str]:
    """What is wrong with the contacts and the do-not-contact list."""
    members = {
        member.contact.phone: member
        for member in Membership.objects.filter(contact_list__name=LIST).select_related("contact")
    }
    protected = set(Suppression.objects.active().values_list("phone", flat=True))
    for number, wanted in case.expect.items():
        if number not in members:
            yield f"{number} is not in the list"
            continue
        member = members[number]
        alternatives = wanted if isinstance(wanted, list) else [wanted]
        found = [differences(member, fields) for fields in alternatives]
        if all(found):
            yield f"{number} has {' or '.join(found)}"
    for number in case.never:
        if number in earlier:
            if number in members and number not in protected:
                yield f"{number} is callable"
        elif Contact.objects.filter(phone=number).exists():
            yield f"{number} is a contact"
    if case.do_not_contact is not None and protected != set(case.do_not_contact):
        yield f"do not contact: {sorted(protected)}, not {sorted(case.do_not_contact)}"


def differences(member: Membership, fields: dict[str, Any]) -> str:
    """The values that are not as wanted, as "first_name 'Rao,' not 'Rao'"; "" when all are."""
    kept = {**member.contact.extra, **member.extra}
    wrong = []
    for name, value in fields.items():
        if name == "extra":
            wrong += [f"{key} {kept.get(key)!r} not {text!r}" for key, text in value.items() if kept.get(key) != text]
            continue
        column = FIELDS.get(name, name)
        found = getattr(member.contact, column)
        if found != value:
            wrong.append(f"{column} {found!r} not {value!r}")
    return ", ".join(wrong)


def judged_export(case: Case, folder: Path) -> Iterator[str]:
    if case.exported:
        out = folder / "exported.csv"
        call("export_contacts", LIST, "--out", str(out))
        text = out.read_text(encoding="utf-8")
        yield from (f"the export does not hold “{wanted}”" for wanted in case.exported if wanted not in text)


def test_every_sample_is_used_by_a_case():
    used = {name for case in CASES for name in case.names}
    used |= {word for case in CASES for words in case.before for word in words}
    used |= {name for recipe in BUILT.values() for name in recipe.get("members", {}).values() if name}
    there = {path.name for path in SAMPLES.iterdir()} - {"index.jsonl", "built.json"}
    assert there | set(BUILT) <= used


# what takes more than one file and one answer ------------------------------------------------------------------------


def case_of(name: str) -> Case:
    return next(case for case in CASES if case.names == [name])


@pytest.mark.parametrize(
    "name",
    [
        "exotel-sample.csv",
        "attribute-called-phone.csv",
        "title-column-of-salutations.csv",
        "numbers-of-other-countries.csv",
        "do-not-call-yes-and-y.csv",
        "two-numbers-in-a-cell-in-many-ways.csv",
        "hindi-headers-and-digits.csv",
    ],
)
def test_an_export_imported_again_changes_nothing(name, imported, tmp_path):
    imported(case_of(name))
    out = tmp_path / "exported.csv"
    exported = call("export_contacts", LIST, "--out", str(out))
    again = call("import_contacts", str(out), "--list", LIST)
    assert (again.result["created"], again.result["updated"], again.result["rejected"]) == (0, 0, 0), again
    assert again.result["records"] == exported.result["rows"]


def test_an_export_marks_the_numbers_that_must_not_be_contacted(imported, tmp_path):
    imported(case_of("the-same-people-marked-no.csv"))
    call("suppress", "+919800000001", "--reason", "asked")
    out = tmp_path / "exported.csv"
    call("export_contacts", LIST, "--out", str(out))
    marks = {
        row["phone"]: row["do_not_contact"] for row in csv.DictReader(StringIO(out.read_text(encoding="utf-8-sig")))
    }
    assert marks["+919800000001"]
    assert not marks["+919800000002"]


def test_rejected_rows_repaired_in_their_file_come_in(imported, tmp_path):
    rejected = tmp_path / "rejected.csv"
    case = case_of("two-rows-to-repair.csv")
    imported(replace(case, options=["--rejected", str(rejected)]))
    with rejected.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    at = rows[0].index("Contact Details")
    rows[1][at], rows[2][at] = "9800000091", "9800000092"
    with rejected.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    again = call("import_contacts", str(rejected), "--list", LIST)
    assert (again.result["created"], again.result["rejected"]) == (2, 0), again
    assert Contact.objects.get(phone="+919800000091").name == "Asha Rao"


@pytest.mark.parametrize("undone", [False, True])
def test_what_a_command_guessed_or_somebody_undid_is_not_offered_as_remembered(undone, imported, sample, uploader):
    case = case_of("policy-numbers-left-of-the-phone.csv")
    answer = imported(case)
    if undone:
        call("undo_import", str(answer.result["import_id"]))
    contact_list = ContactList.objects.get(name=LIST)
    upload = SimpleUploadedFile("again.csv", sample(case.file).read_bytes())
    uploader.post(reverse("imports-new"), {"file": upload, "contact_list": contact_list.pk})
    page = uploader.get(reverse("imports-columns", args=[Import.objects.latest("pk").pk]))
    assertNotContains(page, "Matched as for")


def test_undone_after_an_opt_out_the_number_stays_protected(imported):
    answer = imported(case_of("do-not-call-yes-and-y.csv"))
    call("undo_import", str(answer.result["import_id"]))
    assert not Contact.objects.exists()
    protected = set(Suppression.objects.active().values_list("phone", flat=True))
    assert protected == {"+919800000001", "+919800000003"}


@pytest.mark.parametrize(
    "name",
    [
        "do-not-call-yes-and-y.csv",
        "nines-instead-of-a-number.csv",
        "one-switchboard-for-seven-people.csv",
        "one-quote-that-never-closes.csv",
        "grand-total-and-a-count.csv",
    ],
)
def test_a_dry_run_says_the_same_and_saves_nothing(name, imported):
    case = case_of(name)
    planned = imported(replace(case, options=[*case.options, "--dry-run"]))
    assert not Contact.objects.exists()
    assert not Suppression.objects.exists()
    assert {outcome: planned.result.get(outcome) for outcome in case.outcomes} == case.outcomes, planned
