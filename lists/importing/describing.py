"""An import in words, from its own row alone: how it stands, how it was made, how far its job is."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from lists import phones
from lists.fields import BY_NAME
from lists.importing import flow, opt_outs, reading
from lists.importing.columns import Mapping
from lists.importing.progress import Progress
from lists.importing.reading import Dialect
from lists.importing.row_warnings import KINDS, Code
from lists.importing.saving import Source
from lists.models import Import, ImportState

# How it stands -------------------------------------------------------------------------------------------------------


def sentence(imported: Import) -> str:
    """How things stand with an import, in one sentence."""
    if imported.is_of_suppressions:
        return _sentence_of_suppressions(imported)
    into = f"“{imported.list_name}”"
    match imported.state:
        case ImportState.DRAFT:
            return f"For the list {into}. Nothing is saved yet."
        case ImportState.ANALYSING:
            return f"Every row is being checked. Nothing of it is saved in {into} yet."
        case ImportState.READY if not imported.to_import:
            return f"No row of the file would be imported into {into}. Nothing is saved."
        case ImportState.READY:
            return f"{units(imported)} would be imported into {into}. Nothing is saved yet."
        case ImportState.COMMITTING:
            return f"Importing {units(imported)} into {into}."
        case ImportState.COMPLETED if not imported.to_import:
            return f"No row of the file could be imported into {into}."
        case ImportState.COMPLETED:
            joined = f"{imported.joined:,} of them new to the list" if imported.joined else "all of them there before"
            return f"In {into}: {units(imported)} of the file, {joined}."
        case ImportState.FAILED if imported.started_at is None:
            return f"The file could not be checked. Nothing of it was saved in {into}."
        case ImportState.FAILED:
            return f"The import into {into} ended part-way: {_not_saved(imported)}."
        case ImportState.UNDOING:
            return f"What was imported into {into} is being taken back."
        case ImportState.UNDONE:
            undone = Progress.from_json(imported.progress).undo
            return (
                f"Taken back: {undone.left:,} left {into}, {undone.restored:,} given their earlier values, "
                f"{undone.conflicts:,} left alone because somebody had changed them since."
            )
    return f"Discarded before anything of it was saved in {into}."


def _sentence_of_suppressions(imported: Import) -> str:
    match imported.state:
        case ImportState.DRAFT:
            return "Numbers that nobody may call. Nothing is saved yet."
        case ImportState.ANALYSING:
            return "Every row is being checked. No number of it is saved yet."
        case ImportState.READY if imported.to_import:
            return f"{units(imported)} would become do-not-contact. Nothing is saved yet."
        case ImportState.READY if imported.unchanged:
            return f"{_there_already(imported)}; the file adds none. Nothing is saved."
        case ImportState.READY:
            return "No number of the file would become do-not-contact. Nothing is saved."
        case ImportState.COMMITTING:
            return f"Making {units(imported)} do-not-contact."
        case ImportState.COMPLETED if imported.to_import:
            return f"{units(imported)} of the file became do-not-contact."
        case ImportState.COMPLETED if imported.unchanged:
            return f"{_there_already(imported)}; the file added none."
        case ImportState.COMPLETED:
            return "No number could be read in the file."
        case ImportState.FAILED if imported.started_at is None:
            return "The file could not be checked. No number of it was saved."
        case ImportState.FAILED:
            return f"The import ended part-way: {_not_saved(imported)}."
    return "Discarded before any number of it was saved."


def _there_already(imported: Import) -> str:
    """How many numbers of a file were do-not-contact before, as a clause; it is for a file with such numbers."""
    number = imported.unchanged
    return f"{counted(number, 'number')} of the file {'is' if number == 1 else 'are'} do-not-contact already"


def _not_saved(imported: Import) -> str:
    return f"{imported.unsaved:,} of {counted(imported.records, 'row')} were not saved"


def units(imported: Import) -> str:
    """What an import brings in, counted: contacts, or the numbers that become do-not-contact."""
    return counted(imported.to_import, "number" if imported.is_of_suppressions else "contact")


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def action(imported: Import) -> str:
    """What the button of a checked import says it does."""
    return f"Make {units(imported)} do-not-contact" if imported.is_of_suppressions else f"Import {units(imported)}"


def standing(imported: Import) -> tuple[str, str]:
    """(state, words) of an import's badge; no words where the state's own say it."""
    if imported.state == ImportState.READY and not imported.to_import:
        return "completed_with_problems", "nothing to import"
    if imported.state == ImportState.READY and flow.open_questions(imported):
        return "waiting", "waiting for an answer"
    if imported.state == ImportState.FAILED and imported.started_at is not None:
        return ImportState.FAILED, "ended part-way"
    return imported.state, ""


NOT_SAVED = "not_saved"
"""The term of the equation for rows that an import which broke off did not reach."""


def ledger(imported: Import) -> dict[str, int]:
    """{outcome: rows} in the order of the equation, with the rows that were not saved where it broke off."""
    return {**imported.ledger, NOT_SAVED: imported.unsaved} if imported.unsaved else imported.ledger


def stays_out(imported: Import) -> str:
    """The rows an import would leave out, and why, in words; of numbers, also how many are do-not-contact already."""
    told = {
        "merged": "merged into another row",
        "rejected": "rejected",
        "suppressed": "do not contact",
        "skipped": "skipped",
    }
    parts = [f"{getattr(imported, outcome):,} {words}" for outcome, words in told.items() if getattr(imported, outcome)]
    sentences = [f"Stays out: {', '.join(parts)}."] if parts else []
    if imported.is_of_suppressions and (known := imported.unchanged):
        sentences.insert(0, f"{known:,} {'is' if known == 1 else 'are'} there already.")
    return " ".join(sentences) or "Every row of the file is imported."


def drift(imported: Import) -> str:
    """How the commit differs from the preview, as a sentence; "" when it does not."""
    done = Progress.from_json(imported.progress)
    if imported.state != ImportState.COMPLETED or not done.preview or not done.drifted:
        return ""
    differing = [
        f"{outcome} {done.preview[outcome]:,} → {count:,}"
        for outcome, count in imported.ledger.items()
        if done.preview[outcome] != count
    ]
    if not differing:
        return ""
    changed = "The do-not-contact list" if imported.is_of_suppressions else "Contacts"
    return f"{changed} changed between the preview and the import, so it came out differently: {', '.join(differing)}."


# How it was made -----------------------------------------------------------------------------------------------------


def in_words(dialect: Dialect) -> list[str]:
    """How a file is read, in sentences."""
    separated = reading.DELIMITERS.get(dialect.delimiter, dialect.delimiter)
    return [
        f"{reading.ENCODINGS[dialect.encoding]}.",
        f"Columns are separated by {separated}.",
        f"The header is on line {dialect.header_line or 1}." if dialect.has_header else "There is no header row.",
        *reading.layout_in_words(dialect),
    ]


def mapped(imported: Import) -> list[tuple[str, str]]:
    """[(column of the file, what became of it)] in the order of the file, then the fields with one value for all."""
    mapping = Mapping.from_dict(imported.mapping)
    columns = [(f"Column “{header}”", became(mapping, at)) for at, header in enumerate(imported.headers)]
    constants = [(f"“{value}” for all rows", BY_NAME[name].label) for name, value in mapping.constants.items()]
    return [*columns, *constants]


def became(mapping: Mapping, column: int) -> str:
    """What a column of the file became: a field, an attribute, or nothing."""
    if column in mapping.phones and len(mapping.phones) > 1 and mapping.numbers != "each":
        return f"{BY_NAME['phone'].label}, {ordinal(mapping.phones.index(column) + 1)} choice"
    if column in mapping.extras:
        return "Attribute under its own name"
    if column in mapping.unsure:
        return "Not answered: it may say who must not be contacted"
    chosen = mapping.choice(column)
    return BY_NAME[chosen].label if chosen else "Not imported"


def ordinal(number: int) -> str:
    """ "1st", "2nd", "12th"."""
    teens = 10 < number % 100 < 14
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


class OptOutReading(NamedTuple):
    """What a value of a do-not-contact column means, and how many rows hold it; None: nobody has said yet."""

    value: str
    means: bool | None
    rows: int

    @property
    def words(self) -> str:
        return {True: "do not contact", False: "may be contacted", None: "nobody has said yet what it means"}[
            self.means
        ]


def opt_out_readings(imported: Import) -> dict[str, list[OptOutReading]]:
    """{header of a do-not-contact column: how its values are read, those that most rows hold first}

    In the order of the file, and without columns that say nothing.
    """
    mapping = Mapping.from_dict(imported.mapping)
    readings = {}
    for at in sorted(mapping.opt_out_columns):
        header = imported.headers[at]
        sense, answers = opt_outs.sense(header), mapping.opt_out.get(at, {})
        found = [
            OptOutReading(value, answers.get(value, opt_outs.reading(value, sense)), rows)
            for value, rows in imported.opt_outs.get(header, {}).items()
        ]
        if found:
            readings[header] = sorted(found, key=lambda reading: (-reading.rows, reading.value))
    return readings


NUMBERS_IN_WORDS = {
    "first_mobile": "the first mobile number, else the first valid one",
    "first": "the first valid number",
    "each": "each number, in a row of its own",
}
"""Which of several numbers of a row count."""


def choices(imported: Import) -> list[tuple[str, Any]]:
    """[(what, how)] of everything else an import was made with."""
    return [
        *_reading_choices(imported),
        *_number_choices(imported),
        *_opt_out_choices(imported),
        *_policy_choices(imported),
        ("Imported by", imported.created_by or "a command"),
    ]


def _reading_choices(imported: Import) -> Iterator[tuple[str, Any]]:
    dialect = Dialect.from_dict(imported.dialect)
    if imported.sheet:
        yield "Sheet", imported.sheet
    separated = reading.DELIMITERS.get(dialect.delimiter, dialect.delimiter)
    yield "Read as", f"{reading.ENCODINGS[dialect.encoding]}, separated by {separated}"
    yield "Header row", f"line {dialect.header_line or 1}" if dialect.has_header else "none"


def _number_choices(imported: Import) -> Iterator[tuple[str, Any]]:
    mapping = Mapping.from_dict(imported.mapping)
    yield "Country of bare numbers", phones.REGIONS.get(mapping.region, "none")
    if imported.is_of_suppressions:  # all numbers of a row are taken, whatever they look like
        return
    yield "Of several numbers", NUMBERS_IN_WORDS[mapping.numbers]
    for code, are_imported in mapping.switches.items():
        yield KINDS[Code(code)].title, "such rows are imported" if are_imported else "such rows are left out"


def _opt_out_choices(imported: Import) -> Iterator[tuple[str, Any]]:
    for header, readings in opt_out_readings(imported).items():
        for said in readings:
            yield f"“{said.value}” in “{header}”", f"{said.words} ({counted(said.rows, 'row')})"


def _policy_choices(imported: Import) -> Iterator[tuple[str, Any]]:
    if imported.is_of_suppressions:
        yield "Reason where the file gives none", Source.of(imported).reason
        return
    yield "Contacts we had", imported.get_on_existing_display()
    yield "Same number, other person", imported.get_other_person_display()


# While it is on its way ----------------------------------------------------------------------------------------------


class ProgressShown(NamedTuple):
    """How far a job is, in rows: `of` is None while the whole is not known.

    sentence  what it is doing, or what it waits for
    """

    title: str
    sentence: str
    done: int
    of: int | None

    @property
    def detail(self) -> str:
        return f"{self.done:,} of {self.of:,} rows" if self.of else f"{self.done:,} rows"


_PHASES = {
    "clearing": "Waiting to begin",
    "reading": "Reading and cleaning every row",
    "repeats": "Looking for numbers that stand in the file more than once",
    "folding": "Putting repeats together",
    "deciding": "Deciding what each row would do",
}


def progress(imported: Import) -> ProgressShown:
    """Where the job stands, from its own row alone: a page asks every second."""
    shown = _progress(imported)
    if not imported.held_up_by:
        return shown
    waits = f"Waiting: {imported.held_up_by}. It is tried again every half minute; nothing is lost."
    return shown._replace(sentence=waits)


def _progress(imported: Import) -> ProgressShown:
    done = Progress.from_json(imported.progress)
    if imported.state == ImportState.ANALYSING:
        return ProgressShown("Checking every row", _PHASES[done.phase], done.rows, None)
    if imported.state == ImportState.COMMITTING:
        saved = "numbers" if imported.is_of_suppressions else "contacts"
        return ProgressShown("Importing", f"Saving the {saved}", done.passed, imported.records)
    return ProgressShown("Undoing", "Taking the rows back, the last line first", done.undo.passed, imported.records)
