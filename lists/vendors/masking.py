"""What may be kept and shown of a request or an answer: credentials, numbers and addresses taken out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from .records import Answer, Request

DOTS = "••••"
LIMIT = 4096  # bytes, of an excerpt
WORDS = 300  # characters, of a vendor's words

_TOKEN = re.compile(r"eyJ[\w-]{4,}(?:\.[\w-]*)+|(?:Bearer|Basic)\s+[\w.+/=-]{6,}|wbk_\w+")
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]+@(?=[\w-]{1,63}\.)")
_UUID = r"\b[0-9a-fA-F]{7,8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"
# a number in one piece, or an international one with its usual separators
_NUMBER = re.compile(rf"({_UUID})|\+\d[\d ().-]{{5,18}}\d|\d{{7,}}")
_SECONDS = re.compile(r":\d\d\.$")
_HEX = frozenset("0123456789abcdefABCDEF")
_SHORTEST_HEX_ID = 20


def mask(text: str, secrets: Sequence[str] = ()) -> str:
    for secret in secrets:
        if secret:
            text = text.replace(secret, DOTS)
    text = _TOKEN.sub(DOTS, text)
    if "@" in text:
        text = _EMAIL.sub(f"{DOTS}@", text)
    return _NUMBER.sub(_mask_number, text)


def spellings(secret: str) -> tuple[str, ...]:
    """How a secret looks when it is told back: plainly, in JSON, in an address, on a page."""
    return tuple(dict.fromkeys((secret, json.dumps(secret)[1:-1], quote(secret, safe=""), escape(secret))))


def _cut(text: str, limit: int, secrets: Sequence[str]) -> str:
    """At most `limit` characters, ending before a secret rather than within it."""
    if len(text) <= limit:
        return text
    for secret in secrets:
        begin = text.find(secret, max(0, limit - len(secret) + 1), limit + len(secret) - 1) if secret else -1
        if begin >= 0:
            limit = min(limit, begin)
    return text[:limit]


def sentence(text: str, secrets: Sequence[str] = ()) -> str:
    """A vendor's words for one line of a log: masked, without line breaks and control characters, not too long."""
    plain = "".join(char if char.isprintable() else " " for char in _cut(text, WORDS, secrets))
    return mask(" ".join(plain.split()), secrets)


def _mask_number(match: re.Match[str]) -> str:
    """Ids are spared, for support asks for them: UUIDs and long hexadecimal ones. So are fractions of a second."""
    number = match[0]
    if match[1] or _SECONDS.search(match.string, max(0, match.start() - 4), match.start()):
        return number
    if number.isdigit():
        start, end = match.span()
        text, first, last = match.string, start, end
        while first > 0 and start - first < _SHORTEST_HEX_ID and text[first - 1] in _HEX:
            first -= 1
        while last < len(text) and last - end < _SHORTEST_HEX_ID and text[last] in _HEX:
            last += 1
        if last - first >= _SHORTEST_HEX_ID:
            return number
    return f"{number[:3]}{DOTS}{number[-3:]}"


def excerpt(what: Request | Answer, secrets: Sequence[str] = (), limit: int = LIMIT) -> str:
    """The request line and body, or the status and body, masked and cut to `limit` bytes."""
    if isinstance(what, Request):
        query = "?" + "&".join(f"{name}={value}" for name, value in what.params.items()) if what.params else ""
        body = what.csv if what.csv is not None else what.body[:limit].decode("utf-8", "ignore")
        text = f"{what.method} {what.path}{query}\n{body}"
    else:
        text = f"HTTP {what.status}\n{what.text(limit + max(map(len, secrets), default=0))}"
    # cut before masking: masking makes a text at most a little longer, and a million characters are not worth reading
    shown = mask(_cut(text, limit, secrets), secrets).replace("\0", "\ufffd").encode("utf-8", "replace")
    return shown[:limit].decode("utf-8", "ignore")
