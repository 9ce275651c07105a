"""The archive's pages: who comes in, and where the text of a closed conversation never goes."""

import asyncio
import json
import re
import threading
from typing import Any
from unittest import mock
from uuid import UUID

from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from chat.models import Event, Reading
from encryption.models import Reader
from encryption.services import archive as vault
from encryption.services import readers
from frontend import unlocking
from frontend.security_headers import POLICY
from tests.support.archive_pages import PASSWORD, REASON, ArchivePages
from tests.support.archive_stories import NOTED, SAID
from tests.support.people import NOON, ben, cleo, dana, eve, held_by


class DoorStories(ArchivePages):
    def test_nobody_comes_near_without_a_sign_in_or_a_role(self) -> None:
        pk, hold = self.closed(), UUID(int=7)
        gets = [reverse("archive"), reverse("archived", args=[pk]), reverse("erase_archived", args=[pk])]
        posts = [reverse(name) for name in ("become_reader", "unlock", "lock", "renew", "remove_passkey")]
        posts += [reverse(name, args=[pk]) for name in ("archived", "ask_hold", "erase_archived")]
        about = ("confirm_hold", "withdraw_hold", "ask_hold_end", "confirm_hold_end", "withdraw_hold_end")
        posts += [reverse(name, args=[pk, hold]) for name in about]
        api = [reverse(name) for name in ("add_passkey", "unlock_with_passkey", "stay_unlocked")]
        stranger, outside = self.signed_in(eve()), Client()
        for method, addresses in (("get", gets), ("post", posts)):
            for address in addresses:
                with self.subTest(address=address, method=method):
                    assert getattr(outside, method)(address)["Location"] == reverse("sign_in")
                    assert getattr(stranger, method)(address).status_code == 403
        for address in api:
            assert outside.post(address, "{}", content_type="application/json").status_code == 401
            assert stranger.post(address, "{}", content_type="application/json").status_code == 403
        assert not Reader.objects.filter(user_id=eve().id).exists()
        assert not Reading.objects.exists()

    def test_another_advocate_does_not_learn_that_it_exists(self) -> None:
        pk = self.closed()
        self.written_down[cleo().id] = self.keys.enrol(cleo(), NOON)
        client = self.inside(cleo())
        assert client.get(reverse("archived", args=[pk])).status_code == 404
        assert self.open(client, pk).status_code == 404
        assert str(pk) not in client.get(reverse("archive")).content.decode()
        assert client.post(reverse("ask_hold", args=[pk]), {}).status_code == 403
        assert client.get(reverse("erase_archived", args=[pk])).status_code == 403

    def test_who_held_it_reads_it_and_neither_holds_nor_erases_it(self) -> None:
        pk = self.closed()
        client = self.inside(ben())
        page = client.get(reverse("archived", args=[pk])).content.decode()
        assert "Keep it for the law" not in page
        assert "Erase it" not in page
        assert self.shows(self.open(client, pk))

    def test_a_supervisor_reads_it_and_sees_who_did_before_and_why(self) -> None:
        pk = self.closed()
        self.open(self.inside(ben()), pk, reason="to write the summary")
        self.pass_time(minutes=1)
        answer = self.open(self.inside(dana()), pk)
        assert self.shows(answer)
        page = answer.content.decode()
        assert "to write the summary" in page
        assert page.index(REASON) < page.index("to write the summary")
        assert f"Note by {ben().name}, only staff see this" in page

    def test_before_reading_one_sees_who_did_and_not_why(self) -> None:
        pk = self.closed()
        self.open(self.inside(ben()), pk, reason="to write the summary")
        page = self.inside(dana()).get(reverse("archived", args=[pk])).content.decode()
        assert "Opened 1 time" in page
        assert ben().name in page.partition("Opened 1 time")[2].partition("</details>")[0]
        assert "to write the summary" not in page

    def test_the_list_holds_what_one_may_open(self) -> None:
        pk = self.closed()
        for person in (ben(), dana()):
            page = self.inside(person).get(reverse("archive")).content.decode()
            assert str(pk) in page
            assert SAID not in page
            assert "the end of 26 November 2026 (UTC)" in page

    def test_becoming_a_reader_shows_the_words_once(self) -> None:
        client = self.signed_in(cleo())
        assert "Become a reader" in client.get(reverse("archive")).content.decode()
        page = client.post(reverse("become_reader"), {"once": "a" * 22})
        view = readers.reader_view(cleo().id)
        assert view is not None
        assert view.fingerprint in page.content.decode()
        words = re.findall(r"<li>([^<]+)</li>", page.content.decode().split("six-words")[1])[:6]
        assert page["Cache-Control"] == "no-store"
        assert readers.open_secret(user_id=cleo().id, kind="phrase", entered=" ".join(words))
        again = client.get(reverse("archive")).content.decode()
        assert view.fingerprint in again
        assert not any(f">{word}<" in again for word in words)
        assert "signed first" in again

    def test_what_makes_new_words_asks_first_and_a_reload_makes_no_others(self) -> None:
        client = self.signed_in(cleo())
        asked = client.post(reverse("become_reader")).content.decode()
        assert "Paper ready?" in asked
        assert not Reader.objects.filter(user_id=cleo().id).exists()
        once = re.findall(r'name="once" value="([^"]+)"', asked)
        assert client.post(reverse("become_reader"), {"once": once[0]}).status_code == 200
        slots = set(Reader.objects.get(user_id=cleo().id).slots.values_list("pk", flat=True))
        for again in (once[0], "short", "x" * 500):
            answer = client.post(reverse("become_reader"), {"once": again})
            assert answer.status_code == 409
            assert "These words were shown once." in answer.content.decode()
            assert "autofocus" in answer.content.decode()
        assert set(Reader.objects.get(user_id=cleo().id).slots.values_list("pk", flat=True)) == slots

    def test_joining_too_often_says_when_and_costs_nothing_more(self) -> None:
        client = self.signed_in(cleo())
        for n in range(5):
            assert client.post(reverse("become_reader"), {"once": f"{n}" * 22}).status_code == 200
        with mock.patch.object(readers, "enrol") as enrol:
            answer = client.post(reverse("become_reader"), {"once": "5" * 22})
        assert answer.status_code == 429
        assert "Wait 15 minutes" in answer.content.decode()
        assert not enrol.called
        Reader.objects.filter(user_id=cleo().id).delete()
        answer = client.post(reverse("become_reader"), {"once": "6" * 22})
        assert (answer.status_code, "Wait 15 minutes" in answer.content.decode()) == (429, True)
        assert self.unlock(self.signed_in(dana()), dana()).status_code == 302, "nobody else is kept out"

    def test_a_signed_reader_is_not_made_anew(self) -> None:
        client = self.signed_in(dana())
        assert client.post(reverse("become_reader"), {"once": "a" * 22}).status_code == 409
        assert self.unlock(client, dana()).status_code == 302

    def test_a_signed_key_without_the_archives_keys_waits(self) -> None:
        Reader.objects.get(user_id=dana().id).grants.all().delete()
        assert "Your key is signed." in self.signed_in(dana()).get(reverse("archive")).content.decode()


class ReadStories(ArchivePages):
    def test_it_asks_why_and_for_the_password_when_the_proof_is_old(self) -> None:
        pk, client = self.closed(), self.inside(dana())
        address = reverse("archived", args=[pk])
        assert 'name="password"' not in client.get(address).content.decode()
        self.pass_time(minutes=6)
        assert 'id="read-password"' in client.get(address).content.decode()
        for password in ("", "wrong password"):
            answer = self.open(client, pk, password=password)
            assert answer.status_code == 403
            assert not self.shows(answer)
            assert REASON in answer.content.decode(), "what was typed is kept"
        assert not Reading.objects.exists()
        assert "reader.proof_refused" in self.actions()
        assert self.shows(self.open(client, pk, password=PASSWORD))

    def test_guessing_the_password_locks_it(self) -> None:
        pk, client = self.closed(), self.inside(dana())
        self.pass_time(minutes=6)
        for _ in range(5):
            assert self.open(client, pk, password="wrong").status_code == 403
        assert not self.shows(self.open(client, pk, password=PASSWORD))
        assert not self.is_inside(client)

    def test_never_by_get_and_never_without_a_reason(self) -> None:
        pk, client = self.closed(), self.inside(dana())
        assert not self.shows(client.get(reverse("archived", args=[pk]), {"reason": REASON}))
        answer = self.open(client, pk, reason=" \u200b ")
        assert answer.status_code == 422
        assert "Please write a reason." in answer.content.decode()
        assert not Reading.objects.exists()

    def test_a_form_from_elsewhere_opens_nothing(self) -> None:
        pk, client = self.closed(), self.inside(dana())
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = client.cookies
        assert self.open(strict, pk).status_code == 403
        assert not Reading.objects.exists()

    def test_the_trail_comes_before_the_text_and_also_when_nothing_opens(self) -> None:
        pk, client = self.closed(), self.inside(dana())
        seen: list[list[str]] = []
        real = vault.open_wrap

        def noting(*args: Any) -> Any:
            seen.append(self.actions())
            return real(*args)

        with mock.patch.object(vault, "open_wrap", side_effect=noting):
            assert self.shows(self.open(client, pk))
        assert seen[0][-1] == "archive.opened"
        Event.objects.filter(conversation=pk, kind="note").delete()
        answer = self.open(client, pk)
        assert answer.status_code == 409
        assert self.actions()[-2:] == ["archive.opened", "archive.tampered"]

    def test_a_tampered_row_shows_no_text_and_says_whom_to_tell(self) -> None:
        pk, client = self.closed(), self.inside(dana())
        row = Event.objects.get(conversation=pk, kind="message")
        body = bytearray(row.sealed_body or b"")
        body[40] ^= 1
        Event.objects.filter(pk=row.pk).update(sealed_body=bytes(body))
        page = self.open(client, pk).content.decode()
        assert SAID not in page
        assert NOTED not in page
        assert "Tell your supervisor" in page

    def test_gone_and_running_and_outage_have_words(self) -> None:
        from encryption.providers import ProviderDown
        from encryption.services import sealing

        pk, client = self.closed(), self.inside(dana())
        with mock.patch.object(sealing.provider(), "unwrap", side_effect=ProviderDown("ret")):
            answer = self.open(client, pk)
        assert answer.status_code == 503
        assert "The keys cannot be reached right now." in answer.content.decode()
        sealing.provider().destroy_epoch("ret-2026-11-27")
        answer = self.open(client, pk)
        assert (answer.status_code, self.shows(answer)) == (410, False)
        assert "Nobody can open it any more." in answer.content.decode()
        running, _ = held_by(ben(), now=self.now)
        answer = self.open(client, running)
        assert answer.status_code == 409
        assert "It is still running" in answer.content.decode()

    def test_the_text_is_in_no_address_log_session_or_cookie(self) -> None:
        pk, client = self.closed(), self.inside(dana())
        answer = self.open(client, pk)
        assert self.shows(answer)
        assert answer["Cache-Control"] == "no-store"
        stores = [str(client.cookies), str(answer.headers), self.log.text]
        stores += [json.dumps(row.get_decoded()) + row.session_data for row in Session.objects.all()]
        stores += [json.dumps(one.data) for one in AuditEvent.objects.all()]
        phrase = self.written_down[dana().id].phrase
        for secret in (SAID, NOTED, REASON, phrase, client.cookies["unlock"].value):
            assert [store for store in stores[1:] if secret in store] == []
        assert not any(secret in stores[0] for secret in (SAID, NOTED, REASON, phrase))
        assert SAID not in client.get(reverse("archived", args=[pk])).content.decode()
        assert POLICY["default-src"] == ("'none'",)

    def test_reasons_that_do_not_open_do_not_keep_the_text_from_who_may_read_it(self) -> None:
        pk, client = self.closed(), self.inside(dana())
        self.open(client, pk)
        Reading.objects.update(sealed_reason=b"x" * 80)
        answer = self.open(client, pk)
        assert self.shows(answer)
        assert "The reason cannot be shown." in answer.content.decode()


async def test_who_joins_keeps_no_reader_from_their_threads(settings: Any) -> None:
    settings.DB_WORK_ON_MAIN_THREAD = False
    let_go = threading.Event()
    joining = [asyncio.ensure_future(unlocking.apart(let_go.wait, 30)) for _ in range(3)]
    try:
        assert await asyncio.wait_for(unlocking.aside(lambda: "read"), 15) == "read"
        assert not any(one.done() for one in joining)
    finally:
        let_go.set()
        await asyncio.gather(*joining)
