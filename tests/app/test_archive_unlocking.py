"""Unlocking the archive: what opens it, what ends it, and that nothing else does."""

import copy
import json
import re
from typing import Any
from unittest import mock

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.urls import reverse

from encryption.halves import HalvesDown, MemoryHalves
from encryption.models import ReaderSlot
from staff.models import User
from tests.support.archive_pages import OTHER_OUTPUT, OUTPUT, PASSWORD, ArchivePages
from tests.support.people import ben, dana


class UnlockStories(ArchivePages):
    def test_a_wrong_phrase_says_nothing_more_and_opens_nothing(self) -> None:
        client = self.signed_in(dana())
        for changes in ({"entered": "six wrong words that open nothing"}, {"entered": ""}, {"kind": "passkey"}):
            answer = self.unlock(client, dana(), **changes)
            assert answer.status_code == 403
            assert "This does not unlock your key." in answer.content.decode()
            assert "unlock" not in answer.cookies
        assert not self.is_inside(client)

    def test_too_many_tries_say_when(self) -> None:
        client = self.signed_in(dana())
        for _ in range(5):
            self.unlock(client, dana(), entered="wrong")
        answer = self.unlock(client, dana())
        assert answer.status_code == 429
        assert "Wait 15 minutes" in answer.content.decode()
        assert not self.is_inside(client)

    def test_the_code_opens_too_and_one_comes_back_to_where_one_was(self) -> None:
        pk, client = self.closed(), self.signed_in(dana())
        page = client.get(reverse("archived", args=[pk])).content.decode()
        assert f'name="to" value="{pk}"' in page
        answer = self.unlock(client, dana(), kind="code", entered=self.written_down[dana().id].code, to=str(pk))
        assert answer["Location"] == reverse("archived", args=[pk])
        other = self.unlock(client, dana(), to="https://elsewhere.example/")
        assert other["Location"] == reverse("archive")

    def test_the_cookie_is_for_this_site_and_its_pages_only(self) -> None:
        client = self.signed_in(dana())
        cookie = self.unlock(client, dana()).cookies["unlock"]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
        assert not cookie["max-age"]
        assert not cookie["expires"]

    def test_over_https_it_has_the_prefix(self) -> None:
        from django.test import override_settings

        with override_settings(SESSION_COOKIE_SECURE=True):
            client = Client()
            User.objects.filter(pk=dana().id).update(password=make_password(PASSWORD))
            client.post(reverse("sign_in"), {"username": "dana", "password": PASSWORD}, secure=True)
            fields = {"kind": "phrase", "entered": self.written_down[dana().id].phrase}
            answer = client.post(reverse("unlock"), fields, secure=True)
        assert answer.cookies["__Host-unlock"]["secure"]
        assert "unlock" not in answer.cookies

    def test_idle_and_absolute_time_end_it_and_a_stolen_cookie_is_nothing_then(self) -> None:
        pk, client = self.closed(), self.inside(dana())
        stolen = Client()
        stolen.cookies = copy.deepcopy(client.cookies)
        self.pass_time(minutes=15)
        assert not self.is_inside(stolen)
        assert not self.shows(self.open(stolen, pk, password=PASSWORD))
        client = self.inside(dana())
        for _ in range(17):
            assert self.is_inside(client)
            self.pass_time(minutes=14)
        assert self.is_inside(client)
        self.pass_time(minutes=2)
        assert not self.is_inside(client)

    def test_locking_ends_it_and_takes_the_cookie_back(self) -> None:
        client = self.inside(dana())
        half = client.cookies["unlock"].value
        answer = client.post(reverse("lock"))
        assert answer.cookies["unlock"]["max-age"] == 0
        client.cookies["unlock"] = half
        assert not self.is_inside(client)

    def test_a_sign_out_ends_it(self) -> None:
        client = self.inside(dana())
        half = client.cookies["unlock"].value
        answer = client.post(reverse("sign_out"))
        assert answer.cookies["unlock"]["max-age"] == 0
        again = self.signed_in(dana())
        again.cookies["unlock"] = half
        assert not self.is_inside(again)

    def test_a_second_sign_in_anywhere_ends_it(self) -> None:
        client = self.inside(dana())
        self.signed_in(dana())
        assert not self.is_inside(client)

    def test_a_second_unlock_ends_the_first(self) -> None:
        client = self.signed_in(dana())
        other = self.signed_in(dana())
        self.unlock(client, dana())
        self.unlock(other, dana())
        assert self.is_inside(other)
        assert not self.is_inside(client)

    def test_another_role_ends_it(self) -> None:
        client = self.inside(dana())
        User.objects.filter(pk=dana().id).update(role="advocate")
        assert not self.is_inside(client)
        User.objects.filter(pk=dana().id).update(role="supervisor")
        assert not self.is_inside(client), "it does not come back either"

    def test_another_password_ends_it(self) -> None:
        client = self.inside(dana())
        half = client.cookies["unlock"].value
        user = User.objects.get(pk=dana().id)
        user.set_password("another long enough phrase")
        user.save()
        assert client.get(reverse("archive"))["Location"] == reverse("sign_in")
        client.force_login(user)
        client.cookies["unlock"] = half
        assert not self.is_inside(client)

    def test_another_password_ends_it_also_in_a_session_that_goes_on(self) -> None:
        client = self.inside(dana())
        user = User.objects.get(pk=dana().id)
        user.set_password("another long enough phrase")
        user.save()
        session = client.session
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        assert not self.is_inside(client)

    def test_the_cookie_is_nothing_in_another_session_of_the_same_person(self) -> None:
        client, other = self.inside(dana()), Client()
        other.force_login(User.objects.get(pk=dana().id))
        other.cookies["unlock"] = client.cookies["unlock"].value
        assert not self.is_inside(other)

    def test_the_other_persons_cookie_opens_nothing(self) -> None:
        half = self.inside(dana()).cookies["unlock"].value
        client = self.signed_in(ben())
        client.cookies["unlock"] = half
        assert not self.is_inside(client)

    def test_without_the_store_of_halves_it_says_so(self) -> None:
        client = self.inside(dana())
        with mock.patch.object(MemoryHalves, "get", side_effect=HalvesDown):
            answer = client.get(reverse("archive"))
            assert answer.status_code == 503
            assert "cannot be unlocked right now" in answer.content.decode()
            assert self.passkey(client, "stay_unlocked").status_code == 503

    def test_new_words_and_a_new_code_are_shown_once_and_replace_the_old(self) -> None:
        client = self.inside(dana())
        page = client.post(reverse("renew"), {"kind": "code", "once": "a" * 22}).content.decode()
        (code,) = re.findall(r"[A-Z2-7]{4}(?:-[A-Z2-7]{4}){7}", page)
        assert self.unlock(client, dana(), kind="code", entered=self.written_down[dana().id].code).status_code == 403
        assert self.unlock(client, dana(), kind="code", entered=code).status_code == 302
        assert code not in client.get(reverse("archive")).content.decode()
        assert "reader.code_renewed" in self.actions()

    def test_a_new_code_asks_first_and_a_reload_makes_no_other(self) -> None:
        client, before = self.inside(dana()), set(ReaderSlot.objects.values_list("pk", flat=True))
        asked = client.post(reverse("renew"), {"kind": "code"}).content.decode()
        assert "The old code stops now." in asked
        assert set(ReaderSlot.objects.values_list("pk", flat=True)) == before
        (once,) = re.findall(r'name="once" value="([^"]+)"', asked)
        page = client.post(reverse("renew"), {"kind": "code", "once": once}).content.decode()
        (code,) = re.findall(r"[A-Z2-7]{4}(?:-[A-Z2-7]{4}){7}", page)
        answer = client.post(reverse("renew"), {"kind": "code", "once": once})
        assert answer.status_code == 409
        assert "These words were shown once." in answer.content.decode()
        assert self.unlock(client, dana(), kind="code", entered=code).status_code == 302, "it is still the same"

    def test_new_ways_to_unlock_need_a_fresh_proof(self) -> None:
        client = self.inside(dana())
        self.pass_time(minutes=6)
        before = ReaderSlot.objects.count()
        assert client.post(reverse("renew"), {"kind": "phrase", "once": "b" * 22}).status_code == 403
        assert self.passkey(client, "add_passkey").json() == {"error": "proof"}
        assert self.unlock(client, dana()).status_code == 302, "the old words still work"
        self.pass_time(minutes=6)
        assert self.passkey(client, "add_passkey", password=PASSWORD).status_code == 200
        assert ReaderSlot.objects.count() == before + 1

    def passkey(self, client: Client, name: str, **changes: str) -> Any:
        body = {} if name == "stay_unlocked" else {"credential": "Y3JlZGVudGlhbC1vbmU", "output": OUTPUT} | changes
        return client.post(reverse(name), json.dumps(body), content_type="application/json")

    def test_a_passkey_opens_it_with_its_own_secret_only(self) -> None:
        client = self.inside(dana())
        assert self.passkey(client, "add_passkey").status_code == 200
        client.post(reverse("lock"))
        assert "Y3JlZGVudGlhbC1vbmU" in client.get(reverse("archive")).content.decode()
        refused = self.passkey(client, "unlock_with_passkey", output=OTHER_OUTPUT)
        assert (refused.status_code, refused.json()) == (403, {"error": "locked"})
        assert not self.is_inside(client)
        answer = self.passkey(client, "unlock_with_passkey")
        assert answer.json() == {}
        assert answer.cookies["unlock"]["httponly"]
        assert self.is_inside(client)

    def test_a_lost_passkey_is_taken_away_with_a_fresh_proof(self) -> None:
        client = self.inside(dana())
        assert "Your passkeys" not in client.get(reverse("archive")).content.decode()
        self.passkey(client, "add_passkey")
        self.pass_time(minutes=1)
        self.passkey(client, "add_passkey", credential="Y3JlZGVudGlhbC10d28", output=OTHER_OUTPUT)
        lost, kept = ReaderSlot.objects.filter(kind="passkey").order_by("pk")
        page = client.get(reverse("archive")).content.decode()
        for one in (lost, kept):
            assert f'name="slot" value="{one.pk}"' in page
            assert f"{one.created_at:%Y-%m-%d %H:%M} UTC" in page
        self.pass_time(minutes=6)
        for password in ("", "wrong"):
            answer = client.post(reverse("remove_passkey"), {"slot": lost.pk, "password": password})
            assert answer.status_code == 403
            assert "That is not your password." in answer.content.decode()
        assert client.post(reverse("remove_passkey"), {"slot": lost.pk, "password": PASSWORD}).status_code == 302
        assert [row.pk for row in ReaderSlot.objects.filter(kind="passkey")] == [kept.pk]
        client.post(reverse("remove_passkey"), {"slot": lost.pk})
        assert self.actions().count("reader.passkey_removed") == 1
        client.post(reverse("lock"))
        assert self.passkey(client, "unlock_with_passkey").status_code == 403
        assert self.passkey(client, "unlock_with_passkey", output=OTHER_OUTPUT).status_code == 200

    def test_nothing_but_ones_own_passkeys_is_taken_away(self) -> None:
        client, other = self.inside(dana()), self.inside(ben())
        self.passkey(other, "add_passkey")
        for slot in ReaderSlot.objects.all():
            client.post(reverse("remove_passkey"), {"slot": slot.pk})
        for wrong in ("", "x", "9" * 19, "\u0663"):
            assert client.post(reverse("remove_passkey"), {"slot": wrong}).status_code == 409
        assert ReaderSlot.objects.filter(reader__user_id=dana().id).count() == 2
        assert ReaderSlot.objects.filter(reader__user_id=ben().id, kind="passkey").count() == 1
        client.post(reverse("lock"))
        mine = ReaderSlot.objects.get(kind="passkey")
        other.post(reverse("lock"))
        assert other.post(reverse("remove_passkey"), {"slot": mine.pk, "password": PASSWORD}).status_code == 403
        assert ReaderSlot.objects.filter(pk=mine.pk).exists()

    def test_passkeys_are_listed_in_french_too(self) -> None:
        User.objects.filter(pk=dana().id).update(language="fr")
        client = self.inside(dana())
        self.passkey(client, "add_passkey")
        page = client.get(reverse("archive")).content.decode()
        assert "Vos clés d’accès" in page
        assert "Enlever" in page

    def test_a_secret_that_is_no_secret_is_not_taken(self) -> None:
        client = self.inside(dana())
        for changes in ({"output": "A" * 42}, {"output": "!" * 43}, {"credential": ""}, {"more": "x"}):
            assert self.passkey(client, "add_passkey", **changes).status_code == 422
        assert not ReaderSlot.objects.filter(kind="passkey").exists()

    def test_staying_moves_the_end(self) -> None:
        client = self.inside(dana())
        self.pass_time(minutes=10)
        assert self.passkey(client, "stay_unlocked").json() == {"left": 900}
        client.post(reverse("lock"))
        assert self.passkey(client, "stay_unlocked").status_code == 403
