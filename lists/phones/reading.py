"""The numbers of a cell: each run of digits is read in every way it can be meant, and only valid readings count.

One valid reading is the number. Two are a doubt: the international one is proposed and the other named beside it.
"""

import re
from collections.abc import Iterator

from lists.phones import results
from lists.phones.cells import NOT_DIGITS, TRUNK, Cell, Run, is_date, read_cell, run_of
from lists.phones.numbering import CODE_OF_REGION, split, valid, why_not
from lists.phones.results import LONGEST_CELL, Phone, PhoneRefused

_IS_E164 = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch
_IS_PLAIN_NATIONAL = re.compile(r"(?!00)[0-9]{5,15}").fullmatch
# No "(0)", which only some countries drop, and no ".0" at the end, which is no digit of the number.
_IS_SPACED_INTERNATIONAL = re.compile(r"(?!.*\(\s*0\s*\))\+[1-9][0-9 ().-]{6,24}(?<!\.0)(?<!\.00)").fullmatch
_IS_SPACED_NATIONAL = re.compile(r"(?!00|\([^0-9]|.*\(\s*0\s*\))[0-9(][0-9 ()-]{5,24}").fullmatch
_WITHOUT_PUNCTUATION = str.maketrans("", "", " ().-")


def normalise(raw: str, region: str | None) -> Phone | PhoneRefused:
    """The valid number a cell holds, in E.164, or the reason why there is none; several numbers are such a reason.

    region  ISO 3166 two-letter code read into numbers without a country code; None when there is none to assume
    """
    text = raw.strip()
    if simple := _simple(text, region):
        return simple
    numbers = _all_numbers(text, region)
    if isinstance(numbers, PhoneRefused):
        return numbers
    return numbers[0] if len(numbers) == 1 else results.TWO_NUMBERS


def numbers_in(raw: str, region: str | None) -> tuple[Phone, ...] | PhoneRefused:
    """Every different number of a cell, in order, each once; the refusal when it holds none. `region` as above."""
    text = raw.strip()
    if simple := _simple(text, region):
        return (simple,)
    return _all_numbers(text, region)


def _simple(text: str, region: str | None) -> Phone | None:
    """The quick way for a cell that holds one number and nothing else; None sends it the long way."""
    if text[:1] == "+":
        if _IS_E164(text):
            found = valid(text, None)
            return Phone(found, _difference(found, text)) if found else None
        if _IS_SPACED_INTERNATIONAL(text):
            bare = text.translate(_WITHOUT_PUNCTUATION)
            if found := valid(bare, None):
                return Phone(found, _told(results.PUNCTUATION, _difference(found, bare)))
    elif region is not None:
        if _IS_PLAIN_NATIONAL(text):
            return _national(text, region)
        if _IS_SPACED_NATIONAL(text) and not ("-" in text and is_date(text)):
            bare = text.translate(_WITHOUT_PUNCTUATION)
            if bare[:2] != "00" and (phone := _national(bare, region, results.PUNCTUATION)):
                return phone
    return None


def _national(digits: str, region: str, *rules: str) -> Phone | None:
    """Digits without a plus sign, read as a number of the region and as one that has lost its plus.

    rules  the names of the repairs that came before
    """
    found = valid(digits, region)
    if found is None:
        return None
    if found[1:] == digits:
        return Phone(found, _told(*rules, results.PLUS_PUT_BACK))
    if digits.startswith(CODE_OF_REGION[region]) and (lost := valid("+" + digits, None)) and lost != found:
        return Phone(lost, _told(*rules, results.PLUS_PUT_BACK, _difference(lost, "+" + digits)), other=found)
    return Phone(found, _told(*rules, results.COUNTRY_ADDED))


def _told(*rules: str) -> str:
    return ", ".join(filter(None, rules)) if len(rules) > 1 else rules[0]


def _with_rules(phone: Phone, rules: list[str]) -> Phone:
    """The number with the names of the repairs that came before its own."""
    return phone._replace(rule=_told(*rules, phone.rule)) if rules else phone


def _difference(found: str, text: str) -> str:
    """The name of what the library itself did to an international number; "" when that was nothing."""
    if found == text:
        return ""
    code, national = split(found)
    return results.TRUNK_ZERO if text == f"+{code}0{national}" else results.INTERNATIONAL


# --- the long way: a cell that is not simply a number -----------------------------------------------------------------

_SHORTEST_IN_COMPANY = 7
"""Digits of a number that stands among words or other numbers; fewer are a house number, an hour, the rest of one."""

_LONGEST_RUN = 18
"""Characters: fifteen digits with 00 or a plus sign in front, and a trunk zero."""

_MOST_GROUPS = 10
"""Groups of digits that are looked at for numbers side by side: two numbers in five groups each."""


def _all_numbers(text: str, region: str | None) -> tuple[Phone, ...] | PhoneRefused:
    """What `numbers_in` does with everything but the simple cases."""
    if not text:
        return results.MISSING
    if len(text) > LONGEST_CELL:
        return results.TOO_MUCH_TEXT
    if region is not None and region not in CODE_OF_REGION:
        return results.UNKNOWN_COUNTRY
    cell = read_cell(text)
    if isinstance(cell, PhoneRefused):
        return cell
    if len(cell.runs) == 1:
        return _only_run(cell, region)
    return _several_runs(cell, region)


def _length(run: Run) -> int:
    return len(run.bare.lstrip("+"))


def _only_run(cell: Cell, region: str | None) -> tuple[Phone, ...] | PhoneRefused:
    [run] = cell.runs
    if cell.words and _length(run) < _SHORTEST_IN_COMPANY:
        return results.LETTERS
    if phone := _read(run, region):
        return (_with_rules(phone, cell.rules),)
    if beside := _side_by_side(run, region):
        return _each_once(beside, cell.rules, others=False)
    return why_not(run.bare, region)


def _several_runs(cell: Cell, region: str | None) -> tuple[Phone, ...] | PhoneRefused:
    """Every run judged by itself: two of them are never joined, and what is no number is left out by name."""
    found: list[Phone] = []
    others = False
    long_runs = [run for run in cell.runs if _length(run) >= _SHORTEST_IN_COMPANY]
    for run in long_runs:
        phone = _read(run, region)
        numbers = (phone,) if phone else _side_by_side(run, region)
        found += numbers
        others = others or not numbers
    if found:
        return _each_once(found, cell.rules, others or len(long_runs) < len(cell.runs))
    if len(long_runs) > 1:
        refusals = {why_not(run.bare, region) for run in long_runs}
        return refusals.pop() if len(refusals) == 1 else results.TWO_NUMBERS
    if long_runs:
        return why_not(long_runs[0].bare, region)
    return results.LETTERS if cell.words else results.NOT_A_NUMBER


def _each_once(found: list[Phone] | tuple[Phone, ...], rules: list[str], others: bool) -> tuple[Phone, ...]:
    """The different numbers in order, with the rules of the cell in front of their own."""
    different = {phone.e164: phone for phone in reversed(found)}
    company = [results.SEVERAL] if len(different) > 1 else [results.SAME_TWICE] if len(found) > 1 else []
    company += [results.OTHER_DIGITS] if others else []
    return tuple(_with_rules(phone, [*rules, *company]) for phone in reversed(different.values()))


def _read(run: Run, region: str | None) -> Phone | None:
    """The first valid reading of a run, with the names of its repairs."""
    rules = [results.PUNCTUATION] if run.bare != run.text else []
    for candidate, candidate_rules in _readings(run, region):
        if candidate.startswith("+"):
            if found := valid(candidate, None):
                return Phone(found, _told(*rules, *candidate_rules, _difference(found, candidate)))
        elif region and (phone := _national(candidate, region, *rules, *candidate_rules)):
            return phone
    return None


def _readings(run: Run, region: str | None) -> Iterator[tuple[str, list[str]]]:
    """The ways to read a run, most likely first, each with the names of its repairs."""
    text, bare = run
    digits = bare.lstrip("+")
    zeros = "00" if digits.startswith("00") and not digits.startswith("000") else ""
    international = [results.ZERO_ZERO] if zeros else []
    if zeros or bare != digits:
        if TRUNK.search(text):
            without = NOT_DIGITS.sub("", TRUNK.sub("", text)).removeprefix(zeros)
            yield "+" + without, [*international, results.TRUNK_ZERO]
        yield "+" + digits.removeprefix(zeros), international
    if bare == digits:
        yield digits, []
    own = CODE_OF_REGION[region] if region else ""
    if own and digits.startswith("0" + own):
        yield "+" + digits[1:], [results.ZERO_BEFORE_CODE]


def _side_by_side(run: Run, region: str | None) -> tuple[Phone, ...]:
    """The numbers of a run in which several stand with only spaces between; empty unless there is exactly one way."""
    groups = run.text.split()
    if not 2 <= len(groups) <= _MOST_GROUPS or any(not group.strip("()[]-.") for group in groups):
        return ()
    count = len(groups)
    ways: dict[int, list[tuple[Phone, ...]]] = {
        count: [()]
    }  # from a group on: every way to use up the groups to the end
    for start in reversed(range(count)):
        ways[start] = [
            (phone, *rest)
            for end in range(start + 1, count + 1)
            if ways[end] and (phone := _whole_number(groups[start:end], region))
            for rest in ways[end]
        ]
    different = {tuple(phone.e164 for phone in way) for way in ways[0]}
    return ways[0][0] if len(different) == 1 and len(ways[0][0]) > 1 else ()


def _whole_number(groups: list[str], region: str | None) -> Phone | None:
    """The number that groups of digits make when it is long enough to stand beside others."""
    run = run_of(" ".join(groups))
    return _read(run, region) if _length(run) >= _SHORTEST_IN_COMPANY and len(run.bare) <= _LONGEST_RUN else None
