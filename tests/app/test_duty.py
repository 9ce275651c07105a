"""The duty to report: the administrator fills the table, ben sends the card before he asks, eve gets nothing."""

import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied
from django.test import AsyncClient, TestCase
from django.urls import reverse

from audit.models import AuditEvent
from chat.core.actors import Staff
from chat.core.errors import Refused, Unseen
from chat.log import binding_for, opener_of
from chat.models import Event
from chat.services import read_conversation
from crisis import services
from crisis.core.duty import BadDuty, Duty, Province
from crisis.models import DutyRow
from crisis.selectors.duty import duties, newest_version, versions_for
from frontend.duty_card import card
from staff.models import User
from staff.web import staff_of
from tests.support.people import NOON, ben, cleo, dana, eve, held_by, waiting

FILLED = Duty(
    must_under=18,
    may_under=None,
    agency_en="the test agency",
    agency_fr="l’organisme d’essai",
    phone="1-833-555-0100",
    phone_always="1-833-555-0199",
    checked_on=date(2026, 11, 20),
)


def gus() -> Staff:
    """Return the administrator."""
    about = {"work_name": "Gus", "role": "administrator", "password": "!"}
    return staff_of(User.objects.get_or_create(username="gus", defaults=about)[0])


class Table(TestCase):
    def set(self, duty: Duty, province: Province = Province.QC, by: Staff | None = None) -> int:
        shown = newest_version(province)
        return services.set_duty(actor=by or gus(), province=province, version=shown, duty=duty, now=NOON).result

    def put_back(self, version: int, by: Staff | None = None) -> None:
        newest = newest_version(Province.QC)
        services.restore_duty(actor=by or gus(), province=Province.QC, version=version, newest=newest, now=NOON)

    def test_what_nobody_filled_is_empty_and_no_number_is_shipped(self) -> None:
        table = duties()
        assert set(table) == set(Province)
        assert [row for row in table.values() if row.phone or row.phone_always or row.checked_on] == []
        assert {code for code, row in table.items() if row != Duty()} == {Province.ON}

    def test_versions_are_kept_and_an_older_one_can_be_put_back(self) -> None:
        assert self.set(FILLED) == 1
        assert self.set(FILLED) == 1, "the same again is no version"
        changed = Duty(must_under=16)
        assert self.set(changed) == 2
        assert duties()[Province.QC] == changed
        self.put_back(1)
        assert duties()[Province.QC] == FILLED
        self.put_back(0)
        assert duties()[Province.QC] == Duty()
        assert [one.version for one in versions_for(gus(), Province.QC)] == [4, 3, 2, 1, 0]
        assert AuditEvent.objects.filter(action="duty.set", subject="duty:QC", actor=str(gus())).count() == 4

    def test_only_the_administrator_changes_it(self) -> None:
        for person in (ben(), dana(), eve()):
            with self.subTest(person=person.name):
                with pytest.raises(PermissionDenied):
                    self.set(FILLED, by=person)
                with pytest.raises(Refused):
                    self.put_back(0, by=person)
                assert versions_for(person, Province.QC) == ()
        assert DutyRow.objects.count() == 0

    def test_what_cannot_be_called_or_read_is_not_kept(self) -> None:
        for duty, field in (
            (Duty(must_under=3), "must_under"),
            (Duty(must_under=18, may_under=16), "may_under"),
            (Duty(phone="call us"), "phone"),
            (Duty(phone_always="1"), "phone_always"),
            (Duty(agency_en="a\nb"), "agency_en"),
            (Duty(words_fr="x" * 401), "words_fr"),
            (Duty(checked_on=NOON.date() + timedelta(days=1)), "checked_on"),
        ):
            with self.subTest(field=field), pytest.raises(BadDuty) as caught:
                self.set(duty)
            assert caught.value.field == field

    def test_the_card_says_what_holds_where_it_is_known(self) -> None:
        assert "If a child is in danger" in card(None, "en")
        assert "under 16" in card(duties()[Province.ON], "en")
        assert "une société d’aide à l’enfance" in card(duties()[Province.ON], "fr")
        own = card(Duty(must_under=16, words_en="Our own sentence."), "en")
        assert "Our own sentence." in own
        assert "under 16" not in own


class Cards(TestCase):
    def setUp(self) -> None:
        self.pk, _ = held_by(ben())

    def send(self, by: Staff, client_id: str = "a" * 32, pk: UUID | None = None) -> None:
        services.send_duty_card(
            actor=by,
            conversation_id=pk or self.pk,
            province=Province.ON,
            body=card(duties()[Province.ON], "en"),
            client_id=client_id,
            now=NOON,
        )

    def codes(self) -> list[str]:
        return list(Event.objects.filter(conversation=self.pk).order_by("staff_seq").values_list("code", flat=True))

    def test_it_is_a_message_of_the_advocates_and_that_it_was_sent_is_noted_for_staff(self) -> None:
        assert not services.card_was_sent(ben(), self.pk)
        self.send(ben())
        message, fact = Event.objects.filter(conversation=self.pk).order_by("-staff_seq")[:2][::-1]
        assert (message.kind, message.author_id, message.visitor_seq is not None) == ("message", ben().id, True)
        assert (fact.code, fact.visitor_seq) == ("duty_card_sent", None)
        assert services.card_was_sent(ben(), self.pk)
        trail = AuditEvent.objects.get(action="duty_card.sent")
        assert (trail.subject, trail.data) == (f"conversation:{self.pk}", {"province": "ON"})

    def test_the_same_press_twice_sends_one(self) -> None:
        self.send(ben())
        before = self.codes()
        self.send(ben())
        assert self.codes() == before

    def test_strangers_and_supervisors_send_none_in_another_s_name(self) -> None:
        for person in (cleo(), eve(), dana()):
            with self.subTest(person=person.name), pytest.raises(Refused):
                self.send(person)
        for stranger in (cleo(), eve()):
            with self.subTest(stranger=stranger.name), pytest.raises(Unseen):
                services.card_was_sent(stranger, self.pk)
        other, _ = waiting()
        with pytest.raises(Refused):
            self.send(ben(), pk=other)
        assert "duty_card_sent" not in self.codes()


class Pages(TestCase):
    async def browser(self, person: Any) -> AsyncClient:
        client = AsyncClient()
        await client.aforce_login(await User.objects.aget(pk=(await sync_to_async(person)()).id))
        return client

    async def post(self, client: AsyncClient, name: str, pk: UUID, **body: object) -> Any:
        return await client.post(reverse(name, args=[pk]), json.dumps(body), content_type="application/json")

    async def test_one_press_sends_the_card_in_the_visitors_language(self) -> None:
        advocate = await sync_to_async(ben)()
        pk, _ = await sync_to_async(held_by)(advocate)
        client = await self.browser(ben)
        state = json.loads((await self.post(client, "card_state", pk)).content)
        assert state["sent"] is False
        assert set(state["cards"]["fr"]) == {"", *Province}
        sent = await self.post(client, "send_card", pk, province="", language="fr", client_id="b" * 32)
        assert sent.status_code == 200
        state = json.loads((await self.post(client, "card_state", pk)).content)
        assert state["sent"] is True
        events, _ = (
            await sync_to_async(read_conversation)(actor=advocate, conversation_id=pk, after=0, now=NOON)
        ).result
        opener = await sync_to_async(opener_of)(pk, events)
        assert opener is not None
        texts = [opener.unseal(binding_for(one), one.sealed_body).reveal() for one in events if one.sealed_body]
        assert texts == [state["cards"]["fr"][""]]

    async def test_a_stranger_gets_no_card_and_a_wrong_province_none_either(self) -> None:
        pk, _ = await sync_to_async(held_by)(await sync_to_async(ben)())
        for person, status in ((cleo, 404), (eve, 403)):
            client = await self.browser(person)
            assert (await self.post(client, "card_state", pk)).status_code == status
            answer = await self.post(client, "send_card", pk, province="", language="en", client_id="b" * 32)
            assert answer.status_code == status
        answer = await self.post(
            await self.browser(ben), "send_card", pk, province="XX", language="en", client_id="b" * 32
        )
        assert answer.status_code == 422

    async def test_the_administrator_comes_to_the_table_and_changes_a_row(self) -> None:
        client = await self.browser(gus)
        home = await client.get(reverse("staff_home"), follow=True)
        assert reverse("duty") in home.content.decode()
        assert "to be filled by the site" in (await client.get(reverse("duty"))).content.decode()
        given = {"must_under": "18", "agency_en": "the test agency", "phone": "call us", "checked_on": "2026-11-20"}
        given["version"] = "0"
        bad = await client.post(reverse("duty_row", args=["QC"]), given)
        assert (bad.status_code, "the test agency" in bad.content.decode()) == (422, True)
        assert 'value="2026-11-20"' in bad.content.decode()
        good = await client.post(reverse("duty_row", args=["QC"]), given | {"phone": "1-833-555-0100"})
        assert good.status_code == 302
        page = (await client.get(reverse("duty_row", args=["QC"]))).content.decode()
        assert 'value="1-833-555-0100"' in page
        assert (await client.post(reverse("restore_duty", args=["QC", 0]), {"version": "1"})).status_code == 302
        assert (await client.get(reverse("duty_row", args=["ZZ"]))).status_code == 404

    async def test_of_two_who_change_a_row_the_second_sees_the_first_ones_and_keeps_theirs_only_knowingly(self) -> None:
        client, address = await self.browser(gus), reverse("duty_row", args=["QC"])
        first = {"must_under": "14", "agency_en": "the first agency", "version": "0"}
        assert (await client.post(address, first)).status_code == 302
        mine = {"must_under": "18", "agency_en": "mine", "version": "0"}
        for path in (address, reverse("restore_duty", args=["QC", 0])):
            answer = await client.post(path, mine)
            page = answer.content.decode()
            assert answer.status_code == 409
            assert "Somebody else has changed this row." in page
            assert "the first agency" in page
            assert 'name="version" value="1"' in page
        assert (await sync_to_async(duties)())[Province.QC].must_under == 14
        assert (await client.post(address, mine | {"version": "1"})).status_code == 302
        assert (await sync_to_async(duties)())[Province.QC].must_under == 18

    async def test_advocates_read_the_table_and_change_nothing(self) -> None:
        client = await self.browser(ben)
        page = (await client.get(reverse("duty"))).content.decode()
        assert reverse("duty_row", args=["ON"]) not in page
        assert (await client.post(reverse("duty_row", args=["ON"]), {})).status_code == 403
        assert (await (await self.browser(eve)).get(reverse("duty"))).status_code == 403
