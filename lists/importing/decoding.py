"""The encoding of a text: a byte order mark and valid UTF-8 are facts, everything else is a proposal."""

import codecs
from pathlib import Path
from typing import NamedTuple

from charset_normalizer import from_bytes

from lists.importing.formats import SAMPLE_BYTES, refuse_binary
from lists.importing.refusals import FileRefused

BLOCK_BYTES = 1024 * 1024

ENCODINGS: dict[str, str] = {
    "utf-8": "Unicode (UTF-8)",
    "utf-16-le": "Unicode (UTF-16)",
    "utf-16-be": "Unicode (UTF-16, big-endian)",
    "utf-32-le": "Unicode (UTF-32)",
    "utf-32-be": "Unicode (UTF-32, big-endian)",
    "cp1252": "Western European (Windows)",
    "iso8859-1": "Western European (Latin-1)",
    "iso8859-15": "Western European (Latin-9)",
    "mac-roman": "Western European (Mac)",
    "cp850": "Western European (DOS)",
    "cp1250": "Central European (Windows)",
    "iso8859-2": "Central European (Latin-2)",
    "cp1251": "Cyrillic (Windows)",
    "koi8-r": "Cyrillic (KOI8-R)",
    "iso8859-5": "Cyrillic (ISO)",
    "cp866": "Cyrillic (DOS)",
    "cp1253": "Greek (Windows)",
    "iso8859-7": "Greek (ISO)",
    "cp1254": "Turkish (Windows)",
    "cp1255": "Hebrew (Windows)",
    "cp1256": "Arabic (Windows)",
    "cp1257": "Baltic (Windows)",
    "cp1258": "Vietnamese (Windows)",
    "tis-620": "Thai",
    "cp932": "Japanese (Shift-JIS)",
    "euc_jp": "Japanese (EUC)",
    "iso2022_jp": "Japanese (ISO-2022)",
    "gb18030": "Simplified Chinese",
    "big5": "Traditional Chinese",
    "cp949": "Korean",
}
"""Codec name -> what people call it; the encodings a file may be read in."""


_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Coded(NamedTuple):
    """An encoding and how it was found; not `certain` means a person should look."""

    name: str
    bom: bool
    certain: bool
    sentence: str


def encoding_of(path: Path) -> Coded:
    """The encoding of a file, by mark, by strict reading of all of it, or as a proposal. Raises FileRefused."""
    head = _head(path)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return Coded(name, True, True, f"{ENCODINGS[name]}, by its byte order mark.")
    if unmarked := _unicode_without_mark(head):
        return Coded(unmarked, False, True, f"{ENCODINGS[unmarked]}, by the pattern of its bytes.")
    refuse_binary(head)
    if b"\x1b$" in head:
        return Coded("iso2022_jp", False, False, f"{ENCODINGS['iso2022_jp']}, by its escape marks.")
    good, bad, sample = _utf8_census(path)
    if not bad:
        return Coded("utf-8", False, True, f"{ENCODINGS['utf-8']}: all of the file reads as such.")
    # In another encoding nearly no line with such characters happens to be UTF-8.
    if good > 2 * bad:
        line = _first_unreadable_line(path, "utf-8")
        sentence = (
            f"{ENCODINGS['utf-8']}, but line {line} holds bytes that are not; such lines are set aside as damaged."
        )
        return Coded("utf-8", False, False, sentence)
    name = _proposed(sample)
    return Coded(name, False, False, f"Not UTF-8; {ENCODINGS[name]} is the likeliest. Check the names below.")


def _unicode_without_mark(head: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark betrays itself by NUL bytes that keep to their places."""
    zeros = [head[place::4].count(0) for place in range(4)]
    quarter = len(head) // 4
    if quarter and min(zeros[1:]) > 0.9 * quarter and zeros[0] == 0:
        return "utf-32-le"
    if quarter and min(zeros[:3]) > 0.9 * quarter and zeros[3] == 0:
        return "utf-32-be"
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    if even + odd < 0.04 * len(head):
        return None
    if odd > 20 * even and (b"\n\0" in head or b"\r\0" in head):
        return "utf-16-le"
    return "utf-16-be" if even > 20 * odd and (b"\0\n" in head or b"\0\r" in head) else None


def _utf8_census(path: Path) -> tuple[int, int, bytes]:
    """(lines whose non-ASCII characters are UTF-8, lines where they are not, a bounded sample of the latter)."""
    good = bad = 0
    sample: list[bytes] = []
    room = SAMPLE_BYTES
    with path.open("rb") as file:
        while line := file.readline(BLOCK_BYTES):
            if line.isascii():
                continue
            try:
                line.decode()
                good += 1
            except UnicodeDecodeError as error:
                # A block of an over-long line may end inside a character; that is no fault.
                if len(line) == BLOCK_BYTES and error.start > len(line) - 4:
                    continue
                bad += 1
                if room > 0:
                    sample.append(line[:room])
                    room -= len(line)
    return good, bad, b"".join(sample)


def _proposed(sample: bytes) -> str:
    """The likeliest encoding of bytes that are not UTF-8; Western European unless another is clearly better."""
    names = {codecs.lookup(name).name: name for name in ENCODINGS}
    candidates = [name for name in ENCODINGS if not name.startswith("utf")]
    best = from_bytes(sample, cp_isolation=candidates, enable_fallback=False).best()
    guessed = names.get(codecs.lookup(best.encoding).name) if best else None
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError:
        return guessed or "iso8859-1"
    western = {"iso8859-1", "iso8859-15", "mac-roman", "cp850", "cp1250", "iso8859-2", "cp1254", "cp1257", "cp1258"}
    return "cp1252" if guessed is None or guessed in western else guessed


def chosen_encoding(path: Path, written: str) -> Coded:
    """The encoding a person chose; where only the order of bytes is open, the mark says it. Raises FileRefused."""
    name = _known_encoding(written)
    bom = next((marked for mark, marked in _BOMS if _head(path).startswith(mark)), None)
    name = bom if bom and written.lower().replace("_", "-") in {"utf-16", "utf-32"} else name
    return Coded(name, bom == name, True, f"{ENCODINGS[name]}, as chosen.")


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(SAMPLE_BYTES)


def _known_encoding(name: str) -> str:
    """The entry of ENCODINGS for any spelling of it; raises FileRefused."""
    try:
        wanted = codecs.lookup(name).name
    except (LookupError, ValueError):
        wanted = ""
    wanted = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le", "ascii": "utf-8"}.get(wanted, wanted)
    for known in ENCODINGS:
        if codecs.lookup(known).name == wanted:
            return known
    raise FileRefused("unknown_encoding", f"“{name}” is no encoding we read. Choose one of: {', '.join(ENCODINGS)}.")


def _mark(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 - the only kind a reader raises
    return UNREADABLE, error.end


UNREADABLE = "\ud800"
"""What stands for bytes that cannot be decoded: half a character, which no decoder ever yields."""
MARK = "contactadmin-mark"
"""The error handler that puts it there."""
codecs.register_error(MARK, _mark)


def _first_unreadable_line(path: Path, encoding: str) -> int:
    with path.open(encoding=encoding, errors=MARK, newline="") as file:
        number = 1
        while line := file.readline(BLOCK_BYTES):
            if UNREADABLE in line:
                return number
            number += line.endswith(("\n", "\r"))
    return number
