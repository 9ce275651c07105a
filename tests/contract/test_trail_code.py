"""The code that fills the trail and the outbox, whose columns could hold anything, hands them no text."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.contract.test_architecture import ROOMS, ROOT

CODES: dict[str, str] = {
    "actor": "who does it, as `str` of them writes it",
    "CONFIRMED": "one of our own words",
    "DOUBTED": "one of our own words",
    "KEY_CHANGED": "one of our own words",
    "KEY_SUBJECT": "one of our own words",
    "ROUND": "one of our own words",
    "SEALED": "one of our own words",
    "SUBJECT": "one of our own words",
    "epoch": "kind and day of a wrapping key",
    "epochs": "kinds and days of wrapping keys",
    "language": "code of a language, checked by the view",
    "new": "name of an archive key, checked by the row that has it",
    "state": "one of three words, checked by the column",
}
"""Names whose value is one of our own words although their type does not say so."""

GIVES: dict[str, str] = {
    "count": "number of rows",
    "hex": "digest over sealed bytes",
    "isoformat": "time",
    "key_id": "name of an archive key",
    "len": "number",
    "reader_key_id": "number of staff",
    "recovery_key_id": "name of the recovery key",
    "remove_texts": "number of rows",
    "System": "the word `system`",
    "Visitor": "the word `visitor`",
}
"""Functions that give an id, a number, a time or a code whatever they are given."""

HAND_ON = {"put_on_trail": "chat/services/trail.py", "note_reading": "crisis/services/calls.py"}
"""Functions that only hand on what they are given, so that each call of theirs is looked at instead."""

IDS = re.compile(r"(.*_)?(pk|id)")
FIELDS = re.compile(IDS.pattern + r"|state|level|value|kind|count|last|drill")
"""Names and attributes that hold an id, a number or a code."""

HARMLESS_TYPES = {"int", "bool", "float", "UUID", "datetime", "date", "Subject", "Mark"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Place:
    """Be where an expression stands: its module, and the function around it."""

    tree: ast.Module
    function: Function | None

    def arguments(self) -> list[ast.arg]:
        """Return what the function is given, in order."""
        return [*self.function.args.args, *self.function.args.kwonlyargs] if self.function else []


@cache
def calls(tree: ast.Module) -> tuple[tuple[ast.Call, Place], ...]:
    """Return each call with where it stands: the module, and the innermost function around it."""
    found: list[tuple[ast.Call, Place]] = []

    def look(node: ast.AST, around: Function | None) -> None:
        if isinstance(node, ast.Call):
            found.append((node, Place(tree, around)))
        inner = node if isinstance(node, Function) else around
        for child in ast.iter_child_nodes(node):
            look(child, inner)

    look(tree, None)
    return tuple(found)


def name_of(call: ast.Call) -> str:
    """Return the last word of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def fillings(tree: ast.Module) -> Iterator[tuple[ast.Call, Place, list[ast.expr]]]:
    """Yield each call that writes to the trail or the outbox, where it stands, and what it hands over."""
    for call, place in calls(tree):
        keywords = {word.arg: word.value for word in call.keywords}
        if name_of(call) in HAND_ON:
            # actor and action, then what it is about and the time, then the rest
            yield call, place, [*call.args[:2], *call.args[4:], *keywords.values()]
            continue
        if place.function is not None and place.function.name in HAND_ON:
            continue
        into_trail = name_of(call) == "record" and "action" in keywords
        if into_trail or ast.unparse(call.func) == "outbox.put":
            keywords.pop("now", None)
            yield call, place, [*call.args[:3], *keywords.values()]


def unfit(value: ast.expr, place: Place) -> Iterator[str]:
    """Yield each part of an expression that is not known to be a code, an id, a number or a time."""
    match value:
        case ast.Constant(value=str(text)):
            # a sentence in the source is ours, but a code is what belongs there
            yield from [] if re.fullmatch(r"[\w.:]*", text) else [text]
        case ast.Constant():
            return
        case ast.Attribute(attr=name) if FIELDS.fullmatch(name):
            return
        case ast.Call() if name_of(value) in GIVES:
            return
        case ast.Call(args=[*parts], keywords=[]) if name_of(value) == "marked":
            # adds the mark of a drill to what it is given
            for part in parts:
                yield from unfit(part, place)
        case ast.JoinedStr(values=parts) | ast.Dict(values=parts):
            for part in parts:
                yield from unfit(part, place)
        case (
            ast.FormattedValue(value=inner)
            | ast.Call(func=ast.Name(id="str"), args=[inner])
            | ast.Call(func=ast.Attribute(attr="join", value=ast.Constant(value=" ")), args=[inner])
        ):
            yield from unfit(inner, place)
        case ast.IfExp(body=one, orelse=other):
            yield from [*unfit(one, place), *unfit(other, place)]
        case ast.Name(id=name):
            yield from unfit_name(name, place)
        case _:
            yield ast.unparse(value)


def unfit_name(name: str, place: Place) -> Iterator[str]:
    """Follow a name to what its function puts into it, or is given by its callers in the same module."""
    hints = {one.arg: ast.unparse(one.annotation) for one in place.arguments() if one.annotation}
    if name in CODES or IDS.fullmatch(name) or hints.get(name) in HARMLESS_TYPES:
        return
    sources = [(value, place) for value in assigned(name, place.function)] or list(given(name, place))
    if not sources:
        yield name
    for value, where in sources:
        yield from unfit(value, where)


def assigned(name: str, function: Function | None) -> Iterator[ast.expr]:
    """Yield everything that a function puts into a local variable, or under a key of it."""
    for node in ast.walk(function) if function else ():
        if not isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) or node.value is None:
            continue
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            inside = target.value if isinstance(target, ast.Subscript) else target
            if isinstance(inside, ast.Name) and inside.id == name:
                yield node.value


def given(name: str, place: Place) -> Iterator[tuple[ast.expr, Place]]:
    """Yield what the callers of a private function hand over under a name; a public one has callers elsewhere."""
    names = [one.arg for one in place.arguments()]
    if place.function is None or name not in names or not place.function.name.startswith("_"):
        return
    for call, where in calls(place.tree):
        if name_of(call) == place.function.name:
            by_name = {word.arg: word.value for word in call.keywords}
            handed = dict(zip(names, call.args, strict=False)) | by_name
            if name in handed:
                yield handed[name], where


def unfit_fillings(source: str) -> list[str]:
    """Return where a source hands over something that could be a text."""
    return [
        f"line {call.lineno}: {part}"
        for call, place, values in fillings(ast.parse(source))
        for value in values
        for part in unfit(value, place)
    ]


def sources() -> Iterator[Path]:
    """Yield every module of our rooms."""
    return (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))


def test_only_codes_ids_times_and_numbers_go_into_the_trail_and_the_outbox() -> None:
    found = {str(path.relative_to(ROOT)): unfit_fillings(path.read_text(encoding="utf-8")) for path in sources()}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_what_hands_on_stands_in_one_place() -> None:
    made = [
        (name, str(path.relative_to(ROOT)))
        for path in sources()
        for name in HAND_ON
        if re.search(rf"\bdef {name}\(", path.read_text(encoding="utf-8"))
    ]
    assert sorted(made) == sorted(HAND_ON.items())


def test_what_happens_to_a_conversation_is_put_on_the_trail_with_the_mark_of_a_drill() -> None:
    elsewhere = {
        str(path.relative_to(ROOT))
        for path in sources()
        if 'subject=f"conversation:' in path.read_text(encoding="utf-8") and path.name != "trail.py"
    }
    # a conversation that cannot be opened is known by its id alone, and one that is just begun by its drill
    assert elsewhere == {"chat/services/archive.py", "drills/services/starting.py"}


def test_rows_of_the_trail_and_the_outbox_are_made_in_one_place_each() -> None:
    made = {
        (str(path.relative_to(ROOT)), row)
        for path in sources()
        if "migrations" not in path.parts
        for row in ("AuditEvent", "OutboxItem")
        if re.search(rf"\b{row}(\.objects\.(\w+_)?create)?\(", _code_of(path, row))
    }
    assert made == {("audit/services.py", "AuditEvent"), ("chat/outbox.py", "OutboxItem")}


def _code_of(path: Path, row: str) -> str:
    return path.read_text(encoding="utf-8").replace(f"class {row}(", "")


@pytest.mark.parametrize(
    "line",
    [
        'record(actor=str(actor), action="a", subject="s", data={"why": reason}, now=now)',
        'record(actor=actor.name, action="a", subject="s", now=now)',
        'record(actor="x", action=f"a.{reason}", subject="s", now=now)',
        'record(actor="x", action="a", subject="s", data=marked(c.drill, {"why": reason}), now=now)',
        'put_on_trail(actor, "a", c, now, {"why": reason})',
        'put_on_trail(actor, "a", c, now, data={"why": reason})',
        'put_on_trail(actor, f"a.{reason}", c, now)',
        'put_on_trail(reason, "a", c, now)',
        "note_reading(actor, reason, c.pk, now)",
        'outbox.put("t", c.pk, {"why": reason}, now)',
        'outbox.put("t", c.pk, {"why": str(reason)}, now)',
        'outbox.put("t", c.pk, {"why": text.reveal()}, now)',
        'outbox.put("t", c.pk, {"at": now.isoformat(), "why": body[:40]}, now)',
        'data = {"id": c.pk}\n    data["why"] = reason\n    outbox.put("t", c.pk, data, now)',
        'data: dict[str, str] = {"why": reason}\n    outbox.put("t", c.pk, data, now)',
        'outbox.put("t", c.pk, {"why": "she said that"}, now)',
    ],
)
def test_a_text_on_its_way_into_them_is_noticed(line: str) -> None:
    assert len(unfit_fillings(f"def f(c, actor, reason: str, now: datetime):\n    {line}\n")) == 1


def test_codes_ids_times_and_numbers_pass() -> None:
    line = 'outbox.put("t.x", c.pk, {"at": now.isoformat(), "n": level, "id": str(c.pk), "m": rows.count()}, now)'
    assert unfit_fillings(f"def f(c, level: int, now: datetime):\n    {line}\n") == []


def test_what_is_handed_through_a_function_is_followed_to_its_callers() -> None:
    tell = "def _tell(word, data, now):\n    outbox.put(word, x.pk, data, now)\n"
    call = 'def f(reason: str, now: datetime):\n    _tell("a.b", {"why": %s}, now)\n'
    assert unfit_fillings(tell + call % "x.pk") == []
    assert unfit_fillings(tell + call % "reason") == ["line 2: reason"]
    assert unfit_fillings(tell) == ["line 2: word", "line 2: data"]
    assert unfit_fillings((tell + call % "x.pk").replace("_tell", "tell")) == ["line 2: word", "line 2: data"]
