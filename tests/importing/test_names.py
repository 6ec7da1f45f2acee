"""Names of people as files have them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lists.importing.names import Name, is_name, is_salutation, looks_garbled, split_full_name, split_salutation


@pytest.mark.parametrize(
    ("text", "salutation", "first", "last"),
    [
        ("Asha Rao", "", "Asha", "Rao"), ("Asha", "", "Asha", ""), ("", "", "", ""),
        ("Ravi K Iyer", "", "Ravi", "K Iyer"),
        ("Rao, Asha", "", "Asha", "Rao"), ("Iyer, Ravi K", "", "Ravi K", "Iyer"), ("Rao , Asha", "", "Asha", "Rao"),
        ("Rao, Dr. Asha", "Dr.", "Asha", "Rao"), ("Mrs Rao, Asha", "Mrs", "Asha", "Rao"),
        ("Asha Rao, MD", "", "Asha", "Rao, MD"), ("Asha Rao, Ph.D.", "", "Asha", "Rao, Ph.D."),
        ("Rao, Asha, Pune", "", "Rao,", "Asha, Pune"),
        ("MR RAVI IYER", "MR", "RAVI", "IYER"), ("Smt. Lakshmi Devi", "Smt.", "Lakshmi", "Devi"),
        ("Dr. Anil Roy", "Dr.", "Anil", "Roy"), ("Dr.Anil Roy", "Dr.", "Anil", "Roy"),
        ("Shri Ravi Iyer", "Shri", "Ravi", "Iyer"),
        ("Prof. Dr. Anil Roy", "Prof. Dr.", "Anil", "Roy"), ("Mr. & Mrs. Rao", "Mr. & Mrs.", "Rao", ""),
        ("Sr. Juan Pérez", "Sr.", "Juan", "Pérez"), ("Frau Anna Roth", "Frau", "Anna", "Roth"), ("Mr", "Mr", "", ""),
        ("Sh. Ram Lal", "Sh.", "Ram", "Lal"), ("श्री रवि अय्यर", "श्री", "रवि", "अय्यर"),
        ("M/s Blue Heron Travel", "M/s", "Blue Heron Travel", ""), ("M/S. Blue Heron", "M/S.", "Blue Heron", ""),
        ("Drew Missal", "", "Drew", "Missal"), ("Sri Devi", "", "Sri", "Devi"), ("Sridevi Rao", "", "Sridevi", "Rao"),
        ("Asha\N{NO-BREAK SPACE}Rao", "", "Asha", "Rao"), ("  Asha   Rao ", "", "Asha", "Rao"),
        ("~Asha", "", "Asha", ""), ("~ Ravi 🚗", "", "Ravi", ""), ("Ravi ❤️ Iyer", "", "Ravi", "Iyer"),
        ("张伟", "", "张伟", ""),
    ],
)  # fmt: skip
def test_a_full_name_is_taken_apart(text, salutation, first, last):
    assert split_full_name(text) == Name(salutation, first, last)


@given(st.text(max_size=40))
def test_taking_a_name_apart_invents_and_swallows_no_letter(text):
    letters = sorted(char for char in text if char.isalnum())
    assert sorted(char for char in "".join(split_full_name(text)) if char.isalnum()) == letters


@pytest.mark.parametrize(
    ("text", "parts"),
    [("Mrs Asha", ("Mrs", "Asha")), ("Asha", ("", "Asha")), ("Dr.Asha", ("Dr.", "Asha")), ("Misha", ("", "Misha"))],
)
def test_a_first_name_may_begin_with_a_salutation(text, parts):
    assert split_salutation(text) == parts


@pytest.mark.parametrize(
    "text", ["Mr", "Mrs.", "MS", "Dr", "Smt.", "Shri", "M/s", "Herr", "Herr Dr.", "Sr", "Mr/Mrs", "Sh"]
)
def test_salutations_are_known(text):
    assert is_salutation(text)


@pytest.mark.parametrize(
    "text", ["Manager", "CEO", "Assistant General Manager", "Mr Iyer", "", "MD", "IN", "Marketing"]
)
def test_job_titles_and_names_are_no_salutations(text):
    assert not is_salutation(text)


@pytest.mark.parametrize(
    ("text", "answer"),
    [("Asha Rao", True), ("Rao, Asha", True), ("Dr. Anil Roy", True), ("Jean-Luc O’Neil", True), ("आशा राव", True),
     ("Asha", False), ("12 MG Road", False), ("Plan A2", False), ("asha@example.org", False), ("", False)],
)  # fmt: skip
def test_what_looks_like_the_whole_name_of_a_person(text, answer):
    assert is_name(text) is answer


@pytest.mark.parametrize("text", ["RenÃ©", "MÃ¼ller", "FranÃ§ois", "à¤¨à¤¾à¤®", "Ren�", "JosÃ\xad"])
def test_text_read_with_the_wrong_encoding_looks_garbled(text):
    assert looks_garbled(text)


@pytest.mark.parametrize("text", ["René", "Müller", "François", "नाम", "Zoë", "Åsa", "Asha", "São João", "🚗", "ÆØÅ"])
def test_honest_names_do_not(text):
    assert not looks_garbled(text)


@given(st.text(alphabet=st.characters(min_codepoint=0xA0, max_codepoint=0x17F, categories=["L"]), min_size=1))
def test_whatever_was_read_wrongly_is_noticed(text):
    assert looks_garbled(text.encode().decode("latin-1"))
