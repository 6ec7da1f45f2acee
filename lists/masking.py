"""Numbers of people as somebody may see them, alone or anywhere in a text."""

import re

from django.contrib.auth.models import AnonymousUser, User

from lists import phones
from lists.permissions import may

# Five digits or more with whatever people write between them; a spreadsheet's 9.19877E+11 among them.
_NUMBER = re.compile(r"\d(?:[\s().+/,'Ee-]*\d){4,}")


def hide_numbers(text: str) -> str:
    """The text with every number in it hidden but for its last three digits."""

    def hidden(match: re.Match[str]) -> str:
        kept = "".join(char for char in match[0] if char.isdigit())[-3:]
        return "•" * max(len(match[0]) - 3, 2) + kept

    return _NUMBER.sub(hidden, text)


def phone_for(e164: str, user: User | AnonymousUser) -> str:
    """The number as this person may see it: grouped, or masked."""
    return phones.display(e164) if may(user, "see_numbers") else phones.mask(e164)
