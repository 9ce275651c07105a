"""What ada writes is screened once it is stored: danger calls dana before anybody has read it, and loses no message."""

from datetime import datetime
from unittest import mock
from uuid import UUID, uuid4

import pytest
from django.test import TestCase

from audit.models import AuditEvent
from chat import hooks, measures
from chat.core.actors import Visitor
from chat.log import StoredEvent
from chat.models import Conversation, Event, OutboxItem
from chat.services.base import Done
from chat.services.posting import Post, post_all, post_one
from crisis import services
from crisis.core.screening.result import Cue, Screening
from crisis.cues import Cues as Screener
from crisis.cues import because
from crisis.models import Escalation
from crisis.selectors import open_escalations, reason_of
from tests.support.people import NOON, ben, dana, held_by


class Cues(TestCase):
    """Have ben hold ada's conversation."""

    def setUp(self) -> None:
        hooks.register_screener(Screener())
        self.addCleanup(hooks._screeners.clear)
        self.ben, self.dana = ben(), dana()
        self.pk, _ = held_by(self.ben)

    def written(self, text: str, client_id: str = "") -> Done[StoredEvent]:
        return post_one(Post(Visitor(self.pk), self.pk, client_id or uuid4().hex, text, NOON))

    def level(self) -> int:
        return Conversation.objects.get(pk=self.pk).level

    def test_danger_now_calls_for_help_and_says_because_of_which_words(self) -> None:
        done = self.written("he has a gun")
        assert [(event.code, event.level, event.visitor_seq) for event in done.cues] == [("flag_raised", 3, None)]
        row = Escalation.objects.get()
        assert (row.level, row.source, row.raised_by, row.state) == (3, "screening", None, "raised")
        assert "he has a gun" in reason_of(row).reveal()
        assert "weapon.at_hand" in reason_of(row).reveal()
        assert self.level() == 3
        assert open_escalations()[0].raised_by is None
        assert AuditEvent.objects.filter(action="escalation.raised", actor="system").exists()
        assert "gun" not in str(OutboxItem.objects.get(topic="escalation.raised").data)

    def test_a_reason_tells_what_was_found_and_what_it_means_before_any_id(self) -> None:
        self.written("he has a gun and says he will kill me tonight, he is at the door")
        lines = reason_of(Escalation.objects.get()).reveal().split("\n")
        assert lines[0].startswith("“")
        assert "Somebody has a weapon, or it is pointed at a person. [weapon.at_hand]" in "\n".join(lines)
        assert len(lines) <= 6
        assert [line for line in lines if line.endswith("[words]")] == ["and the words in general [words]"]
        assert lines[-1].endswith("[words]"), "what says least comes last"

    def test_a_reason_is_never_longer_than_staff_can_read(self) -> None:
        cue = Cue("site.shed", "a_category", "w " * 400, note="n" * 300)
        text = because(Screening(3, (Cue("words", "words", "says, he, . he"), *[cue] * 40)))
        assert len(text) < 2_000
        assert "says, he" not in text
        assert because(Screening(2, (Cue("s", "cry_for_help", "help"),))) == "“help” · cry for help [s]"

    def test_an_ordinary_message_raises_nothing_and_asks_the_database_nothing(self) -> None:
        assert self.written("hello, are you open on sunday?").cues == ()
        with self.assertNumQueries(0):
            assert hooks.found("hello, are you open on sunday?") is None
        assert not Escalation.objects.exists()

    def test_what_ben_writes_is_not_screened(self) -> None:
        assert post_one(Post(self.ben, self.pk, uuid4().hex, "does he have a gun? he has a gun", NOON)).cues == ()

    def test_the_same_message_again_and_a_lesser_one_call_nobody_twice(self) -> None:
        first = uuid4().hex
        for text, client_id in (
            ("he has a gun", first),
            ("he has a gun", first),
            ("he threatens me", ""),
            ("help", ""),
        ):
            self.written(text, client_id)
        assert Escalation.objects.count() == 1

    def test_a_graver_message_lifts_what_nobody_has_answered_yet(self) -> None:
        self.written("he threatens me")
        assert Escalation.objects.get().level == 2
        self.written("he has a gun")
        row = Escalation.objects.get()
        assert (row.level, row.raised_level, self.level()) == (3, 2, 3)
        assert "gun" in reason_of(row).reveal()

    def test_a_graver_message_after_the_answer_calls_anew(self) -> None:
        self.written("he threatens me")
        services.acknowledge(actor=self.dana, escalation_id=Escalation.objects.get().pk, now=NOON)
        self.written("he has a gun")
        assert sorted(Escalation.objects.values_list("level", "state")) == [(2, "acknowledged"), (3, "raised")]

    def test_dana_dismisses_a_cue_with_a_reason_and_a_repeat_does_not_bring_it_back(self) -> None:
        client_id = uuid4().hex
        self.written("he has a gun", client_id)
        row = Escalation.objects.get()
        services.stand_down(actor=self.dana, escalation_id=row.pk, reason="it is a toy", now=NOON)
        assert self.level() == 0
        self.written("he has a gun", client_id)
        assert Escalation.objects.count() == 1

    def test_a_possible_situation_is_marked_once_and_starts_no_clock(self) -> None:
        self.written("mon chum contrôle mon argent et garde mon passeport")
        self.written("mon chum contrôle mon argent et garde mon passeport")
        assert not Escalation.objects.exists()
        assert Event.objects.filter(code="flag_raised", level=1).count() == 1

    def test_a_failing_screener_loses_no_message_and_says_no_word(self) -> None:
        for failing in ("found", "call"):
            with self.subTest(failing):
                self.fails_in(failing)

    def fails_in(self, part: str) -> None:
        before = measures.screenings_failed._value.get()
        screener = mock.Mock(found=lambda _: mock.Mock(level=2), call=lambda *_: ())
        setattr(screener, part, mock.Mock(side_effect=ValueError("the teal kettle")))
        hooks.register_screener(screener)
        with self.assertLogs("chat.hooks", "ERROR") as logged:
            done = self.written("he has a gun, the teal kettle")
        assert done.cues == ()
        assert Event.objects.filter(client_id=done.result.client_id).exists()
        assert measures.screenings_failed._value.get() == before + 1
        assert "ValueError" in logged.output[0]
        assert "kettle" not in logged.output[0]

    def test_what_is_no_louder_than_what_is_known_asks_nothing(self) -> None:
        levels = {"a threat": 2, "another threat": 2, "he is here": 3, "he is still here": 3, "a sign": 1}
        heard: list[str] = []

        class Listening(Screener):
            def found(self, text: str) -> Screening:
                return Screening(levels[text], (Cue("rule", "category", text),))

            def call(
                self, conversation_id: UUID, client_id: str, finding: Screening, now: datetime
            ) -> tuple[StoredEvent, ...]:
                heard.append(finding.cues[0].words)
                return super().call(conversation_id, client_id, finding, now)

        hooks.register_screener(Listening())
        posts = [Post(Visitor(self.pk), self.pk, uuid4().hex, text, NOON) for text in levels]
        post_all(posts[:2])
        post_all(posts[2:])
        assert heard == ["a threat", "he is here"]
        assert self.level() == 3

    def test_a_call_and_its_message_are_stored_together_or_not_at_all(self) -> None:
        """A process that dies between the two would otherwise leave a message that calls nobody."""
        with mock.patch("chat.services.posting.hooks.called", side_effect=SystemExit), pytest.raises(SystemExit):
            self.written("he has a gun")
        assert not Event.objects.filter(kind="message", author_role="visitor").exists()

    def test_a_call_that_fails_half_way_leaves_nothing_of_itself_and_the_message(self) -> None:
        with (
            mock.patch("crisis.services.calls.tell", side_effect=ValueError),
            self.assertLogs("chat.hooks", "ERROR"),
        ):
            done = self.written("he has a gun")
        assert Event.objects.filter(client_id=done.result.client_id).exists()
        assert not Escalation.objects.exists()
        assert self.level() == 0

    def test_no_cue_is_part_of_what_the_visitor_hears(self) -> None:
        done = self.written("he has a gun")
        assert all(event.visitor_seq is None for event in done.cues)
        assert done.events == (done.result,)


pytestmark = pytest.mark.django_db
