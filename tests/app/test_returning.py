"""Come back by six words: ada does, eve does not, and nothing older is shown before the advocate says so."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from unittest import mock
from uuid import UUID

import pytest
from django.test import TestCase

from audit.models import AuditEvent
from cases.delivery import deliver_due
from cases.models import Entry
from chat import services
from chat.core.actors import Staff, Visitor
from chat.core.errors import ErrorCode, Refused
from chat.core.returning import GRACE, MOST_TRIES
from chat.frames import summary
from chat.models import Assignment, Conversation, Event, ReturnWords
from chat.selectors import events_after, events_before, visitor_by_token, visitor_of
from chat.selectors.listed import running
from chat.services.base import Done
from chat.services.keys import retire_closed
from encryption.core.slots import Cost
from encryption.services import words
from staff.services import set_availability
from tests.support.people import NOON, ben, cleo, conversation, dana, eve, held_by, new_token, recorded, waiting
from tests.support.words import quick_words

SECRET = "the teal kettle sings"
LATER = NOON + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    with quick_words():
        yield


def post(pk: UUID, body: str, who: Visitor | Staff | None = None, number: int = 1) -> None:
    actor = who or visitor_of(conversation(pk))
    services.post_message(actor=actor, conversation_id=pk, client_id=f"{number:032x}", body=body, now=NOON)


def given(token: str) -> str:
    return " ".join(services.give_words(token=token, now=NOON).result)


def back(phrase: str, *, token: str = "", now: object = LATER) -> tuple[UUID | None, str]:
    """Try to come back; return what was found and the token that was brought."""
    token = token or new_token()
    return services.return_by_words(phrase=phrase, token=token, now=now).result, token  # type: ignore[arg-type]


def decide(
    how: Callable[..., Done[None]], pk: UUID, who: Staff | None = None, returned: int | None = None
) -> Done[None]:
    """Accept or refuse a return, the newest unless another is named."""
    number = conversation(pk).return_seq if returned is None else returned
    return how(actor=who or ben(), conversation_id=pk, returned=number, now=LATER)


def wrong(phrase: str, by: int = 0) -> str:
    """Return words of which the first two are right and another is not."""
    return " ".join([*phrase.split()[:-1], f"qq{'abcde'[by]}q"])


def codes(pk: UUID) -> list[str]:
    return list(Event.objects.filter(conversation=pk, kind="fact").order_by("staff_seq").values_list("code", flat=True))


def shown(pk: UUID) -> list[int]:
    """Return the numbers that the visitor's side of the log gives out."""
    forward = [event.visitor_seq or 0 for event in events_after(pk, 0, for_visitor=True)]
    backward = [event.visitor_seq or 0 for event in events_before(pk, 1_000, for_visitor=True, limit=1_000)]
    assert forward == backward[::-1]
    return forward


class ComingBack(TestCase):
    def test_old_text_stays_hidden_until_the_advocate_accepts(self) -> None:
        pk, old = held_by(ben())
        post(pk, SECRET)
        post(pk, "an answer", ben())
        phrase = given(old)
        assert shown(pk) == [1, 2, 3]
        found, token = back(phrase)
        assert found == pk
        assert shown(pk) == [4], "only that somebody came back"
        post(pk, "it is me", number=2)
        assert shown(pk) == [4, 5]
        decide(services.accept_return, pk)
        assert shown(pk) == [1, 2, 3, 4, 5, 6]
        assert codes(pk)[-3:] == ["words_given", "came_back", "return_accepted"]
        assert visitor_by_token(token, LATER).pk == pk

    def test_the_old_token_opens_nothing_and_its_holder_does_nothing(self) -> None:
        pk, old = held_by(ben())
        before = visitor_of(conversation(pk))
        back(given(old))
        with pytest.raises(Refused) as caught:
            visitor_by_token(old, LATER)
        assert caught.value.code is ErrorCode.TOKEN_UNKNOWN
        with pytest.raises(Refused):
            post(pk, "from a line that is still open", before)
        with pytest.raises(Refused):
            services.end_conversation(actor=before, conversation_id=pk, now=LATER)
        assert services.leave_quickly(token=old, now=LATER).events == ()
        assert conversation(pk).state == "active"
        post(pk, "from the new page")

    def test_the_words_stay_good_until_the_end(self) -> None:
        pk, old = held_by(ben())
        phrase = given(old)
        for _ in range(3):
            assert back(phrase)[0] == pk
        decide(services.accept_return, pk)
        services.end_conversation(actor=visitor_of(conversation(pk)), conversation_id=pk, now=LATER)
        assert back(phrase)[0] is None
        assert not ReturnWords.objects.exists()

    def test_the_same_return_again_changes_nothing(self) -> None:
        pk, old = held_by(ben())
        phrase = given(old)
        _, token = back(phrase)
        assert back(phrase, token=token)[0] == pk
        assert codes(pk).count("came_back") == 1

    def test_words_from_before_they_took_one_thread_lead_back(self) -> None:
        pk, old = held_by(ben())
        with mock.patch("encryption.services.words.COST", Cost(memory_kib=32, passes=1, lanes=4)):
            phrase = given(old)
        with mock.patch("encryption.services.words.COST", Cost(memory_kib=32, passes=1, lanes=1)):
            assert back(phrase)[0] == pk

    def test_new_words_take_the_place_of_old_ones(self) -> None:
        pk, old = held_by(ben())
        first, second = given(old), given(old)
        assert back(first)[0] is None
        assert back(second)[0] == pk

    def test_a_taken_lookup_is_drawn_anew(self) -> None:
        _, one = held_by(ben())
        _, two = waiting()
        drawn = [("a", "b", "c", "d", "e", "f"), ("a", "b", "x", "x", "x", "x"), ("g", "h", "i", "j", "k", "l")]
        with mock.patch.object(words, "new_words", side_effect=drawn):
            assert given(one) == "a b c d e f"
            assert given(two) == "g h i j k l"

    def test_a_token_in_use_is_given_nothing_else(self) -> None:
        pk, old = held_by(ben())
        other, taken = waiting()
        assert back(given(old), token=taken)[0] is None
        assert visitor_by_token(taken, LATER).pk == other
        assert visitor_by_token(old, LATER).pk == pk


class AfterAQuickExit(TestCase):
    def test_to_the_same_advocate_within_half_an_hour(self) -> None:
        pk, old = held_by(ben())
        phrase = given(old)
        services.leave_quickly(token=old, now=NOON)
        assert conversation(pk).state == "wrap_up"
        assert back(phrase, now=NOON + GRACE - timedelta(seconds=1))[0] == pk
        row = conversation(pk)
        assert (row.state, row.ended_by, row.ended_at, row.advocate_id) == ("active", "", None, ben().id)
        assert Assignment.objects.filter(conversation=pk, ended_at=None).count() == 1

    def test_to_the_queue_with_the_old_place_when_nobody_had_come(self) -> None:
        pk, old = waiting()
        phrase = given(old)
        services.leave_quickly(token=old, now=NOON)
        deliver_due(now=NOON)
        retire_closed(now=NOON + timedelta(minutes=20))
        assert back(phrase, now=NOON + timedelta(minutes=25))[0] == pk
        row = conversation(pk)
        assert (row.state, row.waiting_since) == ("waiting", row.opened_at)
        post(pk, "and it can be written in")
        set_availability(user_id=ben().id, state="ready", now=LATER)
        services.take(actor=ben(), conversation_id=pk, now=LATER)
        decide(services.accept_return, pk)

    def test_not_after_half_an_hour_and_then_the_words_are_gone(self) -> None:
        pk, old = waiting()
        phrase = given(old)
        services.leave_quickly(token=old, now=NOON)
        assert back(phrase, now=NOON + GRACE)[0] is None
        assert services.forget_words(now=NOON + GRACE).result == 1
        assert not ReturnWords.objects.exists()
        deliver_due(now=NOON)
        retire_closed(now=NOON + GRACE)
        assert conversation(pk).sealed_footer is not None

    def test_not_once_the_contact_is_recorded(self) -> None:
        pk, old = held_by(ben())
        phrase = given(old)
        services.leave_quickly(token=old, now=NOON)
        recorded(pk, NOON)
        assert not ReturnWords.objects.exists()
        assert back(phrase)[0] is None

    def test_not_once_an_erasure_was_asked_for(self) -> None:
        _, old = held_by(ben())
        phrase = given(old)
        services.ask_erasure_by_token(token=old, now=NOON)
        assert back(phrase)[0] is None

    def test_not_after_the_wait_faded_or_the_advocate_ended_it(self) -> None:
        _, one = waiting()
        pk, two = held_by(ben())
        phrases = [given(one), given(two)]
        services.fade_waiting(now=NOON + timedelta(hours=2))
        services.end_conversation(actor=ben(), conversation_id=pk, now=NOON)
        assert [back(phrase)[0] for phrase in phrases] == [None, None]

    def test_the_case_is_told(self) -> None:
        _, old = held_by(ben())
        phrase = given(old)
        services.leave_quickly(token=old, now=NOON)
        back(phrase)
        deliver_due(now=LATER)
        assert {"left_quickly", "came_back"} <= set(Entry.objects.values_list("code", flat=True))


class Strangers(TestCase):
    """Eve guesses, and a colleague is curious."""

    def test_five_wrong_tries_end_it(self) -> None:
        pk, old = held_by(ben())
        phrase = given(old)
        for number in range(MOST_TRIES - 1):
            assert back(wrong(phrase, number))[0] is None
        assert "words_ended" not in codes(pk)
        assert back(wrong(phrase))[0] is None
        assert codes(pk)[-1] == "words_ended"
        assert back(phrase)[0] is None, "not with the right ones either"
        assert visitor_by_token(old, LATER).pk == pk, "who is there stays there"

    def test_a_right_try_does_not_forgive_the_wrong_ones_before_the_advocate_does(self) -> None:
        pk, old = held_by(ben())
        phrase = given(old)
        for number in range(MOST_TRIES - 1):
            back(wrong(phrase, number))
        assert back(phrase)[0] == pk
        assert ReturnWords.objects.get().tries == MOST_TRIES - 1
        decide(services.accept_return, pk)
        assert ReturnWords.objects.get().tries == 0

    def test_tries_that_overlap_are_all_counted(self) -> None:
        pk, old = held_by(ben())
        phrase = given(old)
        fits = words.fits

        def slowly(entered: str, kept: words.Kept | None) -> bool:
            # while the first is worked on, four others come and go
            if ReturnWords.objects.get().tries == 0 and entered == wrong(phrase):
                with mock.patch.object(words, "fits", fits):
                    for number in range(1, MOST_TRIES):
                        back(wrong(phrase, number))
            return fits(entered, kept)

        with mock.patch.object(words, "fits", slowly):
            back(wrong(phrase))
        assert codes(pk)[-1] == "words_ended"

    def test_wrong_first_words_count_against_nobody_and_look_the_same(self) -> None:
        _, old = held_by(ben())
        phrase = given(old)
        with mock.patch.object(words, "fits", wraps=words.fits) as worked:
            for entered in ("", "one two three four five six", wrong(phrase), "x" * 999):
                assert services.return_by_words(phrase=entered, token=new_token(), now=LATER) == services.Done(None)
        assert worked.call_count == 4, "each is hashed, whether there is a row or not"
        assert ReturnWords.objects.get().tries == 1

    def test_before_it_is_known_who_it_is_little_can_be_done(self) -> None:
        pk, old = held_by(ben())
        _, token = back(given(old))
        for refused in (
            lambda: services.give_words(token=token, now=LATER),
            lambda: services.agree_by_token(token=token, text="plum", now=LATER),
        ):
            with pytest.raises(Refused) as caught:
                refused()
            assert caught.value.code is ErrorCode.FORBIDDEN
        assert services.ask_erasure_by_token(token=token, now=LATER).result is False
        assert conversation(pk).state == "active"

    def test_not_them_ends_it_and_shows_nothing(self) -> None:
        pk, old = held_by(ben())
        post(pk, SECRET)
        phrase = given(old)
        _, token = back(phrase)
        decide(services.refuse_return, pk)
        assert conversation(pk).state == "wrap_up"
        assert codes(pk)[-2:] == ["return_refused", "ended_by_advocate"]
        # the advocate's end can be read for some minutes: that alone
        assert visitor_by_token(token, LATER).pk == pk
        assert 2 not in shown(pk)
        assert back(phrase)[0] is None

    def test_only_who_holds_it_decides(self) -> None:
        pk, old = held_by(ben())
        back(given(old))
        for who in (cleo(), dana(), eve()):
            for how in (services.accept_return, services.refuse_return):
                with self.subTest(who=who.name, how=how.__name__), pytest.raises(Refused):
                    decide(how, pk, who)
        assert conversation(pk).return_open

    def test_nothing_is_decided_where_nobody_came_back(self) -> None:
        pk, _ = held_by(ben())
        for how in (services.accept_return, services.refuse_return):
            with pytest.raises(Refused) as caught:
                decide(how, pk)
            assert caught.value.code is ErrorCode.WRONG_STATE

    def test_a_decision_is_about_the_return_that_was_looked_at_and_about_no_later_one(self) -> None:
        pk, old = held_by(ben())
        post(pk, SECRET)
        phrase = given(old)
        back(phrase)
        hers = conversation(pk).return_seq
        # while ben asks her for the code word, somebody else types the same words
        _, token = back(phrase)
        for how in (services.accept_return, services.refuse_return):
            with self.subTest(how=how.__name__), pytest.raises(Refused) as caught:
                decide(how, pk, returned=hers)
            assert caught.value.code is ErrorCode.WRONG_STATE
        assert 2 not in shown(pk)
        assert visitor_by_token(token, LATER).return_open
        assert conversation(pk).state == "active"
        decide(services.accept_return, pk)
        assert 2 in shown(pk)

    def test_an_acceptance_that_comes_again_does_not_let_in_who_came_since(self) -> None:
        pk, old = held_by(ben())
        phrase = given(old)
        back(phrase)
        hers = conversation(pk).return_seq
        decide(services.accept_return, pk)
        back(phrase)
        with pytest.raises(Refused):
            decide(services.accept_return, pk, returned=hers)
        assert conversation(pk).return_open

    def test_the_list_says_which_return_waits_and_the_how_manieth_it_is(self) -> None:
        pk, old = held_by(ben())
        phrase = given(old)

        def said() -> tuple[int, int] | None:
            (row,) = running()
            returned = summary(row, LATER).returned
            return None if returned is None else (returned.number, returned.times)

        assert said() is None
        for times in (1, 2, 3):
            back(phrase)
            assert said() == (conversation(pk).return_seq, times)
        decide(services.accept_return, pk)
        assert said() is None
        back(phrase)
        assert said() == (conversation(pk).return_seq, 1)

    def test_an_acceptance_again_changes_nothing(self) -> None:
        pk, old = held_by(ben())
        back(given(old))
        decide(services.accept_return, pk)
        assert decide(services.accept_return, pk).events == ()

    def test_the_words_stand_nowhere(self) -> None:
        pk, old = held_by(ben())
        phrase = given(old)
        back(wrong(phrase))
        back(phrase)
        rows = [*ReturnWords.objects.values(), *AuditEvent.objects.values(), *Event.objects.values()]
        rows += [*Conversation.objects.values()]
        written = " ".join(str(row) for row in rows)
        # a word of four letters may stand in anything by chance
        assert [word for word in phrase.split() if len(word) > 4 and f"'{word}'" in written] == []
        assert phrase not in written
        actions = list(AuditEvent.objects.filter(subject=f"conversation:{pk}").values_list("action", flat=True))
        assert actions[-2:] == ["words.given", "words.returned"]
