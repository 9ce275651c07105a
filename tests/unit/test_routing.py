"""Who is offered which waiting conversation, and in which order."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from chat.core.routing import Ready, Waiting, free_seats, in_order, offers

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def waiting(number: int, minutes: int, level: int = 0, language: str = "en") -> Waiting:
    return Waiting(UUID(int=number), level, NOON - timedelta(minutes=minutes), language)


def ready(number: int, language: str = "en", held: tuple[int, ...] = (), begun: datetime | None = None) -> Ready:
    return Ready(number, frozenset({language}), 2, held, begun)


def test_danger_gets_a_head_start_and_nobody_starves() -> None:
    old, urgent, ancient = waiting(1, 10), waiting(2, 1, level=2), waiting(3, 90)
    assert [one.id.int for one in in_order([old, urgent, ancient])] == [3, 2, 1]


def test_the_highest_level_has_the_same_head_start_as_the_one_below() -> None:
    assert [one.id.int for one in in_order([waiting(2, 1, level=4), waiting(1, 2, level=3)])] == [1, 2]


def test_an_urgent_conversation_lowers_capacity_to_one() -> None:
    assert free_seats(2, [0]) == 1
    assert free_seats(2, [2]) == 0
    assert free_seats(9, []) == 4


def test_who_is_offered_an_urgent_conversation_is_offered_nothing_beside_it() -> None:
    urgent, calm = waiting(1, 1, level=2), waiting(2, 9)
    assert offers([calm, urgent], [ready(1)]) == [(UUID(int=1), 1)]
    assert offers([calm, urgent], [ready(1), ready(2)]) == [(UUID(int=1), 1), (UUID(int=2), 2)]


def test_offers_prefer_the_language_and_respect_a_refusal() -> None:
    ben, cleo = ready(1), ready(2, "fr")
    french = waiting(1, 5, language="fr")
    assert offers([french], [ben, cleo]) == [(UUID(int=1), 2)]
    assert offers([replace(french, not_to=frozenset({2}))], [ben, cleo]) == [(UUID(int=1), 1)]
    assert offers([replace(french, not_to=frozenset({1, 2}))], [ben, cleo]) == []


def test_within_a_language_the_least_loaded_and_then_the_longest_idle_comes_first() -> None:
    loaded, fresh = ready(1, held=(0,), begun=NOON - timedelta(hours=2)), ready(2, begun=NOON)
    assert offers([waiting(1, 5)], [loaded, fresh]) == [(UUID(int=1), 2)]
    idle = ready(3, begun=NOON - timedelta(hours=1))
    assert offers([waiting(1, 5)], [fresh, idle]) == [(UUID(int=1), 3)]
    assert offers([waiting(1, 5)], [fresh, idle, ready(4)]) == [(UUID(int=1), 4)]


def test_one_whom_nobody_can_take_does_not_hold_up_the_queue() -> None:
    refused, next_one = replace(waiting(1, 9), not_to=frozenset({1})), waiting(2, 5)
    assert offers([refused, next_one], [ready(1)]) == [(UUID(int=2), 1)]


QUEUES = st.lists(
    st.builds(
        Waiting,
        st.uuids(),
        st.integers(0, 4),
        st.integers(0, 300).map(lambda minutes: NOON - timedelta(minutes=minutes)),
        st.sampled_from(["en", "fr"]),
        st.frozensets(st.integers(1, 5), max_size=3),
    ),
    max_size=8,
    unique_by=lambda one: one.id,
)
SHIFTS = st.lists(
    st.builds(
        Ready,
        st.integers(1, 5),
        st.sampled_from(["en", "fr"]),
        st.integers(0, 6),
        st.lists(st.integers(0, 4), max_size=4).map(tuple),
        st.none() | st.just(NOON),
    ),
    max_size=5,
    unique_by=lambda one: one.id,
)


@given(QUEUES, SHIFTS)
def test_nobody_is_overfilled_offered_twice_or_asked_again_and_no_seat_is_wasted(
    queue: list[Waiting], shift: list[Ready]
) -> None:
    pairs = offers(queue, shift)
    offered = Counter(conversation for conversation, _ in pairs)
    taken = Counter(person for _, person in pairs)
    seats = {person.id: free_seats(person.capacity, person.held_levels) for person in shift}
    assert all(times == 1 for times in offered.values())
    assert all(taken[person] <= seats[person] for person in taken)
    levels = {one.id: one.level for one in queue}
    alone = {person for conversation, person in pairs if levels[conversation] >= 2}
    for one in queue:
        assert not any((one.id, person) in pairs for person in one.not_to)
        if one.id not in offered:
            free = {person for person in seats if seats[person] > taken[person] and person not in alone}
            assert free <= one.not_to
