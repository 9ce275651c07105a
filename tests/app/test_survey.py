"""The questions after a chat: a ticket once it is over, answers counted once, and no way back from them to the chat."""

import io
import json
import logging
from datetime import date, timedelta
from typing import Any
from unittest import mock
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client, TestCase
from django.utils import timezone

from chat import services
from chat.core.actors import Visitor
from chat.core.survey import ASKED_FOR, Again, Answers, Helpful, Survey
from chat.models import Conversation, Site, SurveyAnswer
from tests.support.people import NOON, ben, held_by, new_token, waiting

GOOD = Answers(helpful=Helpful.YES, again=Again.MAYBE)
MINUTE = timedelta(minutes=1)


class SurveyStories(TestCase):
    """Ada's chat with ben is over, and the site asks how it was."""

    def over(self, survey: Survey = Survey.DISTRESS) -> tuple[UUID, str]:
        pk, token = held_by(ben())
        Site.objects.update(survey=survey)
        services.end_conversation(actor=Visitor(pk), conversation_id=pk, now=NOON)
        return pk, token

    def ticket(self, token: str) -> str:
        ticket = services.survey_ticket(token=token, now=NOON + MINUTE)
        assert ticket is not None
        return ticket

    def kept(self, ticket: str, answers: Answers = GOOD, after: timedelta = MINUTE) -> bool:
        return services.answer_survey(ticket=ticket, answers=answers, now=NOON + after)

    def test_what_she_chose_is_kept_with_month_door_and_language_alone(self) -> None:
        _, token = self.over()
        assert self.kept(self.ticket(token), Answers(Helpful.YES, Again.NO, before=8, after=0))
        row = SurveyAnswer.objects.get()
        assert (row.month, row.door, row.language) == (date(2026, 11, 1), "help", "en")
        assert (row.helpful, row.again, row.before, row.after) == ("yes", "no", 8, 0)

    def test_nothing_that_is_stored_leads_from_the_answers_to_the_chat(self) -> None:
        pk, token = self.over()
        ticket = self.ticket(token)
        assert self.kept(ticket)
        answer = dict(SurveyAnswer.objects.values().get())
        row = dict(Conversation.objects.filter(pk=pk).values().get())
        shared = {bytes(v) if isinstance(v, memoryview) else v for v in answer.values()}
        shared &= {bytes(v) if isinstance(v, memoryview) else v for v in row.values()}
        assert shared <= {"help", "en", None}
        assert str(pk) not in ticket
        assert token not in ticket

    def test_a_ticket_is_the_same_each_time_and_counts_once(self) -> None:
        _, token = self.over()
        assert self.ticket(token) == self.ticket(token)
        assert self.kept(self.ticket(token))
        assert self.kept(self.ticket(token), Answers(helpful=Helpful.NO)), "a repeat is told that it is kept"
        assert [row.helpful for row in SurveyAnswer.objects.all()] == ["yes"]

    def test_nobody_is_asked_before_the_end_or_after_an_hour(self) -> None:
        pk, token = held_by(ben())
        Site.objects.update(survey=Survey.QUESTIONS)
        assert services.survey_ticket(token=token, now=NOON) is None
        services.end_conversation(actor=Visitor(pk), conversation_id=pk, now=NOON)
        ticket = self.ticket(token)
        assert services.survey_ticket(token=token, now=NOON + ASKED_FOR) is None
        assert not self.kept(ticket, after=ASKED_FOR)
        assert not SurveyAnswer.objects.exists()

    def test_who_left_quickly_or_was_never_answered_is_not_asked(self) -> None:
        _, left = held_by(ben())
        services.leave_quickly(token=left, now=NOON)
        pk, alone = waiting()
        services.end_conversation(actor=Visitor(pk), conversation_id=pk, now=NOON)
        Site.objects.update(survey=Survey.QUESTIONS)
        assert [services.survey_ticket(token=token, now=NOON) for token in (left, alone)] == [None, None]

    def test_eve_the_stranger_gets_no_ticket_and_makes_none(self) -> None:
        _, token = self.over()
        assert services.survey_ticket(token=new_token(), now=NOON) is None
        good = self.ticket(token)
        for forged in ("", "x", good[:-1], good + "x", "A" + good[1:], good.split(":")[0]):
            assert not self.kept(forged)
        assert not SurveyAnswer.objects.exists()

    def test_a_site_keeps_only_what_it_asks(self) -> None:
        _, token = self.over(Survey.QUESTIONS)
        ticket = self.ticket(token)
        for answers in (Answers(), Answers(Helpful.YES, after=3), Answers(before=1)):
            assert not self.kept(ticket, answers)
        Site.objects.update(survey=Survey.DISTRESS)
        for answers in (Answers(after=11), Answers(before=-1)):
            assert not self.kept(ticket, answers)
        Site.objects.update(survey=Survey.OFF)
        assert not self.kept(ticket)
        assert services.survey_ticket(token=token, now=NOON) is None

    def test_what_few_gave_is_not_told(self) -> None:
        assert self.told() == "none: nobody has answered\n"
        for number in range(10):
            self.stored(number)
        few = "too few to tell\n"
        assert self.told() == f"2026-11  answers: fewer than 11\n  helpful: {few}  would come back: {few}"
        self.stored(10)
        assert "answers: 11\n  helpful: yes 11\n" in self.told()
        assert "distress from 8.0 to 5.0" in self.told()

    def stored(self, number: int) -> None:
        given = {"helpful": "yes", "before": 8, "after": 5}
        once = bytes([number] * 32)
        SurveyAnswer.objects.create(once=once, month=date(2026, 11, 1), door="help", language="fr", **given)

    def told(self) -> str:
        out = io.StringIO()
        call_command("survey", stdout=out)
        return out.getvalue()


class SurveyPages(TestCase):
    """What her page gets and sends."""

    def setUp(self) -> None:
        self.now = timezone.now()
        pk, self.token = held_by(ben(), now=self.now)
        Site.objects.update(survey=Survey.DISTRESS)
        services.end_conversation(actor=Visitor(pk), conversation_id=pk, now=self.now)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return Client().post(path, json.dumps(body), content_type="application/json", headers=headers)

    def ask(self, **body: Any) -> Any:
        return self.post("/survey/questions", {"token": self.token, "language": "en"} | body)

    def test_she_is_asked_in_her_language_and_answers(self) -> None:
        asked = self.ask(language="fr").json()
        assert asked["distress"] is True
        assert asked["words"]["helpful"] == "Est-ce que cela vous a été utile?"
        answer = self.post("/survey", {"ticket": asked["ticket"], "helpful": "a_little", "again": None, "after": 4})
        assert answer.status_code == 204
        assert not answer.cookies
        assert answer["Cache-Control"] == "no-store"
        assert SurveyAnswer.objects.get().helpful == "a_little"

    def test_without_a_token_there_are_words_and_no_ticket(self) -> None:
        for token in (None, "x", 7, new_token()):
            asked = self.ask(token=token).json()
            assert asked["ticket"] is None
            assert asked["words"]["start"]

    def test_a_site_that_asks_nothing_says_nothing_and_shows_nothing(self) -> None:
        assert 'id="survey"' in Client().get("/").content.decode()
        Site.objects.update(survey=Survey.OFF)
        answer = self.ask()
        assert (answer.status_code, answer.content) == (204, b"")
        page = Client().get("/").content.decode()
        assert "survey" not in page
        assert 'id="feel"' not in page

    def test_erasing_before_or_after_does_not_change_what_she_may_answer(self) -> None:
        ticket = self.ask().json()["ticket"]
        assert self.post("/erase", {"token": self.token}).status_code == 204
        assert self.post("/survey", {"ticket": ticket, "again": "yes"}).status_code == 204
        assert self.post("/erase", {"token": self.token}).status_code == 204

    def test_what_is_no_answer_of_ours_is_refused_and_not_logged(self) -> None:
        ticket = self.ask().json()["ticket"]
        heard = io.StringIO()
        handler = logging.StreamHandler(heard)
        logging.getLogger().addHandler(handler)
        try:
            for wrong in (
                {"helpful": "he keeps my passport"},
                {"helpful": ["yes"]},
                {"again": {"x": 1}},
                {"after": "3"},
                {"after": True},
                {"after": 3.5},
                {},
            ):
                assert self.post("/survey", {"ticket": ticket} | wrong).status_code == 409
            broken: list[Any] = [
                {"ticket": None, "again": "yes"},
                {"ticket": "x" * 3000, "again": "yes"},
                [],
                "text",
                None,
            ]
            for body in broken:
                assert self.post("/survey", body).status_code == 409
        finally:
            logging.getLogger().removeHandler(handler)
        assert "passport" not in heard.getvalue()
        assert not SurveyAnswer.objects.exists()

    def test_only_our_own_page_asks_and_answers(self) -> None:
        for path in ("/survey", "/survey/questions"):
            assert self.post(path, {}, origin="https://elsewhere.example").status_code == 403
            assert self.post(path, {}, **{"sec-fetch-site": "cross-site"}).status_code == 403
            assert Client().get(path).status_code == 405

    def test_the_token_is_not_needed_to_answer_and_stands_nowhere(self) -> None:
        ticket = self.ask().json()["ticket"]
        with mock.patch("chat.services.survey.token_digest", side_effect=AssertionError):
            assert self.post("/survey", {"ticket": ticket, "again": "yes"}).status_code == 204
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM chat_surveyanswer")
            assert self.token not in str(cursor.fetchall())


def test_answers_are_nothing_until_something_is_chosen() -> None:
    assert not Answers()
    assert Answers(after=0)


def test_the_page_that_asks_stores_nothing_and_goes_nowhere() -> None:
    from tests.support.shipped import FRONTEND, goes_elsewhere, stores

    text = (FRONTEND / "static/js/survey/main.js").read_text(encoding="utf-8")
    assert [*stores(text), *goes_elsewhere(text)] == []


@pytest.mark.parametrize("moment", ["2026-11-30T23:59:59+00:00", "2026-11-30T20:00:00-04:00"])
def test_the_month_is_that_of_the_world_clock(moment: str) -> None:
    from datetime import datetime

    from chat.core.survey import month_of

    assert month_of(datetime.fromisoformat(moment)).day == 1
