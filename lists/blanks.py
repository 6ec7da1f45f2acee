"""The words that people and programs write into a cell to say that there is nothing in it. A leaf."""

__all__ = ["FIRST_OF_BLANKS", "is_blank"]

_TABLE = r"""
null  (null)  <null>  [null]  nil  none  (none)  nan  <na>  nat  undefined  (blank)  (empty)  \n
na  n/a  n.a.  n.a  n\a  n-a  -na-  not available  not applicable  not provided
#n/a  #na  #ref!  #value!  #name?  #div/0!  #num!  #null!  #error!  #spill!  #calc!  #getting_data
k.a.  keine angabe  nicht verfügbar  s/d  s.d.  sin datos  no aplica  n/d  n.d.  não informado  non renseigné  n.v.t.
"""
_WORDS = frozenset(word for line in _TABLE.splitlines() for word in line.split("  ") if word)
_STROKES = " \t\r\n\u00a0-‐‑–—−_.·*/\\?~,;:'\"`"
_LONGEST = max(map(len, _WORDS))
FIRST_OF_BLANKS = frozenset(_STROKES) | {letter for word in _WORDS for letter in word[0] + word[0].upper()}
"""What a cell that holds nothing begins with, white space aside; most others are told by their first character."""


def is_blank(text: str) -> bool:
    """True for an empty cell, for NULL, N/A, nan, -, #REF! and their kind in any case, and for strokes and dots alone.

    "NA" is blank too: ask this before asking which country a code is, where Namibia is not meant.
    """
    if not text:
        return True
    if text[0] not in FIRST_OF_BLANKS and not text[0].isspace():
        return False
    text = text.strip()
    if len(text) <= _LONGEST and text.casefold() in _WORDS:
        return True
    return not text.strip(_STROKES)
