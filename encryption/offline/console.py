"""Talk to the people in front of the offline machine."""

import getpass
import sys

from encryption.core import ceremony
from encryption.core.papers import BadPaper
from encryption.core.shares import Share

TRIES = 5
_CLEAR = "\x1b[2J\x1b[3J\x1b[H"
"""Empties a terminal, what was scrolled away too."""


class Console:
    """Say, ask and clear; what is asked hidden is not shown while it is typed."""

    def say(self, text: str = "") -> None:
        """Print a line."""
        print(text, flush=True)

    def ask(self, question: str) -> str:
        """Return what somebody types."""
        return input(f"{question} ").strip()

    def ask_hidden(self, question: str) -> str:
        """Return what somebody types, unseen."""
        # without a terminal `getpass` would look for one elsewhere
        return getpass.getpass(f"{question} ").strip() if sys.stdin.isatty() else self.ask(question)

    def confirm(self, question: str) -> bool:
        """Return a yes or a no."""
        for _ in range(TRIES):
            said = self.ask(f"{question} [y/n]").lower()
            if said in {"y", "yes", "n", "no"}:
                return said.startswith("y")
        raise BadPaper("Neither y nor n was typed.")

    def clear(self) -> None:
        """Empty the screen."""
        print(_CLEAR if sys.stdout.isatty() else "----- the screen is cleared here -----", flush=True)

    def share(self, title: str) -> Share:
        """Return a share that somebody types from their paper, a line at a time."""
        self.say(f"{title}: type the {ceremony.LINES} lines from the paper. Spaces and small letters do not matter.")
        lines = [self._line(at) for at in range(ceremony.LINES)]
        self.clear()
        return ceremony.from_paper(lines)

    def _line(self, at: int) -> str:
        for _ in range(TRIES):
            typed = self.ask(f"Line {at + 1}:")
            if ceremony.line_fits(at, typed):
                return typed
            self.say(f"A sign of line {at + 1} is wrong. Type the whole line again.")
        raise BadPaper(f"Line {at + 1} of this share was wrong {TRIES} times. Look at the paper and begin again.")
