"""Passwords are checked two at a time, and who comes when it is full is told so at once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import pytest
from django.test import RequestFactory, TestCase
from django.urls import reverse

from audit.models import AuditEvent
from staff import signing_in
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


def test_of_twenty_at_once_two_are_checked_some_wait_and_the_rest_is_told() -> None:
    check, gate = Counted(), Gate(AT_ONCE, MOST_WAITING)
    request = RequestFactory().post("/")
    full = 20 - AT_ONCE - MOST_WAITING
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
        ThreadPoolExecutor(20) as pool,
    ):
        answers = list(pool.map(one, range(20)))
    assert check.most == AT_ONCE
    assert (answers.count("checked"), answers.count("busy")) == (AT_ONCE + MOST_WAITING, full)


def test_nobody_waits_for_ever() -> None:
    gate = Gate(1, 1)
    with mock.patch.object(signing_in, "WAITS", 0.01), gate:
        began = time.monotonic()
        with pytest.raises(Busy), ThreadPoolExecutor(1) as pool:
            pool.submit(gate.__enter__).result()
        assert time.monotonic() - began < 2
    with gate:
        pass


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

    def test_in_french_too(self) -> None:
        assert "Beaucoup de personnes se connectent en ce moment." in self.full("fr")[1]
