"""What a script is: steps of a visitor, what they wait for, and the goals of who practises with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

LANGUAGES = ("en", "fr")
DOORS = ("help", "worried", "professional", "report", "not_said")


class Act(StrEnum):
    """What a visitor can do besides writing."""

    WORDS = "words"  # asks for six words to come back with
    LEAVE = "leave"  # quick exit
    RETURN = "return"  # comes back by the words
    END = "end"  # ends the conversation


class What(StrEnum):
    """What can be looked for in a conversation. `ASKED` and `NEVER` name a list of words, `RAISED` a level."""

    JOINED = "joined"
    REPLIED = "replied"
    ASKED = "asked"
    NEVER = "never"
    RAISED = "raised"
    CARD = "card"  # the card about the duty to report was sent
    NOTE = "note"
    PAUSED = "paused"
    ACCEPTED = "accepted"  # who came back was known again
    REFUSED = "refused"  # or was not
    VOICE = "voice"  # a changed voice was marked
    ENDED = "ended"  # by the advocate
    RECORDED = "recorded"


GOALS_ONLY = frozenset({What.NEVER, What.ENDED, What.RECORDED})
"""A visitor cannot react to these."""
START, JOINED = "start", "joined"
"""From where a goal's time counts, if not from a step."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Be one thing to look for."""

    what: What
    words: str = ""
    level: int = 0


@dataclass(frozen=True, slots=True)
class Reaction:
    """Go to another step: once `when` is so, or after so many seconds in which nothing else was."""

    go: str
    when: Condition | None = None
    after: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """Be one message of the visitor, so many seconds after the last thing that they did."""

    text: str
    wait: int


@dataclass(frozen=True, slots=True)
class Step:
    """Be what the visitor writes, then does, then waits for; nothing to wait for ends the script."""

    name: str
    say: tuple[Line, ...]
    act: Act | None
    act_wait: int
    then: tuple[Reaction, ...]


@dataclass(frozen=True, slots=True)
class Goal:
    """Be something that the trainee should reach; `within` 0 sets no time."""

    name: str
    words: str
    need: Condition
    within: int
    since: str


@dataclass(frozen=True, slots=True)
class Script:
    """Be one scripted visitor. `name` is that of its file; `words` are the lists that conditions name."""

    name: str
    language: str
    title: str
    about: str
    door: str
    minutes: int
    words: Mapping[str, tuple[str, ...]]
    steps: Mapping[str, Step]
    first: str
    goals: tuple[Goal, ...]

    @property
    def id(self) -> str:
        """Return what tells it from every other script: its language and its name."""
        return f"{self.language}/{self.name}"
