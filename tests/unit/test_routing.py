"""Who is offered which waiting conversation, and in which order."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from chat.core.routing import (
    NOT_AGAIN_WITHIN,
    URGENT,
    URGENT_AGAIN_AFTER,
    Ready,
    Unmet,
    Waiting,
    free_seats,
    has_room,
    in_order,
    may_overtake,
    offers,
    with_past,
)

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


def test_a_visitor_in_danger_is_soon_offered_again_and_nothing_calm_comes_in_between() -> None:
    danger, calm = waiting(1, 5, level=3), waiting(2, 9)
    lapsed, declined = Unmet(1, NOON, lapsed=True), Unmet(1, NOON, lapsed=False)
    soon, later = NOON + URGENT_AGAIN_AFTER, NOON + NOT_AGAIN_WITHIN
    just = NOON + timedelta(seconds=1)
    assert offers([with_past(danger, [lapsed], just), calm], [ready(1)]) == [], "its seat is kept"
    assert offers([with_past(danger, [declined], just), calm], [ready(1)]) == [(calm.id, 1)], "who declined has chosen"
    assert offers([with_past(danger, [lapsed], soon), calm], [ready(1)]) == [(danger.id, 1)]
    assert offers([with_past(danger, [lapsed], just), calm], [ready(1), ready(2)]) == [(danger.id, 2), (calm.id, 1)]
    other = waiting(3, 1, level=2)
    assert offers([with_past(danger, [lapsed], just), other], [ready(1)]) == [(other.id, 1)], "danger waits for none"
    assert offers([with_past(calm, [lapsed], soon)], [ready(1)]) == []
    assert offers([with_past(calm, [lapsed], later)], [ready(1)]) == [(calm.id, 1)]


def test_who_let_a_visitor_in_danger_wait_is_asked_after_everybody_who_did_not() -> None:
    danger = with_past(
        waiting(1, 5, level=2, language="fr"), [Unmet(1, NOON, lapsed=True)], NOON + timedelta(minutes=1)
    )
    assert offers([danger], [ready(1, "fr"), ready(2)]) == [(danger.id, 2)]


def test_what_waits_for_its_record_takes_no_seat_from_a_visitor_in_danger() -> None:
    assert free_seats(2, [0], [0]) == 0
    assert free_seats(2, [0], [3], level=2) == 1
    assert free_seats(2, [0, 0], [], level=3) == 0
    assert free_seats(2, [2], [], level=3) == 0
    assert free_seats(1, [], [0, 0, 0, 0], level=3) == 0, "nobody holds more than four"
    person = replace(ready(1, held=(0,)), to_record=(0,))
    assert offers([waiting(1, 9), waiting(2, 1, level=3)], [person]) == [(UUID(int=2), 1)]


def test_calm_offers_stand_in_the_way_of_no_danger_and_of_everything_else() -> None:
    assert has_room(2, [0], 1, level=2)
    assert has_room(2, [], 2, level=4)
    assert has_room(4, [0], 3, [0], level=2), "nobody holds more than four, and an offer is not held yet"
    assert not has_room(2, [0], 1, level=1), "only danger"
    assert not has_room(2, [2], 1, level=3), "an urgent one is answered first"
    assert not has_room(2, [0, 0], 0, level=3)
    assert not has_room(4, [], 0, [0, 0, 0, 0], level=2)


def test_only_a_visitor_in_danger_is_taken_although_a_colleague_is_asked() -> None:
    assert [may_overtake(level, drill=False) for level in range(5)] == [False, False, True, True, True]
    assert not any(may_overtake(level, drill=True) for level in range(5))


def test_who_is_full_of_calm_offers_is_asked_about_a_danger() -> None:
    full = replace(ready(1, held=(0,)), calm_offers=1)
    danger, calm = waiting(1, 1, level=2), waiting(2, 9)
    assert offers([danger], [full]) == [(danger.id, 1)]
    assert offers([calm], [full]) == []
    assert offers([danger], [full, ready(2, held=(0,))]) == [(danger.id, 2)], "nobody is sent back without need"
    assert offers([danger, waiting(3, 1, level=3)], [full]) == [(UUID(int=3), 1)]
    declined = with_past(danger, [Unmet(1, NOON, lapsed=False)], NOON)
    assert offers([declined], [full]) == []


def test_an_offer_of_this_round_gives_way_before_anybody_sees_it_and_goes_to_somebody_else() -> None:
    ancient, danger = waiting(1, 90), waiting(2, 1, level=2)
    busy = ready(1, held=(0,))
    assert offers([ancient, danger], [busy]) == [(danger.id, 1)]
    french = ready(2, "fr", held=(0,))
    assert offers([ancient, danger], [busy, french]) == [(danger.id, 1), (ancient.id, 2)]


def test_nothing_calm_stays_offered_beside_a_danger_and_they_go_on_in_their_order() -> None:
    first, second, danger = waiting(1, 95), waiting(2, 90), waiting(3, 1, level=2)
    assert offers([first, second, danger], [ready(1)]) == [(danger.id, 1)], "who answers it can take nobody else"
    french = ready(2, "fr", held=(0,))
    assert offers([first, second, danger], [ready(1), french]) == [(danger.id, 1), (first.id, 2)]


def test_within_a_language_the_least_loaded_and_then_the_longest_idle_comes_first() -> None:
    loaded, fresh = ready(1, held=(0,), begun=NOON - timedelta(hours=2)), ready(2, begun=NOON)
    assert offers([waiting(1, 5)], [loaded, fresh]) == [(UUID(int=1), 2)]
    idle = ready(3, begun=NOON - timedelta(hours=1))
    assert offers([waiting(1, 5)], [fresh, idle]) == [(UUID(int=1), 3)]
    assert offers([waiting(1, 5)], [fresh, idle, ready(4)]) == [(UUID(int=1), 4)]


def test_one_whom_nobody_can_take_does_not_hold_up_the_queue() -> None:
    refused, next_one = replace(waiting(1, 9), not_to=frozenset({1})), waiting(2, 5)
    assert offers([refused, next_one], [ready(1)]) == [(UUID(int=2), 1)]


PAST = st.builds(
    Unmet, st.integers(1, 5), st.sampled_from([1, 10, 60]).map(lambda ago: NOON - timedelta(seconds=ago)), st.booleans()
)
QUEUES = st.lists(
    st.builds(
        Waiting,
        st.uuids(),
        st.integers(0, 4),
        st.integers(0, 300).map(lambda minutes: NOON - timedelta(minutes=minutes)),
        st.sampled_from(["en", "fr"]),
    ).flatmap(
        lambda one: st.lists(PAST, max_size=3).map(lambda past: with_past(one, past, NOON)),
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
        st.lists(st.integers(0, 4), max_size=3).map(tuple),
        st.integers(0, 3),
    ),
    max_size=5,
    unique_by=lambda one: one.id,
)


@given(QUEUES, SHIFTS)
def test_nobody_is_overfilled_offered_twice_or_asked_again_and_no_seat_is_wasted(
    queue: list[Waiting], shift: list[Ready]
) -> None:
    pairs = offers(queue, shift)
    by_id, people = {one.id: one for one in queue}, {person.id: person for person in shift}
    assert max(Counter(conversation for conversation, _ in pairs).values(), default=1) == 1
    held = {person.id: list(person.held_levels) for person in shift}
    calm = {person.id: person.calm_offers for person in shift}

    def room(person: Ready, level: int) -> bool:
        return has_room(person.capacity, held[person.id], calm[person.id], person.to_record, level=level)

    for conversation, person in pairs:
        level = by_id[conversation].level
        assert person not in by_id[conversation].not_to
        assert room(people[person], level)
        if level >= URGENT:
            calm[person] = 0
            held[person].append(level)
        else:
            calm[person] += 1
    asked_of_danger = {person for conversation, person in pairs if by_id[conversation].level >= URGENT}
    assert not any(calm[person] for person in asked_of_danger), "nothing calm beside it"
    unmet = [one for one in queue if one.id not in dict(pairs)]
    kept = frozenset[int]().union(*(one.kept_free for one in unmet))
    for one in unmet:
        free = {person.id for person in shift if room(person, one.level)}
        assert free <= one.not_to if one.level >= URGENT else free <= one.not_to | kept
