"""Where the job of an import stands: one value, kept as JSON in `Import.progress`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from lists.importing.undo import Undone


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

    @property
    def undone(self) -> Undone:
        return Undone(self.removed, self.restored, self.conflicts)

    def add(self, lot: Undone, *, line: int, rows: int) -> None:
        """Count a lot of `rows` rows that lay after `line`."""
        self.line = line
        self.passed += rows
        self.removed += lot.removed
        self.restored += lot.restored
        self.conflicts += lot.conflicts


@dataclass
class Progress:
    """How far an import is.

    phase    of the analysis, by its name in `job.PHASES`
    line     the last line of the file that the phase, or saving, is through with
    passed   rows the phase, or saving, is through with
    rows     records read from the file
    blank    lines read that hold nothing
    repeats  rows whose number an earlier row of the file has
    preview  {outcome: rows} as a person saw it before saving
    drifted  saved rows that came out otherwise than the preview said
    """

    phase: str = "clearing"
    line: int = 0
    passed: int = 0
    rows: int = 0
    blank: int = 0
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


def _known(kind: type[Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    names = {each.name for each in fields(kind)}
    return {name: value for name, value in stored.items() if name in names}
