"""Let a kept conversation go, take a wish back, erase with a reason: on the pages of staff, in both languages."""

from typing import Any
from unittest import mock
from uuid import UUID

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from chat import services
from chat.models import Erasure, Hold, HoldEnd
from staff.models import User
from tests.support.archive_pages import PASSWORD, ArchivePages
from tests.support.archive_stories import WHY_END, WHY_ERASED
from tests.support.people import NOON, ben, cleo, conversation, dana, eve


class Pages(ArchivePages):
    def setUp(self) -> None:
        super().setUp()
        self.pk, self.fay = self.closed(), self.second()
        self.address = reverse("archived", args=[self.pk])

    def page(self, client: Client) -> str:
        return client.get(self.address).content.decode()

    def ask(self, client: Client, **changes: str) -> Any:
        address = reverse("ask_hold_end", args=[self.pk, Hold.objects.get().pk])
        return client.post(address, {"reason": WHY_END} | changes)

    def answer(self, client: Client, name: str, **fields: str) -> Any:
        return client.post(reverse(name, args=[self.pk, HoldEnd.objects.latest("asked_at").pk]), fields)


class LettingGo(Pages):
    def setUp(self) -> None:
        super().setUp()
        self.kept = self.held(self.pk)

    def test_two_people_let_it_go(self) -> None:
        one, two = self.inside(dana()), self.inside(self.fay)
        asked = self.ask(one)
        assert asked.status_code == 302
        said = one.get(asked["Location"]).content.decode()
        assert "You asked that it be let go. Until a colleague confirms, it is kept." in said
        assert "Confirm: let it go" not in said
        assert "Take it back: keep it" in said
        theirs = self.page(two)
        assert "A colleague asked that it no longer be kept." in theirs
        assert "Dana asked that it be let go." in theirs
        assert WHY_END in theirs
        assert "after 26 November 2026 nobody can read it" in theirs
        done = self.answer(two, "confirm_hold_end")
        assert done.status_code == 302
        assert "It is no longer kept." in two.get(done["Location"]).content.decode()
        assert Hold.objects.get().ended_by_id == self.fay.id
        assert "the end of 26 November 2026 (UTC)" in self.page(one)

    def test_it_says_whether_it_is_gone_at_once(self) -> None:
        assert "after 26 November 2026 nobody can read it" in self.page(self.inside(self.fay))
        self.pass_time(days=10)
        page = self.page(self.inside(self.fay))
        assert "Its ordinary day has passed. Nobody can read it any more from the moment it is let go." in page

    def test_who_asked_does_not_confirm_and_is_told_who_has_to(self) -> None:
        one = self.inside(dana())
        self.ask(one)
        answer = self.answer(one, "confirm_hold_end")
        assert answer.status_code == 403
        assert "Another supervisor who is a reader has to confirm it within 24 hours." in answer.content.decode()
        assert Hold.objects.get().ended_at is None

    def test_each_step_asks_for_the_password_again_when_the_proof_is_old(self) -> None:
        one, two = self.inside(dana()), self.inside(self.fay)
        self.pass_time(minutes=6)
        page = self.page(one)
        assert 'id="end-password"' in page
        for wrong in ("", "wrong password"):
            answer = self.ask(one, password=wrong)
            assert answer.status_code == 403
            body = answer.content.decode()
            assert "That is not your password." in body
            assert "<details open>" in body, "the form with the problem is in sight"
            assert WHY_END in body, "what was typed is kept"
        assert not HoldEnd.objects.exists()
        assert self.ask(one, password=PASSWORD).status_code == 302
        page = self.page(two)
        assert 'id="end-confirm-password"' in page
        assert 'id="end-withdraw-password"' in page
        for name in ("confirm_hold_end", "withdraw_hold_end"):
            assert self.answer(two, name).status_code == 403
        assert HoldEnd.objects.get().closed_at is None
        assert self.answer(two, "confirm_hold_end", password=PASSWORD).status_code == 302
        assert Hold.objects.get().ended_at == self.now

    def test_nothing_while_the_archive_is_locked(self) -> None:
        self.ask(self.inside(dana()))
        locked = self.signed_in(self.fay)
        assert WHY_END not in self.page(locked)
        for name in ("confirm_hold_end", "withdraw_hold_end"):
            answer = self.answer(locked, name)
            assert answer.status_code == 403
            assert 'id="phrase"' in answer.content.decode()
        assert HoldEnd.objects.get().closed_at is None

    def test_a_missing_reason_is_said_beside_the_form(self) -> None:
        answer = self.ask(self.inside(dana()), reason=" ")
        assert answer.status_code == 422
        body = answer.content.decode()
        assert 'id="end-problem"' in body
        assert "Please write a reason." in body
        assert not HoldEnd.objects.exists()

    def test_a_colleague_says_no_and_who_asked_takes_it_back(self) -> None:
        one, two = self.inside(dana()), self.inside(self.fay)
        for client in (two, one):
            assert self.ask(one).status_code == 302
            done = self.answer(client, "withdraw_hold_end")
            assert "It stays kept." in client.get(done["Location"]).content.decode()
            self.pass_time(seconds=1)
        late = self.answer(two, "confirm_hold_end")
        assert late.status_code == 409
        assert "It was not confirmed within 24 hours, or was taken back. Nothing has changed." in late.content.decode()
        assert Hold.objects.get().ended_at is None

    def test_what_nobody_confirmed_in_a_day_is_as_if_it_was_not_asked(self) -> None:
        self.ask(self.inside(dana()))
        two = self.inside(self.fay)
        self.pass_time(hours=24)
        two = self.inside(self.fay)
        page = self.page(two)
        assert "asked that it be let go" not in page
        assert "Ask that it be let go" in page
        assert self.answer(two, "confirm_hold_end").status_code == 409
        assert Hold.objects.get().ended_at is None

    def test_strangers_and_visitors_come_nowhere_near(self) -> None:
        self.ask(self.inside(dana()))
        end = HoldEnd.objects.get().pk
        self.written_down[cleo().id] = self.keys.enrol(cleo(), NOON)
        held, other, stranger = self.inside(ben()), self.inside(cleo()), self.signed_in(eve())
        assert WHY_END not in self.page(held)
        assert "let go" not in self.page(held)
        addresses = [
            reverse("ask_hold_end", args=[self.pk, self.kept]),
            *(reverse(name, args=[self.pk, end]) for name in ("confirm_hold_end", "withdraw_hold_end")),
            reverse("withdraw_hold", args=[self.pk, self.kept]),
        ]
        for address in addresses:
            with self.subTest(address=address):
                for client in (held, other, stranger):
                    assert client.post(address, {"reason": WHY_END}).status_code == 403
                outside = Client().post(address, {"reason": WHY_END})
                assert outside["Location"] == reverse("sign_in")
                for client in (held, self.inside(self.fay)):
                    assert client.get(address).status_code in {403, 405}
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = self.inside(self.fay).cookies
        assert strict.post(addresses[1]).status_code == 403
        assert HoldEnd.objects.get().closed_at is None
        assert AuditEvent.objects.filter(action="hold.end_asked").count() == 1

    def test_an_unknown_number_is_not_there(self) -> None:
        two = self.inside(self.fay)
        for name in ("ask_hold_end", "confirm_hold_end", "withdraw_hold_end", "withdraw_hold"):
            answer = two.post(reverse(name, args=[self.pk, UUID(int=7)]), {"reason": WHY_END})
            assert answer.status_code == 404

    def test_the_trail_knows_who_read_why_before_it_is_shown(self) -> None:
        self.ask(self.inside(dana()))
        two = self.inside(self.fay)
        read = AuditEvent.objects.filter(action="hold.end_reason_read")
        assert not read.exists()
        assert WHY_END in self.page(two)
        assert read.get().actor == str(self.fay)
        failing = mock.patch("chat.services.hold_ends.put_on_trail", side_effect=OperationalError)
        with failing, pytest.raises(OperationalError):
            self.page(two)

    def test_in_french(self) -> None:
        User.objects.update(language="fr")
        one, two = self.inside(dana()), self.inside(self.fay)
        assert "Pourquoi n’est-il plus nécessaire de la garder?" in self.page(one)
        self.ask(one)
        page = self.page(two)
        assert "Dana a demandé de ne plus la garder." in page
        assert "Non, la garder" in page
        for english in ("Let it go", "let go", "No, keep it"):
            assert english not in page


class TakingBack(Pages):
    def test_who_asked_takes_back_and_a_colleague_waits_for_it_to_lapse(self) -> None:
        hold = self.hold(self.pk)
        one, two = self.inside(dana()), self.inside(self.fay)
        address = reverse("withdraw_hold", args=[self.pk, hold])
        assert "Yes, take it back" in self.page(one)
        theirs = self.page(two)
        assert address not in theirs
        assert "If you do not confirm, it lapses 24 hours after it was asked for." in theirs
        answer = two.post(address)
        assert answer.status_code == 403
        assert "Only who asked for it can take it back." in answer.content.decode()
        self.pass_time(minutes=6)
        assert one.post(address).status_code == 403
        assert Hold.objects.get().ended_at is None
        done = one.post(address, {"password": PASSWORD})
        assert "You took it back. It is not kept." in one.get(done["Location"]).content.decode()


class Erasing(Pages):
    def erase_by(self, client: Client, **changes: str) -> Any:
        return client.post(reverse("erase_archived", args=[self.pk]), {"reason": WHY_ERASED} | changes)

    def test_it_asks_why_and_for_the_password_when_the_proof_is_old(self) -> None:
        one = self.inside(dana())
        address = reverse("erase_archived", args=[self.pk])
        page = one.get(address).content.decode()
        assert 'id="erase-reason"' in page
        assert 'name="password"' not in page
        self.pass_time(minutes=6)
        assert 'id="erase-password"' in one.get(address).content.decode()
        for password in ("", "wrong password"):
            answer = self.erase_by(one, password=password)
            assert answer.status_code == 403
            assert "That is not your password." in answer.content.decode()
            assert WHY_ERASED in answer.content.decode(), "what was typed is kept"
        answer = self.erase_by(one, password=PASSWORD, reason=" ")
        assert answer.status_code == 422
        assert "Please write a reason." in answer.content.decode()
        assert conversation(self.pk).erase_asked_at is None
        assert self.erase_by(one).status_code == 302
        assert conversation(self.pk).erase_asked_at == self.now

    def test_guessing_the_password_locks_it(self) -> None:
        one = self.inside(dana())
        self.pass_time(minutes=6)
        for _ in range(5):
            assert self.erase_by(one, password="wrong").status_code == 403
        answer = self.erase_by(one, password=PASSWORD)
        assert answer.status_code == 403
        assert 'id="phrase"' in answer.content.decode()
        assert not self.is_inside(one)
        assert conversation(self.pk).erase_asked_at is None

    def test_nobody_erases_while_the_archive_is_locked(self) -> None:
        locked = self.signed_in(dana())
        address = reverse("erase_archived", args=[self.pk])
        assert 'id="phrase"' in locked.get(address).content.decode()
        assert self.erase_by(locked).status_code == 403
        assert conversation(self.pk).erase_asked_at is None

    def test_a_hold_comes_first_and_says_so(self) -> None:
        self.held(self.pk)
        one = self.inside(dana())
        assert "It can be once that is over." in self.page(one)
        answer = self.erase_by(one)
        assert answer.status_code == 409
        assert "It is kept for the law, or somebody asked for that." in answer.content.decode()
        assert conversation(self.pk).erase_asked_at is None

    def test_supervisors_see_who_had_it_erased_and_why_and_nobody_else(self) -> None:
        one = self.inside(dana())
        self.erase_by(one)
        read = AuditEvent.objects.filter(action="erasure.reason_read")
        for shown in (self.page(self.inside(self.fay)), None):
            if shown is None:
                services.retire_closed(now=self.now)
                shown = self.page(self.inside(self.fay))
                assert "Nobody can read it any more." in shown
            assert "Dana had it erased, for this reason:" in shown
            assert WHY_ERASED in shown
        assert read.count() == 2
        for page in (self.page(self.inside(ben())), self.page(self.signed_in(self.fay))):
            assert WHY_ERASED not in page
        assert read.count() == 2
        Erasure.objects.update(sealed_reason=b"x" * 80)
        assert "The reason cannot be shown." in self.page(self.inside(self.fay))

    def test_in_french(self) -> None:
        User.objects.update(language="fr")
        one = self.inside(dana())
        assert "Pourquoi l’effacer?" in one.get(reverse("erase_archived", args=[self.pk])).content.decode()
        self.erase_by(one)
        assert "Dana l’a fait effacer, pour cette raison\u00a0:" in self.page(self.inside(self.fay))
