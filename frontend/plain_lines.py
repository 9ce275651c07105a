"""Turn the frames of a visitor's line into pieces of a page that needs no script."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation

from chat.core.pausing import is_paused
from frontend.pause_words import for_how_long
from frontend.plain_look import Look
from frontend.visitor_words import Words

OVER = {"ended_by_visitor", "ended_by_advocate"}
ANEW = {"return_accepted", "paused", "pause_over"}


@dataclass(slots=True)
class Lines:
    """Show one conversation: its lines as they come, and below them how it stands."""

    words: Words
    look: Look
    waiting_since: datetime | None
    over: bool = False
    anew: bool = False
    """The page begins again: earlier messages may be shown now, above what it showed, or a pause began or is over."""
    standing: dict[str, Any] = field(default_factory=dict)
    head: int = 0
    last: int = 0
    said: str = ""
    paused_until: datetime | None = None
    paused: str = ""

    def of(self, text: str, now: datetime) -> str:
        """Return what a frame adds to the page; nothing for what it does not show."""
        with translation.override(self.look.language):
            return self._of(json.loads(text) if text else {"type": "beat"}, now)

    def _of(self, frame: dict[str, Any], now: datetime) -> str:
        match frame["type"]:
            case "welcome":
                self.standing, self.head, self.last = frame, frame["head"], frame["after"]
                shown = self._earlier() if frame["older"] and not frame["hidden"] else ""
            case "standing":
                self.standing, shown = self.standing | frame, ""
                if frame["state"] == "waiting" and self.waiting_since is None:
                    self.waiting_since = now
            case "message":
                self.last, shown = frame["seq"], self._message(frame)
            case "fact":
                self.last, shown = frame["seq"], self._fact(frame)
                self.over |= frame["code"] in OVER
                self.anew |= frame["code"] in ANEW and frame["seq"] > self.head
            case _:
                shown = ""
        return shown + self._new_standing(now)

    def _message(self, frame: dict[str, Any]) -> str:
        own = frame["author"] == "you"
        who = self.words["you"] if own else frame["name"] or self.words["advocate"]
        return _line("own" if own else "theirs", frame["body"], who)

    def _fact(self, frame: dict[str, Any]) -> str:
        code, name = f"fact_{frame['code']}", frame["name"]
        words = self.words.get(code if name or f"{code}_someone" not in self.words else f"{code}_someone")
        return _line("fact", words.replace("{name}", name or "")) if words else ""

    def _earlier(self) -> str:
        return render_to_string("frontend/plain/_earlier.html")

    def _new_standing(self, now: datetime) -> str:
        """Return how it stands if that is not what was said last; the page shows the last one only."""
        if self.over or self.last < self.head or not self.standing:
            return ""
        words = self._standing(now)
        if words == self.said:
            return ""
        self.said = words
        return _line("standing", words)

    def _standing(self, now: datetime) -> str:
        if is_paused(self.paused_until, now):
            # said once: what counts down hurries
            self.paused = self.paused or for_how_long(self.paused_until, now)
            return self.paused
        words, name = self.words, self.standing["advocate"]
        if self.standing["state"] != "waiting":
            self.waiting_since = None
            return words["with"].replace("{name}", name) if name else words["with_someone"]
        kinds = ("waiting", "waiting_more") if self.standing["staffed"] else ("nobody_more", "nobody")
        said = [words[kind] for kind in kinds] + self._expected()
        waited = now - (self.waiting_since or now)
        for minutes in (10, 5):
            if waited >= timedelta(minutes=minutes):
                return " ".join([*said, words[f"long_{minutes}"]])
        return " ".join(said)

    def _expected(self) -> list[str]:
        """Return how long it may take; while nobody is on shift a number would be a lie."""
        if not self.standing["staffed"]:
            return []
        wait = self.standing["wait"]
        if wait is None:
            return [self.words["wait_unknown"]]
        least, most = wait["at_least"], wait["at_most"]
        kind = "wait_over" if most is None else "wait_under" if least == 0 else "wait_between"
        return [self.words[kind].replace("{from}", str(least)).replace("{to}", str(most))]


def _line(kind: str, words: str, who: str = "") -> str:
    return render_to_string("frontend/plain/_line.html", {"kind": kind, "words": words, "who": who})
