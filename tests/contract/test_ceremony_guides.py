"""The guides of the key ceremony name the same commands in the same order, and steps that there are."""

import re
from argparse import ArgumentParser, _SubParsersAction
from pathlib import Path

import pytest
from django.core.management import load_command_class

from encryption.offline import __main__ as offline

ROOT = Path(__file__).resolve().parents[2]
ENGLISH, FRENCH = ROOT / "docs/key-ceremony.md", ROOT / "docs/key-ceremony.fr.md"
CODE = re.compile(r"```sh\n(.*?)```|`([^`]+)`", re.DOTALL)
NUMBERED = re.compile(r"(\d+)\. ")


def sections(page: Path) -> list[str]:
    """Return what stands under each heading, in order; a guide's own address is no step."""
    return re.split(r"^#+ .*$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]


def commands(section: str) -> list[str]:
    """Return everything to be typed or looked for, on one line each."""
    return [" ".join((block or inline).split()) for block, inline in CODE.findall(section)]


def steps(section: str) -> list[tuple[str, list[str]]]:
    """Return each numbered step with what is typed in it."""
    parts = re.split(r"^(?=\d+\. )", section, flags=re.MULTILINE)[1:]
    return [(NUMBERED.match(part).group(1), commands(part)) for part in parts]  # type: ignore[union-attr]


def choices(parser: ArgumentParser) -> set[str]:
    """Return the steps that a command line takes."""
    (one,) = (action for action in parser._actions if isinstance(action, _SubParsersAction))
    return set(one.choices)


def test_both_guides_have_the_same_sections() -> None:
    assert len(sections(ENGLISH)) == len(sections(FRENCH)) > 20


@pytest.mark.parametrize(("english", "french"), list(zip(sections(ENGLISH), sections(FRENCH), strict=False)))
def test_each_section_names_the_same_commands_step_by_step(english: str, french: str) -> None:
    assert commands(french) == commands(english)
    assert steps(french) == steps(english)
    rows = [len(re.findall(r"^\| ", one, flags=re.MULTILINE)) for one in (english, french)]
    bullets = [len(re.findall(r"^- ", one, flags=re.MULTILINE)) for one in (english, french)]
    assert rows[0] == rows[1]
    assert bullets[0] == bullets[1]


@pytest.mark.parametrize("page", [ENGLISH, FRENCH], ids=lambda page: page.name)
def test_every_step_that_a_guide_names_is_there(page: Path) -> None:
    server = load_command_class("ops", "archive").create_parser("manage.py", "archive")
    there = {"archive": choices(server), "offline": choices(offline.parser())}
    named = [
        (program, step)
        for command in commands(page.read_text(encoding="utf-8"))
        for program, step in re.findall(r"(?:^| )(archive|offline) ([a-z][\w-]*)", command)
    ]
    assert len(named) > 40
    assert [one for one in named if one[1] not in there[one[0]]] == []


def test_the_french_guide_quotes_the_pages_as_they_are() -> None:
    catalogue = (ROOT / "locale/fr/LC_MESSAGES/django.po").read_text(encoding="utf-8")
    text = " ".join(FRENCH.read_text(encoding="utf-8").split())
    for english in (
        "Archive", "Become a reader", "Lock now", "New words", "New code", "Forgot the words? Use your code",
    ):  # fmt: skip
        found = re.search(rf'^msgid "{re.escape(english)}"\nmsgstr "(.+)"$', catalogue, flags=re.MULTILINE)
        assert found is not None
        assert found.group(1) in text
