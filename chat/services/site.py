"""What a site sets for its visitors: begun and changed here, and opened when nothing is missing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction

from audit.services import record
from chat.core.pausing import SHIPPED, lengths_of
from chat.core.survey import Survey
from chat.models import Site
from encryption.core.life import KEEP_CHOICES

Value = str | int | bool


class Setting(StrEnum):
    """Name what a site sets, in the order in which it is shown."""

    NAME = "name"
    PHONE = "phone"
    EMERGENCY = "emergency"
    EXIT_URL_EN = "exit_url_en"
    EXIT_URL_FR = "exit_url_fr"
    PAGE_TITLE_EN = "page_title_en"
    PAGE_TITLE_FR = "page_title_fr"
    KEEP_HOURS = "keep_hours"
    VISITOR_MAY_ERASE = "visitor_may_erase"
    MOST_WAITING = "most_waiting"
    INTERPRETERS_PHONE = "interpreters_phone"
    FOR_WORK_EN = "for_work_en"
    FOR_WORK_FR = "for_work_fr"
    SURVEY = "survey"
    PAUSE_MINUTES = "pause_minutes"
    OPEN = "open"


NAMES = tuple(setting.value for setting in Setting)
NEEDED = ("name", "phone", "exit_url_en", "exit_url_fr")
"""What has no sensible value of its own; without it no visitor is let in."""
_BEGINNING: Mapping[str, Value] = {
    "emergency": "911",
    "page_title_en": "Home",
    "page_title_fr": "Accueil",
    "keep_hours": 72,
    "visitor_may_erase": True,
    "most_waiting": 500,
    "interpreters_phone": "",
    "for_work_en": "",
    "for_work_fr": "",
    "survey": Survey.OFF.value,
    "pause_minutes": ",".join(map(str, SHIPPED)),
    "open": False,
}
_LONGEST = {
    "name": 80,
    "phone": 40,
    "emergency": 20,
    "page_title_en": 40,
    "page_title_fr": 40,
    "interpreters_phone": 40,
}
_LONGEST_ADDRESS = 200
_MOST_WAITING = 10_000
_MOST_LINES, _LONGEST_LINE = 12, 300
_NUMBER = re.compile(r"\+?[0-9](?:[ ().-]{0,2}[0-9])+")
_KEPT = tuple(int(choice.total_seconds()) // 3600 for choice in KEEP_CHOICES)
_https = URLValidator(schemes=["https"])


class BadSetting(Exception):
    """Report in one plain sentence why something is not set."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Show what is set, in the order of `NAMES`; nothing while the site was not begun."""

    values: Mapping[str, Value]
    missing: tuple[str, ...]


def site_settings() -> Settings:
    """Return what the site set, and what it lacks before it may open."""
    row = Site.objects.filter(pk=1).first()
    values = {} if row is None else _values(row)
    return Settings(values, _missing(values))


def set_site(given: Mapping[str, str], now: datetime) -> tuple[str, ...]:
    """Set what is given, all or nothing, and return what changed; begins the site, closed. Raises `BadSetting`."""
    wanted = {name: _checked(name, text) for name, text in given.items()}
    with transaction.atomic():
        row = Site.objects.select_for_update().filter(pk=1).first()
        before = {} if row is None else _values(row)
        after = {**(before or _BEGINNING), **wanted}
        missing = _missing(after)
        # a row without an exit would leave a visitor's quick exit nowhere to go
        if missing and (row is None or after["open"]):
            raise BadSetting(f"Nothing was set. Still missing: {', '.join(missing)}.")
        changed = tuple(name for name in NAMES if before.get(name) != after[name])
        if changed:
            Site.objects.update_or_create(pk=1, defaults=after)
        for name in changed:
            _tell(Setting(name), after[name], now)
    return changed


def _tell(setting: Setting, value: Value, now: datetime) -> None:
    """Put into the trail what was set: numbers and choices with their value, texts without."""
    if isinstance(value, str):
        record(actor="command", action=f"site.{setting.value}", subject="site", now=now)
    else:
        _tell_number(setting, int(value), now)


def _tell_number(setting: Setting, number: int, now: datetime) -> None:
    record(actor="command", action=f"site.{setting.value}", subject="site", data={"to": number}, now=now)


def _values(row: Site) -> dict[str, Value]:
    return {name: getattr(row, name) for name in NAMES}


def _missing(values: Mapping[str, Value]) -> tuple[str, ...]:
    return tuple(name for name in NEEDED if not values.get(name))


def _checked(name: str, text: str) -> Value:
    """Return a value as the row holds it."""
    if name not in NAMES:
        raise BadSetting(f"There is no setting {name!r}; there are {', '.join(NAMES)}.")
    if name in {"open", "visitor_may_erase"}:
        if text not in {"yes", "no"}:
            raise BadSetting(f"{name} is yes or no.")
        return text == "yes"
    if name == "keep_hours":
        if text not in map(str, _KEPT):
            raise BadSetting(f"keep_hours is one of {', '.join(map(str, _KEPT))}.")
        return int(text)
    if name == "most_waiting":
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_WAITING):
            raise BadSetting(f"most_waiting is a number from 1 to {_MOST_WAITING}.")
        return int(text)
    if name == "survey":
        if text not in list(Survey):
            raise BadSetting(f"survey is one of {', '.join(Survey)}.")
        return text
    if name == "pause_minutes":
        return _pauses(text)
    if name.startswith("for_work_"):
        return _for_work(name, text)
    if name == "interpreters_phone" and not text:
        return text
    return _address(name, text) if name.startswith("exit_url_") else _words(name, text)


def _words(name: str, text: str) -> str:
    if not (1 <= len(text) <= _LONGEST[name] and text.strip() == text and text.isprintable()):
        raise BadSetting(f"{name} is 1 to {_LONGEST[name]} signs that can be seen.")
    if name in {"phone", "emergency", "interpreters_phone"} and not _NUMBER.fullmatch(text):
        raise BadSetting(f"{name} is a number that can be called, such as 1-833-555-0100.")
    return text


def _pauses(text: str) -> str:
    try:
        return ",".join(map(str, lengths_of(text)))
    except ValueError as bad:
        raise BadSetting(f"pause_minutes is {bad}.") from None


def _for_work(name: str, text: str) -> str:
    """Return a block of short lines; nothing brings back what Havre says itself."""
    lines = text.splitlines()
    if len(lines) > _MOST_LINES or any(len(line) > _LONGEST_LINE or not line.isprintable() for line in lines):
        raise BadSetting(f"{name} has at most {_MOST_LINES} lines of at most {_LONGEST_LINE} signs.")
    for line in lines:
        words, bar, address = line.partition(" | ")
        if bar and not words.strip():
            raise BadSetting(f"{name}: a link is written as: words | https://address")
        if bar:
            _address(name, address)
    return text


def _address(name: str, text: str) -> str:
    try:
        _https(text)
    except ValidationError:
        raise BadSetting(f"{name} is a whole address that begins with https://") from None
    if any(sign in text for sign in "?#"):
        raise BadSetting(f"{name} has no ? and no #: what stands behind them could tell who leaves from here.")
    if len(text) > _LONGEST_ADDRESS or "@" in text:
        raise BadSetting(f"{name} is at most {_LONGEST_ADDRESS} signs, without a name or password.")
    return text
