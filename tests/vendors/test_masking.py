"""What is kept of requests and answers shows no credential and no number."""

import json

import pytest

from lists.vendors import masking
from lists.vendors.records import Answer, Request


@pytest.mark.parametrize(
    "number",
    ["+12025550123", "12025550123", "2025550123", "+1 202-555-0123", "+1 (202) 555 0123", "+44 7700 900123", "5550123"],
)
@pytest.mark.parametrize("around", ["{}", "bad number {}.", '"phone":"{}"', "({})", "a,{},b", "tel:{}"])
def test_numbers_are_masked_wherever_they_stand(number, around):
    masked = masking.mask(around.format(number))
    assert number not in masked
    assert "0123"[-4:] not in masked or number == "5550123"
    assert masking.DOTS in masked


@pytest.mark.parametrize(
    "harmless",
    [
        "0d9f4a10-0000-4000-8000-000000000001",
        "cl-a1b2c3d-0001-4abc-8def-012345678901",
        "00112233445566778899aabbccddeeff",
        "2031-02-03T09:35:06.123456789+05:30",
        "HTTP 429",
        "batch of 500",
    ],
)
def test_ids_and_times_are_left_alone(harmless):
    assert masking.mask(harmless) == harmless


@pytest.mark.parametrize(
    "secret", ["eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl", "Bearer abc.def-ghi", "Basic YWJjOmRlZg==", "wbk_live_0123abc"]
)
def test_tokens_are_masked_even_if_they_are_not_ours(secret):
    assert secret.split()[-1] not in masking.mask(f"refused: {secret} (was sent)")


def test_the_connections_own_secrets_are_masked_whatever_they_look_like():
    assert masking.mask("key is plainword, said it", ["plainword"]) == "key is ••••, said it"


def test_addresses_lose_their_name():
    assert masking.mask("mara.q+1@example.com exists") == "••••@example.com exists"


def test_words_are_one_line_without_control_characters_and_not_endless():
    said = masking.sentence("no\r\nX: \x1b[31m" + "x" * 1000)
    assert "\n" not in said
    assert "\x1b" not in said
    assert len(said) <= masking.WORDS


def test_an_excerpt_is_at_most_4_kb_and_shows_the_beginning():
    request = Request("add", "POST", "/v1/x", json={"phones": ["+12025550123"] * 1000}, params={"page": "1"})
    shown = masking.excerpt(request)
    assert shown.startswith("POST /v1/x?page=1\n")
    assert len(shown.encode()) <= 4096
    assert "2025550123" not in shown
    answer = Answer(207, {}, json.dumps({"number": "ü" * 9000}, ensure_ascii=False).encode())
    assert len(masking.excerpt(answer).encode()) <= 4096


def test_a_file_is_masked_too():
    request = Request("import", "POST", "/x", csv='"Mara","2025550123","+1"\r\n', csv_field="f")
    assert "2025550123" not in masking.excerpt(request)


@pytest.mark.parametrize("spelled", ['a"b&c/d+e', 'a\\"b&c/d+e', "a%22b%26c%2Fd%2Be", "a&quot;b&amp;c/d+e"])
def test_a_secret_that_is_told_back_in_another_spelling_is_masked_too(spelled):
    assert masking.mask(f"you sent <{spelled}>", masking.spellings('a"b&c/d+e')) == "you sent <••••>"


@pytest.mark.parametrize("before", range(80, 101))
def test_a_secret_on_the_edge_of_an_excerpt_leaves_no_part_of_itself(before):
    answer = Answer(500, {}, b"." * before + b"plainsecretword" + b"." * 100)
    shown = masking.excerpt(answer, ["plainsecretword"], limit=len("HTTP 500\n") + 100)
    assert not set("plainsecretword") & set(shown.partition("\n")[2])
    words = masking.sentence("." * (before + masking.WORDS - 100) + "plainsecretword", ["plainsecretword"])
    assert not set("plainsecretword") & set(words)


def test_an_excerpt_has_no_character_a_database_refuses():
    assert masking.excerpt(Answer(200, {}, "wörter".encode("utf-16"))).count("\0") == 0
