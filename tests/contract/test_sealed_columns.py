"""No column of ours can hold what somebody wrote, unless it is sealed or stands on a list with the reason.

Two looks at the same thing: at every model, and at every row after a whole story. `test_trail_code.py` has a third, at
the code that fills the columns which could hold anything.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
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
from tests.contract.test_architecture import ROOMS
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
    "chat.Conversation.drill": CODE,
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
    "drills.Drill.ended_why": CODE,
    "drills.Drill.language": CODE,
    "drills.Drill.path": "names of steps of the script, and moments",
    "drills.Drill.script": "file name of the script",
    "drills.Drill.step": "name of a step of the script",
    "drills.Drill.summary": "the script's own words for its goals, and moments",
    "drills.Drill.title": "the script's own words",
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
