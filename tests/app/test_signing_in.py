"""Passwords are checked two at a time, who comes when it is full is told so at once, and one network fills no place."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import RequestFactory, TestCase
from django.urls import reverse

from audit.models import AuditEvent
from chat.limits import Limits
from staff import signing_in
from staff.models import User
from staff.signing_in import AT_ONCE, MOST_WAITING, Busy, Gate, who_signs_in


class Counted:
    """Count how many passwords are checked at the same time; the first ones wait until the rest has come."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.lock = threading.Lock()
        self.go_on = threading.Event()

    def __call__(self, request: object, username: str, password: str) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.go_on.wait(10)
        with self.lock:
            self.now -= 1


def test_a_shift_of_twenty_signs_in_at_once_and_beyond_forty_the_rest_is_told() -> None:
    assert AT_ONCE + MOST_WAITING >= 20
    check, gate = Counted(), Gate(AT_ONCE, MOST_WAITING)
    request = RequestFactory().post("/")
    full = 20
    many = AT_ONCE + MOST_WAITING + full
    told: list[int] = []

    def one(number: int) -> str:
        try:
            who_signs_in(request, f"nobody {number}", "x")
        except Busy:
            told.append(number)
            if len(told) == full:
                check.go_on.set()
            return "busy"
        return "checked"

    with (
        mock.patch.object(signing_in, "gate", gate),
        mock.patch.object(signing_in, "authenticate", check),
        ThreadPoolExecutor(many) as pool,
    ):
        answers = list(pool.map(one, range(many)))
    assert check.most == AT_ONCE
    assert (answers.count("checked"), answers.count("busy")) == (AT_ONCE + MOST_WAITING, full)


def test_strangers_of_one_network_leave_the_places_to_everybody_else() -> None:
    check, request = Counted(), RequestFactory().post("/")
    with (
        mock.patch.object(signing_in, "gate", Gate(AT_ONCE, MOST_WAITING)),
        mock.patch.object(signing_in, "gate_of_many", Gate(1, 0)),
        mock.patch.object(signing_in, "authenticate", check),
        ThreadPoolExecutor(2) as pool,
    ):
        guesses = pool.submit(who_signs_in, request, "ben", "x", often=True)
        while check.now == 0:
            time.sleep(0.001)
        for _ in range(AT_ONCE + MOST_WAITING):
            with pytest.raises(Busy):
                who_signs_in(request, "ben", "x", often=True)
        ben = pool.submit(who_signs_in, request, "ben", "a long enough phrase")
        while check.now == 1:
            time.sleep(0.001)
        check.go_on.set()
        assert (ben.result(), guesses.result()) == (None, None)
        # who shares their network is not shut out: the place is free again
        assert who_signs_in(request, "cleo", "x", often=True) is None


def test_nobody_waits_for_ever() -> None:
    gate = Gate(1, 1)
    with mock.patch.object(signing_in, "WAITS", 0.01), gate:
        began = time.monotonic()
        with pytest.raises(Busy), ThreadPoolExecutor(1) as pool:
            pool.submit(gate.__enter__).result()
        assert time.monotonic() - began < 2
    with gate:
        pass


class LaneStories(TestCase):
    def test_a_password_of_more_lanes_fits_and_is_hashed_anew(self) -> None:
        hashed = Argon2PasswordHasher().encode("a long enough phrase", "some salt")
        ben = User.objects.create(username="ben", work_name="Ben", role="advocate", password=hashed)
        assert "p=8" in ben.password
        request = RequestFactory().post("/")
        assert who_signs_in(request, "ben", "another phrase") is None
        assert who_signs_in(request, "ben", "a long enough phrase") == ben
        ben.refresh_from_db()
        assert "p=1" in ben.password
        assert who_signs_in(request, "ben", "a long enough phrase") == ben


class CountedStories(TestCase):
    async def test_each_try_is_counted_by_where_it_comes_from_and_for_whom_and_looking_is_none(self) -> None:
        quick = mock.patch("frontend.views.staff.who_signs_in", return_value=None)
        counted = mock.patch.object(Limits, "signs_in_often", side_effect=[False, True])
        with quick as asked, counted as counts:
            await self.async_client.get(reverse("sign_in"))
            for _ in range(2):
                await self.async_client.post(reverse("sign_in"), {"username": "ben", "password": "x"})
        assert [call.args[:2] for call in counts.call_args_list] == [("127.0.0.1", "ben")] * 2
        assert [call.kwargs["often"] for call in asked.call_args_list] == [False, True]


class FullStories(TestCase):
    def full(self, language: str) -> tuple[int, str, str]:
        with mock.patch.object(signing_in, "gate", Gate(0, 0)):
            answer = self.client.post(
                reverse("sign_in"), {"username": "ben", "password": "x"}, headers={"accept-language": language}
            )
        return answer.status_code, answer.content.decode(), answer["Retry-After"]

    def test_the_page_says_so_in_plain_words_and_keeps_the_name(self) -> None:
        status, page, again = self.full("en")
        assert (status, again) == (503, "5")
        assert "Many people are signing in at this moment." in page
        assert 'value="ben"' in page
        assert not AuditEvent.objects.exists()

    def test_who_waits_for_their_turn_holds_no_connection(self) -> None:
        with self.assertNumQueries(0):
            self.full("en")

    def test_in_french_too(self) -> None:
        assert "Beaucoup de personnes se connectent en ce moment." in self.full("fr")[1]
