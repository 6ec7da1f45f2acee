"""Records below the header that are no contacts: the header once more, totals, footers.

Whatever holds anything like a phone number or an e-mail address is a contact, whatever else it looks like. A record of
one cell is a footer only at the end of the file, so the last ones are held back until the end, or the next full record,
has been seen.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from lists.importing.headers import holds_number_or_address, key, value_kind
from lists.importing.records import Record

MOST_HELD = 1000
"""Records held back; a longer run of lonely cells and blank lines is no footer."""


_TOTALS = {
    key(word)
    for word in (
        "total", "totals", "grand total", "sub total", "subtotal", "sum", "total records", "total rows",
        "total contacts",
        "total count", "count", "gesamt", "gesamtsumme", "summe", "somme", "suma", "totale", "totaal", "soma", "итого",
        "कुल", "合计", "合計",
    )
}  # fmt: skip
_COUNTED = (
    r"\d[\d,. ]*\s(?:\w+\s){0,2}?(?:rows?|records?|contacts?|entries|lines?|results?|zeilen|lignes|filas|registros)\b"
)
_IS_FOOTER = re.compile(
    rf"""
    {_COUNTED} | (?:showing|total\s(?:of|number)|number\sof)\b | page\s\d | seite\s\d
    | (?:this\s)?(?:report\s)?(?:was\s)?(?:auto-?)?(?:generated|exported|printed|prepared|created|downloaded)\b
    | confidential | vertraulich | confidencial | strictly\b
    | copyright\b | © | \(c\)\s | .*\ball\srights\sreserved | disclaimer\b | powered\sby\b
    | \W*end\sof\s(?:the\s)?(?:report|file|list|data|document) | \W*eof\W*$ | report\s(?:date|time|by)\b
    | (?:erstellt|exportiert|gedruckt)\s(?:am|von)\b | (?:généré|exporté|imprimé|generado|exportado|impreso|gerado)\b
    | \#\s
    """,
    re.IGNORECASE | re.VERBOSE,
).match
_IS_RULE = re.compile(r":?-{2,}:?|[=_*+~.-]{3,}").fullmatch


class Judge:
    """What a record without number or address is, by the header of its file."""

    def __init__(self, header: Sequence[str]) -> None:
        self.header = [compared for cell in header if (compared := key(cell))]

    def note(self, cells: Sequence[str]) -> str:
        filled = [text for cell in cells if (text := cell.strip())]
        if self.header and [key(cell) for cell in filled] == self.header:
            return "repeated_header"
        if all(map(_IS_RULE, filled)):
            return "footer"
        first, rest = filled[0], filled[1:]
        if key(first).rstrip("0123456789 ") in _TOTALS and all(
            value_kind(cell) in ("number", "blank") for cell in rest
        ):
            return "total"
        return "footer" if len(filled) <= 2 and _IS_FOOTER(first) else ""


def _is_lonely(cells: Sequence[str]) -> bool:
    """Whether a record is a single cell of words, or a date."""
    filled = [cell for cell in cells if cell.strip()]
    return len(filled) == 1 and value_kind(filled[0]) in ("text", "date")


def marked(batches: Iterable[Sequence[Record]], header: Sequence[str], width: int) -> Iterator[Record]:
    """The records below a header in their order, with a note on each that is no contact; blank ones lose their cells.

    width  how many columns the table has
    """
    judge = Judge(header)
    held: list[Record] = []
    gap = False  # whether blank lines have come since the last full record
    usual = 0  # the column that held the last number: looked at first, most records need no other look
    for batch in batches:
        for record in batch:
            _, cells, note = record
            if len(cells) > usual and not held:
                cell = cells[usual]
                if len(cell) > 6 and cell[-4:].isdecimal() and not note:
                    gap = False
                    yield record
                    continue
            if not any(cells) or not any(map(str.strip, cells)):
                gap = True
                blank = Record(record.line, [], note)
                if held and len(held) < MOST_HELD:
                    held.append(blank)
                else:
                    yield from held
                    held.clear()
                    yield blank
                continue
            column = next((at for at, cell in enumerate(cells) if holds_number_or_address(cell)), -1)
            found = record
            if not note and column < 0:
                note = judge.note(cells)
                found = record._replace(note=note)
                lonely = width > 1 and _is_lonely(cells)
                begins_end = lonely and (gap or len(cells) < width)
                if len(held) < MOST_HELD and (begins_end or (held and (lonely or note))):
                    held.append(found)
                    continue
            if column >= 0:
                usual = column
            gap = gap and bool(note)
            yield from held
            held.clear()
            yield found
    for record in held:
        yield record if record.note or not record.cells else record._replace(note="footer")
