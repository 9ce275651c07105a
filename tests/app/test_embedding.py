"""The door for forms of other sites: the same page, language and door chosen, and nothing else happens."""

import re
from typing import Any

from django.http import HttpResponse
from django.test import Client, TestCase

from chat.models import Conversation
from tests.support.people import open_site

FOREIGN = {"origin": "https://shelter.example", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
FORM = "application/x-www-form-urlencoded"


def shown(answer: Any) -> str:
    """Return a page without the token that the chat without script begins with: it is another one each time."""
    return re.sub(r'value="[\w-]{43}"', "", answer.content.decode())


class DoorStories(TestCase):
    """Another organisation's page sends somebody here."""

    def setUp(self) -> None:
        open_site()
        self.browser = Client(enforce_csrf_checks=True)

    def come(self, body: str = "", kind: str = FORM, **more: Any) -> HttpResponse:
        return self.browser.post("/", body, content_type=kind, headers=FOREIGN | more)  # type: ignore[return-value]

    def test_it_is_the_page_of_the_link_with_the_door_chosen(self) -> None:
        page, link = shown(self.come("l=fr&d=worried")), shown(self.browser.get("/?l=fr"))
        assert page.replace(" checked>", ">") == link
        assert re.findall(r'value="(\w+)"[^>]* checked>', page) == ["worried"]

    def test_it_leaves_nothing_and_changes_nothing(self) -> None:
        answer = self.come("l=en&d=help")
        assert answer.status_code == 200
        assert not answer.cookies
        assert answer["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["Cross-Origin-Opener-Policy"] == answer["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in answer
        assert not Conversation.objects.exists()

    def test_a_link_from_anywhere_is_answered_alike(self) -> None:
        answer = self.browser.get("/", headers={"sec-fetch-site": "cross-site", "referer": "https://shelter.example/a"})
        assert answer.status_code == 200
        assert not answer.cookies

    def test_no_address_chooses_a_door(self) -> None:
        assert " checked>" not in self.browser.get("/?l=en&d=report").content.decode()
        assert " checked>" not in self.browser.post("/?d=report", headers=FOREIGN).content.decode()

    def test_anything_else_in_the_form_is_ignored(self) -> None:
        plain = shown(self.browser.get("/?l=en"))
        for body, kind in (
            ("l=en&d=<script>", FORM),
            ("l=en&token=abc&text=" + "x" * 100, FORM),
            ("l=en&d=%ff%00", FORM),
            ('{"l": "fr"}', "application/json"),
            ("l=fr&d=help&" + "x" * 300, FORM),
            (
                '--b\r\nContent-Disposition: form-data; name="d"\r\n\r\nhelp\r\n--b--',
                "multipart/form-data; boundary=b",
            ),
        ):
            assert shown(self.come(body, kind, **{"accept-language": "en"})) == plain, body

    def test_no_other_address_takes_a_foreign_form(self) -> None:
        for path in ("/bye", "/erase", "/poll", "/send", "/survey", "/survey/questions"):
            answer = self.browser.post(path, "d=help", content_type=FORM, headers=FOREIGN)
            assert answer.status_code == 403, path
