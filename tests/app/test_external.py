"""Level 4: ben proposes that somebody outside is told, dana confirms; no clock, no rule and no one person does it."""

from datetime import timedelta
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import IntegrityError, connection, transaction
from django.test import AsyncClient, TestCase
from django.urls import reverse

from audit.models import AuditEvent
from audit.services import find_breaks
from cases.delivery import deliver_due
from cases.models import Case
from cases.services import read_case
from chat import services as chat
from chat.core.actors import Staff
from chat.core.errors import ErrorCode, Refused, Unseen
from chat.models import Conversation, Event, OutboxItem
from crisis import services
from crisis.core.paging import Kind, PagingState
from crisis.models import Escalation, ExternalNotification, Paging
from crisis.selectors import open_escalations
from encryption.providers import ProviderDown
from encryption.services import sealing
from staff.models import User
from staff.web import staff_of
from tests.support.archive_stories import ArchiveStories
from tests.support.people import NOON, ben, cleo, conversation, dana, eve, held_by

WHY = "the teal kettle man has a knife"
ASKED = "fay, by the copper gate"
TOLD = "violet street station"
BADGE = "badge 4711"


def after(**time: float) -> Any:
    return NOON + timedelta(**time)


def fay() -> Staff:
    """Return a second supervisor."""
    about = {"work_name": "Fay", "role": "supervisor", "password": "!"}
    return staff_of(User.objects.get_or_create(username="fay", defaults=about)[0])


def propose(pk: UUID, by: Staff, **given: str) -> UUID:
    about = {"agency": "police", "province": "ON", "reason": WHY, "consulted": ASKED, "client_id": uuid4().hex}
    return services.propose_external(actor=by, conversation_id=pk, now=NOON, **about | given).result


def tell(escalation: UUID, by: Staff, minutes_ago: int = 0, when: Any = NOON) -> None:
    services.note_told(actor=by, escalation_id=escalation, told=TOLD, worker=BADGE, minutes_ago=minutes_ago, now=when)


def refused(code: ErrorCode, command: Any, **arguments: object) -> None:
    with pytest.raises(Refused) as caught:
        command(**arguments)
    assert caught.value.code == code


class TwoPeople(TestCase):
    def setUp(self) -> None:
        self.ben, self.dana = ben(), dana()
        self.pk, self.token = held_by(self.ben)

    def row(self) -> Escalation:
        return Escalation.objects.get()

    def test_a_proposal_calls_the_supervisors_with_a_clock(self) -> None:
        propose(self.pk, self.ben)
        assert (self.row().level, self.row().state, self.row().due_at) == (3, "raised", after(seconds=60))
        assert services.climb_due(now=after(seconds=61)).result == 1
        (shown,) = open_escalations()
        assert shown.external is not None
        assert (shown.external.agency, shown.external.proposed_by, shown.external.confirmed) == ("police", "Ben", False)

    def test_the_second_person_brings_it_to_level_4_where_no_clock_and_no_rule_reaches_it(self) -> None:
        pk = propose(self.pk, self.ben)
        done = services.confirm_external(actor=self.dana, escalation_id=pk, now=after(seconds=30))
        assert [(event.code, event.level, event.visitor_seq) for event in done.events] == [
            ("external_confirmed", 4, None)
        ]
        assert (self.row().level, self.row().state, self.row().due_at) == (4, "acknowledged", None)
        assert self.row().acknowledged_by_id == self.dana.id
        services.climb_due(now=after(days=2))
        services.mend_clocks(now=NOON - timedelta(days=2))
        cue = services.raise_cue(conversation_id=self.pk, level=3, reason="x", client_id="c" * 32, now=after(hours=1))
        assert cue.result is None
        assert (self.row().level, conversation(self.pk).level) == (4, 4)

    def test_confirming_calls_off_who_is_being_paged(self) -> None:
        pk = propose(self.pk, self.ben)
        Paging.objects.create(escalation_id=pk, kind=Kind.ESCALATION, level=3, begun_at=NOON, due_at=NOON)
        services.confirm_external(actor=self.dana, escalation_id=pk, now=NOON)
        assert Paging.objects.get().state == PagingState.ANSWERED

    def test_no_rule_and_no_raised_escalation_can_stand_at_level_4(self) -> None:
        propose(self.pk, self.ben)
        with pytest.raises(IntegrityError), transaction.atomic():
            Escalation.objects.update(level=4)
        refused(
            ErrorCode.LEVEL_UNKNOWN,
            services.raise_escalation,
            actor=self.ben,
            conversation_id=self.pk,
            level=4,
            reason=WHY,
            client_id="a" * 32,
            now=NOON,
        )

    def test_one_person_alone_does_not_do_both(self) -> None:
        pk = propose(self.pk, self.dana)
        refused(ErrorCode.SECOND_PERSON, services.confirm_external, actor=self.dana, escalation_id=pk, now=NOON)
        with pytest.raises(IntegrityError), transaction.atomic():
            ExternalNotification.objects.update(confirmed_by_id=self.dana.id, confirmed_at=NOON)
        services.confirm_external(actor=fay(), escalation_id=pk, now=NOON)
        assert self.row().level == 4

    def test_an_advocate_is_no_second_person_and_a_stranger_nobody(self) -> None:
        pk = propose(self.pk, self.dana)
        refused(ErrorCode.FORBIDDEN, services.confirm_external, actor=self.ben, escalation_id=pk, now=NOON)
        for stranger in (cleo(), eve()):
            for command in (services.confirm_external, services.read_external):
                with self.subTest(stranger=stranger.name, command=command.__name__), pytest.raises(Unseen):
                    command(actor=stranger, escalation_id=pk, now=NOON)
            with pytest.raises(Unseen):
                propose(self.pk, stranger)
            with pytest.raises(Unseen):
                tell(pk, stranger)
            with pytest.raises(Unseen):
                services.note_contact(actor=stranger, escalation_id=pk, minutes_ago=0, now=NOON)
        assert ExternalNotification.objects.get().confirmed_by_id is None

    def test_repeats_change_nothing_and_a_third_person_is_told_so(self) -> None:
        pk = propose(self.pk, self.ben, client_id="b" * 32)
        assert propose(self.pk, self.ben, client_id="b" * 32) == pk
        services.confirm_external(actor=self.dana, escalation_id=pk, now=NOON)
        assert services.confirm_external(actor=self.dana, escalation_id=pk, now=NOON).events == ()
        refused(ErrorCode.ALREADY_TAKEN, services.confirm_external, actor=fay(), escalation_id=pk, now=NOON)
        assert propose(self.pk, self.ben, client_id="b" * 32) == pk
        assert ExternalNotification.objects.count() == 1

    def test_what_was_stood_down_is_confirmed_by_nobody(self) -> None:
        pk = propose(self.pk, self.ben)
        services.stand_down(actor=self.dana, escalation_id=pk, reason="she is safe", now=NOON)
        refused(ErrorCode.ALREADY_SETTLED, services.confirm_external, actor=self.dana, escalation_id=pk, now=NOON)
        assert conversation(self.pk).level == 0

    def test_unknown_agencies_and_provinces_and_empty_reasons_make_nothing(self) -> None:
        for given, code in (
            ({"agency": "army"}, ErrorCode.BAD_FRAME),
            ({"province": "XX"}, ErrorCode.BAD_FRAME),
            ({"reason": " "}, ErrorCode.REASON_MISSING),
        ):
            with self.subTest(given=given), pytest.raises(Refused) as caught:
                propose(self.pk, self.ben, **given)
            assert caught.value.code == code
        assert Escalation.objects.count() == 0


class OpenTask(TestCase):
    def setUp(self) -> None:
        self.ben, self.dana = ben(), dana()
        self.pk, self.token = held_by(self.ben)
        self.escalation = propose(self.pk, self.ben)

    def standing(self) -> tuple[bool, bool, bool]:
        external = open_escalations()[0].external
        assert external is not None
        return external.confirmed, external.told, external.contact

    def test_it_stays_a_task_until_contact_is_confirmed(self) -> None:
        services.confirm_external(actor=self.dana, escalation_id=self.escalation, now=after(minutes=1))
        assert self.standing() == (True, False, False)
        refused(
            ErrorCode.WRONG_STATE,
            services.note_contact,
            actor=self.ben,
            escalation_id=self.escalation,
            minutes_ago=0,
            now=NOON,
        )
        tell(self.escalation, self.ben, when=after(minutes=2))
        assert self.standing() == (True, True, False)
        settle = {"actor": self.dana, "escalation_id": self.escalation, "reason": "done", "now": after(minutes=3)}
        refused(ErrorCode.CONTACT_OPEN, services.resolve, **settle)
        services.note_contact(actor=self.ben, escalation_id=self.escalation, minutes_ago=1, now=after(minutes=9))
        assert self.standing() == (True, True, True)
        services.resolve(**settle)
        assert conversation(self.pk).level == 0
        record = ExternalNotification.objects.get()
        assert (record.told_at, record.contact_at) == (after(minutes=2), after(minutes=8))

    def test_a_person_may_stand_it_down_with_a_reason_and_the_record_says_not_confirmed(self) -> None:
        services.confirm_external(actor=self.dana, escalation_id=self.escalation, now=NOON)
        services.stand_down(actor=self.dana, escalation_id=self.escalation, reason="they found nobody", now=NOON)
        assert conversation(self.pk).level == 0
        view = services.read_external(actor=self.dana, escalation_id=self.escalation, now=NOON).result
        assert (view.state, view.contact_at) == ("stood_down", None)

    def test_in_an_emergency_the_call_comes_first(self) -> None:
        tell(self.escalation, self.ben, minutes_ago=3)
        assert self.standing() == (False, True, False)
        services.confirm_external(actor=self.dana, escalation_id=self.escalation, now=NOON)
        assert ExternalNotification.objects.get().told_at == after(minutes=-3)
        refused(ErrorCode.ALREADY_TAKEN, tell, escalation=self.escalation, by=self.dana)

    def test_no_lock_is_held_while_the_key_provider_is_asked(self) -> None:
        real, depths = sealing.provider(), []

        def unwrap(*given: Any) -> bytes:
            depths.append(len(connection.savepoint_ids))
            return real.unwrap(*given)

        sealing.forget()
        slow = mock.Mock(wraps=real, unwrap=unwrap)
        with mock.patch.object(sealing, "provider", return_value=slow):
            tell(self.escalation, self.ben)
        assert depths == [len(connection.savepoint_ids)]

    def test_a_call_lies_within_the_last_day(self) -> None:
        for minutes in (-1, 1441):
            refused(ErrorCode.BAD_FRAME, tell, escalation=self.escalation, by=self.ben, minutes_ago=minutes)

    def test_what_people_wrote_is_sealed_and_reading_it_is_on_the_trail(self) -> None:
        tell(self.escalation, self.ben)
        rows = [*ExternalNotification.objects.values(), *Escalation.objects.values()]
        told = str([rows, *(list(model.objects.values()) for model in (AuditEvent, OutboxItem, Event))])
        held = b"".join(bytes(value) for row in rows for value in row.values() if isinstance(value, bytes | memoryview))
        for text in (WHY, ASKED, TOLD, BADGE):
            assert text not in told
            assert text.encode() not in held
        view = services.read_external(actor=self.ben, escalation_id=self.escalation, now=NOON).result
        texts = [view.why, view.consulted, view.told, view.worker]
        assert [text and text.reveal() for text in texts] == [WHY, ASKED, TOLD, BADGE]
        for text in (WHY, ASKED, TOLD, BADGE):
            assert text not in repr(view)
        assert AuditEvent.objects.filter(action="escalation.record_read", actor=str(self.ben)).count() == 1
        assert find_breaks() == []

    def test_every_step_is_on_the_trail_and_in_the_case(self) -> None:
        services.confirm_external(actor=self.dana, escalation_id=self.escalation, now=after(seconds=5))
        tell(self.escalation, self.ben, when=after(seconds=6))
        services.note_contact(actor=self.dana, escalation_id=self.escalation, minutes_ago=0, now=after(seconds=7))
        deliver_due(now=after(minutes=1))
        steps = ["external_proposed", "external_confirmed", "external_told", "external_contact"]
        trail = set(AuditEvent.objects.values_list("action", flat=True))
        assert {f"escalation.{step}" for step in steps} <= trail
        view = read_case(actor=self.dana, case_id=Case.objects.get().pk, now=after(minutes=1)).result
        assert view.level == 4
        lines = {line.code.value: line for line in view.timeline}
        assert [line.author for step in steps for line in [lines[f"escalation_{step}"]]] == [
            "Ben",
            "Dana",
            "Ben",
            "Dana",
        ]
        assert lines["escalation_external_proposed"].text == ASKED
        assert lines["escalation_external_told"].text == f"{TOLD} · {BADGE}"


class Surviving(ArchiveStories):
    def test_the_record_outlives_the_erasure_of_its_conversation(self) -> None:
        pk, _ = held_by(ben())
        escalation = propose(pk, ben())
        services.confirm_external(actor=dana(), escalation_id=escalation, now=NOON)
        tell(escalation, ben())
        chat.end_conversation(actor=ben(), conversation_id=pk, now=NOON)
        self.erase(pk, NOON)
        chat.retire_closed(now=after(hours=1))
        assert conversation(pk).purged_at is None, "a danger that is open keeps it"
        services.note_contact(actor=dana(), escalation_id=escalation, minutes_ago=0, now=after(hours=1))
        services.resolve(actor=dana(), escalation_id=escalation, reason="they are with her", now=after(hours=1))
        deliver_due(now=after(hours=1))
        chat.retire_closed(now=after(hours=2))
        assert conversation(pk).purged_at is not None
        sealing.forget()
        view = services.read_external(actor=dana(), escalation_id=escalation, now=after(hours=3)).result
        assert [view.why.reveal(), view.told and view.told.reveal()] == [WHY, TOLD]


class Pages(TestCase):
    async def browser(self, person: Any) -> AsyncClient:
        client = AsyncClient()
        await client.aforce_login(await User.objects.aget(pk=(await sync_to_async(person)()).id))
        return client

    async def test_the_story_over_two_pages(self) -> None:
        pk, _ = await sync_to_async(held_by)(await sync_to_async(ben)())
        advocate, supervisor = await self.browser(ben), await self.browser(dana)
        page = (await advocate.get(reverse("propose_external", args=[pk]))).content.decode()
        client_id = page.split('name="client_id" value="')[1][:32]
        given = {"client_id": client_id, "agency": "police", "province": "ON", "reason": WHY, "consulted": ""}
        answer = await advocate.post(reverse("propose_external", args=[pk]), given)
        assert answer.status_code == 302
        record = answer["Location"]
        shown = await advocate.get(record)
        assert "somebody else has to confirm it" in shown.content.decode()
        assert "confirm-title" not in shown.content.decode()
        assert shown["Cache-Control"] == "no-store"
        assert WHY in (await supervisor.get(record)).content.decode()
        assert (await advocate.post(f"{record}/confirm")).status_code == 403
        assert (await supervisor.post(f"{record}/confirm")).status_code == 302
        bad = await advocate.post(f"{record}/told", {"told": " ", "worker": BADGE, "minutes": "5"})
        assert bad.status_code == 422
        assert BADGE in bad.content.decode()
        assert (await advocate.post(f"{record}/told", {"told": TOLD, "worker": "", "minutes": "5"})).status_code == 302
        assert "Open task" in (await supervisor.get(record)).content.decode()
        assert (await supervisor.post(f"{record}/contact", {"minutes": "x"})).status_code == 422
        assert (await supervisor.post(f"{record}/contact", {"minutes": "0"})).status_code == 302
        assert "Contact is confirmed." in (await supervisor.get(record)).content.decode()
        assert await Escalation.objects.filter(level=4).acount() == 1

    async def test_what_was_written_stays_in_the_form_while_keys_are_away(self) -> None:
        pk, _ = await sync_to_async(held_by)(await sync_to_async(ben)())
        advocate, address = await self.browser(ben), reverse("propose_external", args=[pk])
        given = {"client_id": "a" * 32, "agency": "police", "province": "ON", "reason": WHY, "consulted": ASKED}
        away = mock.patch("frontend.views.external.crisis.propose_external", side_effect=ProviderDown("std"))
        with away:
            answer = await advocate.post(address, given)
        assert answer.status_code == 503
        assert all(text in answer.content.decode() for text in (WHY, ASKED, "a" * 32))
        assert (await advocate.post(address, given)).status_code == 302

    async def test_strangers_find_nothing(self) -> None:
        pk, _ = await sync_to_async(held_by)(await sync_to_async(ben)())
        escalation = await sync_to_async(propose)(pk, await sync_to_async(ben)())
        for person, status in ((cleo, 404), (eve, 403)):
            client = await self.browser(person)
            for address in (reverse("propose_external", args=[pk]), reverse("external", args=[escalation])):
                assert (await client.get(address)).status_code == status
        assert (await AsyncClient().get(reverse("external", args=[escalation]))).status_code == 302
        assert await Conversation.objects.filter(level=4).acount() == 0
