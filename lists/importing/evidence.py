"""The evidence that a column of a file holds a field: the words of its header, the kinds of its values, its fill.

Tables of rules add it up, each rule with the sentence it tells the person. What must hold at all stands apart, in
`REQUIREMENTS`: a date, an amount or the number of a policy is no phone number, whatever its digits.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import available_timezones

from lists.fields import BY_NAME, Field
from lists.importing import opt_outs
from lists.importing.columns import words
from lists.importing.names import is_name, is_salutation
from lists.phones import TWO_NUMBERS, Phone, PhoneRefused, country_of, kind_of, normalise, region_of

ENOUGH = 12
"""Points from which on a column may be suggested for a field."""
MOSTLY = 0.6
"""The share of the values of a column from which on we say that they are of a kind."""
MOST_VALUES = 40
"""Values of a column whose kind is looked at, spread over all of its rows."""


# What is known of a column -------------------------------------------------------------------------------------------


def _compact(text: str) -> str:
    return "".join(words(text))


def _phrases(text: str) -> frozenset[str]:
    """Phrases out of a text that separates them by commas, as `Column.grams` has them."""
    return frozenset(_compact(phrase) for phrase in text.split(","))


_ASIDE = _phrases("""
    what, which, is, are, the, a, an, of, for, your, yours, you, my, our, their, his, her, please, enter, provide, give,
    fill, in, write, kindly, and, or, to, value, values, current, default, new, raw, normalized, normalised, clean,
    cleaned, formatted, required, optional, mandatory, ihr, ihre, deine, dein, der, die, das, wie, lautet, cual, es, el,
    la, su, tu, quel, est, le, votre, vos, qual, o, seu, sua
""")
"""Words of a header that say nothing of what its values are."""
_GENERATED = re.compile(
    r"(?:(?:column|col|spalte|columna|colonne|coluna|field|feld|campo|unnamed|untitled|f|c|q|x)? ?\d*|[a-z]{1,2})"
).fullmatch
_NUMBERS_IN_TEXT = re.compile(r"\d+")


def _is_email(value: str) -> bool:
    return "@" in value and "." in value.rpartition("@")[2]


_ZONES = available_timezones()
_PHONE_LIKE = re.compile(r"[\s+(]*[0-9](?:[\s()./-]*[0-9]){8,14}\)?").fullmatch
_NO_WORD = re.compile(r"[\W_]*\d[\d\W_]*").fullmatch
_DATE = re.compile(
    r"(?:\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.](?:\d{4}|\d\d)|\d\d?[-/. ][A-Za-z]{3,9}[-/., ]+\d{2,4})"
    r"(?:[T ,].*)?"
).fullmatch
_HAS_DIGITS = re.compile(r"(?:\D*\d){5}").match
_DIAL_CODE = re.compile(r"\D{0,3}[1-9]\d{0,2}(?:\.0)?").fullmatch


@dataclass(frozen=True)
class Column:
    """One column of a file with what its header and its rows say.

    cells   what the sampled rows hold, stripped; "" where that is nothing
    region  two letters of the list's country; "" when it has none
    """

    at: int
    header: str
    cells: Sequence[str]
    region: str = ""

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The telling words of the header; all of them where none is telling."""
        every = words(self.header)
        return tuple(word for word in every if word not in _ASIDE and not word.isdigit()) or tuple(every)

    @cached_property
    def as_one_word(self) -> str:
        return _compact(self.header)

    @cached_property
    def grams(self) -> frozenset[str]:
        """Each run of up to four words of the header, written as one: "do not call" is in it as "donotcall"."""
        said = self.words[:20]
        return frozenset("".join(said[at:end]) for at in range(len(said)) for end in range(at + 1, at + 5))

    @cached_property
    def is_generated(self) -> bool:
        """Whether the header is none that a person has thought of, such as “Column 3”."""
        return _GENERATED(" ".join(words(self.header))) is not None

    @cached_property
    def filled(self) -> list[str]:
        return [cell for cell in self.cells if cell]

    @cached_property
    def values(self) -> list[str]:
        """The values whose kinds are looked at."""
        return self.filled[:: len(self.filled) // MOST_VALUES + 1]

    @property
    def fill(self) -> float:
        return len(self.filled) / max(len(self.cells), 1)

    @cached_property
    def readings(self) -> dict[str, Phone | PhoneRefused]:
        """{value: the number it holds, or why it holds none}, of the values with digits enough."""
        return {value: normalise(value, self.region or None) for value in set(self.values) if _HAS_DIGITS(value)}

    @cached_property
    def numbers(self) -> dict[str, str]:
        """{value: its number in E.164}, of the values that hold one."""
        return {value: found.e164 for value, found in self.readings.items() if isinstance(found, Phone)}

    def number(self, cell: str) -> str:
        """The number of any of its cells in E.164; "" when it holds none."""
        found = normalise(cell, self.region or None) if _HAS_DIGITS(cell) else None
        return found.e164 if isinstance(found, Phone) else ""

    def share(self, is_of_kind: Callable[[str], bool]) -> float:
        """Of its values, those of a kind; 0 when it has none."""
        return sum(map(is_of_kind, self.values)) / max(len(self.values), 1)

    @cached_property
    def distinct(self) -> float:
        return len(set(self.values)) / max(len(self.values), 1)

    @cached_property
    def valid(self) -> float:
        return self.share(self.numbers.__contains__)

    @cached_property
    def mobile(self) -> float:
        """The share of numbers that are mobile and of the list's country, if it has one."""
        at_home = {
            value
            for value, number in self.numbers.items()
            if kind_of(number) in ("mobile", "mobile_or_fixed") and self.region in ("", country_of(number))
        }
        return self.share(at_home.__contains__)

    @cached_property
    def phone_like(self) -> float:
        """The share of values that are numbers, of any country, or several of them."""
        several = {value for value, found in self.readings.items() if found == TWO_NUMBERS}
        return self.share(lambda value: value in self.numbers or value in several or bool(_PHONE_LIKE(value)))

    @cached_property
    def dates(self) -> float:
        return self.share(lambda value: _DATE(value) is not None)

    @cached_property
    def emails(self) -> float:
        return self.share(_is_email)

    @cached_property
    def time_zones(self) -> float:
        return self.share(lambda value: "/" in value and value in _ZONES)

    @cached_property
    def countries(self) -> float:
        return self.share(lambda value: region_of(value) is not None)

    @cached_property
    def dial_codes(self) -> float:
        return self.share(lambda value: _DIAL_CODE(value) is not None)

    @cached_property
    def salutations(self) -> float:
        return self.share(is_salutation)

    @cached_property
    def names(self) -> float:
        return self.share(is_name)

    @cached_property
    def other_data(self) -> float:
        """The share of its values that are numbers or e-mail addresses, and so no words."""
        return self.share(lambda value: _is_email(value) or _NO_WORD(value) is not None)

    @cached_property
    def is_in_sequence(self) -> bool:
        """Whether each value counts on from the one before, as ids do."""
        counted = [int("".join(_NUMBERS_IN_TEXT.findall(value))[:18] or 0) for value in self.filled]
        steps = [after - before for before, after in pairwise(counted)]
        return len(steps) > 1 and steps.count(1) >= 0.8 * len(steps)

    def has(self, phrases: frozenset[str]) -> bool:
        """Whether the header holds one of some phrases, each written as one word."""
        return not phrases.isdisjoint(self.grams)


# What a header says --------------------------------------------------------------------------------------------------

_NAMED = {known.name: {_compact(known.name), _compact(known.label)} for known in BY_NAME.values()}
_ALIASES = {known.name: frozenset(map(_compact, known.aliases)) for known in BY_NAME.values()}
_SAYS: dict[str, frozenset[str]] = {
    "phone": _phrases("""
        phone, phones, phone no, phone number, telephone, tel, tel no, mobile, mobiles, mobile no, mobile number, mob,
        mobil, mobilnummer, mobil nr, mobile nr, telefonnummer, rufnummer, handynummer, cell, cellphone, cellular,
        whatsapp, contact no, contact number, contact num, contact detail, contact details, msisdn, handy, telefon,
        telefono, celular, movil, telefone, telemovel, telephone number, cellulare, gsm, फ़ोन, मोबाइल, телефон, 手机,
        电话, 電話
    """),
    "first_name": _phrases("first name, given name, forename, fname, vorname, prenom, primer nombre, primeiro nome"),
    "last_name": _phrases("""
        last name, surname, family name, lname, nachname, familienname, apellido, apellidos, nom de famille, sobrenome
    """),
    "full_name": _phrases("""
        full name, complete name, whole name, vollständiger name, nombre completo, nom complet, nome completo
    """),
    "salutation": _phrases("salutation, honorific, anrede"),
    "email": _phrases("email, e mail, mail id, email id, email address, correo, courriel, e mail adresse, mailadresse"),
    "company": _phrases("company, company name, organisation, organization, firmenname, empresa, employer"),
    "time_zone": _phrases("time zone, timezone, zeitzone, zona horaria"),
    "country": _phrases("""
        country, country code, country name, nation, dial code, dialing code, dialling code, calling code, isd code,
        isd, país, código de país
    """),
}  # fmt: skip
"""What a header says inside a longer one, as “Registered Mobile No” says “Mobile No”."""
_WEAK = {"phone": _phrases("number, número, numéro, nummer, portable")}
"""Other names of a field that are names of many things."""
_NAME_WORDS = _phrases("name, names, namen, nombre, nom, nome, naam, नाम")
_OF_A_PERSON = _phrases("""
    customer, cust, client, contact, person, member, student, guest, patient, applicant, borrower, holder, policyholder,
    insured, subscriber, lead, party, participant, attendee, donor, voter, tenant, resident, buyer, consumer, user,
    candidate, employee, staff, kunde, kunden, cliente, membre, del, de, des, du, do, da
""")
_OTHER_NAMES = _phrases("""
    phonetic, yomi, nick, nickname, maiden, file, middle, additional, short, phone, email, company
""")
_SPOILS: dict[str, frozenset[str]] = {
    "": _phrases("""
        id, ids, type, label, status, verified, verification, valid, validity, date, url, link, website, photo, image,
        size, domain, hash, opt, opted, optin, optout, consent, marketing, accepts, dnd, dnc, subscribed, unsubscribed,
        count, source, model, brand, verify, code sent, otp, bounced, clicked, opened, language
    """),
    "phone": _phrases("fax, telefax, pager, ext, extn, extension, carrier, operator, network, name, email, plan, bill"),
    "first_name": _OTHER_NAMES,
    "last_name": _OTHER_NAMES,
    "full_name": _OTHER_NAMES | _phrases("""
        first, last, business, firm, organisation, organization, branch, bank, product, project, scheme, plan, policy,
        campaign, list, segment, city, state, country, district, village, town, area, region, zone, street, road,
        building, address, place, agent, advisor, manager, owner, executive, rm, father, mother, spouse, husband, wife,
        nominee, guardian, guarantor, reference, referrer, school, college, university, course, class, event, item,
        vehicle, host, sheet, form, store, shop, vendor, supplier, team, group, department, job, role, user, login,
        screen, tag, device, pet, drug, account
    """),
    "email": _phrases("name, subject, template, phone, body"),
    "company": _phrases("phone, email, mobile, address, city, state, zip, street, number, no, country, contact"),
    "country": _phrases("birth, origin, manager, head, citizenship, visa, passport, destination, region name, product"),
}  # fmt: skip
"""Words beside them that make a header speak of something else; those under "" do so for every field."""
_SPOILT_BY = {name: (_SPOILS[""] | _SPOILS.get(name, frozenset())) - _SAYS.get(name, frozenset()) for name in BY_NAME}

_FIRST_CHOICE = _phrases("primary, main, preferred, registered, principal, haupt")
_SPARE = _phrases("""
    alternate, alternative, alternativ, alternativo, alt, secondary, second, other, 2nd, additional, backup, previous,
    old, former
""")
_SECOND_CHOICE = _SPARE | _phrases("""
    landline, residence, residential, home, work, office, business, billing, shipping, privat, dienstlich
""")
_OF_SOMEBODY_ELSE = _phrases("""
    nominee, agent, advisor, father, fathers, mother, mothers, spouse, husband, wife, emergency, reference, referee,
    referred, referrer, referral, manager, rm, owner, branch, sender, support, helpline, store, dealer, guarantor,
    driver, executive, salesperson, sales rep, caller id, assistant, witness, introducer, sponsor, recruiter, teacher
""")
_OF_MOBILES = _phrases(
    "mobile, mobiles, mob, mobil, cell, cellphone, cellular, handy, handynummer, movil, celular, msisdn, whatsapp"
)


def _is_called(column: Column, known: Field) -> float:
    return float(column.as_one_word in _NAMED[known.name])


def _has_another_name(column: Column, known: Field) -> float:
    full, bare = column.as_one_word, "".join(column.words)
    if _is_called(column, known) or bare in _WEAK.get(known.name, ()):
        return 0
    return 1 if full in _ALIASES[known.name] else 0.95 * (bare in _ALIASES[known.name] | _NAMED[known.name])


def _has_a_weak_name(column: Column, known: Field) -> float:
    return float("".join(column.words) in _WEAK.get(known.name, ()))


def _is_spoilt(column: Column, known: Field) -> bool:
    return column.has(_SPOILT_BY[known.name])


def _holds_its_words(column: Column, known: Field) -> float:
    if _is_called(column, known) or _has_another_name(column, known) or _is_spoilt(column, known):
        return 0
    if known.name == "full_name" and _NAME_WORDS & {*column.words[:1], *column.words[-1:]}:
        beside = set(column.words) - _NAME_WORDS
        return 1 if beside <= _OF_A_PERSON else 0.5
    return float(column.has(_SAYS.get(known.name, frozenset())))


def says(column: Column, known: Field) -> bool:
    """Whether the header of a column speaks of a field in words that are not those of many things."""
    return bool(_is_called(column, known) or _has_another_name(column, known) or _holds_its_words(column, known))


def is_of_somebody_else(column: Column) -> bool:
    """Whether a header speaks of another person than the contact, such as an agent or a nominee."""
    return column.has(_OF_SOMEBODY_ELSE)


def is_spare(column: Column) -> bool:
    """Whether a header says itself that another column of its kind comes first, as “Alternate Mobile” does."""
    return column.has(_SPARE)


# What must hold ------------------------------------------------------------------------------------------------------

_NEVER_A_PHONE = _phrases("""
    id, ids, date, time, timestamp, birthday, birth, dob, doj, born, created, updated, modified, expiry, expires, year,
    month, fax, telefax, pager, type, label, carrier, ext, extn, extension, otp, imei, zip, zipcode, pincode, pin code,
    postcode, postal code, postal, plz, cep, codigo postal, code postal, aadhaar, aadhar, adhaar, ssn, passport, gst,
    gstin, vat, iban, ifsc, swift, upi, barcode, sku, ean, isbn, amount, amt, price, total, sum, balance, salary,
    income, cost, paid, emi, spent, mileage, qty, quantity, count, score, age, percent, rate, fee, fees, betrag, summe,
    preis, importe, monto, precio, montant, prix, valor, preço, datum, geburtsdatum, fecha, latitude, longitude, lat,
    lng, lon, url, email, e mail, dnd, dnc, status
""")
_NUMBERS_OF_OTHER_THINGS = _phrases("""
    policy, pan, account, acct, a c, order, lead, record, ref, reference, invoice, receipt, loan, application, ticket,
    serial, sr, sl, s no, licence, license, registration, reg, roll, enrollment, enrolment, code, card, cheque,
    transaction, txn, utr, claim, case, folio, voucher, challan, docket, awb, tracking, meter, vehicle, chassis,
    engine, seat, pnr, batch, device, index, row, key, cif, crn, uhid, mrn, consumer, membership, certificate,
    agreement, contract, uid, premium, tin, cin, din, uan, pf, esi, epf, bank, pin, nif, dni, cpf, cnpj, rfc, curp,
    siret, rut, cuit, cedula
""")
_NUMBER_WORDS = _phrases("no, nos, num, number, numbers, nr, nummer, numero")
_BESIDE_A_PHONE = (_FIRST_CHOICE | _SECOND_CHOICE | _NUMBER_WORDS) | _phrases("""
    contact, call, calling, caller, calls, dial, dialled, dialed, international, local, personal, sms, text, full
""")
_WRITTEN_AS_ONE = (
    {
        thing + ending
        for thing in _NUMBERS_OF_OTHER_THINGS | _OF_A_PERSON
        for ending in _NUMBER_WORDS | {"id", "date", "code"}
    }
    - _SAYS["phone"]
    - {beside + number for beside in _BESIDE_A_PHONE for number in _NUMBER_WORDS}
)
"""Headers such as POLICYNO and CustomerID, but not “Contact numbers”."""


def _speaks_of_phones(column: Column, known: Field) -> bool:
    """Whether the header leaves it open that its values are phone numbers.

    It does not for “Policy No”, “CIF Number” and “Kundennummer”, but “Policy holder mobile” is one.
    """
    if _is_called(column, known) or _has_another_name(column, known):
        return True
    if column.has(_NEVER_A_PHONE):
        return False
    if says(column, known):
        return True
    telling = set(column.words) - _BESIDE_A_PHONE
    names_a_number = bool(telling and _NUMBER_WORDS & set(column.words)) or any(
        word.endswith("nummer") for word in telling
    )
    return not names_a_number and not column.has(_NUMBERS_OF_OTHER_THINGS | _WRITTEN_AS_ONE)


_WHERE_NO_IS_NORWAY = _phrases("country, nation, iso")


def _has_no_dates(column: Column, known: Field) -> bool:
    return column.dates < MOSTLY


def _are_countries(column: Column, known: Field) -> bool:
    if not column.has(_WHERE_NO_IS_NORWAY) and {value.casefold() for value in column.values} <= {"no", "yes"}:
        return False
    return column.countries >= MOSTLY


def _are_salutations(column: Column, known: Field) -> bool:
    return not column.values or column.salutations >= MOSTLY


def _are_addresses(column: Column, known: Field) -> bool:
    return not column.values or column.share(lambda value: "@" in value) >= 0.3


def _are_words(column: Column, known: Field) -> bool:
    return column.other_data < MOSTLY


def _are_names_where_nothing_says_so(column: Column, known: Field) -> bool:
    if says(column, known):
        return _holds_its_words(column, known) != 0.5 or column.names >= MOSTLY
    return column.is_generated and column.names >= 0.8 and column.distinct >= 0.8


def _can_be_read(column: Column, known: Field) -> bool:
    how = opt_outs.sense(column.header)
    readings = [opt_outs.reading(value, how) for value in column.values]
    if how == "status" and True not in readings:
        return False
    return bool(how) and readings.count(None) <= (1 - opt_outs.MOSTLY) * len(readings)


class Requirement(NamedTuple):
    """What must hold of a column for a field; `sentence` says why the column is not suggested where it does not."""

    holds: Callable[[Column, Field], bool]
    sentence: str


WORDS = Requirement(_are_words, "Its values are numbers or addresses, not words.")
REQUIREMENTS: dict[str, tuple[Requirement, ...]] = {
    "phone": (
        Requirement(_speaks_of_phones, "The header says that its values are something else than phone numbers."),
        Requirement(_has_no_dates, "Its values are dates."),
    ),
    "country": (
        Requirement(says, "Some values could be countries, but the header does not say so."),
        Requirement(_are_countries, "The header speaks of countries, but its values are none."),
    ),
    "salutation": (Requirement(_are_salutations, "Its values are no salutations such as Mr or Mrs."), WORDS),
    "email": (Requirement(_are_addresses, "Its values are no e-mail addresses."),),
    "full_name": (Requirement(_are_names_where_nothing_says_so, "Its values are not the names of people."), WORDS),
    "first_name": (WORDS,),
    "last_name": (WORDS,),
    "company": (WORDS,),
    "do_not_contact": (Requirement(_can_be_read, "Its values do not say clearly who must not be contacted."),),
}


# The rules -----------------------------------------------------------------------------------------------------------


class Rule(NamedTuple):
    """Evidence that a column holds a field: so many points, as far as it holds (from 0 to 1).

    sentence  told where it counts for the field; "" is not told
    share     the name of the share of `Column` that the sentence tells
    """

    points: float
    holds: Callable[[Column, Field], float]
    sentence: str = ""
    share: str = ""


def _has_mobiles(column: Column, known: Field) -> float:
    return column.mobile * _how_far_numbers_prove(column, known)


def _has_numbers(column: Column, known: Field) -> float:
    return column.valid * _how_far_numbers_prove(column, known)


def _how_far_numbers_prove(column: Column, known: Field) -> float:
    """Ids can be valid phone numbers, so they prove half where the header says nothing of phones."""
    return column.fill * (1 if says(column, known) or _has_a_weak_name(column, known) else 0.5)


def _has_unread_numbers(column: Column, known: Field) -> float:
    """What looks like numbers without being valid ones: of another country, perhaps, where the list has none."""
    return (column.phone_like - column.valid) * column.fill * (0.5 if column.region else 1)


def _has_other_values(column: Column, known: Field) -> float:
    return bool(column.values) and column.phone_like < 0.2


_COUNTED = "Its values count up one by one, as numbers of other things do."

HEADER_RULES = (
    Rule(50, _is_called, "The header is the field’s name."),
    Rule(45, _has_another_name, "“{header}” is another name for {label}."),
    Rule(28, _holds_its_words, "“{header}” speaks of {label}."),
    Rule(15, _has_a_weak_name, "“{header}” may mean {label}."),
    Rule(6, lambda column, known: says(column, known) and column.has(_FIRST_CHOICE)),
    Rule(-10, lambda column, _: column.has(_SECOND_CHOICE)),
    Rule(-75, lambda column, _: is_of_somebody_else(column), "“{header}” speaks of another person than the contact."),
)
VALUE_RULES: dict[str, tuple[Rule, ...]] = {
    "phone": (
        Rule(60, _has_mobiles, "{share} of its values are mobile numbers.", "mobile"),
        Rule(20, _has_numbers, "{share} of its values are phone numbers.", "valid"),
        Rule(15, _has_unread_numbers, "{share} of its values look like phone numbers.", "phone_like"),
        Rule(6, lambda column, known: says(column, known) and column.has(_OF_MOBILES)),
        Rule(-20, lambda column, _: bool(column.values) * (1 - column.distinct)),
        Rule(-20, lambda column, known: not says(column, known) and column.is_in_sequence, _COUNTED),
        Rule(-25, _has_other_values, "Few of its values look like phone numbers."),
    ),
    "email": (
        Rule(20, lambda column, _: column.emails, "{share} of its values are e-mail addresses.", "emails"),
        Rule(20, lambda column, _: column.emails * column.fill),
    ),
    "time_zone": (
        Rule(40, lambda column, _: column.time_zones, "{share} of its values are time zones.", "time_zones"),
    ),
    "country": (
        Rule(20, lambda column, _: column.countries * column.fill, "{share} of its values are countries.", "countries"),
        Rule(20, lambda column, _: column.dial_codes),
    ),
    "full_name": (
        Rule(20, lambda column, _: column.names * column.fill, "{share} of its values are names of people.", "names"),
    ),
    "salutation": (
        Rule(30, lambda column, _: column.salutations, "{share} of its values are salutations.", "salutations"),
    ),
    "do_not_contact": (
        Rule(45, lambda column, _: bool(opt_outs.sense(column.header)), "“{header}” says who must not be contacted."),
        Rule(10, lambda column, _: opt_outs.is_about_calls(column.header)),
    ),
}


class Bid(NamedTuple):
    """What speaks for a column holding a field: points, and the reason in sentences."""

    points: float
    reason: str


def bid(column: Column, known: Field) -> Bid | None:
    """The evidence for one field, None where it is not enough or something that must hold does not."""
    if refusal(column, known):
        return None
    counted = [
        (rule, points)
        for rule in (*HEADER_RULES, *VALUE_RULES.get(known.name, ()))
        if (points := rule.points * rule.holds(column, known))
    ]
    total = sum(points for _, points in counted)
    if total < ENOUGH:
        return None
    told = sorted((counts for counts in counted if counts[0].sentence), key=lambda counts: -abs(counts[1]))
    return Bid(total, " ".join(_sentence(rule, column, known) for rule, _ in told[:2]))


def refusal(column: Column, known: Field) -> str:
    """Why a column cannot hold a field whatever the evidence; "" where it can."""
    requirements = REQUIREMENTS.get(known.name, ())
    return next((each.sentence for each in requirements if not each.holds(column, known)), "")


def _sentence(rule: Rule, column: Column, known: Field) -> str:
    label = known.words.partition(" (")[0]
    share = f"{getattr(column, rule.share):.0%}".replace("%", " %") if rule.share else ""
    return rule.sentence.format(header=column.header, label=label, share=share)
