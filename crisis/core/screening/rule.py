"""What the screener looks for."""

from dataclasses import dataclass

from crisis.core.screening.patterns import Pattern
from crisis.core.screening.signals import NO_POINTS, Points


@dataclass(frozen=True, slots=True)
class Rule:
    """Say what to look for and what it means. `kind` is `danger`, `idiom` or `guard`."""

    id: str
    kind: str
    patterns: tuple[Pattern, ...]
    points: Points = NO_POINTS
    level: int = 0
    category: str = ""
    note: str = ""
    negatable: bool = True
    cry: bool = False
    """A plain cry of present danger, which a guard in another part of the message does not silence."""
    across: bool = False
    """Its elements may stand in different sentences."""
    alone: bool = False
    """Its sentence has hardly another word."""
    unless: tuple[int, ...] = ()
    """Concepts of everyday life, which in the same sentence mean that nothing is the matter."""
    commas: bool = False
    """A guard whose say ends at a comma."""
    before: bool = False
    """A guard that also speaks for the sentences before its own."""
    whole: bool = False
    """A guard that tells what the whole message is about."""
    must_match: tuple[str, ...] = ()
    must_not_match: tuple[str, ...] = ()

    @property
    def side(self) -> int:
        """Return 1 for danger, -1 against it."""
        return 1 if self.kind == "danger" else -1

    @property
    def worth(self) -> int:
        """Return its points for danger."""
        return self.points.danger

    @property
    def sense(self) -> None:
        """Return nothing: a rule has no words outside its patterns."""
