"""No column of ours can hold what somebody wrote, unless it is sealed or stands on a list with the reason.

Three looks at the same thing: at every model, at the code that fills the columns which could hold anything, and at
every row after a whole story.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.test import TestCase

from audit.models import AuditEvent
from audit.services import record
from cases import services as cases
from cases.delivery import deliver_due
from cases.models import Case
from chat import outbox, services
from chat.core.actors import Visitor
from chat.models import OutboxItem
from crisis import services as crisis
from encryption.text import Secret
from tests.contract.test_architecture import ROOMS, ROOT
from tests.support.people import NOON, ben, dana, held_by

CODE, NUMBER, STAFF_WORD, ADDRESS = "coded value", "counted value", "chosen by staff, not about anybody", "of a service"
DIGEST, WRAP, PUBLIC = "digest or commitment", "wrapped key", "public key or its signature"
SITE = "what the site tells its visitors"

MAY_BE_CLEAR: dict[str, str] = {
    "audit.AuditEvent.action": CODE,
    "audit.AuditEvent.actor": "staff number, or a word for who has none",
    "audit.AuditEvent.data": "codes, ids and numbers; the code that fills it is walked below",
    "audit.AuditEvent.digest": DIGEST,
    "audit.AuditEvent.previous": DIGEST,
    "audit.AuditEvent.subject": "kind and id",
    "audit.AuditHead.digest": DIGEST,
    "cases.Case.handle": "pseudonym that we drew",
    "cases.Case.status": CODE,
    "cases.Contact.contact_type": CODE,
    "cases.Contact.disposition": CODE,
    "cases.Contact.door": CODE,
    "cases.Contact.ended_by": CODE,
    "cases.Contact.language": CODE,
    "cases.Entry.author_name": "work name of staff",
    "cases.Entry.code": CODE,
    "chat.Assignment.outcome": CODE,
    "chat.CodeWord.author_role": CODE,
    "chat.Conversation.door": CODE,
    "chat.Conversation.ended_by": CODE,
    "chat.Conversation.handle": "pseudonym that we drew",
    "chat.Conversation.language": CODE,
    "chat.Conversation.state": CODE,
    "chat.Conversation.token_digest": DIGEST,
    "chat.Event.author_role": CODE,
    "chat.Event.client_id": "random, from the page",
    "chat.Event.code": CODE,
    "chat.Event.kind": CODE,
    "chat.Event.sender": "staff number, or `visitor`",
    "chat.OutboxItem.data": "codes, ids and numbers; the code that fills it is walked below",
    "chat.OutboxItem.topic": CODE,
    "chat.ReturnWords.digest": DIGEST,
    "chat.ReturnWords.lookup": "keyed digest of two of six random words",
    "chat.ReturnWords.salt": "random",
    "chat.Site.emergency": SITE,
    "chat.Site.exit_url_en": SITE,
    "chat.Site.exit_url_fr": SITE,
    "chat.Site.for_work_en": SITE,
    "chat.Site.for_work_fr": SITE,
    "chat.Site.interpreters_phone": SITE,
    "chat.Site.name": SITE,
    "chat.Site.page_title_en": SITE,
    "chat.Site.pause_minutes": "numbers",
    "chat.Site.page_title_fr": SITE,
    "chat.Site.phone": SITE,
    "chat.Site.survey": CODE,
    "chat.SurveyAnswer.again": CODE,
    "chat.SurveyAnswer.door": CODE,
    "chat.SurveyAnswer.helpful": CODE,
    "chat.SurveyAnswer.language": CODE,
    "chat.SurveyAnswer.once": DIGEST,
    "crisis.Delivery.result": "a status, or one of our codes",
    "crisis.Delivery.state": CODE,
    "crisis.Delivery.target_name": STAFF_WORD,
    "crisis.DutyRow.agency_en": SITE,
    "crisis.DutyRow.agency_fr": SITE,
    "crisis.DutyRow.phone": SITE,
    "crisis.DutyRow.phone_always": SITE,
    "crisis.DutyRow.province": CODE,
    "crisis.DutyRow.words_en": SITE,
    "crisis.DutyRow.words_fr": SITE,
    "crisis.Escalation.client_id": "random, from the page",
    "crisis.Escalation.source": CODE,
    "crisis.Escalation.state": CODE,
    "crisis.ExternalNotification.agency": CODE,
    "crisis.ExternalNotification.province": CODE,
    "crisis.OnCallTarget.name": STAFF_WORD,
    "crisis.OnCallTarget.shown": "host of a service",
    "crisis.OnCallTarget.way": CODE,
    "crisis.Paging.kind": CODE,
    "crisis.Paging.state": CODE,
    "crisis.RuleVersion.rules": "rules of the site; its page says that no visitor's words belong there",
    "crisis.RuleVersion.why": STAFF_WORD,
    "crisis.Rung.pages": CODE,
    "directory.Organization.name": STAFF_WORD,
    "directory.Organization.website": ADDRESS,
    "directory.Service.areas": "province codes",
    "directory.Service.description_en": STAFF_WORD,
    "directory.Service.description_fr": STAFF_WORD,
    "directory.Service.email": ADDRESS,
    "directory.Service.languages": "language codes",
    "directory.Service.name": STAFF_WORD,
    "directory.Service.phone": ADDRESS,
    "directory.Service.status": CODE,
    "directory.Service.url": ADDRESS,
    "directory.Service.visibility": CODE,
    "encryption.ArchiveKey.name": "year and month",
    "encryption.ArchiveKey.public": PUBLIC,
    "encryption.ArchiveKey.signature": PUBLIC,
    "encryption.DataKey.commitment": DIGEST,
    "encryption.DataKey.subject_kind": CODE,
    "encryption.Grant.blob": "secret of an archive key, sealed to a reader",
    "encryption.Reader.public": PUBLIC,
    "encryption.Reader.signature": PUBLIC,
    "encryption.ReaderSlot.blob": "secret of a reader, locked",
    "encryption.ReaderSlot.credential": "id of a passkey",
    "encryption.ReaderSlot.kind": CODE,
    "encryption.ReaderSlot.salt": "random",
    "encryption.RecoveryKey.drill": DIGEST,
    "encryption.RecoveryKey.name": "chosen at the ceremony, of a key",
    "encryption.RecoveryKey.public": PUBLIC,
    "encryption.RecoveryKey.signature": PUBLIC,
    "encryption.Wrap.blob": WRAP,
    "encryption.Wrap.epoch": "code and day",
    "encryption.Wrap.kind": CODE,
    "encryption.Wrap.recipient": "name of a public key",
    "staff.Availability.state": CODE,
    "staff.Display.digest": DIGEST,
    "staff.Display.language": CODE,
    "staff.User.language": CODE,
    "staff.User.password": "Argon2id hash",
    "staff.User.role": CODE,
    "staff.User.speaks": CODE,
    "staff.User.username": "work account of staff",
    "staff.User.work_name": "work name of staff",
}
"""Every column that could hold a text and may be read by whoever reads the database, with the reason.

A text that a visitor wrote, or that somebody wrote about a person, never belongs here: seal it.
"""

CANNOT_HOLD_TEXT = (
    models.AutoField,
    models.BooleanField,
    models.DateField,
    models.DateTimeField,
    models.DurationField,
    models.FloatField,
    models.ForeignKey,
    models.IntegerField,
    models.TimeField,
    models.UUIDField,
)


def readable_columns(rows: list[type[models.Model]]) -> Iterator[str]:
    """Yield each column that could hold a text in clear; a kind of field that is not known here is one."""
    for row in rows:
        for field in row._meta.local_concrete_fields:
            sealed = isinstance(field, models.BinaryField) and field.name.startswith("sealed_")
            if not sealed and not isinstance(field, CANNOT_HOLD_TEXT):
                yield f"{row._meta.app_label}.{row.__name__}.{field.name}"


def our_models() -> list[type[models.Model]]:
    """Return every model of our rooms, with the tables that Django makes between two of them."""
    rooms = [config for config in apps.get_app_configs() if config.label in ROOMS]
    return [row for room in rooms for row in room.get_models(include_auto_created=True)]


def test_every_column_that_could_hold_a_text_is_sealed_or_has_a_reason() -> None:
    assert set(readable_columns(our_models())) - MAY_BE_CLEAR.keys() == set(), "seal it, or say why it may be clear"


def test_no_reason_stands_for_a_column_that_is_gone() -> None:
    assert MAY_BE_CLEAR.keys() - set(readable_columns(our_models())) == set()


def test_the_walk_sees_each_kind_of_column() -> None:
    class Strange(models.Field):  # type: ignore[type-arg]
        pass

    class Diary(models.Model):
        page = models.CharField(max_length=9)
        whole = models.TextField()
        more = models.JSONField()
        link = models.URLField()
        slug = models.SlugField()
        mail = models.EmailField()
        file = models.FileField()
        address = models.GenericIPAddressField()
        plain = models.BinaryField()
        strange = Strange()
        sealed_text = models.TextField()
        sealed_body = models.BinaryField()
        day = models.DateField()
        count = models.IntegerField()

        class Meta:
            app_label = "diary"
            managed = False

        def __str__(self) -> str:
            return "diary"

    try:
        found = {name.split(".")[-1] for name in readable_columns([Diary])}
    finally:
        del apps.all_models["diary"]
        apps.clear_cache()
    assert found == {
        *("page", "whole", "more", "link", "slug", "mail", "file", "address", "plain", "strange", "sealed_text")
    }


# the code that fills the trail and the outbox

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
}
"""Functions that give an id, a number, a time or a code whatever they are given."""

IDS = re.compile(r"(.*_)?(pk|id)")
FIELDS = re.compile(IDS.pattern + r"|state|level|value|kind|count|last")
"""Names and attributes that hold an id, a number or a code."""

HARMLESS_TYPES = {"int", "bool", "float", "UUID", "datetime", "date", "Subject"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Place:
    """Be where an expression stands: its module, and the function around it."""

    tree: ast.Module
    function: Function | None

    def arguments(self) -> list[ast.arg]:
        """Return what the function is given, in order."""
        return [*self.function.args.args, *self.function.args.kwonlyargs] if self.function else []


def calls(tree: ast.Module) -> Iterator[tuple[ast.Call, Place]]:
    """Yield each call with where it stands."""
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        around = [one for one in functions if call in ast.walk(one)]
        yield call, Place(tree, around[-1] if around else None)


def name_of(call: ast.Call) -> str:
    """Return the last word of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def fillings(tree: ast.Module) -> Iterator[tuple[ast.Call, Place, list[ast.expr]]]:
    """Yield each call that writes to the trail or the outbox, where it stands, and what it hands over."""
    for call, place in calls(tree):
        keywords = {word.arg: word.value for word in call.keywords}
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


# a whole story

SAID, NOTED, WHY, SUM = "teal kettle at dusk", "amber lantern note", "copper gate reason", "violet harbour summary"
SHORT = re.compile(r"[\w.:+-]{0,80}", re.ASCII)


class StoryTest(TestCase):
    def test_no_row_of_a_whole_story_holds_what_somebody_wrote(self) -> None:
        tell_story()
        rows = [row for model in our_models() for row in model._default_manager.all()]
        assert {type(row).__name__ for row in rows} >= {"Event", "Escalation", "Contact", "Case", "Entry", "AuditEvent"}
        for row in rows:
            for field in row._meta.concrete_fields:
                held = getattr(row, field.attname)
                text = bytes(held) if isinstance(held, memoryview | bytes) else str(held).encode()
                for written in (SAID, NOTED, WHY, SUM):
                    assert written.encode() not in text, f"{row} holds it in {field.name}"
                    assert written.encode().hex().encode() not in text, f"{row} holds it in {field.name}"

    def test_what_the_trail_and_the_outbox_got_is_short_and_has_no_spaces(self) -> None:
        tell_story()
        trail, items = AuditEvent.objects.all(), OutboxItem.objects.all()
        assert len(trail) > 8
        assert len(items) > 5
        told: list[tuple[list[str], dict[str, Any]]] = [
            *(([event.actor, event.action, event.subject], event.data) for event in trail),
            *(([item.topic], item.data) for item in items),
        ]
        for words, data in told:
            for value in (*words, *data, *data.values()):
                assert type(value) is int or (isinstance(value, str) and SHORT.fullmatch(value)), value

    def test_neither_takes_a_secret(self) -> None:
        pk, _ = held_by(ben())
        with pytest.raises(TypeError):
            record(actor="x", action="x", subject="x", data={"why": Secret(WHY)}, now=NOON)  # type: ignore[dict-item]
        with pytest.raises(TypeError):
            outbox.put("x", pk, {"why": Secret(WHY)}, NOON)  # type: ignore[dict-item]


def tell_story() -> None:
    """Let ada and ben talk, ben call for help, dana settle it, and the record be written and delivered."""
    advocate, supervisor = ben(), dana()
    pk, _ = held_by(advocate)
    services.post_message(actor=Visitor(pk), conversation_id=pk, client_id="a" * 32, body=SAID, now=NOON)
    services.write_note(actor=advocate, conversation_id=pk, client_id="b" * 32, body=NOTED, now=NOON)
    raised = crisis.raise_escalation(
        actor=advocate, conversation_id=pk, level=2, reason=WHY, client_id="e" * 32, now=NOON
    ).result
    crisis.climb_due(now=NOON + timedelta(hours=1))
    crisis.acknowledge(actor=supervisor, escalation_id=raised.id, now=NOON)
    crisis.start_work(actor=supervisor, escalation_id=raised.id, now=NOON)
    crisis.resolve(actor=supervisor, escalation_id=raised.id, reason=WHY, now=NOON)
    services.read_conversation(actor=supervisor, conversation_id=pk, after=0, now=NOON)
    services.end_conversation(actor=advocate, conversation_id=pk, now=NOON)
    cases.record_contact(
        actor=advocate,
        conversation_id=pk,
        contact_type="victim_survivor",
        disposition="support_given",
        case_identified=True,
        summary=SUM,
        now=NOON,
    )
    assert deliver_due(now=NOON + timedelta(hours=2)) > 5
    cases.read_case(actor=supervisor, case_id=Case.objects.get().pk, now=NOON)
