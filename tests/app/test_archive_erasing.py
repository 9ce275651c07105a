"""Keep a conversation for the law, let it go, erase it: on the pages of staff and on the visitor's."""

import json
from typing import Any
from unittest import mock
from uuid import UUID

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from chat import services
from chat.models import Hold, Site
from tests.support.archive_pages import ArchivePages
from tests.support.archive_stories import DAY, WHY_ERASED
from tests.support.people import ben, conversation, dana, held_by, new_token, waiting


class HoldStories(ArchivePages):
    def setUp(self) -> None:
        super().setUp()
        self.fay = self.second()
        self.until = (self.now + 90 * DAY).date()

    def ask(self, client: Client, pk: UUID, **changes: str) -> Any:
        fields = {"until": self.until.isoformat(), "reason": "a court order"} | changes
        return client.post(reverse("ask_hold", args=[pk]), fields)

    def confirm(self, client: Client, pk: UUID) -> Any:
        return client.post(reverse("confirm_hold", args=[pk, Hold.objects.get().pk]))

    def erase_it(self, client: Client, pk: UUID, **changes: str) -> Any:
        return client.post(reverse("erase_archived", args=[pk]), {"reason": WHY_ERASED} | changes)

    def withdraw(self, client: Client, pk: UUID) -> Any:
        return client.post(reverse("withdraw_hold", args=[pk, Hold.objects.get(ended_at=None).pk]))

    def test_two_people_keep_it(self) -> None:
        pk, one, two = self.closed(), self.inside(dana()), self.inside(self.fay)
        assert self.ask(one, pk).status_code == 302
        mine = one.get(reverse("archived", args=[pk])).content.decode()
        assert "Another supervisor who is a reader has to confirm it within 24 hours." in mine
        assert "Confirm: keep it" not in mine
        theirs = two.get(reverse("archived", args=[pk])).content.decode()
        assert "a court order" in theirs
        assert "Confirm: keep it" in theirs
        assert self.confirm(two, pk).status_code == 302
        assert Hold.objects.get().confirmed_by_id == self.fay.id
        page = two.get(reverse("archived", args=[pk])).content.decode()
        assert f"the end of {self.until.day} {self.until:%B %Y} (UTC)" in page

    def test_who_asked_is_refused_and_so_is_an_old_proof(self) -> None:
        pk, one, two = self.closed(), self.inside(dana()), self.inside(self.fay)
        self.ask(one, pk)
        answer = self.confirm(one, pk)
        assert answer.status_code == 403
        assert "Another supervisor who is a reader has to confirm it" in answer.content.decode()
        self.pass_time(minutes=6)
        assert self.confirm(two, pk).status_code == 403
        assert Hold.objects.get().confirmed_at is None

    def test_a_bad_day_keeps_what_was_typed(self) -> None:
        pk, one = self.closed(), self.inside(dana())
        for until in ("", "yesterday", self.now.date().isoformat(), "2199-01-01"):
            answer = self.ask(one, pk, until=until)
            assert answer.status_code == 422
            assert "a court order" in answer.content.decode()
        assert self.ask(one, pk, reason="").status_code == 422
        assert not Hold.objects.exists()

    def test_a_day_on_which_it_is_readable_anyway_is_too_early(self) -> None:
        pk, one = self.closed(), self.inside(dana())
        page = one.get(reverse("archived", args=[pk])).content.decode()
        assert 'min="2026-11-27"' in page
        answer = self.ask(one, pk, until="2026-11-26")
        assert answer.status_code == 422
        assert "It is readable until the end of 26 November 2026 anyway." in answer.content.decode()
        assert not Hold.objects.exists()
        assert self.ask(one, pk, until="2026-11-27").status_code == 302

    def test_what_was_done_is_said_and_only_while_it_is_so(self) -> None:
        pk, one = self.closed(), self.inside(dana())
        answer = self.erase_it(one, pk)
        said = '<p class="notice" role="status" tabindex="-1" autofocus>Erasure asked for.</p>'
        assert said in one.get(answer["Location"]).content.decode()
        for done in ("asked", "confirmed", "elsewhere", "<b>"):
            page = one.get(reverse("archived", args=[pk]), {"done": done}).content.decode()
            assert "autofocus" not in page
            assert "<b>" not in page

    def test_what_is_to_be_erased_cannot_be_kept(self) -> None:
        pk, one = self.closed(), self.inside(dana())
        self.erase_it(one, pk)
        page = one.get(reverse("archived", args=[pk])).content.decode()
        assert "it can no longer be kept" in page
        assert reverse("ask_hold", args=[pk]) not in page
        answer = self.ask(one, pk)
        assert answer.status_code == 409
        assert answer.content.decode().count("it can no longer be kept") == 1
        assert not Hold.objects.exists()

    def test_what_one_person_asked_for_lapses_after_a_day(self) -> None:
        pk, one = self.closed(), self.inside(dana())
        self.ask(one, pk)
        self.pass_time(hours=23, minutes=59)
        assert self.erase_it(self.inside(dana()), pk).status_code == 409
        two = self.inside(self.fay)
        self.pass_time(minutes=1)
        answer = self.confirm(two, pk)
        assert answer.status_code == 409
        page = answer.content.decode()
        assert "It was not confirmed within 24 hours" in page
        assert "Confirm: keep it" not in page
        assert "Erase this conversation" in page
        assert self.erase_it(two, pk).status_code == 302
        assert Hold.objects.get().ended_at == self.now
        assert "hold.lapsed" in self.actions()
        services.retire_closed(now=self.now)
        assert conversation(pk).purged_at is not None

    def test_what_lapsed_can_be_asked_for_by_a_colleague_and_what_was_let_go_is_not_confirmed(self) -> None:
        pk, one = self.closed(), self.inside(dana())
        self.ask(one, pk)
        self.pass_time(hours=24)
        one, two = self.inside(dana()), self.inside(self.fay)
        assert self.ask(two, pk).status_code == 302
        new = Hold.objects.get(ended_at=None)
        self.withdraw(two, pk)
        assert one.post(reverse("confirm_hold", args=[pk, new.pk])).status_code == 409
        assert not Hold.objects.filter(confirmed_at__isnull=False).exists()

    def test_alone_nobody_keeps_an_erasure_away_day_after_day(self) -> None:
        pk, one = self.closed(), self.inside(dana())
        assert self.ask(one, pk).status_code == 302
        assert self.ask(one, pk).status_code == 409, "it stands already"
        self.withdraw(one, pk)
        assert self.ask(one, pk).status_code == 403
        self.pass_time(hours=24)
        one = self.inside(dana())
        assert self.ask(one, pk).status_code == 403
        assert self.erase_it(one, pk).status_code == 302
        lapsing = self.closed()
        assert self.ask(one, lapsing).status_code == 302
        self.pass_time(hours=24)
        assert self.ask(self.inside(dana()), lapsing).status_code == 403, "nor once it lapsed"

    def test_its_own_day_ends_it_sooner(self) -> None:
        pk, one = self.closed(), self.inside(dana())
        self.ask(one, pk)
        Hold.objects.update(until=self.now.date())
        self.now = self.now.replace(hour=23, minute=59)
        assert self.erase_it(self.inside(dana()), pk).status_code == 409
        self.pass_time(minutes=1)
        assert self.erase_it(self.inside(dana()), pk).status_code == 302

    def test_the_trail_knows_who_read_why_before_it_is_shown(self) -> None:
        pk, one, two = self.closed(), self.inside(dana()), self.inside(self.fay)
        self.ask(one, pk)
        read = AuditEvent.objects.filter(action="hold.reason_read")
        assert "a court order" in two.get(reverse("archived", args=[pk])).content.decode()
        assert read.get().actor == str(self.fay)
        assert read.get().data == {"hold": str(Hold.objects.get().pk)}
        held = self.inside(ben()).get(reverse("archived", args=[pk])).content.decode()
        assert "a court order" not in held
        locked = self.signed_in(self.fay).get(reverse("archived", args=[pk])).content.decode()
        assert "a court order" not in locked
        assert read.count() == 1
        two = self.inside(self.fay)
        with (
            mock.patch("chat.services.holds.put_on_trail", side_effect=OperationalError),
            pytest.raises(OperationalError),
        ):
            two.get(reverse("archived", args=[pk]))
        Hold.objects.update(sealed_reason=b"x" * 80)
        assert "The reason cannot be shown." in two.get(reverse("archived", args=[pk])).content.decode()
        assert read.count() == 1

    def test_erasing_asks_first_and_a_hold_comes_before(self) -> None:
        pk, one = self.closed(), self.inside(dana())
        address = reverse("erase_archived", args=[pk])
        page = one.get(address).content.decode()
        assert "A backup that was made before may still hold a copy." in page
        assert "After 26 November 2026 nobody can open that copy." in page
        assert conversation(pk).erase_asked_at is None
        self.ask(one, pk)
        assert self.erase_it(one, pk).status_code == 409
        assert conversation(pk).erase_asked_at is None
        self.withdraw(one, pk)
        assert self.erase_it(one, pk).status_code == 302
        assert "Its erasure was asked for." in one.get(reverse("archived", args=[pk])).content.decode()
        services.retire_closed(now=self.now)
        assert "Nobody can read it any more." in one.get(reverse("archived", args=[pk])).content.decode()
        answer = self.open(one, pk)
        assert (answer.status_code, self.shows(answer)) == (410, False)


class VisitorStories(ArchivePages):
    def asked(self, token: object, **headers: str) -> int:
        body = json.dumps({"token": token})
        return Client().post("/erase", body, content_type="application/json", headers=headers).status_code

    def test_a_running_one_is_ended_and_its_erasure_asked_for(self) -> None:
        pk, token = held_by(ben(), now=self.now)
        assert self.asked(token) == 204
        assert conversation(pk).ended_by == "visitor"
        assert conversation(pk).erase_asked_at is not None
        assert self.asked(token) == 204

    def test_an_unknown_or_broken_token_is_answered_the_same(self) -> None:
        waiting(now=self.now)
        assert [self.asked(token) for token in (new_token(), "x", None, 7)] == [204] * 4
        Site.objects.update(visitor_may_erase=False)
        assert [self.asked(token) for token in (new_token(), "x", None)] == [409] * 3

    def test_a_site_that_does_not_offer_it_and_a_hold_refuse(self) -> None:
        pk, token = held_by(ben(), now=self.now)
        Site.objects.update(visitor_may_erase=False)
        assert self.asked(token) == 409
        assert "data-erase" not in Client().get("/").content.decode()
        Site.objects.update(visitor_may_erase=True)
        Hold.objects.create(
            conversation_id=pk, until=self.now.date(), sealed_reason=b"x", asked_by_id=dana().id, asked_at=self.now
        )
        assert self.asked(token) == 409
        assert conversation(pk).erase_asked_at is None

    def test_only_our_own_page_may_ask(self) -> None:
        pk, token = held_by(ben(), now=self.now)
        assert self.asked(token, origin="https://elsewhere.example") == 403
        assert self.asked(token, **{"sec-fetch-site": "cross-site"}) == 403
        assert Client().get("/erase").status_code == 405
        assert conversation(pk).erase_asked_at is None

    def test_the_page_says_how_long_a_copy_may_stay(self) -> None:
        waiting(now=self.now)
        for hours, days in ((0, 2), (24, 2), (72, 4), (720, 31)):
            Site.objects.update(keep_hours=hours)
            page = Client().get("/?l=en").content.decode()
            assert f"for {days} days at most" in page


def test_the_script_that_erases_stores_nothing_and_goes_nowhere() -> None:
    from tests.support.shipped import FRONTEND, goes_elsewhere, stores

    text = (FRONTEND / "static/js/erase/main.js").read_text(encoding="utf-8")
    assert [*stores(text), *goes_elsewhere(text)] == []
