"""What a page knows after the events of an action is what a fresh page is told: for every action, for both sides.

Real stores over real consumers (`tests.support.world`). A page that was there sees each action as events; beside it,
after each one, a fresh page begins with nothing. Their states must not differ.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.test import Client
from django.utils import timezone

from cases import services as cases
from chat import broadcast, services
from chat.core.actors import Visitor
from chat.core.errors import Refused
from chat.core.pausing import Why
from chat.core.routing import FADES_AFTER, OFFER_LASTS, RESCUE_GRACE
from chat.models import Watch
from chat.selectors import visitor_by_token, visitor_of
from chat.services import Done
from crisis import services as crisis
from crisis.models import Escalation
from staff.models import User
from staff.services import set_availability
from tests.support.people import ben, cleo, conversation, dana, new_token, waiting
from tests.support.words import quick_words
from tests.support.world import World

Action = Callable[["Story"], Done[Any]]


class Story:
    """Be one conversation and the clock of its services."""

    def __init__(self) -> None:
        self.now: datetime = timezone.now()
        self.pk, self.token = waiting(self.now)
        self.texts = 0
        self.words = ""
        set_availability(user_id=ben().id, state="ready", now=self.now)

    def visitor(self) -> Visitor:
        return visitor_of(conversation(self.pk))

    def text(self) -> str:
        self.texts += 1
        return f"{self.texts:032x}"

    def later(self, by: timedelta) -> datetime:
        self.now += by
        return self.now

    @property
    def flag(self) -> Any:
        return Escalation.objects.get().pk


def post_as(who: Callable[[], Any] | None) -> Action:
    """Return the writing of a message."""

    def act(s: Story) -> Done[Any]:
        actor = s.visitor() if who is None else who()
        return services.post_message(actor=actor, conversation_id=s.pk, client_id=s.text(), body="hello", now=s.now)

    return act


def note(s: Story) -> Done[Any]:
    return services.write_note(actor=ben(), conversation_id=s.pk, client_id=s.text(), body="a note", now=s.now)


def offer(s: Story) -> Done[Any]:
    # it is not offered again to who has just let it go
    s.later(timedelta(minutes=6))
    set_availability(user_id=ben().id, state="ready", now=s.now)
    return services.offer_waiting(now=s.now)


def take_as(who: Callable[[], Any]) -> Action:
    """Return the taking by somebody."""

    def act(s: Story) -> Done[Any]:
        set_availability(user_id=who().id, state="ready", now=s.now)
        return services.take(actor=who(), conversation_id=s.pk, now=s.now)

    return act


def decline(s: Story) -> Done[Any]:
    return services.decline(actor=ben(), conversation_id=s.pk, now=s.now)


def lapse(s: Story) -> Done[Any]:
    return services.lapse_offers(now=s.later(OFFER_LASTS))


def rescue(s: Story) -> Done[Any]:
    # the worker has looked without a break while the console was silent
    then = s.later(RESCUE_GRACE)
    Watch.objects.update_or_create(
        pk=1, defaults={"since": then - timedelta(hours=1), "last": then - timedelta(seconds=1)}
    )
    return services.rescue_stranded(now=then)


def raise_flag(s: Story) -> Done[Any]:
    return crisis.raise_escalation(
        actor=ben(), conversation_id=s.pk, level=2, reason="a reason", client_id=s.text(), now=s.now
    )


def acknowledge(s: Story) -> Done[Any]:
    return crisis.acknowledge(actor=dana(), escalation_id=s.flag, now=s.now)


def start_work(s: Story) -> Done[Any]:
    return crisis.start_work(actor=dana(), escalation_id=s.flag, now=s.now)


def settle(s: Story) -> Done[Any]:
    return crisis.resolve(actor=dana(), escalation_id=s.flag, reason="calm again", now=s.now)


def stand_down(s: Story) -> Done[Any]:
    return crisis.stand_down(actor=dana(), escalation_id=s.flag, reason="a mistake", now=s.now)


def climb(s: Story) -> Done[Any]:
    set_availability(user_id=ben().id, state="ready", now=s.later(timedelta(hours=1)))
    return crisis.climb_due(now=s.now)


def end_as(who: Callable[[], Any] | None) -> Action:
    """Return an end."""

    def act(s: Story) -> Done[Any]:
        actor = s.visitor() if who is None else who()
        return services.end_conversation(actor=actor, conversation_id=s.pk, now=s.now)

    return act


def leave(s: Story) -> Done[Any]:
    return services.leave_quickly(token=s.token, now=s.now)


def give_words(s: Story) -> Done[Any]:
    done = services.give_words(token=s.token, now=s.now)
    s.words = " ".join(done.result)
    return done


def guess(s: Story) -> Done[Any]:
    return services.return_by_words(phrase=" ".join([*s.words.split()[:-1], "qqqq"]), token=new_token(), now=s.now)


def come_back(s: Story) -> Done[Any]:
    s.token = new_token()
    return services.return_by_words(phrase=s.words, token=s.token, now=s.now)


def accept(s: Story) -> Done[Any]:
    return services.accept_return(actor=ben(), conversation_id=s.pk, returned=conversation(s.pk).return_seq, now=s.now)


def not_them(s: Story) -> Done[Any]:
    return services.refuse_return(actor=ben(), conversation_id=s.pk, returned=conversation(s.pk).return_seq, now=s.now)


def agree(s: Story) -> Done[Any]:
    return services.agree_by_token(token=s.token, text="plum", now=s.now)


def record(s: Story) -> Done[Any]:
    outcome = {"contact_type": "unknown", "disposition": "abusive", "case_identified": False, "summary": ""}
    return cases.record_contact(actor=ben(), conversation_id=s.pk, now=s.now, **outcome)  # type: ignore[arg-type]


def ask_erasure(s: Story) -> Done[Any]:
    return services.ask_erasure_by_token(token=s.token, now=s.now)


def erase(s: Story) -> Done[Any]:
    services.retire_closed(now=s.later(timedelta(minutes=15)))
    return Done(None)


def fade(s: Story) -> Done[Any]:
    return services.fade_waiting(now=s.later(FADES_AFTER))


def pause_as(who: Callable[[], Any]) -> Action:
    """Return a pause by somebody."""

    def act(s: Story) -> Done[Any]:
        return services.pause(actor=who(), conversation_id=s.pk, minutes=15, why=Why.ABUSE, now=s.now)

    return act


def lift(s: Story) -> Done[Any]:
    return services.lift_pause(actor=dana(), conversation_id=s.pk, now=s.now)


def mark_voice(s: Story) -> Done[Any]:
    return crisis.mark_changed_voice(actor=ben(), conversation_id=s.pk, now=s.now)


def look(s: Story) -> Done[Any]:
    return crisis.raise_unspoken(now=s.now)


VISITOR, BEN = post_as(None), post_as(ben)
STORIES: dict[str, list[Action]] = {
    "offered, declined, lapsed, taken, ended by the advocate, recorded": [
        VISITOR, offer, decline, offer, lapse, take_as(ben), BEN, VISITOR, note, BEN, end_as(ben), note, record,
    ],
    "taken, flagged, settled, ended by the visitor, recorded, erased": [
        take_as(ben), VISITOR, raise_flag, note, acknowledge, start_work, BEN, settle, end_as(None), ask_erasure,
        record, erase,
    ],
    "the flag climbs and is stood down, the visitor leaves quickly": [
        take_as(ben), VISITOR, raise_flag, climb, acknowledge, stand_down, leave, note, record,
    ],
    "the advocate vanishes and another takes over": [
        take_as(ben), BEN, rescue, VISITOR, take_as(cleo), post_as(cleo), end_as(cleo),
    ],
    "the advocate vanishes, comes back and takes it again": [
        take_as(ben), BEN, rescue, VISITOR, take_as(ben), BEN, leave,
    ],
    "the visitor leaves quickly, comes back by words, is known, and ends": [
        take_as(ben), VISITOR, give_words, agree, leave, come_back, VISITOR, BEN, accept, VISITOR, end_as(None), record,
    ],
    "the visitor comes back twice and somebody else is sent away": [
        VISITOR, give_words, leave, come_back, VISITOR, take_as(ben), BEN, come_back, VISITOR, not_them, note, record,
    ],
    "five wrong tries end the words": [
        take_as(ben), VISITOR, give_words, guess, guess, guess, guess, guess, BEN, end_as(None),
    ],
    "paused, lifted, of another voice, paused by the supervisor, left quickly in danger": [
        take_as(ben), VISITOR, pause_as(ben), BEN, lift, VISITOR, mark_voice, raise_flag, pause_as(dana), BEN,
        leave, look, note,
    ],
    "the visitor ends before anybody came": [VISITOR, offer, end_as(None)],
    "the visitor leaves before anybody came": [VISITOR, leave],
    "the visitor fades": [VISITOR, fade],
}  # fmt: skip


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("watches", ["ben", "dana"])
@pytest.mark.django_db
def test_old_state_and_events_make_the_fresh_state(name: str, watches: str) -> None:
    for person in (ben(), cleo(), dana()):
        assert person.id
    client = Client()
    client.force_login(User.objects.get(username=watches))
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    story = Story()
    world = World(story.token, cookie)
    with world.patched(), quick_words(), mock.patch.object(timezone, "now", side_effect=lambda: story.now):
        async_to_sync(play)(world, story, STORIES[name])


async def play(world: World, story: Story, actions: list[Action]) -> None:
    """Do one action after the other and compare both sides after each."""
    await world.begin()
    await world.settle([1])
    for number, action in enumerate(actions):
        done = await sync_to_async(action)(story)
        await broadcast.publish(done.events)
        if not done.events:
            await broadcast.publish_overview()
        if story.token != world.token:
            # another page goes on; the one before is told and no more
            await world.come_back(story.token)
        # two heartbeats too: the console's shows that somebody is on shift, the visitor's page hears of it at its own
        await world.settle([1, 9, 9, 9, 9, 9])
        where = f"after action {number}"
        # this one first: a fresh console is somebody on shift as well
        await world.fresh("visitor")
        await world.settle([1])
        old, fresh = world.view("visitor"), world.view("fresh visitor")
        if await sync_to_async(spent)(story):
            assert fresh["lines"] == [], where
        else:
            assert visible(old) == visible(fresh), where
        await world.fresh("staff")
        await world.settle([1])
        assert shown(world.view("staff")) == shown(world.view("fresh staff")), where
        await world.close_fresh()


def spent(story: Story) -> bool:
    """Tell whether the token opens nothing any more."""
    try:
        visitor_by_token(story.token, story.now)
    except Refused:
        return True
    return False


def shown(state: Any) -> Any:
    """Return what a console shows, without the times at which it heard of it."""
    overview = state["overview"] and {key: value for key, value in state["overview"].items() if key != "at"}
    return {key: state[key] for key in ("you", "logs", "order", "reached", "read", "outbox")} | {"overview": overview}


def visible(state: Any) -> Any:
    """Return what a visitor's page shows; since when somebody waits is each page's own count."""
    return state | {"waitingFrom": state["waitingFrom"] is not None, "answers": {}}
