"""The pages about who is on call and about the ladder: alix sets, dana sees and tests, nobody else comes near."""

import re
from functools import partial
from unittest import mock
from uuid import UUID, uuid4

import pytest
from django.test import Client, TestCase, override_settings
from django.urls import reverse

from audit.models import AuditEvent
from chat.core.actors import Staff
from chat.core.errors import Refused
from crisis import services
from crisis.core.ladder import SHIPPED
from crisis.models import Delivery, OnCallTarget
from crisis.selectors import ladder, silent_after
from crisis.selectors.on_call import target_address, target_secret
from encryption.models import DataKey
from encryption.providers import ProviderDown
from encryption.services import sealing
from staff.models import User
from tests.support.pagers import worker_looks
from tests.support.people import NOON, alix, ben, dana, eve

HOOK = "https://pager.example.org/hook?token=teal-kettle"
NEW = {"name": "Night pager", "way": "webhook", "address": HOOK, "wait": "90"}
LEVEL_2 = {"level": "2", "seconds": "45", "then": "repeat", "board": "listed", "pages": "at_once"}


def signed_in(who: Staff) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=who.id))
    return client


class Pages(TestCase):
    def setUp(self) -> None:
        self.alix, self.dana = signed_in(alix()), signed_in(dana())

    def added(self, name: str = "Night pager", address: str = HOOK) -> UUID:
        pk = uuid4()
        services.add_target(
            actor=alix(), target_id=pk, name=name, way="webhook", address=address, wait_seconds=90, now=NOON
        )
        return pk

    def page(self, client: Client, name: str = "on_call") -> str:
        answer = client.get(reverse(name))
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "no-store"
        return answer.content.decode()


class Who(Pages):
    def test_strangers_and_advocates_see_and_change_nothing(self) -> None:
        pk = self.added()
        one = [reverse(name, args=[pk]) for name in ("change_target", "page_earlier", "renew_secret", "remove_target")]
        posts = [*one, reverse("try_target", args=[pk]), reverse("add_target"), reverse("set_level")]
        posts.append(reverse("set_silence"))
        gets = [reverse("on_call"), reverse("ladder")]
        before = AuditEvent.objects.count()
        for who in (ben(), eve()):
            client = signed_in(who)
            assert [client.get(address).status_code for address in gets] == [403, 403]
            assert {client.post(address, NEW | LEVEL_2).status_code for address in posts} == {403}
        outside = Client()
        assert {outside.post(address, NEW)["Location"] for address in posts} == {reverse("sign_in")}
        assert AuditEvent.objects.count() == before
        assert ladder() == SHIPPED

    def test_a_supervisor_sees_and_tests_and_sets_nothing(self) -> None:
        pk = self.added()
        html = self.page(self.dana)
        assert "Night pager" in html
        assert "Add a target" not in html
        assert reverse("change_target", args=[pk]) not in html
        for name in ("change_target", "page_earlier", "renew_secret", "remove_target"):
            assert self.dana.post(reverse(name, args=[pk]), NEW).status_code == 403
        assert self.dana.post(reverse("add_target"), NEW).status_code == 403
        assert self.dana.post(reverse("set_level"), LEVEL_2).status_code == 403
        assert self.dana.post(reverse("set_silence"), {"seconds": "120"}).status_code == 403
        assert '<form method="post" action="/staff/ladder' not in self.page(self.dana, "ladder")
        assert self.dana.post(reverse("try_target", args=[pk])).status_code == 302
        worker_looks(NOON.replace(year=2030), lambda errand: "204")
        assert "its server answered 204" in self.page(self.dana)

    def test_services_ask_for_the_right_themselves(self) -> None:
        pk = self.added()
        for who in (ben(), eve(), dana()):
            commands = (services.remove_target, partial(services.renew_secret, version=1), services.page_earlier)
            for command in commands:
                with self.subTest(who=who.name), pytest.raises(Refused):
                    command(actor=who, target_id=pk, now=NOON)
        with pytest.raises(Refused):
            services.try_target(actor=eve(), target_id=pk, now=NOON)

    def test_an_administrator_comes_to_these_pages_first_and_reads_no_content(self) -> None:
        assert self.alix.get(reverse("staff_home"))["Location"] == reverse("on_call")
        for name in ("board", "console", "cases", "archive"):
            assert self.alix.get(reverse(name)).status_code == 403


class Targets(Pages):
    def test_the_secret_is_shown_once_and_address_and_secret_never_again(self) -> None:
        answer = self.alix.post(reverse("add_target"), NEW | {"id": str(uuid4())})
        shown = re.search(r'<code class="code" dir="ltr">([\w-]{43})</code>', answer.content.decode())
        assert shown is not None
        target = OnCallTarget.objects.get()
        secret = target_secret(target)
        assert secret is not None
        assert (secret.reveal(), target_address(target).reveal()) == (shown[1], HOOK)
        for client in (self.alix, self.dana):
            html = self.page(client)
            assert "pager.example.org" in html
            assert shown[1] not in html
            assert "teal-kettle" not in html

    def test_a_form_sent_twice_adds_one(self) -> None:
        form = NEW | {"id": str(uuid4())}
        assert self.alix.post(reverse("add_target"), form).status_code == 200
        assert self.alix.post(reverse("add_target"), form).status_code == 422
        assert OnCallTarget.objects.count() == 1

    def test_what_is_wrong_is_said_beside_the_form_which_keeps_what_was_typed(self) -> None:
        for wrong in ({"name": " "}, {"address": "http://x.example"}, {"wait": "5"}, {"wait": "soon"}, {"way": "drum"}):
            with self.subTest(wrong=wrong):
                answer = self.alix.post(reverse("add_target"), NEW | wrong)
                assert answer.status_code == 422
                assert 'id="new-problem"' in answer.content.decode()
        assert 'value="Night pager"' in answer.content.decode()
        assert not OnCallTarget.objects.exists()
        assert not DataKey.objects.filter(subject_kind="oncall").exists()

    def test_a_mail_target_needs_a_mail_server_and_shows_its_domain(self) -> None:
        form = NEW | {"way": "mail", "address": "night.shift@example.org"}
        assert self.alix.post(reverse("add_target"), form).status_code == 422
        with override_settings(MAIL=True):
            assert self.alix.post(reverse("add_target"), form).status_code == 302
        html = self.page(self.alix)
        assert "…@example.org" in html
        assert "night.shift" not in html

    def test_change_order_secret_and_removal_and_the_trail_of_each(self) -> None:
        first, second = self.added("First"), self.added("Second")
        old = target_secret(OnCallTarget.objects.get(pk=second))
        self.alix.post(reverse("page_earlier", args=[second]))
        change = {"name": "Day pager", "wait": "30", "address": "", "version": "1"}
        assert self.alix.post(reverse("change_target", args=[second]), change).status_code == 302
        assert self.alix.post(reverse("renew_secret", args=[second]), {"version": "2"}).status_code == 200
        assert [(one.name, one.wait_seconds) for one in OnCallTarget.objects.all()] == [
            ("Day pager", 30),
            ("First", 90),
        ]
        target = OnCallTarget.objects.get(pk=second)
        assert target_address(target).reveal() == HOOK
        assert target_secret(target) != old
        assert self.alix.post(reverse("remove_target", args=[first])).status_code == 302
        assert not DataKey.objects.filter(subject_kind="oncall", subject_id=first).exists()
        assert self.alix.post(reverse("remove_target", args=[first])).status_code == 404
        # a form of before that is sent again makes no key for what was destroyed
        assert self.alix.post(reverse("add_target"), NEW | {"id": str(first)}).status_code == 422
        trail = AuditEvent.objects.filter(action__startswith="oncall.").order_by("pk")
        words = ["added", "added", "moved", "changed", "secret", "removed"]
        assert [(row.actor, row.action) for row in trail] == [(str(alix()), f"oncall.{word}") for word in words]

    def test_of_two_who_change_a_target_the_second_reads_that_it_was_changed_and_overwrites_nothing(self) -> None:
        pk = self.added()
        (shown,) = set(re.findall(r'name="version" value="(\d+)"', self.page(self.alix)))
        mine = {"name": "Mine", "wait": "30", "address": "https://mine.example.org/", "version": shown}
        assert self.alix.post(reverse("change_target", args=[pk]), mine).status_code == 302
        for name, form in (("change_target", mine | {"name": "Theirs"}), ("renew_secret", {"version": shown})):
            with self.subTest(name=name):
                answer = self.alix.post(reverse(name, args=[pk]), form)
                assert answer.status_code == 409
                assert "Somebody else changed this target." in answer.content.decode()
                assert "<code" not in answer.content.decode()
        target = OnCallTarget.objects.get()
        assert (target.name, target_address(target).reveal()) == ("Mine", "https://mine.example.org/")

    def test_keys_that_are_away_are_said_and_change_nothing(self) -> None:
        down = mock.MagicMock()
        down.wrap.side_effect = ProviderDown("std")
        with mock.patch.object(sealing, "provider", return_value=down):
            assert self.alix.post(reverse("add_target"), NEW).status_code == 503
        assert not OnCallTarget.objects.exists()

    def test_there_are_ten_at_most(self) -> None:
        for number in range(10):
            self.added(f"Pager {number}")
        assert self.alix.post(reverse("add_target"), NEW).status_code == 422

    def test_a_page_that_was_given_up_is_shown_so(self) -> None:
        pk = self.added()
        services.try_target(actor=dana(), target_id=pk, now=NOON)
        Delivery.objects.update(state="gave_up", tries=4, result="timeout")
        html = self.page(self.dana)
        assert "<strong>given up</strong> · no answer in time" in html


class Ladder(Pages):
    def test_a_level_is_set_shown_and_kept_in_the_history_with_who_did_it(self) -> None:
        assert self.alix.post(reverse("set_level"), LEVEL_2).status_code == 302
        services.set_rung(actor="command", level=1, seconds=60, climbs=True, pages=SHIPPED[1].pages, now=NOON)
        rung = ladder()[2]
        assert (rung.within.total_seconds(), rung.climbs, rung.aloud, rung.pages) == (45, False, False, "at_once")
        html = self.page(self.dana, "ladder")
        assert html.count("45 seconds · it alerts again · in the list, without sound · page: at once") == 1
        assert "Alix" in html
        assert "a command" in html

    def test_what_may_not_be_set_is_said_beside_its_level(self) -> None:
        wrong: tuple[dict[str, str], ...]
        wrong = ({"seconds": "5"}, {"seconds": "x"}, {"level": "4"}, {"level": "3", "pages": "never"}, {"pages": "?"})
        # neither to climb nor to page is to let somebody wait in silence
        wrong += ({"pages": "never"}, {"level": "1", "board": "aloud", "pages": "never"})
        for one in wrong:
            with self.subTest(one=one):
                assert self.alix.post(reverse("set_level"), LEVEL_2 | one).status_code == 422
        assert 'id="problem-2"' in self.alix.post(reverse("set_level"), LEVEL_2 | {"seconds": "5"}).content.decode()
        assert ladder() == SHIPPED

    def test_a_silence_is_set_and_shown_and_what_is_none_is_refused(self) -> None:
        assert self.alix.post(reverse("set_silence"), {"seconds": "120"}).status_code == 302
        assert "<dd>120</dd>" in self.page(self.dana, "ladder")
        assert AuditEvent.objects.get(action="ladder.silence").actor == str(alix())
        for seconds in ("59", "1801", "x", ""):
            answer = self.alix.post(reverse("set_silence"), {"seconds": seconds})
            assert answer.status_code == 422
            assert 'id="problem-silence"' in answer.content.decode()
        assert silent_after().total_seconds() == 120

    def test_both_pages_are_french_for_who_reads_french(self) -> None:
        User.objects.filter(pk=alix().id).update(language="fr")
        assert "Niveaux et délais" in self.page(self.alix, "ladder")
        assert "Qui est appelé" in self.page(self.alix)
