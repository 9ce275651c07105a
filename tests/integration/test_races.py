"""Several hands at the same row on real PostgreSQL: one wins, the others are told, nothing is lost or doubled."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event as Signal
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction

from audit import signing
from audit.core import KEY_CHANGED
from audit.heads import HeadsUnusable, read
from audit.models import AuditEvent
from audit.services import KeyChanged, check_trail, record
from chat import services
from chat.core.actors import Staff, Visitor
from chat.core.errors import ErrorCode
from chat.models import Assignment, Conversation, Event, ReturnWords
from staff.services import set_availability
from tests.support.people import NOON, ben, cleo, conversation, dana, held_by, new_token, waiting
from tests.support.races import Races, Work, at_once, somebody_waits
from tests.support.words import quick_words

pytestmark = pytest.mark.servers


def post(actor: Visitor | Staff, pk: UUID, client_id: str, body: str = "hello") -> Work:
    return lambda: services.post_message(actor=actor, conversation_id=pk, client_id=client_id, body=body, now=NOON)


class RaceStories(Races):
    def setUp(self) -> None:
        super().setUp()
        self.ben, self.cleo, self.dana = ben(), cleo(), dana()
        for person in (self.ben, self.cleo, self.dana):
            set_availability(user_id=person.id, state="ready", now=NOON)

    def take(self, who: Staff, pk: UUID) -> Work:
        return lambda: services.take(actor=who, conversation_id=pk, now=NOON)

    def test_the_database_refuses_to_change_the_trail(self) -> None:
        for statement in (
            "UPDATE audit_auditevent SET actor = 'x'",
            "DELETE FROM audit_auditevent",
            "TRUNCATE audit_auditevent",
        ):
            with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
                cursor.execute(statement)

    def test_one_of_two_takers_wins(self) -> None:
        for _ in range(5):
            pk, _ = waiting()
            answers = at_once([self.take(self.ben, pk), self.take(self.cleo, pk)])
            assert answers.count(ErrorCode.ALREADY_TAKEN) == 1
            assert Assignment.objects.filter(conversation=pk, ended_at=None).count() == 1
            services.end_conversation(
                actor=self.ben if conversation(pk).advocate_id == self.ben.id else self.cleo,
                conversation_id=pk,
                now=NOON,
            )
            Conversation.objects.filter(pk=pk, state="wrap_up").update(state="closed")

    def offered(self, who: Staff, level: int) -> UUID:
        """Return a conversation that is offered to somebody."""
        pk, _ = waiting()
        about = {"level": level, "state": "offered", "advocate_id": who.id, "offer_until": NOON + timedelta(seconds=45)}
        Conversation.objects.filter(pk=pk).update(**about)
        Assignment.objects.create(conversation_id=pk, advocate_id=who.id, begun_at=NOON, offered=True)
        return pk

    def test_of_who_is_asked_and_a_colleague_one_gets_a_visitor_in_danger(self) -> None:
        for _ in range(5):
            pk = self.offered(self.ben, 2)
            answers = at_once([self.take(who, pk) for who in (self.ben, self.cleo, self.dana)])
            assert answers.count(ErrorCode.ALREADY_TAKEN) == 2
            row = conversation(pk)
            asked, *others = Assignment.objects.filter(conversation=pk).order_by("pk")
            assert asked.outcome == ("" if row.advocate_id == self.ben.id else "overtaken")
            assert [one.advocate_id for one in (asked, *others) if one.ended_at is None] == [row.advocate_id]
            Conversation.objects.filter(pk=pk).update(state="closed")

    def test_an_offer_that_runs_out_or_is_declined_as_a_colleague_takes_its_visitor_ends_once(self) -> None:
        later = NOON + timedelta(seconds=46)
        for _ in range(5):
            pk = self.offered(self.ben, 3)
            works = [self.take(self.cleo, pk), self.decline(self.ben, pk), lambda: services.lapse_offers(now=later)]
            taken, declined, _ = at_once(works)
            assert not isinstance(taken, ErrorCode)
            assert conversation(pk).advocate_id == self.cleo.id
            asked, hers = Assignment.objects.filter(conversation=pk).order_by("pk")
            if asked.outcome == "overtaken":
                assert declined == ErrorCode.ALREADY_TAKEN
            assert asked.outcome in {"overtaken", "declined", "lapsed"}
            assert (hers.advocate_id, hers.outcome, hers.ended_at) == (self.cleo.id, "", None)
            Conversation.objects.filter(pk=pk).update(state="closed")

    def test_offers_that_give_way_and_takers_who_cross_never_wait_for_each_other(self) -> None:
        """Each is full of calm offers, in which visitors write meanwhile, and takes what Dana is asked about."""
        for _ in range(5):
            urgent = [self.offered(who, 3) for who in (self.ben, self.cleo)]
            calm = [self.offered(who, 0) for who in (self.ben, self.cleo)]
            Conversation.objects.filter(pk__in=urgent).update(advocate_id=self.dana.id)
            others = [self.offered(who, 0) for who in (self.ben, self.cleo)]
            writers = [post(Visitor(pk), pk, "a" * 32) for pk in (*calm, *others)]
            takers = [self.take(self.ben, urgent[0]), self.take(self.cleo, urgent[1])]
            answers = at_once([*takers, *writers, lambda: services.offer_waiting(now=NOON)])
            assert not [answer for answer in answers if isinstance(answer, ErrorCode)]
            assert [conversation(pk).advocate_id for pk in urgent] == [self.ben.id, self.cleo.id]
            # one in which a visitor wrote at that moment goes back with the worker's next round
            services.clear_offers(now=NOON)
            back = Assignment.objects.filter(conversation__in=[*calm, *others], outcome="gave_way")
            assert set(back.values_list("conversation", flat=True)) == {*calm, *others}
            assert not Conversation.objects.filter(state="offered").exists()
            Conversation.objects.all().update(state="closed", advocate_id=self.ben.id)

    def test_a_calm_offer_that_somebody_holds_keeps_nobody_in_danger_waiting(self) -> None:
        """Its record is on its way, and a key is slow, when Ben takes one danger and Cleo is to be offered another."""
        set_availability(user_id=self.dana.id, state="away", now=NOON)
        calm = [self.offered(who, 0) for who in (self.ben, self.cleo)]
        (taken, _), (offered, _) = waiting(), waiting()
        Conversation.objects.filter(pk__in=[taken, offered]).update(level=3)
        holds, done = Signal(), Signal()

        def slow() -> bool:
            with transaction.atomic():
                rows = Conversation.objects.select_for_update(no_key=True)
                list(rows.filter(pk__in=calm).order_by("pk").values_list("pk"))
                holds.set()
                return done.wait(10)

        def meanwhile() -> int:
            holds.wait(10)
            services.take(actor=self.ben, conversation_id=taken, now=NOON)
            made = services.offer_waiting(now=NOON).result
            done.set()
            return made

        assert at_once([slow, meanwhile]) == [True, 1]
        rows = [conversation(pk) for pk in (taken, offered)]
        assert [(row.state, row.advocate_id) for row in rows] == [("active", self.ben.id), ("offered", self.cleo.id)]
        assert services.clear_offers(now=NOON).result == 1, "what was held goes back a second later"
        assert [conversation(pk).state for pk in calm] == ["waiting", "offered"]

    def test_times_are_mended_in_the_order_in_which_texts_are_written(self) -> None:
        """The clock was set back. A batch holds the first row when the mending comes, and then wants the second."""
        mends: list[Work] = [lambda: services.mend_set_back(now=NOON), lambda: services.mend_pauses(now=NOON)]
        ahead = NOON + timedelta(hours=1)
        for mend in mends:
            last, first = sorted((waiting()[0] for _ in range(2)), reverse=True)
            for pk in (last, first):
                # written anew in this order, which is that in which the database finds them
                Conversation.objects.filter(pk=pk).update(visitor_seen_at=ahead, paused_until=ahead, pause_minutes=5)
            holds = Signal()

            def batch(first: UUID = first, last: UUID = last, holds: Signal = holds) -> None:
                rows = Conversation.objects.select_for_update(no_key=True)
                with transaction.atomic():
                    rows.get(pk=first)
                    holds.set()
                    assert somebody_waits(), "the mending comes to the row that is held"
                    rows.get(pk=last)

            def mending(mend: Work = mend, holds: Signal = holds) -> None:
                holds.wait(10)
                mend()

            at_once([batch, mending])
            assert {conversation(pk).paused_until for pk in (first, last)} == {NOON}

    def test_a_calm_offer_is_accepted_or_declined_or_gives_way_and_never_two_of_them(self) -> None:
        """Ben has one seat left. In one tab he answers, in the other he takes a danger that two workers offer him."""
        set_availability(user_id=self.cleo.id, state="away", now=NOON)
        for answer in (self.take, self.decline) * 3:
            running, _ = held_by(self.ben)
            calm, (danger, _) = self.offered(self.ben, 0), waiting()
            Conversation.objects.filter(pk=danger).update(level=2)
            works = [answer(self.ben, calm), self.take(self.ben, danger)]
            at_once([*works, *[lambda: services.offer_waiting(now=NOON)] * 2])
            states = [conversation(pk).state for pk in (running, calm, danger)]
            held = Conversation.objects.filter(advocate_id=self.ben.id, state__in=["offered", "active"]).count()
            end = Assignment.objects.filter(conversation=calm).order_by("pk")[0].outcome
            assert held <= 2, states
            accepted = (["active", "active", "waiting"], "")
            back = [(["active", "waiting", "active"], why) for why in ("gave_way", "declined")]
            assert (states, end) in [accepted, *back]
            Conversation.objects.filter(pk__in=[running, calm, danger]).update(state="abandoned")

    def decline(self, who: Staff, pk: UUID) -> Work:
        return lambda: services.decline(actor=who, conversation_id=pk, now=NOON)

    def test_one_person_never_holds_more_than_their_capacity(self) -> None:
        pks = [waiting()[0] for _ in range(4)]
        answers = at_once([self.take(self.ben, pk) for pk in pks])
        assert answers.count(ErrorCode.AT_CAPACITY) == 2
        assert Conversation.objects.filter(advocate_id=self.ben.id).count() == 2

    def test_many_writers_leave_no_gap(self) -> None:
        pk, _ = held_by(self.ben)
        works: list[Work] = []
        for number in range(12):
            works.append(post(Visitor(pk), pk, f"{number:032x}"))
            works.append(post(self.ben, pk, f"{number:032x}"))

            def note(number: int = number) -> Any:
                return services.write_note(
                    actor=self.ben, conversation_id=pk, client_id=f"{number + 99:032x}", body="n", now=NOON
                )

            works.append(note)
        answers = at_once(works)
        assert not [answer for answer in answers if isinstance(answer, ErrorCode)]
        events = Event.objects.filter(conversation=pk).order_by("staff_seq")
        assert [event.staff_seq for event in events] == list(range(1, len(events) + 1))
        visible = sorted(event.visitor_seq for event in events if event.visitor_seq is not None)
        assert visible == list(range(1, len(visible) + 1))
        assert events.filter(client_id__isnull=False).count() == 36

    def test_one_text_sent_by_many_retries_is_stored_once(self) -> None:
        pk, _ = held_by(self.ben)
        answers = at_once([post(Visitor(pk), pk, "a" * 32) for _ in range(8)])
        assert len({answer.result.staff_seq for answer in answers}) == 1
        assert Event.objects.filter(conversation=pk, kind="message").count() == 1

    def test_what_was_acknowledged_around_an_end_is_stored_and_the_rest_refused(self) -> None:
        pk, _ = held_by(self.ben)
        posts = [post(Visitor(pk), pk, f"{number:032x}") for number in range(10)]
        answers = at_once(
            [
                *posts,
                lambda: services.end_conversation(actor=self.ben, conversation_id=pk, now=NOON),
            ]
        )[:-1]
        kept = [answer for answer in answers if not isinstance(answer, ErrorCode)]
        assert Event.objects.filter(conversation=pk, kind="message").count() == len(kept)
        assert {answer for answer in answers if isinstance(answer, ErrorCode)} <= {ErrorCode.TOKEN_SPENT}
        assert conversation(pk).state == "wrap_up"

    def test_a_quick_exit_is_never_overtaken_by_a_take(self) -> None:
        for _ in range(5):
            pk, token = waiting()
            at_once([self.take(self.ben, pk), lambda token=token: services.leave_quickly(token=token, now=NOON)])  # type: ignore[misc]
            row = conversation(pk)
            assert row.state in {"abandoned", "wrap_up"}
            assert row.ended_by == "left_quickly"
            Conversation.objects.filter(pk=pk, state="wrap_up").update(state="closed")

    def test_a_wish_to_erase_and_the_advocates_end_both_count_whichever_is_first(self) -> None:
        for _ in range(5):
            pk, token = held_by(self.ben)
            answers = at_once([self.erase(token), self.end(self.ben, pk)])
            assert answers[0].result is True
            row = conversation(pk)
            assert (row.state, row.erase_asked_at) == ("wrap_up", NOON)
            assert row.ended_by in {"advocate", "visitor"}
            Conversation.objects.filter(pk=pk).update(state="closed")

    def erase(self, token: str) -> Work:
        return lambda: services.ask_erasure_by_token(token=token, now=NOON)

    def end(self, who: Staff, pk: UUID) -> Work:
        return lambda: services.end_conversation(actor=who, conversation_id=pk, now=NOON)

    def test_two_workers_offer_once(self) -> None:
        pks = [waiting()[0] for _ in range(3)]
        at_once([lambda: services.offer_waiting(now=NOON)] * 3)
        for pk in pks:
            assert Assignment.objects.filter(conversation=pk, ended_at=None).count() == 1

    def test_of_several_who_change_the_trails_key_none_does_it_beside_another(self) -> None:
        with TemporaryDirectory() as folder:
            keys, lines = Path(folder) / "keys", Path(folder) / "lines"
            record(actor="command", action="thing.done", subject="site", now=NOON)
            first = signing.public_of(signing.signing_key(keys))

            def change() -> str:
                try:
                    signing.change_key(keys=keys, folder=lines, actor="command", now=NOON)
                except (KeyChanged, HeadsUnusable) as error:
                    return type(error).__name__
                return "changed"

            def sign() -> None:
                # what meets a change is signed by the next round
                with suppress(HeadsUnusable):
                    signing.sign_newest(keys=keys, folder=lines, now=NOON, after=b"")

            answers = at_once([change, change, change, sign, sign])
            signing.finish_change(keys, lines)
            sign()
            assert "changed" in answers
            assert AuditEvent.objects.filter(action=KEY_CHANGED).count() >= answers.count("changed")
            signed = read(lines, first)
            assert signed.broken == []
            assert check_trail(signed.heads, signed.keys)[1] == []
            assert len(list(keys.iterdir())) == 1


class ReturnRaces(Races):
    def setUp(self) -> None:
        super().setUp()
        self.pk, token = held_by(ben())
        with quick_words():
            self.words = " ".join(services.give_words(token=token, now=NOON).result)

    def back(self, phrase: str) -> Work:
        return lambda: services.return_by_words(phrase=phrase, token=new_token(), now=NOON)

    def codes(self) -> list[str]:
        return list(Event.objects.filter(conversation=self.pk, kind="fact").values_list("code", flat=True))

    def test_wrong_tries_at_once_are_all_counted_and_end_it_once(self) -> None:
        wrong = " ".join([*self.words.split()[:-1], "qqqq"])
        with quick_words():
            answers = at_once([self.back(wrong) for _ in range(12)])
        assert {answer.result for answer in answers} == {None}
        assert not ReturnWords.objects.exists()
        assert self.codes().count("words_ended") == 1

    def test_of_many_who_come_back_at_once_the_last_holds_it_and_each_return_has_its_number(self) -> None:
        with quick_words():
            answers = at_once([self.back(self.words) for _ in range(6)])
        assert {answer.result for answer in answers} == {self.pk}
        assert self.codes().count("came_back") == 6
        row = conversation(self.pk)
        assert row.return_seq == row.visitor_head
        assert row.return_open
