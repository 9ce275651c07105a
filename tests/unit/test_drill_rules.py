"""Scripts of drills are read with clear complaints, visitors go on by what happened, and so are goals measured."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chat.core.conversation import State
from drills.core.ending import was_taken
from drills.core.goals import results
from drills.core.loading import BadScript, script_of
from drills.core.progress import Do, Go, Happening, Over, Place, Say, gone_on, matched, next_move
from drills.core.script import Act, Script, What

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SHIPPED = sorted((Path(__file__).resolve().parents[2] / "drills" / "scripts").glob("*/*.toml"))

SMALL = """
title = "Small"
about = "For a test."
door = "help"
minutes = 10
[words]
safe = ["safe", "écrire sans danger", "alon*"]
push = ["you must leave"]
[[step]]
name = "hello"
say = ["hi", "you there"]
wait = [2, 5]
then = [{ when = "asked safe", go = "answer" }, { when = "raised 2", go = "answer" }, { after = 60, go = "gone" }]
[[step]]
name = "answer"
say = ["yes"]
then = [{ when = "replied", go = "gone" }, { after = 30, go = "gone" }]
[[step]]
name = "gone"
act = "leave"
act_wait = 3
[[goal]]
name = "safe"
words = "You asked."
need = "asked safe"
within = 60
[[goal]]
name = "level"
words = "You raised it."
need = "raised 2"
within = 60
since = "answer"
[[goal]]
name = "no_push"
words = "You did not push."
need = "never push"
"""


def small(change: tuple[str, str] = ("", "")) -> Script:
    return script_of("small", "en", SMALL.replace(*change, 1) if change[0] else SMALL)


def at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


def wrote(seconds: int, number: int, *words: str) -> Happening:
    return Happening(What.REPLIED, at(seconds), number, frozenset(words))


def test_every_shipped_script_can_be_read_and_there_are_six_in_each_language() -> None:
    count = Counter(path.parent.name for path in SHIPPED)
    for path in SHIPPED:
        script = script_of(path.stem, path.parent.name, path.read_text(encoding="utf-8"))
        assert len(script.goals) >= 5, path.name
        assert not re.search("« | »", path.read_text(encoding="utf-8")), f"{path.name}: a word breaks inside its quotes"
        used = {one.when.words for step in script.steps.values() for one in step.then if one.when}
        used |= {goal.need.words for goal in script.goals}
        unused = set(script.words) - used
        assert not unused, f"{path.name}: {unused} are looked for by nothing"
    assert min(count["en"], count["fr"]) >= 6


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('door = "help"', 'door = "window"'), "door: it is one of help"),
        (("minutes = 10", "minutes = 900"), "minutes: a whole number from 1 to 60"),
        (("wait = [2, 5]", "wait = [2]"), "step hello: wait is a list with a number of seconds for each line"),
        (('go = "gone" }]\n[[step]]\nname = "answer"', 'go = "nowhere" }]\n[[step]]\nname = "answer"'), "no step"),
        (('when = "asked safe"', 'when = "asked calm"'), "no list of words named 'calm'"),
        (('when = "raised 2"', 'when = "raised 9"'), "raised is followed by a level"),
        (('when = "raised 2"', 'when = "never push"'), "a visitor cannot wait for never"),
        (('when = "raised 2"', 'when = "sneezed"'), "and not 'sneezed'"),
        ((", { after = 60, go", ', { when = "card", go'), "it has no after"),
        (('act = "leave"', 'act = "dance"'), "step gone: act is one of"),
        (('since = "answer"', 'since = "later"'), "goal level: since is"),
        (('since = "answer"', 'since = ["answer"]'), "goal level: since is"),
        (('since = "answer"', "since = { a = 1 }"), "goal level: since is"),
        (("minutes = 10", "minutes = " + "1" * 5_000), "file: it cannot be read (ValueError)"),
        (("minutes = 10", "minutes = 0x" + "f" * 5_000), "file: it cannot be read (ValueError)"),
        (("minutes = 10", "minutes = " + "[" * 20_000), "file: it cannot be read (RecursionError)"),
        (("[words]", "words_ = 1\n[words]"), "'words_' is not known"),
        (('name = "gone"', 'name = "Gone!"'), "its name is a to z"),
        (("title = ", "title = = "), "it is no TOML"),
        (('then = [{ when = "replied", go = "gone" }, ', 'then = [{ when = "replied", go = "answer" }, '), ""),
    ],
)
def test_a_complaint_names_file_part_and_reason(change: tuple[str, str], told: str) -> None:
    if not told:
        assert small(change).steps
        return
    with pytest.raises(BadScript) as caught:
        small(change)
    assert str(caught.value).startswith("en/small.toml: ")
    assert told in str(caught.value)


def test_a_visitor_says_their_lines_in_time_and_then_waits_for_what_happens() -> None:
    script, place = small(), Place("hello", 0, 0, NOON)
    assert next_move(script, place, (), at(1)) is None
    first = next_move(script, place, (), at(2))
    assert isinstance(first, Say)
    assert first.line.text == "hi"
    place = gone_on(gone_on(place, first, 3, at(2)), first, 4, at(7))
    assert next_move(script, place, (), at(66)) is None
    assert next_move(script, place, (), at(67)) == Go("gone"), "nobody answered"
    assert next_move(script, place, [wrote(9, 5)], at(10)) is None, "an answer that did not ask"
    assert next_move(script, place, [wrote(9, 5, "safe")], at(10)) == Go("answer")
    called = Happening(What.RAISED, at(1), level=3, by_person=False)
    assert next_move(script, place, [called], at(10)) == Go("answer"), "also of what was raised before"


def test_what_was_written_before_a_step_answers_nothing_in_it_and_the_end_is_the_end() -> None:
    script = small()
    place = Place("answer", 1, 5, at(10))
    assert next_move(script, place, [wrote(9, 5, "safe")], at(11)) is None
    assert next_move(script, place, [wrote(12, 6)], at(12)) == Go("gone")
    leaving = Place("gone", 0, 6, at(12))
    assert next_move(script, leaving, (), at(14)) is None
    assert next_move(script, leaving, (), at(15)) == Do(Act.LEAVE)
    assert next_move(script, Place("gone", 1, 6, at(15)), (), at(15)) == Over()


@pytest.mark.parametrize(
    ("text", "lists"),
    [
        ("Are you SAFE?", {"safe"}),
        ("peux-tu ECRIRE sans  danger", {"safe"}),
        ("unsafe", set()),
        ("Alone or not?", {"safe"}),
        ("YOU must leave, now", {"push"}),
        ("", set()),
    ],
)
def test_words_are_found_whatever_case_and_accents(text: str, lists: set[str]) -> None:
    assert matched(text, small().words) == lists


def test_goals_say_reached_too_late_or_not_by_what_really_happened() -> None:
    script = small()
    joined = Happening(What.JOINED, at(10), 2)
    raised = Happening(What.RAISED, at(100), level=3)

    def words(*happened: Happening, entered: dict[str, datetime] | None = None) -> list[tuple[str, bool, bool]]:
        every = {"hello": NOON, "answer": at(40)} if entered is None else entered
        return [(one.name, one.reached, one.late) for one in results(script, (joined, *happened), every, NOON)]

    good = words(wrote(60, 4, "safe"), raised)
    assert good == [("safe", True, False), ("level", True, False), ("no_push", True, False)]
    late = words(wrote(71, 4, "safe", "push"), Happening(What.RAISED, at(101), level=2))
    assert late == [("safe", False, True), ("level", False, True), ("no_push", False, False)]
    rule = words(Happening(What.RAISED, at(50), level=3, by_person=False))
    assert rule[1] == ("level", False, False), "a rule is not the trainee"
    assert words(raised, entered={"hello": NOON})[1][0] == "no_push", "what was not asked of them is left out"


def test_nobody_is_judged_for_a_drill_that_was_not_taken() -> None:
    assert results(small(), (), {"hello": NOON}, NOON) == ()
    assert not was_taken(State.ABANDONED, measured=False)
    assert was_taken(State.ABANDONED, measured=True), "it was handed back, and ended then"
    assert was_taken(State.WRAP_UP, measured=False)
