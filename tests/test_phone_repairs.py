"""What people write into a phone cell: one number among other things, several numbers, or something else altogether."""

from importlib import import_module

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lists.phones import Phone, PhoneRefused, normalise, numbering, numbers_in


@pytest.fixture(params=["rphonenumbers", "phonenumbers"])
def either_library(request, monkeypatch):
    """Runs the test on the compiled road and on the reference."""
    monkeypatch.setattr(numbering, "library", import_module(request.param))


# Each line: country · cell · the numbers it holds, or the code of its refusal. `\n` is a line break.
CELLS = r"""
# one number with other things around it
IN · 9800000001 (Wife) · +919800000001
IN · Ravi 9800000002 · +919800000002
IN · 9800000002 Ravi · +919800000002
IN · Asha-9800000002 · +919800000002
IN · S/o Ram 9800000002 · +919800000002
IN · 📞 9800000003 · +919800000003
IN · ☎9800000003 · +919800000003
IN · 9800000003 🚗 · +919800000003
IN · 9️⃣8️⃣0️⃣0️⃣0️⃣0️⃣0️⃣0️⃣0️⃣3️⃣ · +919800000003
IN · 9800000005, · +919800000005
IN · 9800000005,,, · +919800000005
IN · 9800000006; · +919800000006
IN · 9800000006. · +919800000006
IN · 9800000006 / · +919800000006
IN · 9800000006? · +919800000006
IN · , 9800000006 · +919800000006
IN · 9800000007 - office · +919800000007
IN · 9800000007-office · +919800000007
IN · ~9800000007 · +919800000007
IN · ~ 9800000007 · +919800000007
IN · *9800000007* · +919800000007
IN · #9800000007 · +919800000007
IN · "9800000007" · +919800000007
IN · “9800000007” · +919800000007
IN · <9800000007> · +919800000007
IN · [9800000007] · +919800000007
IN · `9800000007` · +919800000007
IN · Mob. 9800000007 · +919800000007
IN · Mob.9800000007 · +919800000007
IN · Mob9800000007 · +919800000007
IN · MOB-9800000007 · +919800000007
IN · M-9800000007 · +919800000007
IN · Ph.No. 9800000007 · +919800000007
IN · No. 9800000007 · +919800000007
IN · Tel: 9800000007 · +919800000007
IN · Phone=9800000007 · +919800000007
IN · 9800000007 (also WhatsApp) · +919800000007
IN · 9800000007 call after 6 pm · +919800000007
IN · 1) 9800000007 · +919800000007
IN · 2. 9800000007 · +919800000007
IN · 9800000007 (1) · +919800000007
IN · 9800000007 asha@example.org · +919800000007
IN · 9800000008/NA · +919800000008
IN · NA / 9800000008 · +919800000008
IN · 9800000008, NULL · +919800000008
IN · 9800000008 / - · +919800000008
IN · 9800000009_x000D_ · +919800000009
IN · 9800000009<br> · +919800000009
IN · 9800000009\n · +919800000009
DE · +49 171 2345678 (privat) · +491712345678
DE · Telefon 0171/2345678 · +491712345678
AT · Handy: 0664/123456 · +43664123456
FR · Tél. 06 12 34 56 78 · +33612345678
FR · 06 12 34 56 78 (bureau) · +33612345678
ES · Móvil 612 34 56 78 · +34612345678
RU · +7 912 345-67-89 моб. · +79123456789
CN · 手机13123456789 · +8613123456789
CN · 电话：13123456789 · +8613123456789
JP · 携帯090-1234-5678 · +819012345678
US · Cell (202) 555-0123 · +12025550123
US · (202) 555-0123 Bob · +12025550123
US · +1 (202) 555-0123 (cell) · +12025550123
GB · Reception 020 7946 0000 · +442079460000
# links
IN · https://wa.me/919800000004 · +919800000004
IN · http://wa.me/+919800000004 · +919800000004
IN · wa.me/919800000004 · +919800000004
IN · https://wa.me/919800000004?text=Hi%20there · +919800000004
IN · Chat: https://wa.me/919800000004 · +919800000004
IN · https://api.whatsapp.com/send?phone=919800000004&text=Hi · +919800000004
IN · https://api.whatsapp.com/send/?phone=%2B919800000004 · +919800000004
IN · whatsapp://send?phone=919800000004 · +919800000004
IN · https://t.me/+919800000004 · +919800000004
IN · whatsapp:+919800000004 · +919800000004
IN · whatsapp:9800000004 · +919800000004
IN · callto:9800000004 · +919800000004
IN · sms:+919800000004 · +919800000004
IN · skype:+919800000004?call · +919800000004
DE · tel:0171-2345678 · +491712345678
DE · https://wa.me/4915123455851 · +4915123455851
US · tel:+1-202-555-0123 · +12025550123
IN · https://wa.me/919800000004, 9700000004 · +919800000004 +919700000004
IN · tel:+919800000004;+919700000004 · +919800000004 +919700000004
IN · http://example.org/9800000004 · not_a_number
IN · www.example.org/9800000004 · not_a_number
IN · 9800000004@example.org · not_a_number
IN · asha9800000004@example.org · not_a_number
# grouped and tied in any way
IN · 9,80,00,00,001 · +919800000001
IN · 9,800,000,003 · +919800000003
IN · 9.800.000.001 · +919800000001
IN · 9'800'000'001 · +919800000001
IN · 9’800’000’001 · +919800000001
IN · 9 80 00 00 001 · +919800000001
IN · +91,98,00,000,001 · +919800000001
IN · 98-00-00-00-01 · +919800000001
IN · 98000.00001 · +919800000001
IN · 98000/00001 · +919800000001
IN · 98000_00009 · +919800000009
IN · 98000:00009 · +919800000009
IN · (980) 000-0009 · +919800000009
DE · 030.23125000 · +493023125000
FR · 06/12/34/56/78 · +33612345678
FR · 06_12_34_56_78 · +33612345678
US · 202.555.0123 · +12025550123
US · 202/555-0123 · +12025550123
US · 2,025,550,123 · +12025550123
AE · 50,123,4567 · not_a_number
# country codes in every way
IN · ++919800000010 · +919800000010
IN · + +919800000010 · +919800000010
IN · +91:9800000011 · +919800000011
IN · +91-9800000011 · +919800000011
IN · +91,9800000011 · +919800000011
IN · +91/9800000011 · +919800000011
IN · (+91)9800000011 · +919800000011
IN · [+91] 9800000011 · +919800000011
IN · +91 +91 9800000011 · +919800000011
IN · +91 (0) 9800000012 · +919800000012
IN · +91 0 9800000012 · +919800000012
IN · 0919800000008 · +919800000008
IN · +0919800000008 · +919800000008
IN · +00919800000008 · +919800000008
IN · 0091-9800000008 · +919800000008
IN · 91 9800000008 · +919800000008
IN · (91) 9800000008 · +919800000008
IN · 919800000008 · +919800000008
IN · 9100000008 · +919100000008
IN · =+91-9800000008 · +919800000008
IN · ="+91 98000 00008" · +919800000008
IN · '+91 98000 00008 · +919800000008
IN · +1, 2025550123 · +12025550123
DE · +49 (0)171 2345678 · +491712345678
DE · +49(0)171/2345678 · +491712345678
DE · +49 (0)2634/12345 · +49263412345
DE · 0049/171 2345678 · +491712345678
DE · + 49 171 2345678 · +491712345678
DE · 04915123455851 · +494915123455851
GB · 447911123456 · +447911123456
GB · 0447911123456 · +447911123456
IT · 390669812345 · +390669812345
BR · 5541999990001 · +5541999990001
BR · 041999990001 · +5541999990001
AE · 971501234567 · +971501234567
AE · 0971501234567 · +971501234567
US · 12025550123 · +12025550123
US · 1-202-555-0123 · +12025550123
# several numbers
IN · 9800000001 / 9700000001 · +919800000001 +919700000001
IN · 9800000001/9700000001 · +919800000001 +919700000001
IN · 9800000002, 9700000002 · +919800000002 +919700000002
IN · 9800000003;9700000003 · +919800000003 +919700000003
IN · 9800000003|9700000003 · +919800000003 +919700000003
IN · 9800000003 & 9700000003 · +919800000003 +919700000003
IN · 9800000003 and 9700000003 · +919800000003 +919700000003
IN · 9800000003 or 9700000003 · +919800000003 +919700000003
IN · 9800000003 ::: 9700000003 · +919800000003 +919700000003
IN · 9800000003\n9700000003 · +919800000003 +919700000003
IN · 9800000003<br/>9700000003 · +919800000003 +919700000003
IN · 9800000006 9700000006 · +919800000006 +919700000006
IN · 98000 00006 97000 00006 · +919800000006 +919700000006
IN · 9800000006  9700000006  9600000006 · +919800000006 +919700000006 +919600000006
IN · +919800000006+919700000006 · +919800000006 +919700000006
IN · +91 98000 00006 +91 97000 00006 · +919800000006 +919700000006
IN · 9800000006 (Ravi), 9700000006 (Asha) · +919800000006 +919700000006
IN · Ravi: 9800000006; Asha: 9700000006 · +919800000006 +919700000006
IN · 9800000006 Home 9700000006 Office · +919800000006 +919700000006
IN · 👩 9800000006 👨 9700000006 · +919800000006 +919700000006
IN · 1. 9800000006 2. 9700000006 · +919800000006 +919700000006
IN · 9800000006 (1), 9700000006 (2) · +919800000006 +919700000006
IN · 9800000006 x12 / 9700000006 · +919800000006 +919700000006
IN · Home: 080 33923819 Mob: 9800000006 · +918033923819 +919800000006
IN · 9800000006 / 080-33923819 / NA · +919800000006 +918033923819
IN · 9800000007, 9800000007 · +919800000007
IN · 9800000007 9800000007 · +919800000007
IN · +919800000007 / 9800000007 / 09800000007 · +919800000007
IN · 9800000006, +1 202 555 0123 · +919800000006 +12025550123
DE · 0171 2345678 oder 030 23125000 · +491712345678 +493023125000
DE · 0171/2345678, 030/23125000 · +491712345678 +493023125000
DE · 030/23125000 / 030/23125001 · +493023125000 +493023125001
DE · Festnetz: 030 23125000 Mobil: 0171 2345678 · +493023125000 +491712345678
FR · 06 12 34 56 78 ou 06 12 34 56 79 · +33612345678 +33612345679
FR · 06 12 34 56 78 06 12 34 56 79 · +33612345678 +33612345679
FR · 06.12.34.56.78 / 06.12.34.56.79 · +33612345678 +33612345679
ES · +34 612345678 y +34 612345679 · +34612345678 +34612345679
GB · 020 7946 0000 / 020 7946 0001 · +442079460000 +442079460001
US · (202) 555-0123 / (202) 555-0124 · +12025550123 +12025550124
US · 202-555-0123 202-555-0124 · +12025550123 +12025550124
US · +1 202-555-0123 +1 202-555-0124 · +12025550123 +12025550124
US · 2025550123, +44 20 7946 0000 · +12025550123 +442079460000
# a second number that is not written in full is never completed
IN · 9800000004/5 · +919800000004
IN · 9800000004/05 · +919800000004
IN · 9800000004, 98000 · +919800000004
IN · 080-33923819/33923820 · +918033923819
DE · 0171 2345678/9 · +491712345678
US · (202) 555-0123 or 0124 · +12025550123
US · 2025550123,,4 · +12025550123
# the other digits do not belong to a number
IN · 10 digits without 0 or +91 · instructions
IN · e.g. 9800000001 (10 digits) · instructions
IN · Enter 9800000001 without 0 · instructions
IN · Format: 9800000001 · instructions
IN · optional · not_a_number
IN · 98000 or 12345 · not_a_number
IN · 98000#12345 · not_a_number
IN · 9800 / 1234 / 56 · not_a_number
IN · Flat 12, MG Road, Pune 411001 · letters
DE · Hauptstr. 12, 10115 Berlin · letters
IN · Row 5 of 10 · letters
IN · 9800000001abc · letters
IN · AB9800000001 · letters
IN · 98000O0001 · letters
IN · LN-7000000001 · other_number
IN · INV/7000000001 · other_number
IN · Policy 7000000001 · other_number
IN · Loan: 7000000001 · other_number
IN · A/c 7000000001 · other_number
IN · Order no 7000000001 · other_number
IN · Customer ID: 7000000001 · other_number
IN · Aadhaar 700000000001 · other_number
DE · Kundennr. 17123456 · other_number
# hidden, worked out, cut
IN · XXXXXX0001 · hidden_digits
IN · 98XXXXXX01 · hidden_digits
IN · 98******01 · hidden_digits
IN · 98••••••01 · hidden_digits
IN · +9198•••••001 · hidden_digits
IN · 98000...01 · hidden_digits
IN · 98000… · hidden_digits
US · 202-555-XX23 · hidden_digits
US · ***-***-0123 · hidden_digits
IN · -9799999910 · subtraction
IN · −9799999910 · subtraction
IN · –9799999910 · subtraction
IN · - 9799999910 · subtraction
IN · '-9799999910 · subtraction
IN · -9799999910.0 · subtraction
IN · =-9799999910 · subtraction
IN · (-9799999910) · subtraction
IN · (9,799,999,910) · subtraction
IN · -97,99,99,99,10 · subtraction
US · -2025550122 · subtraction
DE · -1712345629 · subtraction
IN · 9.198E+11 · cut_by_spreadsheet
# dates, times, amounts, addresses, ranges
IN · 01/07/2026 10:22:33 · date
IN · 01-07-2026 10:22 · date
IN · 2026/07/01 10:22:33 AM GMT+5:30 · date
IN · 2026-07-01T10:22:33+05:30 · date
IN · 2026-07-01 10:22:33.123 UTC · date
IN · 01/07/2026, 10:22 am · date
IN · 1/7/26 9:05 · date
IN · Jul 1, 2026 · date
IN · 1 July 2026 · date
DE · 01.07.2026 · date
DE · 01.07.2026 14:30 · date
US · 7/1/2026 2:30:00 PM · date
IN · 10:22 · time
IN · 10:22:33 · time
IN · 5:30 PM · time
IN · 00:03:25 · time
IN · Rs. 1,200.00 · amount
IN · Rs 9800000001 · amount
IN · ₹ 9,80,000 · amount
IN · 1,200.00 · amount
IN · 9,80,00,000.00 · amount
IN · 1200/- · amount
IN · 98% · amount
IN · 98.5 % · amount
IN · 9800000001.5 · amount
IN · 980000000.1 · amount
IN · 12.9716 · amount
US · $1,234 · amount
DE · 1.234,56 € · amount
DE · 1.234.567,89 · amount
IN · 192.168.1.10 · network_address
US · 10.0.0.1 · network_address
DE · 255.255.255.0 · network_address
IN · 9800000001-9800000005 · range
IN · 9800000001 - 9800000005 · range
IN · 9800000001 to 9800000005 · range
DE · 0171-2345678 bis 0171-2345680 · range
IN · 9800000001-05 · not_valid
IN · 4111 1111 1111 1111 · too_long
IN · 98000000019700000001 · too_long
# nobody's number, and short ones
IN · 0000000000 · placeholder
IN · 00000-00000 · placeholder
IN · 1111111111 · placeholder
IN · +910000000000 · placeholder
IN · 0123456789 · placeholder
US · 000-000-0000 · placeholder
US · 123-456-7890 · placeholder
US · +1 111 111 1111 · placeholder
DE · 1234567 · placeholder
IN · 121 · short_number
IN · 1947 · short_number
US · 911 · short_number
DE · 112 · short_number
DE · 10115 · short_number
IN · 12 · too_short
# nothing
IN · NA · missing
IN · N/A · missing
IN · nan · missing
IN · \N · missing
IN · -- · missing
IN · . · missing
DE · k.A. · missing
IN · #N/A · spreadsheet_error
IN · #ERROR! · spreadsheet_error
"""


def cells():
    for line in CELLS.strip().splitlines():
        if not line.startswith("#"):
            region, cell, wanted = line.split(" · ")
            yield pytest.param(cell.replace(r"\n", "\n"), region, wanted, id=f"{region} {cell}")


def outcome(cell, region):
    """The numbers of a cell with spaces between, or the code of its refusal."""
    found = numbers_in(cell, region)
    return found.code if isinstance(found, PhoneRefused) else " ".join(phone.e164 for phone in found)


@pytest.mark.parametrize(("cell", "region", "wanted"), list(cells()))
def test_a_cell_gives_exactly_the_numbers_it_holds_or_its_own_refusal(either_library, cell, region, wanted):
    assert outcome(cell, region) == wanted


COUNTRIES = [
    "IN", "US", "DE", "GB", "FR", "ES", "IT", "PL", "NL", "SE", "CH", "AT", "RU", "CN", "JP", "ID",
    "PK", "BD", "NG", "PH", "KE", "ZA", "BR", "MX", "AE", "SA", "TR", "EG", "VN", "LK", "NP", "AU",
]  # fmt: skip
AROUND = [
    "{n}", " {n} ", "{n},", "{n};", "({n})", "~{n}", '"{n}"', "📞 {n}", "{n} (Wife)", "Ravi {n}", "{n} - office",
    "Mobile: {n}", "{n} / NA", "{n}, {n}", "'{n}", '="{n}"', "{n}\n", "\u202a{n}\u202c", "{n} asha@example.org",
]  # fmt: skip


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("region", COUNTRIES)
def test_what_stands_around_a_number_does_not_matter_in_any_country(region, around):
    mobile = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    e164 = phonenumbers.format_number(mobile, phonenumbers.PhoneNumberFormat.E164)
    national = phonenumbers.format_number(mobile, phonenumbers.PhoneNumberFormat.NATIONAL)
    international = phonenumbers.format_number(mobile, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    for written in (e164, national, international, "00" + e164[1:]):
        assert outcome(around.format(n=written), region) == e164


@pytest.mark.parametrize("between", [" / ", ", ", ";", " | ", "\n", " or ", " & ", " ::: "])
@pytest.mark.parametrize("region", COUNTRIES)
def test_two_numbers_are_two_in_any_country_however_they_are_kept_apart(region, between):
    mobile = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    e164 = phonenumbers.format_number(mobile, phonenumbers.PhoneNumberFormat.E164)
    national = phonenumbers.format_number(mobile, phonenumbers.PhoneNumberFormat.NATIONAL)
    assert outcome(f"{national}{between}+12025550123", region) == f"{e164} +12025550123"
    assert outcome(f"+1 202-555-0123{between}{national}", region) == f"+12025550123 {e164}"


def test_one_number_is_wanted_where_a_cell_holds_two():
    refused = normalise("9800000001 / 9700000001", "IN")
    assert isinstance(refused, PhoneRefused) and refused.code == "two_numbers"
    assert normalise("9800000001 / 9800000001", "IN") == Phone(
        "+919800000001", "same number written twice, country code added"
    )


@pytest.mark.parametrize(
    ("cell", "region", "international", "national"),
    [
        ("4915123455851", "DE", "+4915123455851", "+494915123455851"),
        ("49 15123 455851", "DE", "+4915123455851", "+494915123455851"),
        ("Mobil 4915123455851", "DE", "+4915123455851", "+494915123455851"),
    ],
)
def test_a_number_valid_in_two_ways_is_proposed_as_international_and_names_the_other(
    either_library, cell, region, international, national
):
    found = normalise(cell, region)
    assert isinstance(found, Phone)
    assert (found.e164, found.other) == (international, national)
    assert "plus sign put back" in found.rule


@pytest.mark.parametrize(
    ("cell", "region"),
    [("919800000001", "IN"), ("9100000001", "IN"), ("+4915123455851", "DE"), ("004915123455851", "DE"),
     ("04915123455851", "DE"), ("12025550123", "US"), ("447911123456", "GB"), ("015123455851", "DE")],
)  # fmt: skip
def test_a_number_valid_in_one_way_is_no_doubt(either_library, cell, region):
    found = normalise(cell, region)
    assert isinstance(found, Phone) and not found.other


def test_a_lost_plus_of_another_country_is_refused_and_pointed_out():
    refused = normalise("971501234567", "IN")
    assert isinstance(refused, PhoneRefused)
    assert refused.suggestion == "If the country is United Arab Emirates, put the plus sign in front: +971…"


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("9800000003 (Wife)", "words around the number removed, country code added"),
        ("9800000003,", "marks around the number removed, country code added"),
        ("++919800000003", "doubled plus sign"),
        ("0919800000003", "zero before the country code removed"),
        ("9,80,00,00,003", "thousands separators removed, country code added"),
        ("9800000003/4", "other digits in the cell left out, country code added"),
        ("wa.me/919800000003", "telephone link"),
        ("+91 98000_00003", "spaces and brackets removed"),
        ("9800000003 / 9700000003", "one of several numbers in the cell, country code added"),
    ],
)
def test_every_repair_has_a_name(either_library, cell, rule):
    found = numbers_in(cell, "IN")
    assert not isinstance(found, PhoneRefused)
    assert found[0].rule == rule


PIECES = st.sampled_from(
    ["9800000001", "+919800000002", "0171 2345678", "4915123455851", "(202) 555-0123", "98000", "12", "0", "+91", "+",
     "-", "/", ",", ";", " ", "\n", "(", ")", ".", "'", ":", "=", "x5", "ext 7", "NA", "or", "Ravi", "Mob", "wa.me/",
     "tel:", "https://", "@", "#", "*", "📞", "E+11", ".0", "Rs", "2026-07-01", "९८०००"]
)  # fmt: skip


def comes_from(national: str, digits: str) -> bool:
    """True when the digits stand in the same order in the cell."""
    rest = iter(digits)
    return all(digit in rest for digit in national)


@given(st.lists(PIECES, max_size=6).map("".join) | st.lists(PIECES, max_size=6).map(" ".join),
       st.sampled_from([None, "IN", "DE", "US", "IT", "BR"]))  # fmt: skip
@example("9800000004/5", "IN")
def test_no_number_holds_a_digit_that_its_cell_does_not_and_every_answer_is_final(cell, region):
    found = numbers_in(cell, region)
    one = normalise(cell, region)
    if isinstance(found, PhoneRefused):
        assert one == found
        assert found.code and found.reason.endswith(".") and found.suggestion
        return
    assert one == (found[0] if len(found) == 1 else one)
    assert len({phone.e164 for phone in found}) == len(found)
    digits = "".join(str(int(char)) for char in cell if char.isdigit())
    for phone in found:
        assert phonenumbers.is_valid_number(phonenumbers.parse(phone.e164))
        assert comes_from(numbering.split(phone.e164)[1], digits)
        assert numbers_in(phone.e164, region) == (Phone(phone.e164),)


@given(st.lists(PIECES, max_size=5).map(" ".join), st.sampled_from([None, "IN", "DE"]))
def test_both_libraries_read_every_cell_alike(cell, region):
    answers = []
    before = numbering.library
    try:
        for library in ("phonenumbers", "rphonenumbers"):
            numbering.library = import_module(library)
            answers.append(numbers_in(cell, region))
    finally:
        numbering.library = before
    assert answers[0] == answers[1]
