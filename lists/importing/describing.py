"""An import in words, from its own row alone: how it stands, how it was made, how far its job is."""

from typing import Any, NamedTuple

from lists import phones
from lists.fields import BY_NAME
from lists.importing import reading
from lists.importing.columns import Mapping
from lists.importing.progress import Progress
from lists.importing.reading import Dialect
from lists.models import Import, ImportState

# How it stands -------------------------------------------------------------------------------------------------------


def sentence(imported: Import) -> str:
    """How things stand with an import, in one sentence."""
    into = f"“{imported.list_name}”"
    match imported.state:
        case ImportState.DRAFT:
            return f"For the list {into}. Nothing is saved yet."
        case ImportState.ANALYSING:
            return f"Every row is being checked. Nothing of it is saved in {into} yet."
        case ImportState.READY:
            count = _contacts(imported.to_import)
            return f"{count} would be imported into {into}. Nothing is saved yet."
        case ImportState.COMMITTING:
            return f"Importing {_contacts(imported.to_import)} into {into}."
        case ImportState.COMPLETED if not imported.to_import:
            return f"No row of the file could be imported into {into}."
        case ImportState.COMPLETED:
            joined = f"{imported.joined:,} of them new to the list" if imported.joined else "all of them there before"
            return f"In {into}: {_contacts(imported.to_import)} of the file, {joined}."
        case ImportState.FAILED if imported.started_at is None:
            return f"The file could not be checked. Nothing of it was saved in {into}."
        case ImportState.FAILED:
            return f"The import into {into} ended before all rows were saved."
        case ImportState.UNDOING:
            return f"What was imported into {into} is being taken back."
        case ImportState.UNDONE:
            undone = Progress.from_json(imported.progress).undo
            return (
                f"Taken back: {undone.removed:,} removed from {into}, {undone.restored:,} given their earlier "
                f"values, {undone.conflicts:,} left alone because somebody had changed them since."
            )
    return f"Discarded before anything of it was saved in {into}."


def stays_out(imported: Import) -> str:
    """The rows an import would leave out, and why, in words."""
    told = {
        "merged": "merged into another row",
        "rejected": "rejected",
        "suppressed": "do not contact",
        "skipped": "skipped",
    }
    parts = [f"{getattr(imported, outcome):,} {words}" for outcome, words in told.items() if getattr(imported, outcome)]
    return f"Stays out: {', '.join(parts)}." if parts else "Every row of the file is imported."


def _contacts(count: int) -> str:
    return f"{count:,} contact{'' if count == 1 else 's'}"


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
    return f"Contacts changed between the preview and the import, so it came out differently: {', '.join(differing)}."


# How it was made -----------------------------------------------------------------------------------------------------


def in_words(dialect: Dialect) -> list[str]:
    """How a file is read, in sentences."""
    separated = reading.DELIMITERS.get(dialect.delimiter, dialect.delimiter)
    return [
        f"{reading.ENCODINGS[dialect.encoding]}.",
        f"Columns are separated by {separated}.",
        "The first row names the columns." if dialect.has_header else "There is no header row.",
    ]


def mapped(imported: Import) -> list[tuple[str, str]]:
    """[(what, where it came from)] of the mapping an import was made with."""
    mapping = Mapping.from_dict(imported.mapping)
    names = [(BY_NAME[name].label, f"column “{imported.headers[at]}”") for name, at in mapping.columns.items()]
    names += [(f"{imported.headers[at]} (extra attribute)", "its own column") for at in mapping.extras]
    return names + [(BY_NAME[name].label, f"“{value}” for all rows") for name, value in mapping.constants.items()]


def choices(imported: Import) -> list[tuple[str, Any]]:
    """[(what, how)] of everything else an import was made with."""
    dialect = Dialect.from_dict(imported.dialect)
    region = Mapping.from_dict(imported.mapping).region
    separated = reading.DELIMITERS.get(dialect.delimiter, dialect.delimiter)
    return [
        ("Read as", f"{reading.ENCODINGS[dialect.encoding]}, separated by {separated}"),
        ("Header row", "yes" if dialect.has_header else "no"),
        ("Country of bare numbers", phones.REGIONS.get(region, "none")),
        ("Contacts we had", imported.get_on_existing_display()),
        ("Imported by", imported.created_by or "a command"),
    ]


# While it is on its way ----------------------------------------------------------------------------------------------


class ProgressShown(NamedTuple):
    """How far a job is, in rows: `of` is None while the whole is not known."""

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
    done = Progress.from_json(imported.progress)
    if imported.state == ImportState.ANALYSING:
        return ProgressShown("Checking every row", _PHASES[done.phase], done.rows, None)
    if imported.state == ImportState.COMMITTING:
        return ProgressShown("Importing", "Saving the contacts", done.passed, imported.records)
    return ProgressShown("Undoing", "Taking the rows back, the last line first", done.undo.passed, imported.records)
