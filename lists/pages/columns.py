"""What the page needs on which a person says which column of a file is what."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple

from django.forms import BoundField

from lists.fields import BY_NAME, FIELDS, SUPPRESSION_FIELDS
from lists.forms.imports import ColumnsForm, Reading
from lists.importing import flow, opt_outs, reading
from lists.importing.cleaning import said
from lists.importing.columns import Mapping
from lists.importing.describing import ordinal
from lists.importing.guessing import Guess, Question, Suggestion
from lists.importing.reading import Dialect
from lists.importing.remembering import Remembered
from lists.models import Import, ImportState

OTHERS_SHOWN = 2


class Match(NamedTuple):
    """One column of the file on the page.

    place     which of several phone columns it is: "1st choice"
    note      why it is proposed
    others    what else it could be, in words
    readings  what its values mean, where it may say who must not be contacted
    is_asked  whether a person has to choose
    """

    suggestion: Suggestion
    field: BoundField
    place: str
    note: str
    others: str
    readings: list[Reading]
    is_asked: bool


def columns_form(
    imported: Import, guess: Guess, remembered: Remembered | None, data: dict[str, str] | None
) -> ColumnsForm:
    """The form with what a person chose last time, for this file or for one like it."""
    mapping = remembered.mapping if remembered else Mapping.from_dict(imported.mapping)
    chosen = remembered.earlier if remembered else imported
    return ColumnsForm(
        data,
        headers=imported.headers,
        mapping=mapping,
        values=values_of(imported),
        known=SUPPRESSION_FIELDS if imported.is_of_suppressions else FIELDS,
        rivals=[at for question in guess.questions if question.code == "which_phone" for at in question.columns],
        on_existing=chosen.on_existing,
        other_person=chosen.other_person,
    )


def values_of(imported: Import) -> Callable[[int], list[str]]:
    """The function that gives the different values of a column: of the first rows, and those the check has counted."""
    dialect = Dialect.from_dict(imported.dialect)
    records = islice(reading.read(imported.table_path, dialect), flow.SAMPLE_ROWS)
    rows = [record.cells for record in records if record.cells and not record.note]

    def values(at: int) -> list[str]:
        found = (opt_outs.compared(said(cells[at])) for cells in rows if at < len(cells))
        return list(dict.fromkeys([*filter(None, found), *imported.opt_outs.get(imported.headers[at], {})]))

    return values


def open_questions(imported: Import, guess: Guess, form: ColumnsForm, remembered: Remembered | None) -> list[Question]:
    """What only a person can say and has not said yet."""
    is_new = imported.state == ImportState.DRAFT and remembered is None
    return [
        question
        for question in guess.questions
        if (question.columns[0] in form.proposed.unsure if question.code == "opt_out" else is_new)
    ]


def matches(form: ColumnsForm, guess: Guess, remembered: Remembered | None) -> list[Match]:
    phones = [] if form.proposed.numbers == "each" else form.proposed.phones  # each counts, so none comes first
    new = remembered.new if remembered else []
    return [
        Match(
            suggestion,
            form.column_field(suggestion.column),
            _place(phones, suggestion.column),
            _note(form, suggestion, is_remembered=remembered is not None and suggestion.header not in new),
            _others(suggestion),
            form.readings(suggestion.column),
            suggestion.column in form.proposed.unsure,
        )
        for suggestion in guess.suggestions
    ]


def _place(phones: Sequence[int], column: int) -> str:
    return f"{ordinal(phones.index(column) + 1)} choice" if column in phones and len(phones) > 1 else ""


def _note(form: ColumnsForm, suggestion: Suggestion, *, is_remembered: bool) -> str:
    """Why a column is proposed as it is: the guess's reason, unless something else is proposed or has been chosen."""
    proposed = form.proposed.choice(suggestion.column)
    if form.is_bound and form.column_field(suggestion.column).value() != proposed:
        return ""
    if is_remembered and suggestion.column not in form.proposed.unsure:
        return "As last time." if proposed else "Not imported last time."
    return suggestion.reason if proposed == (suggestion.field or "") else ""


def _others(suggestion: Suggestion) -> str:
    shown = suggestion.others[:OTHERS_SHOWN] if suggestion.field else ()  # without a field, its reason names them
    names = [BY_NAME[name].words.partition(" (")[0] for name in shown]
    return f"Could also be {' or '.join(names)}." if names else ""
