"""What the screener tells of a text."""

from dataclasses import dataclass

from crisis.core.screening.signals import NO_POINTS, Points

DENIED, UNOPPOSED = "denied.danger", "text.nothing_against"
"""Signals that the screener finds itself: a danger that is denied, and a danger that nothing speaks against."""
WORDS = "words"
"""Names what words count by themselves."""


@dataclass(frozen=True, slots=True)
class Cue:
    """Tell which rule spoke and because of which words."""

    rule: str
    category: str
    words: str
    points: Points = NO_POINTS
    side: int = 1
    """1 for danger, -1 against it, 0 for who acts and when."""
    note: str = ""
    """What the rule or signal is about, in a sentence."""
    level: int = 0
    """That of a rule."""


@dataclass(frozen=True, slots=True)
class Screening:
    """Tell how dangerous a text sounds, 0 to 3, and why."""

    level: int
    cues: tuple[Cue, ...] = ()

    @property
    def categories(self) -> list[str]:
        """Return the categories found, what counts most first, each once; not who acts when, if there is more."""
        telling = [cue for cue in self.cues if cue.side] or self.cues
        return list(dict.fromkeys(cue.category for cue in telling))

    @property
    def telling(self) -> list[Cue]:
        """Return what tells a person most first: rules, the gravest first, signals of danger, then who acts and when.

        What words count by themselves, and that nothing speaks against it, is left out.
        """
        told = [cue for cue in self.cues if cue.rule not in (WORDS, UNOPPOSED)]
        return sorted(told, key=lambda cue: (-cue.level, cue.side != 1))

    @property
    def in_general(self) -> bool:
        """Tell whether words count by themselves too."""
        return any(cue.rule == WORDS for cue in self.cues)

    @property
    def rules(self) -> list[str]:
        """Return the ids of the rules and signals that spoke, what counts most first."""
        return [cue.rule for cue in self.cues]


ORDINARY = Screening(0)
