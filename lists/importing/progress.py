"""Where the job of an import stands: one value, kept as JSON in `Import.progress`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from lists.importing.cleaning import OPTED_OUT, CleanRow
from lists.importing.lines import LAST_LINE
from lists.importing.undo import Undone
from lists.models import Import

SAMPLES = 3
"""Lines remembered of a warning."""
MOST_WORDS = 50
"""Different words of each do-not-contact column that are counted by themselves."""


@dataclass
class UndoProgress:
    """How far an import is taken back, from its last line towards its first.

    line    the rows after it are taken back; None before the first lot
    passed  rows looked at
    """

    line: int | None = None
    passed: int = 0
    removed: int = 0
    restored: int = 0
    conflicts: int = 0
    left: int = 0

    @property
    def undone(self) -> Undone:
        return Undone(self.removed, self.restored, self.conflicts, self.left)

    def add(self, lot: Undone, *, line: int, rows: int) -> None:
        """Count a lot of `rows` rows that lay after `line`."""
        self.line = line
        self.passed += rows
        self.removed += lot.removed
        self.restored += lot.restored
        self.conflicts += lot.conflicts
        self.left += lot.left


@dataclass
class Progress:
    """How far an import is.

    phase    of the analysis, by its name in `job.PHASES`
    line     the last line of the file that the phase, or saving, is through with
    passed   rows the phase, or saving, is through with
    rows     records read from the file
    blank    lines read that hold nothing
    warned   {warning code: {column: [rows, the first few lines]}} of the rows staged so far
    opt_outs {do-not-contact column: {what it says: rows}}, for the first few different words of each
    opted_out  rows of which a do-not-contact column says so
    repeats  rows whose number an earlier row of the file has
    preview  {outcome: rows} as a person saw it before saving
    drifted  saved rows that came out otherwise than the preview said
    """

    phase: str = "clearing"
    line: int = 0
    passed: int = 0
    rows: int = 0
    blank: int = 0
    warned: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    opt_outs: dict[str, dict[str, int]] = field(default_factory=dict)
    opted_out: int = 0
    repeats: int = 0
    preview: dict[str, int] = field(default_factory=dict)
    drifted: int = 0
    undo: UndoProgress = field(default_factory=UndoProgress)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What is not stored, as in rows of an earlier version, has its value from the beginning of a job."""
        undo = UndoProgress(**_known(UndoProgress, stored.get("undo", {})))
        return cls(**{**_known(cls, stored), "undo": undo})

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def begin(self, phase: str) -> None:
        self.phase, self.line, self.passed = phase, 0, 0

    def count(self, row: CleanRow) -> None:
        """Count a row that is staged, with what it is warned of."""
        self.rows += 1
        if not (row.code or row.warnings or row.opt_outs):
            return
        for warning in row.warnings:
            seen = self.warned.setdefault(warning.code, {}).setdefault(warning.column, [0])
            seen[0] += 1
            if len(seen) <= SAMPLES:
                seen.append(row.line)
        if row.code == OPTED_OUT:
            self.opted_out += 1
        for column, said in row.opt_outs:
            words = self.opt_outs.setdefault(column, {})
            if said in words or len(words) < MOST_WORDS:
                words[said] = words.get(said, 0) + 1


def last_counted(imported: Import) -> int:
    """The last line that the ledger counts: every one, unless saving broke off before it."""
    return Progress.from_json(imported.progress).line if imported.unsaved else LAST_LINE


def _known(kind: type[Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    names = {each.name for each in fields(kind)}
    return {name: value for name, value in stored.items() if name in names}
