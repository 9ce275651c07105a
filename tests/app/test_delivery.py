"""Any order of messages, notes and repeats gives two gapless numberings and every text once."""

from dataclasses import dataclass
from uuid import UUID

import pytest
from django.db.models import Count
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from chat import services
from chat.core.actors import Visitor
from chat.core.errors import ErrorCode, Refused
from chat.log import StoredEvent
from chat.models import Event
from chat.selectors import events_after
from tests.support.people import NOON, ben, conversation, held_by


@dataclass(frozen=True)
class Write:
    """Be one command of a story: who writes what under which id; a repeat has an id that was used before."""

    kind: str
    id: int


writes = st.lists(
    st.builds(Write, kind=st.sampled_from(["visitor", "advocate", "note"]), id=st.integers(0, 7)), max_size=24
)


def written(write: Write, pk: UUID, client_id: str) -> services.Done[StoredEvent]:
    body = f"text {write.id}"
    if write.kind == "note":
        return services.write_note(actor=ben(), conversation_id=pk, client_id=client_id, body=body, now=NOON)
    actor = Visitor(pk) if write.kind == "visitor" else ben()
    return services.post_message(actor=actor, conversation_id=pk, client_id=client_id, body=body, now=NOON)


class NumberingStories(TestCase):
    @given(writes)
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_numbers_have_no_gap_and_repeats_change_nothing(self, story: list[Write]) -> None:
        pk, _ = held_by(ben())
        first: dict[Write, StoredEvent] = {}
        for write in story:
            # note and message of one person share the space of their ids, so each kind has a range of its own
            client_id = f"{write.id + (100 if write.kind == 'note' else 0):032x}"
            done = written(write, pk, client_id)
            assert first.setdefault(write, done.result) == done.result
        row = conversation(pk)
        events = list(Event.objects.filter(conversation=pk).order_by("staff_seq"))
        assert [event.staff_seq for event in events] == list(range(1, row.staff_head + 1))
        visible = [event for event in events if event.visitor_seq is not None]
        assert [event.visitor_seq for event in visible] == list(range(1, row.visitor_head + 1))
        assert all(event.visitor_seq is None for event in events if event.kind == "note")
        texts = Event.objects.filter(conversation=pk, client_id__isnull=False)
        assert texts.count() == len(first)
        assert not texts.values("sender", "client_id").annotate(n=Count("pk")).filter(n__gt=1).exists()

    @given(st.integers(0, 6))
    @settings(max_examples=7, deadline=None)
    def test_reading_on_from_anywhere_gives_the_rest_once(self, after: int) -> None:
        pk, _ = held_by(ben())
        for number in range(6):
            services.post_message(actor=Visitor(pk), conversation_id=pk, client_id=f"{number:032x}", body="a", now=NOON)
        rest = events_after(pk, after, for_visitor=True, limit=3)
        again = events_after(pk, rest[-1].visitor_seq or 0, for_visitor=True) if rest else []
        numbers = [event.visitor_seq for event in [*rest, *again]]
        assert numbers == list(range(after + 1, conversation(pk).visitor_head + 1))

    def test_an_id_with_another_text_is_refused_and_the_first_stays(self) -> None:
        pk, _ = held_by(ben())
        post = {"actor": Visitor(pk), "conversation_id": pk, "client_id": "a" * 32, "now": NOON}
        services.post_message(body="one", **post)  # type: ignore[arg-type]
        with pytest.raises(Refused) as caught:
            services.post_message(body="two", **post)  # type: ignore[arg-type]
        assert caught.value.code is ErrorCode.ID_REUSED
        assert Event.objects.filter(conversation=pk, kind="message").count() == 1
