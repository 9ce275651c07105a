"""Read a script from its TOML, and say in a plain sentence what is wrong with it: file, part, reason."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any, NoReturn

from drills.core.script import (
    DOORS,
    GOALS_ONLY,
    JOINED,
    LANGUAGES,
    START,
    Act,
    Condition,
    Goal,
    Line,
    Reaction,
    Script,
    Step,
    What,
)

LONGEST_LINE, LONGEST_TITLE, LONGEST_ABOUT, LONGEST_GOAL = 1_000, 80, 600, 160
MOST_STEPS, MOST_LINES, MOST_GOALS = 60, 12, 12
LONGEST_WAIT, LONGEST_AFTER, LONGEST_MINUTES = 120, 900, 60
MOST_BYTES = 64 * 1024
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TOP = {"title", "about", "door", "minutes", "words", "step", "goal"}
_STEP = {"name", "say", "wait", "act", "act_wait", "then"}
_THEN = {"when", "after", "go"}
_GOAL = {"name", "words", "need", "within", "since"}
_WITH_WORDS = frozenset({What.ASKED, What.NEVER})


class BadScript(ValueError):
    """Report what is wrong with a script: its file, the part and the reason."""


def script_of(name: str, language: str, text: str) -> Script:
    """Return the script that a file holds, or raise `BadScript`."""
    reader = _Reader(name, language)
    try:
        return reader.read(text)
    except BadScript:
        raise
    except (RecursionError, ValueError) as error:
        # nested too deep, or a number too long, for the language that reads it
        raise BadScript(f"{language}/{name}.toml: file: it cannot be read ({type(error).__name__}).") from None


class _Reader:
    def __init__(self, name: str, language: str) -> None:
        self._name, self._language = name, language

    def read(self, text: str) -> Script:
        if not _NAME.fullmatch(self._name) or self._language not in LANGUAGES:
            self._fail("file", "its place is en/ or fr/, and its name a to z, 0 to 9 and _, 40 signs at most")
        if len(text.encode()) > MOST_BYTES:
            self._fail("file", f"it is larger than {MOST_BYTES} bytes")
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            self._fail("file", f"it is no TOML: {error}")
        self._known(data, _TOP, "file")
        words = self._words(data.get("words", {}))
        steps = [self._step(one, number, words) for number, one in enumerate(self._tables(data, "step", MOST_STEPS), 1)]
        by_name = {step.name: step for step in steps}
        if len(by_name) != len(steps):
            self._fail("step", "two steps have the same name")
        self._linked(steps, by_name)
        goals = tuple(self._goal(one, by_name, words) for one in self._tables(data, "goal", MOST_GOALS))
        if len({goal.name for goal in goals}) != len(goals):
            self._fail("goal", "two goals have the same name")
        if data.get("door") not in DOORS:
            self._fail("door", f"it is one of {', '.join(DOORS)}")
        return Script(
            name=self._name,
            language=self._language,
            title=self._text(data.get("title"), LONGEST_TITLE, "title"),
            about=self._text(data.get("about"), LONGEST_ABOUT, "about"),
            door=str(data["door"]),
            minutes=self._number(data.get("minutes"), 1, LONGEST_MINUTES, "minutes"),
            words=words,
            steps=by_name,
            first=steps[0].name,
            goals=goals,
        )

    def _step(self, data: Mapping[str, Any], number: int, words: Mapping[str, Any]) -> Step:
        part = f"step {data.get('name', number)}"
        self._known(data, _STEP, part)
        name = self._named(data.get("name"), part)
        texts = data.get("say", [])
        if not isinstance(texts, list) or len(texts) > MOST_LINES:
            self._fail(part, f"say is a list of at most {MOST_LINES} lines")
        waits = data.get("wait", [3] * len(texts))
        if not isinstance(waits, list) or len(waits) != len(texts):
            self._fail(part, "wait is a list with a number of seconds for each line")
        act = data.get("act")
        if act is not None and act not in list(Act):
            self._fail(part, f"act is one of {', '.join(Act)}")
        if not texts and act is None:
            self._fail(part, "it says nothing and does nothing")
        then = data.get("then", [])
        if not isinstance(then, list) or not all(isinstance(one, dict) for one in then):
            self._fail(part, "then is a list of tables")
        lines = tuple(
            Line(self._text(text, LONGEST_LINE, part), self._number(wait, 0, LONGEST_WAIT, part))
            for text, wait in zip(texts, waits, strict=True)
        )
        return Step(
            name=name,
            say=lines,
            act=None if act is None else Act(act),
            act_wait=self._number(data.get("act_wait", 2), 0, LONGEST_AFTER, part),
            then=tuple(self._reaction(one, part, words) for one in then),
        )

    def _reaction(self, data: Mapping[str, Any], part: str, words: Mapping[str, Any]) -> Reaction:
        self._known(data, _THEN, part)
        go = self._named(data.get("go"), part)
        if ("when" in data) == ("after" in data):
            self._fail(part, "each part of then has either when or after")
        if "after" in data:
            return Reaction(go=go, after=self._number(data["after"], 1, LONGEST_AFTER, part))
        when = self._condition(data["when"], part, words)
        if when.what in GOALS_ONLY:
            self._fail(part, f"a visitor cannot wait for {when.what}")
        return Reaction(go=go, when=when)

    def _goal(self, data: Mapping[str, Any], steps: Mapping[str, Step], words: Mapping[str, Any]) -> Goal:
        part = f"goal {data.get('name', '')}"
        self._known(data, _GOAL, part)
        since = data.get("since", JOINED)
        if not isinstance(since, str) or since not in {START, JOINED, *steps}:
            self._fail(part, f"since is {START}, {JOINED} or the name of a step")
        return Goal(
            name=self._named(data.get("name"), part),
            words=self._text(data.get("words"), LONGEST_GOAL, part),
            need=self._condition(data.get("need"), part, words),
            within=self._number(data.get("within", 0), 0, LONGEST_MINUTES * 60, part),
            since=since,
        )

    def _condition(self, text: object, part: str, words: Mapping[str, Any]) -> Condition:
        kind, _, about = str(text).partition(" ")
        if kind not in list(What):
            self._fail(part, f"what is looked for is one of {', '.join(What)}, and not {kind!r}")
        what = What(kind)
        if what in _WITH_WORDS:
            if about not in words:
                self._fail(part, f"there is no list of words named {about!r}")
            return Condition(what, words=about)
        if what is What.RAISED:
            if about not in {"1", "2", "3"}:
                self._fail(part, "raised is followed by a level: 1, 2 or 3")
            return Condition(what, level=int(about))
        if about:
            self._fail(part, f"nothing stands behind {what}")
        return Condition(what)

    def _words(self, data: object) -> Mapping[str, tuple[str, ...]]:
        if not isinstance(data, dict):
            self._fail("words", "it is a table of lists")
        lists: dict[str, tuple[str, ...]] = {}
        for name, terms in data.items():
            part = f"words {name}"
            if not isinstance(terms, list) or not terms:
                self._fail(part, "it is a list that is not empty")
            lists[self._named(name, part)] = tuple(self._text(term, 60, part) for term in terms)
        return lists

    def _linked(self, steps: list[Step], by_name: Mapping[str, Step]) -> None:
        """See that every step is there to be gone to, and that each is reached."""
        reached, ahead = set(), [steps[0].name]
        while ahead:
            step = by_name[ahead.pop()]
            reached.add(step.name)
            for reaction in step.then:
                if reaction.go not in by_name:
                    self._fail(f"step {step.name}", f"it goes to {reaction.go!r}, which is no step")
                if reaction.go not in reached:
                    ahead.append(reaction.go)
            if step.then and not any(reaction.after for reaction in step.then) and step.act is not Act.END:
                self._fail(f"step {step.name}", "it has no after, and would wait for ever if nobody answers")
        for step in steps:
            if step.name not in reached:
                self._fail(f"step {step.name}", "no other step leads to it")

    def _tables(self, data: Mapping[str, Any], name: str, most: int) -> list[dict[str, Any]]:
        tables = data.get(name)
        if not isinstance(tables, list) or not 1 <= len(tables) <= most or not all(isinstance(t, dict) for t in tables):
            self._fail(name, f"there are 1 to {most} of them, each under [[{name}]]")
        return tables

    def _known(self, data: Mapping[str, Any], names: set[str], part: str) -> None:
        for name in data:
            if name not in names:
                self._fail(part, f"{name!r} is not known; there are {', '.join(sorted(names))}")

    def _named(self, value: object, part: str) -> str:
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            self._fail(part, "its name is a to z, 0 to 9 and _, 40 signs at most")
        return value

    def _text(self, value: object, most: int, part: str) -> str:
        if not isinstance(value, str) or not 1 <= len(value.strip()) <= most:
            self._fail(part, f"a text of 1 to {most} signs is missing")
        return value.strip()

    def _number(self, value: object, least: int, most: int, part: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self._fail(part, f"a whole number from {least} to {most} is needed, not {value!r}")
        return value

    def _fail(self, part: str, why: str) -> NoReturn:
        raise BadScript(f"{self._language}/{self._name}.toml: {part}: {why}.")
