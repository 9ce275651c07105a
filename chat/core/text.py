"""What may stand in a message: checked once, the same for visitors and staff."""

import re
import unicodedata

from chat.core.errors import ErrorCode, Refused

MOST_CHARACTERS = 4_000

_ORDINARY = re.compile("[\t\n -~\u00a0-\u00ac\u00ae-\u024f\u2010-\u2027\u20ac]*[!-~\u00a1-\u00ac\u00ae-\u024f]")
"""Texts in English and French: nothing in them needs a closer look, and the last character is one to read."""
_LINE_BREAKS = {"\r\n": "\n", "\r": "\n", "\u2028": "\n", "\u2029": "\n"}
_INVISIBLE = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})


def checked(body: str) -> str:
    """Return the text as it will be stored, or raise `Refused`.

    Line ends become newlines and the outer blank space goes. Refused are: nothing to read (`TEXT_EMPTY`; marks of
    direction and joiners alone are nothing), more than 4,000 characters (`TEXT_TOO_LONG`), control characters other
    than tab and newline, NUL among them (`TEXT_CONTROL`), and half surrogate pairs (`TEXT_UNPAIRED`). Marks of
    direction inside a text stay: Arabic and Hebrew need them, and pages isolate each message.
    """
    for ending, newline in _LINE_BREAKS.items():
        body = body.replace(ending, newline)
    body = body.strip()
    if len(body) > MOST_CHARACTERS:
        raise Refused(ErrorCode.TEXT_TOO_LONG)
    if _ORDINARY.fullmatch(body):
        return body
    categories = {character: unicodedata.category(character) for character in set(body)}
    if any(category == "Cs" for category in categories.values()):
        raise Refused(ErrorCode.TEXT_UNPAIRED)
    if any(category == "Cc" and character not in "\t\n" for character, category in categories.items()):
        raise Refused(ErrorCode.TEXT_CONTROL)
    if all(category in _INVISIBLE for category in categories.values()):
        raise Refused(ErrorCode.TEXT_EMPTY)
    return body


def checked_if_any(text: str) -> str:
    """Return a text that may be left out as it will be stored; nothing to read is "". Else as `checked`."""
    try:
        return checked(text)
    except Refused as refused:
        if refused.code is ErrorCode.TEXT_EMPTY:
            return ""
        raise


def checked_reason(text: str) -> str:
    """Return a reason as it will be stored; one that holds nothing to read is missing. Else as `checked`."""
    reason = checked_if_any(text)
    if not reason:
        raise Refused(ErrorCode.REASON_MISSING)
    return reason
