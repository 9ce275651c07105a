"""Texts that share a transaction: each has its own outcome, and the batch is as if they had come one by one."""

import asyncio
from collections.abc import Sequence
from unittest import mock
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import IntegrityError, OperationalError, connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from chat import log
from chat.core.actors import Staff, Visitor
from chat.core.errors import ErrorCode, Refused, Unseen
from chat.log import StoredEvent
from chat.models import Event
from chat.services.base import Done
from chat.services.posting import Held, Outcome, Post, post_all
from chat.writer import MOST_WAITING, Writer
from encryption.services import KeyGone, sealer_for
from tests.support.people import NOON, ben, cleo, conversation, eve, held_by


def code_of(outcome: Outcome) -> ErrorCode:
    assert isinstance(outcome, Refused)
    return outcome.code


def event_of(outcome: Outcome) -> StoredEvent:
    assert isinstance(outcome, Done), outcome
    return outcome.result


class BatchStories(TestCase):
    def setUp(self) -> None:
        self.ben = ben()
        self.one, _ = held_by(self.ben)
        self.two, _ = held_by(self.ben)

    def post(
        self, number: int, *, actor: Visitor | Staff | None = None, body: str = "hello", kind: str = "message"
    ) -> Post:
        return Post(actor or Visitor(self.one), self.one, f"{number:032x}", body, NOON, kind)

    def numbers(self) -> list[int]:
        rows = Event.objects.filter(conversation=self.one).order_by("staff_seq")
        return list(rows.values_list("staff_seq", flat=True))

    def test_order_and_numbers_are_those_of_one_by_one(self) -> None:
        outcomes = post_all(
            [
                self.post(1, body="a"),
                self.post(2, actor=self.ben, body="n", kind="note"),
                self.post(3, actor=self.ben, body="b"),
            ]
        )
        events = [event_of(one) for one in outcomes]
        first = events[0].staff_seq
        assert [event.staff_seq for event in events] == [first, first + 1, first + 2]
        assert [event.visitor_seq for event in events] == [
            events[0].visitor_seq,
            None,
            (events[0].visitor_seq or 0) + 1,
        ]
        assert self.numbers() == list(range(1, first + 3))
        row = conversation(self.one)
        assert (row.staff_head, row.visitor_head) == (first + 2, events[2].visitor_seq)
        assert row.last_visitor_at == row.last_staff_at == NOON

    def test_a_refused_one_burns_no_number_and_holds_nobody_up(self) -> None:
        outcomes = post_all(
            [
                self.post(1, body="   "),
                self.post(2),
                self.post(3, body="\x00"),
                Post(Visitor(self.two), self.one, "4" * 32, "not mine", NOON),
                self.post(5, actor=cleo()),
                self.post(6, actor=eve()),
                self.post(7),
            ]
        )
        assert [type(one) is Done for one in outcomes] == [False, True, False, False, False, False, True]
        assert [code_of(outcomes[at]) for at in (0, 2)] == [ErrorCode.TEXT_EMPTY, ErrorCode.TEXT_CONTROL]
        assert all(isinstance(outcomes[at], Unseen) for at in (3, 4, 5))
        assert self.numbers() == list(range(1, conversation(self.one).staff_head + 1))

    def test_a_repeat_in_the_same_batch_and_in_the_next_gives_the_first(self) -> None:
        first, again = (event_of(one) for one in post_all([self.post(1), self.post(1)]))
        (later,) = post_all([self.post(1)])
        assert first.staff_seq == again.staff_seq == event_of(later).staff_seq
        (other,) = post_all([self.post(1, body="another text")])
        assert code_of(other) is ErrorCode.ID_REUSED
        assert Event.objects.filter(conversation=self.one, kind="message").count() == 1

    def test_the_same_id_of_another_sender_or_conversation_is_another_text(self) -> None:
        outcomes = post_all(
            [self.post(1), self.post(1, actor=self.ben), Post(Visitor(self.two), self.two, f"{1:032x}", "hello", NOON)]
        )
        assert len({(event_of(one).conversation, event_of(one).staff_seq) for one in outcomes}) == 3

    def test_what_cannot_be_stored_fails_alone(self) -> None:
        stored = log.insert

        def insert(events: Sequence[Event], rows: object) -> None:
            if any(event.client_id == f"{2:032x}" for event in events):
                raise IntegrityError
            stored(events, rows)  # type: ignore[arg-type]

        with mock.patch.object(log, "insert", insert):
            outcomes = post_all([self.post(number) for number in (1, 2, 3)])
        assert [type(one) for one in outcomes] == [Done, IntegrityError, Done]
        assert self.numbers() == list(range(1, conversation(self.one).staff_head + 1))

    def test_what_cannot_be_sealed_fails_alone_and_burns_no_number(self) -> None:
        with mock.patch.object(log, "sealer_for", side_effect=[KeyGone("x"), sealer_for(log.subject_of(self.one))]):
            outcomes = post_all([self.post(1), self.post(2)])
        assert [type(one) for one in outcomes] == [KeyGone, Done]
        assert self.numbers() == list(range(1, conversation(self.one).staff_head + 1))

    def test_an_outage_is_not_tried_one_by_one(self) -> None:
        with mock.patch.object(log, "insert", side_effect=OperationalError) as insert:
            outcomes = post_all([self.post(number) for number in (1, 2, 3)])
        assert [type(one) for one in outcomes] == [OperationalError] * 3
        assert insert.call_count == 1

    def test_a_batch_costs_no_more_queries_than_one(self) -> None:
        post_all([self.post(1)])
        with CaptureQueriesContext(connection) as one:
            post_all([self.post(2)])
        with CaptureQueriesContext(connection) as many:
            post_all([self.post(number) for number in range(3, 43)])
        assert len(one) == len(many) <= 7, [query["sql"][:80] for query in many.captured_queries]


def post(number: int) -> Post:
    return Post(Visitor(UUID(int=1)), UUID(int=1), f"{number:032x}", "hello", NOON)


def done(number: int) -> Outcome:
    return Done(mock.sentinel.event, ())


@pytest.mark.asyncio
async def test_what_arrives_during_a_commit_shares_the_next_and_nobody_waits_for_company() -> None:
    sizes: list[int] = []

    def write(posts: list[Post]) -> list[Outcome]:
        sizes.append(len(posts))
        return [done(0) for _ in posts]

    writer = Writer(write)
    await writer.post(post(0))
    await asyncio.gather(*(writer.post(post(number)) for number in range(50)))
    assert sizes == [1, 50]


@pytest.mark.asyncio
async def test_one_that_fails_fails_its_own_sender_only() -> None:
    def write(posts: list[Post]) -> list[Outcome]:
        return [Refused(ErrorCode.TEXT_EMPTY) if one.client_id.endswith("3") else done(0) for one in posts]

    writer = Writer(write)
    outcomes = await asyncio.gather(*(writer.post(post(number)) for number in range(6)), return_exceptions=True)
    assert [isinstance(one, Refused) for one in outcomes] == [False, False, False, True, False, False]


@pytest.mark.asyncio
async def test_a_defect_of_the_batch_reaches_every_sender_and_the_writer_lives_on() -> None:
    answers = iter([ValueError("defect"), None])

    def write(posts: list[Post]) -> list[Outcome]:
        error = next(answers)
        if error is not None:
            raise error
        return [done(0) for _ in posts]

    writer = Writer(write)
    with pytest.raises(ValueError, match="defect"):
        await writer.post(post(1))
    assert isinstance(await writer.post(post(2)), Done)


@pytest.mark.asyncio
async def test_when_too_much_waits_a_sender_is_told_to_slow_down_and_nothing_is_dropped() -> None:
    written: list[str] = []

    def write(posts: list[Post]) -> list[Outcome]:
        written.extend(one.client_id for one in posts)
        return [done(0) for _ in posts]

    writer = Writer(write)
    waiting = [asyncio.create_task(writer.post(post(number))) for number in range(MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Refused) as caught:
        await writer.post(post(MOST_WAITING))
    assert caught.value.code is ErrorCode.SLOW_DOWN
    await asyncio.gather(*waiting)
    assert len(written) == MOST_WAITING


@pytest.mark.asyncio
async def test_a_sender_who_goes_away_takes_nothing_out_of_the_batch() -> None:
    written: list[str] = []

    def write(posts: list[Post]) -> list[Outcome]:
        written.extend(one.client_id for one in posts)
        return [done(0) for _ in posts]

    writer = Writer(write)
    leaving = asyncio.create_task(writer.post(post(1)))
    await asyncio.sleep(0)
    leaving.cancel()
    await writer.post(post(2))
    assert written == [f"{1:032x}", f"{2:032x}"]


class HeldStories(TestCase):
    async def test_a_text_whose_row_is_held_waits_apart_and_keeps_nobody(self) -> None:
        pk, _ = await sync_to_async(held_by)(await sync_to_async(ben)())
        batches: list[int] = []

        def write(posts: list[Post]) -> list[Outcome]:
            batches.append(len(posts))
            return [Held() for _ in posts]

        done = await Writer(write).post(Post(Visitor(pk), pk, "a" * 32, "hello", NOON))
        assert (done.result.visitor_seq, batches) == (2, [1])
        assert await Event.objects.filter(conversation=pk, kind="message").acount() == 1

    def test_a_conversation_that_does_not_exist_is_unseen_and_not_held(self) -> None:
        (outcome,) = post_all([Post(ben(), uuid4(), "a" * 32, "hello", NOON)], wait=False)
        assert isinstance(outcome, Unseen)
