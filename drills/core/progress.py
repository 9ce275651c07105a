"""What a scripted visitor does next, given where they stand and what has happened. Pure, and `now` is given."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from drills.core.script import Act, Condition, Line, Reaction, Script, What


@dataclass(frozen=True, slots=True)
class Happening:
    """Be one thing that happened in a conversation; `number` is its line of the log, 0 for what has none.

    `words` names the lists of the script of which a message of staff holds something. Of an escalation `level` says
    how grave it is, and `by_person` whether a person raised it.
    """

    what: What
    at: datetime
    number: int = 0
    words: frozenset[str] = frozenset()
    level: int = 0
    by_person: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """Be where a visitor stands: in which step since which line, how much of it is done, and when they did the last."""

    step: str
    done: int
    since: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Say:
    """Write this line."""

    line: Line


@dataclass(frozen=True, slots=True)
class Do:
    """Do this."""

    act: Act


@dataclass(frozen=True, slots=True)
class Go:
    """Go on to this step."""

    step: str


@dataclass(frozen=True, slots=True)
class Over:
    """Be at the end of the script."""


Move = Say | Do | Go | Over


def next_move(script: Script, place: Place, happened: Collection[Happening], now: datetime) -> Move | None:
    """Return what the visitor does now, None while they wait. What a step says and does comes before any reaction."""
    step = script.steps[place.step]
    if place.done < len(step.say):
        line = step.say[place.done]
        return Say(line) if _waited(place, line.wait, now) else None
    if step.act is not None and place.done == len(step.say):
        return Do(step.act) if _waited(place, step.act_wait, now) else None
    if not step.then:
        return Over()
    for reaction in step.then:
        if _holds(reaction, place, happened, now):
            return Go(reaction.go)
    return None


def gone_on(place: Place, move: Move, head: int, now: datetime) -> Place:
    """Return where the visitor stands after a move; `head` is the newest line of the log at that time."""
    if isinstance(move, Go):
        return Place(move.step, 0, head, now)
    return replace(place, done=place.done + 1, last_at=now)


def matched(text: str, lists: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """Return of which lists a text holds something, whatever its case and accents; `*` stands for any ending."""
    plain = plain_of(text)
    return frozenset(name for name, terms in lists.items() if _pattern(terms).search(plain))


def plain_of(text: str) -> str:
    """Return a text without accents, in small letters and with one kind of apostrophe."""
    bare = unicodedata.normalize("NFKD", text.replace("’", "'").casefold())
    return " ".join("".join(sign for sign in bare if not unicodedata.combining(sign)).split())


def found(
    condition: Condition, happened: Iterable[Happening], *, since: int = 0, people_only: bool = False
) -> Happening | None:
    """Return the first thing that is looked for, None when there is none.

    What was raised counts from the beginning, all else beyond the line `since`.
    """
    for one in happened:
        late = one.number > since or condition.what is What.RAISED
        if late and _fits(condition, one, people_only=people_only):
            return one
    return None


def _fits(condition: Condition, one: Happening, *, people_only: bool) -> bool:
    match condition.what:
        case What.ASKED | What.NEVER:
            return one.what is What.REPLIED and condition.words in one.words
        case What.RAISED:
            return one.what is What.RAISED and one.level >= condition.level and (one.by_person or not people_only)
        case what:
            return one.what is what


def _holds(reaction: Reaction, place: Place, happened: Collection[Happening], now: datetime) -> bool:
    if reaction.when is None:
        return _waited(place, reaction.after, now)
    return found(reaction.when, happened, since=place.since) is not None


def _waited(place: Place, seconds: int, now: datetime) -> bool:
    return now >= place.last_at + timedelta(seconds=seconds)


@lru_cache(maxsize=512)
def _pattern(terms: tuple[str, ...]) -> re.Pattern[str]:
    parts = (re.escape(plain_of(term)).replace(r"\*", r"\w*") for term in terms)
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)")
