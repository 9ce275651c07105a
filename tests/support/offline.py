"""A person at the offline machine: reads the screen, keeps cards and papers, types what is asked."""

import os
import re
import subprocess
import sys
from pathlib import Path

from encryption.core.papers import Kind, Paper, read
from encryption.offline.__main__ import main
from encryption.offline.console import Console

ROOT = Path(__file__).resolve().parents[2]
PROMPT = re.compile(r"(phrase:|card:|Line \d:|\[y/n\]|Press Enter[^\n]*\.) \Z")
PHRASE = re.compile(r"^    ([^\W\d_]+(?: [^\W\d_]+){5})$", re.MULTILINE)
ASKED = re.compile(r"(Share (\d)|First share|Second share): type the")


class Screen(Console):
    """Be a terminal in this process."""

    def __init__(self, person: "Person") -> None:
        self.person = person
        self.shown = ""

    def say(self, text: str = "") -> None:
        """Show a line."""
        self.shown += f"{text}\n"

    def ask(self, question: str) -> str:
        """Show a question and let the person answer."""
        self.shown += f"{question} "
        return self.person.reply(self.shown).strip()

    def ask_hidden(self, question: str) -> str:
        """Ask."""
        return self.ask(question)

    def clear(self) -> None:
        """Mark where the screen was cleared."""
        self.shown += "-----\n"


class Person:
    """Hold the cards and papers of everybody in the room, and the folder of the offline machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.phrase = ""
        self.papers: dict[int, list[str]] = {}
        self.bring = (1, 2)
        self.refused: tuple[str, ...] = ()
        self.shown = ""
        self.mistype = ""

    def reply(self, shown: str) -> str:
        """Return what is typed below a screen."""
        if shown.endswith(("phrase: ", "card: ")):
            fresh = PHRASE.findall(shown)
            self.phrase = fresh[-1] if fresh else self.phrase
            return self.mistype or self.phrase
        if shown.endswith("[y/n] "):
            return "n" if any(name in "\n".join(shown.splitlines()[-3:]) for name in self.refused) else "y"
        if line := re.search(r"Line (\d): $", shown):
            return self.line(shown, int(line[1]) - 1)
        given = re.findall(r"Share (\d) of 3", shown)
        if given and shown.endswith("Written down? Press Enter, and the screen is cleared. "):
            self.papers[int(given[-1])] = re.findall(r"^  \d:  (.+)$", shown[shown.rindex("Share ") :], re.MULTILINE)
        return ""

    def line(self, shown: str, at: int) -> str:
        """Return a line of the share that is asked for, read from the right paper."""
        asked = ASKED.findall(shown)[-1]
        person = int(asked[1]) if asked[1] else self.bring[0 if asked[0] == "First share" else 1]
        return self.papers[person][at].lower()

    def do(self, *arguments: str | Path) -> int:
        """Do a step in this process; return the exit status, keep the screen."""
        screen = Screen(self)
        status = main([str(one) for one in arguments], screen)
        self.shown = screen.shown
        return status

    def run(self, *arguments: str | Path) -> int:
        """Do a step as a program of its own that knows no site; return the exit status, keep what it printed."""
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            [sys.executable, "-m", "encryption.offline", *map(str, arguments)],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdin is not None
        self.shown = ""
        with process:
            while sign := process.stdout.read(1):
                self.shown += sign
                if PROMPT.search(self.shown[-80:]):
                    process.stdin.write(self.reply(self.shown) + "\n")
                    process.stdin.flush()
        return process.returncode

    def paper(self, name: str) -> Paper:
        """Return what a file in the folder says."""
        return read((self.folder / name).read_text(encoding="utf-8"), *Kind)
