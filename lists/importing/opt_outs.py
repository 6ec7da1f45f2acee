"""Columns that say who must not be contacted, and what their values say.

The product may add a do-not-contact and never lifts one, so a column is read by itself only where both its header and
its value leave no doubt. Where they do, a person is asked.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from lists.blanks import is_blank
from lists.fields import BY_NAME
from lists.importing.columns import key, words

Sense = Literal["opt_out", "consent", "status", ""]
"""opt_out: yes means do not contact. consent: no means it. status: the values say it themselves. "": nothing known."""

MOSTLY = 0.8
"""The share of the values of a column from which on we say that its values are of a kind."""


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(key(phrase) for phrase in text.split(","))


def _pattern(phrases: Sequence[str]) -> re.Pattern[str]:
    """What finds one of the phrases as whole words of a text as `key` leaves it."""
    longest_first = sorted(map(re.escape, phrases), key=len, reverse=True)
    return re.compile(rf"(?<!\S)(?:{'|'.join(longest_first)})(?!\S)")


# Headers -------------------------------------------------------------------------------------------------------------

_OPT_OUT = _pattern(
    _phrases("do not contact, don t call, don t contact, donotcontact, do not mail or call, dnd, opted out of")
    + tuple(" ".join(words(alias)) for alias in BY_NAME["do_not_contact"].aliases)
)
_CONSENT = _pattern(_phrases("""
    consent, consents, consented, opt in, opted in, optin, opt ins, accepts marketing, accepts sms marketing,
    accepts sms, accepts calls, accepts whatsapp marketing, marketing permission, permission to call,
    permission to contact, permission to text, ok to call, ok to contact, ok to text, okay to call, can call,
    can contact, may call, may contact, allow calls, allow contact, contactable, callable, subscribed, is subscribed,
    subscribed to sms, einwilligung, werbeeinwilligung, zustimmung, darf kontaktiert werden, darf angerufen werden,
    consentimiento, acepta marketing, acepta llamadas, suscrito, consentement, accepte le marketing, abonné, inscrit,
    consentimento, aceita marketing, aceita ligações, inscrito, सहमति, अनुमति
"""))  # fmt: skip
_STATUS = _pattern(_phrases("""
    status, subscription, subscription state, subscription type, disposition, contact state, marketing state, estado,
    statut, situação, स्थिति
"""))  # fmt: skip
_TURNED_ROUND = _pattern(_phrases("""
    no, not, non, without, never, lack, lacks, missing, withdrawn, withdraws, withdrawal, revoked, revokes, refused,
    refuses, declined, denied, removed, removal, override, exempt, kein, keine, nicht, widerrufen, ohne, sin, sans, sem
"""))  # fmt: skip
_BY_OTHER_WAYS = _pattern(_phrases("email, e mail, emails, mail, mails, mailing, newsletter, newsletters, fax, post"))
_BY_PHONE = _pattern(_phrases("""
    sms, call, calls, calling, phone, mobile, telephone, text, texts, whatsapp, voice, tele, contact, all, any
"""))  # fmt: skip
_ABOUT_ITSELF = _pattern(_phrases("""
    date, time, timestamp, at, on, since, source, by, id, reason, count, url, link, version, ip, datum, fecha, data,
    checked, check, until, method, text of, form, level, language
"""))  # fmt: skip
_SPEAKS_OF_CONTACT = _pattern(_phrases("""
    call, calls, calling, call you, callable, contactable, contact you, marketing, promotion, promotions, promotional,
    permission, permissions, consent, consents, consented, subscribe, subscribed, subscription, subscriber, subscribes,
    unsubscribe, unsubscribed, newsletter, newsletters, sms, text you, gdpr, dsgvo, rgpd, lgpd, dpdp, tcpa, trai, opt,
    opted, optin, optout, opt in, opt out, block, blocked, dnd, dnc, communication, communications, reach you, disturb,
    stop, solicitation, telemarketing, werbung, einwilligung, kontaktieren, anrufen, anruf, kontakterlaubnis, llamar,
    llamadas, contactar, publicidad, appeler, appels, contacter, publicité, ligar, ligações, contatar, publicidade,
    कॉल, सहमति
"""))  # fmt: skip
_OF_MARKETING = _pattern(_phrases("""
    marketing, subscription, subscriber, consent, permission, newsletter, opt in, opt out, dnd, dnc, werbung
"""))  # fmt: skip
_ASKS_TO_CONTACT = re.compile(
    r"(?<!\S)(?:may|can|could|ok|okay|allow|allowed|allows|agree|agrees|accept|accepts|want|wants|wish|like|please|not|"
    r"dont|stop|never|no)(?!\S).*(?<!\S)contact(?:ed)?(?!\S)"
)
_ASKS_FOR_A_YES = re.compile(
    r"(?<!\S)(?:may|can|could|ok|okay|allow|allowed|allows|agree|agrees|accept|accepts|want|wants|like|permission|"
    r"permissions|subscribe|subscribed|consent|consented|darf|dürfen|acepta|accepte|aceita)(?!\S)"
)
_IS_ANY_FLAG = re.compile(r"(?:flag|y n|yes no|column \d+|spalte \d+|unnamed(?: \d+)?|field \d+)?").fullmatch


@lru_cache(maxsize=1000)  # asked for every row of a column nobody has answered for
def _text(header: str) -> str:
    return " ".join(words(header))


@lru_cache(maxsize=1000)
def sense(header: str) -> Sense:
    """How the values of a column are to be read, going by its header; "" where the header does not settle it."""
    text = _text(header)
    if not text or text.count(" ") > 6 or _ABOUT_ITSELF.search(text) or _is_by_other_ways(text):
        return ""
    if found := _OPT_OUT.search(text):
        around = text[: found.start()] + text[found.end() :]
        return "" if _TURNED_ROUND.search(around) or _CONSENT.search(around) else "opt_out"
    if _CONSENT.search(text):
        is_open = _TURNED_ROUND.search(text) or header.rstrip().endswith("?")  # what was asked is not what was agreed
        return "" if is_open else "consent"
    return "status" if _STATUS.search(text) else ""


def _is_by_other_ways(text: str) -> bool:
    return _BY_OTHER_WAYS.search(text) is not None and not _BY_PHONE.search(text)


def is_by_other_ways(header: str) -> bool:
    """Whether a header speaks of e-mail, fax or post alone, as “Accepts Email Marketing” does: not of calls."""
    return _is_by_other_ways(_text(header))


def is_about_calls(header: str) -> bool:
    """Whether a header speaks of calls and messages, which comes before one that names no way at all."""
    return _BY_PHONE.search(_text(header)) is not None


# Values --------------------------------------------------------------------------------------------------------------

_YES = frozenset(_phrases("""
    yes, y, true, t, 1, 1 0, x, ✓, ✔, ✅, ☑, on, ja, j, wahr, si, s, verdadero, oui, o, vrai, sim, verdadeiro, haan,
    हाँ, हां
""")) - {""}  # fmt: skip
_NO = frozenset(_phrases("""
    no, n, false, f, 0, 0 0, off, nein, falsch, falso, non, faux, nao, nahi, nahin, नहीं
"""))  # fmt: skip
_MARKS = {"✓": True, "✔": True, "✅": True, "☑": True, "✗": False, "✘": False, "❌": False, "☐": False}
_SAYS_STOP = frozenset(_phrases("""
    dnd, dnc, ndnc, do not call, do not contact, do not disturb, do not text, dont call, don t call, dont contact,
    don t contact, never call, no calls, opted out, opt out, optout, optedout, unsubscribed, unsubscribe, blacklisted,
    blacklist, on dnd, dnd active, dnd yes, dnd registered, abgemeldet, nicht anrufen, nicht kontaktieren, no llamar,
    no contactar, dado de baja, baja, désabonné, désinscrit, ne pas appeler, ne pas contacter, não ligar,
    não contatar, descadastrado, कॉल न करें, संपर्क न करें
"""))  # fmt: skip
_SAYS_GO = frozenset(_phrases("""
    subscribed, opted in, opt in, optin, optedin, can call, may call, ok to call, ok to contact, callable, contactable,
    not dnd, non dnd, no dnd, dnd no, not on dnd, angemeldet, suscrito, abonné, inscrit, inscrito
"""))  # fmt: skip
_OF_CONSENT = {
    **dict.fromkeys(_phrases("""
        withdrawn, revoked, refused, declined, denied, rejected, not given, not granted, not subscribed, notsubscribed,
        no consent, without consent, widerrufen, abgelehnt, revocado, rechazado, refusé, retiré, revogado, recusado
    """), True),
    **dict.fromkeys(_phrases("""
        given, granted, accepted, agreed, allowed, approved, active, erteilt, zugestimmt, otorgado, aceptado,
        accepté, concedido, aceito
    """), False),
}  # fmt: skip
_OF_STATUS = {
    **dict.fromkeys(_phrases("blocked, blocklisted, suppressed, stop, stopped, gesperrt, bloqueado, bloqué"), True),
    **dict.fromkeys(_phrases("active, allowed, confirmed, aktiv, activo, actif, ativo"), False),
}
_OF_OPT_OUT = dict.fromkeys(_phrases("blocked, blocklisted, suppressed, stop, stopped, gesperrt, bloqueado"), True)


def compared(value: str) -> str:
    """A value as it is compared and as `Mapping.opt_out` names it."""
    return key(value) or value.strip()


def reading(value: str, sense: str) -> bool | None:
    """True: do not contact. False: may be contacted. None: the value is blank, or does not say."""
    said = compared(value)
    if said in _SAYS_STOP or said in _SAYS_GO:
        return said in _SAYS_STOP
    answer = _answer(said)
    match sense:
        case "opt_out":
            return _OF_OPT_OUT.get(said) if answer is None else answer
        case "consent":
            return _OF_CONSENT.get(said) if answer is None else not answer
        case "status":
            return _OF_STATUS.get(said)
    return None


def _answer(said: str) -> bool | None:
    """True for yes, False for no, None for anything else."""
    if said in _YES or said in _NO:
        return said in _YES
    return _MARKS.get(said)


def may_be_opt_out(header: str, values: Sequence[str]) -> bool:
    """Whether a column may say who must not be contacted, in a way only a person can settle."""
    said = [compared(value) for value in values if not is_blank(value)]
    if not said:
        return False
    if any(value in _SAYS_STOP for value in said):
        return True
    text = _text(header)
    how = sense(header)
    if how == "status":
        return _OF_MARKETING.search(text) is not None and any(reading(value, how) is None for value in said)
    if how or _OPT_OUT.search(text):
        return True
    answers = sum(_answer(value) is not None or value in _SAYS_GO or value in _OF_CONSENT for value in said)
    if answers and _asks_whether_to_contact(text):
        return True  # “ask me later” among the answers does not make it another question
    if answers < MOSTLY * len(said):
        return False
    return any(asks(text) for asks in (_SPEAKS_OF_CONTACT.search, _ASKS_TO_CONTACT.search, _IS_ANY_FLAG))


def _asks_whether_to_contact(text: str) -> bool:
    by_its_words = _ASKS_FOR_A_YES.search(text) and _SPEAKS_OF_CONTACT.search(text)
    return bool(by_its_words or _ASKS_TO_CONTACT.search(text))


def may_mean_opt_out(header: str, value: str) -> bool:
    """Whether one value of a column nobody has answered for may mean that its row must not be contacted."""
    said = compared(value)
    if is_blank(value) or said in _SAYS_GO:
        return False
    text = _text(header)
    answer = _answer(said)
    if answer is None:
        unreadable = sense(header) == "status" or _OPT_OUT.search(text) is not None
        return said in _SAYS_STOP or _OF_CONSENT.get(said, unreadable)
    return not answer if _ASKS_FOR_A_YES.search(text) else True
