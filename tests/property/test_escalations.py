"""Whatever people do, whenever the worker is away and however the clock is set: no call for help goes quiet.

For every escalation that no person has acknowledged or settled, and with X the longest clock that the ladder has had:

1. It is raised, has a clock, and is on the boards. Its level never falls, and its conversation's is the highest of its
   open ones. Nothing but a person's word ends it.
2. After the worker has looked at a time t, no clock of t or before is left undone: it climbed one level or, where it
   may not climb, called again, once, and its next clock runs out at most X after t.
3. By a clock that nobody can set, after each look: people were last called at most X ago. Each time that the clock on
   the wall was set back gives it X more and the time for which nobody looked.
4. Each call is told to the boards, and stands on the trail and in the outbox as often as it happened. Where the ladder
   pages for it and there is somebody to page, a paging runs; and none that runs waits longer than it may.

The services and the worker's steps are the real ones; the clocks, the far ends and what goes wrong are drawn.
`HAVRE_TEST_EXAMPLES` asks for more.
"""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db.models import QuerySet
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cases import services as cases
from chat import services
from chat.core.actors import Staff
from chat.core.conversation import OPEN
from chat.core.errors import ErrorCode, Refused
from chat.core.pausing import Why
from chat.selectors import visitor_of
from crisis import services as crisis
from crisis.core.ladder import Pages, State, level_after
from crisis.models import Escalation
from crisis.selectors import open_levels
from crisis.selectors.on_call import targets
from staff.services import set_availability
from tests.support.clockwork import Clockwork
from tests.support.people import alix, ben, cleo, conversation, dana, waiting

EXAMPLES = int(os.environ.get("HAVRE_TEST_EXAMPLES", "0"))
HOUR, DAY = 3_600, 86_400

which = st.integers(0, 5)
levels = st.integers(1, 3)
seconds = st.sampled_from((1, 14, 29, 59, 60, 61, 119, 121, 299, 301, 700))


class Shift(RuleBasedStateMachine):
    """Be a shift: two conversations, those who answer, a worker that comes and goes, and a clock on the wall."""

    def __init__(self) -> None:
        super().__init__()
        self.clocks = Clockwork()
        self.begun = False

    @initialize(raised=st.lists(levels, max_size=3), on_call=st.booleans())
    def begin(self, raised: list[int], on_call: bool) -> None:
        """Let both visitors come, ben hold one of them, and somebody be on call or not; some call at once."""
        self.people = ben(), cleo(), dana()
        self.pks, self.tokens = map(list, zip(*(waiting(self.now) for _ in range(2)), strict=True))
        self.ready(ben())
        services.take(actor=ben(), conversation_id=self.pks[0], now=self.now)
        self.begun = True
        if on_call:
            self.on_call(0, "add", 60)
        for number, level in enumerate(raised):
            self.raise_by(dana(), number, level, self.now)

    def teardown(self) -> None:
        try:
            if self.begun:
                self.clocks.start()
                self.clocks.check_open()
                self.clocks.check_told()
        finally:
            self.clocks.end()

    @invariant()
    def all_that_is_called_for_is_open(self) -> None:
        """See it after each step, whether or not a worker looks."""
        self.clocks.take_in()
        self.clocks.check_open()

    # what people do

    @rule(which=which, level=levels, supervisor=st.booleans())
    def raise_flag(self, which: int, level: int, supervisor: bool) -> None:
        """Call for help; a supervisor may wherever nothing is recorded yet, whatever was raised or seen before."""
        self.raise_by(dana() if supervisor else ben(), which, level, self.now)

    @rule(which=which, level=levels)
    def find(self, which: int, level: int) -> None:
        """Let a rule find danger in what the visitor writes."""
        pk = self.pks[which % 2]
        if conversation(pk).state not in OPEN:
            return
        found = Escalation.objects.filter(conversation=pk, source="screening", state=State.RAISED)
        known, heard = found.first(), level_after(open_levels(conversation(pk)))
        crisis.raise_cue(
            conversation_id=pk, level=level, reason="because", client_id=secrets.token_hex(16), now=self.now
        )
        if level > max(heard, 1):
            assert found.filter(level=level).exists(), "it was louder than what was heard"
            if known is not None:
                self.clocks.lift(known.pk, level)

    @rule(which=which)
    def mark_voice(self, which: int) -> None:
        """Find the voice changed."""
        self.attempt(crisis.mark_changed_voice, actor=dana(), conversation_id=self.pks[which % 2])

    @rule(which=which)
    def propose_external(self, which: int) -> None:
        """Propose that the police are told."""
        about = {"agency": "police", "province": "ON", "reason": "he is here", "consulted": ""}
        about |= {"client_id": secrets.token_hex(16)}
        self.attempt(crisis.propose_external, actor=ben(), conversation_id=self.pks[which % 2], **about)

    @precondition(lambda self: self.clocks.calls)
    @rule(which=which)
    def acknowledge(self, which: int) -> None:
        """See one: that is always possible, whatever its clock did."""
        pk = self.called(which)
        crisis.acknowledge(actor=dana(), escalation_id=pk, now=self.now)
        del self.clocks.calls[pk]

    @precondition(lambda self: self.clocks.calls)
    @rule(which=which, step=st.sampled_from((crisis.resolve, crisis.stand_down)))
    def settle(self, which: int, step: Callable[..., Any]) -> None:
        """Settle one that nobody has acknowledged, and say why."""
        pk = self.called(which)
        try:
            step(actor=dana(), escalation_id=pk, reason="she is safe", now=self.now)
        except Refused as refused:
            if refused.code is not ErrorCode.CONTACT_OPEN:
                raise
        else:
            del self.clocks.calls[pk]

    @rule(which=which, step=st.sampled_from((crisis.start_work, crisis.resolve, crisis.stand_down)))
    def go_on(self, which: int, step: Callable[..., Any]) -> None:
        """Begin or settle one that was acknowledged."""
        seen = one_of(Escalation.objects.filter(state__in=["acknowledged", "in_progress"]), which)
        if seen is not None:
            why = {} if step is crisis.start_work else {"reason": "she is safe"}
            self.attempt(step, actor=dana(), escalation_id=seen, **why)

    @rule(which=which)
    def confirm_external(self, which: int) -> None:
        """Confirm a proposal as the second person, which is to see it; then somebody is told and makes contact."""
        pk = one_of(Escalation.objects.filter(external__isnull=False), which)
        if pk is None:
            return
        with suppress(Refused):
            crisis.confirm_external(actor=dana(), escalation_id=pk, now=self.now)
            self.clocks.calls.pop(pk, None)
        self.attempt(crisis.note_told, actor=ben(), escalation_id=pk, told="an officer", worker="", minutes_ago=0)
        self.attempt(crisis.note_contact, actor=dana(), escalation_id=pk, minutes_ago=0)

    @rule(which=which, what=st.sampled_from(("writes", "is answered", "leaves", "leaves", "ends", "erases")))
    def visitor(self, which: int, what: str) -> None:
        """Write, be answered, leave quickly, end, or ask to be erased."""
        pk, token = self.pks[which % 2], self.tokens[which % 2]
        text = {"conversation_id": pk, "client_id": secrets.token_hex(16), "body": "yes"}
        match what:
            case "writes":
                self.attempt(services.post_message, actor=visitor_of(conversation(pk)), **text)
            case "is answered":
                self.attempt(services.post_message, actor=ben(), **text)
            case "leaves":
                self.attempt(services.leave_quickly, token=token)
            case "ends":
                self.attempt(services.end_conversation, actor=visitor_of(conversation(pk)), conversation_id=pk)
            case "erases":
                self.attempt(services.ask_erasure_by_token, token=token)

    @rule(which=which, what=st.sampled_from(("take", "pause", "lift", "close", "close", "away", "tidy")))
    def staff(self, which: int, what: str) -> None:
        """Take, pause, let go on or close a conversation, leave the shift, or have what is over put away."""
        pk = self.pks[which % 2]
        match what:
            case "take":
                self.take(pk)
            case "pause":
                self.attempt(services.pause, actor=dana(), conversation_id=pk, minutes=15, why=Why.ABUSE)
            case "lift":
                self.attempt(services.lift_pause, actor=dana(), conversation_id=pk)
            case "close":
                self.take(pk)
                self.attempt(services.end_conversation, actor=visitor_of(conversation(pk)), conversation_id=pk)
                outcome = {"contact_type": "unknown", "disposition": "abusive", "case_identified": False, "summary": ""}
                self.attempt(cases.record_contact, actor=dana(), conversation_id=pk, **outcome)
            case "away":
                for person in self.people:
                    set_availability(user_id=person.id, state="away", now=self.now)
            case "tidy":
                services.retire_closed(now=self.now)
                crisis.forget_pagings(now=self.now)

    @rule(level=levels, clock=st.sampled_from((15, 60, 300, 1_800)), climbs=st.booleans(), aloud=st.booleans())
    def edit_ladder(self, level: int, clock: int, climbs: bool, aloud: bool) -> None:
        """Set a level as nobody would, as quiet as it can be set."""
        for pages in Pages:
            with suppress(ValueError):
                crisis.set_rung(
                    actor="command", level=level, seconds=clock, climbs=climbs, aloud=aloud, pages=pages, now=self.now
                )
                break
        self.clocks.note_ladder()

    @rule(which=which, what=st.sampled_from(("add", "remove", "deaf", "hear")), wait=st.sampled_from((15, 60, 1_800)))
    def on_call(self, which: int, what: str, wait: int) -> None:
        """Put somebody on call, take one away, the last one too, or let no page arrive from now on."""
        known = targets()
        if what == "add" and len(known) < 3:
            about = {"name": "Pager", "way": "webhook", "address": "https://pager.example.org/"}
            crisis.add_target(actor=alix(), target_id=uuid4(), wait_seconds=wait, now=self.now, **about)
        elif what == "remove" and known:
            crisis.remove_target(actor=alix(), target_id=known[which % len(known)].pk, now=self.now)
        elif what in {"deaf", "hear"}:
            self.clocks.answer = "timeout" if what == "deaf" else "204"

    # what time and machines do

    @rule(by=seconds)
    def pass_time(self, by: int) -> None:
        """Let time pass; a worker that runs looks at its end."""
        self.clocks.pass_time(by)

    @rule(by=seconds)
    def pass_more(self, by: int) -> None:
        """Let time pass more often than anything else happens."""
        self.clocks.pass_time(by)

    @rule(
        by=st.sampled_from((-HOUR, -HOUR, -90, DAY)),
        raised=st.sampled_from(("", "now", "as it was", "as it was")),
        away=st.sampled_from((0, 0, 1, 90)),
        which=which,
    )
    def set_clock(self, by: int, raised: str, away: int, which: int) -> None:
        """Set the clock on the wall, before an outage of the database or without one.

        Somebody calls meanwhile, or had begun to before and is written down after.
        """
        before = self.now
        self.clocks.set_clock(by)
        if raised == "now":
            self.raise_by(dana(), which, 2, self.now)
        # a machine's clock is looked at each second
        if away and self.clocks.up:
            self.clocks.look_in_vain(1)
            self.clocks.look_in_vain(away)
        self.clocks.pass_time(1)
        if raised == "as it was":
            self.raise_by(dana(), which, 2, before)
            if by < 0:
                self.clocks.lie_ahead()

    @rule()
    def worker(self) -> None:
        """Let the worker die, so that nobody looks, or start another one, which knows nothing."""
        if self.clocks.up:
            self.clocks.up = False
        else:
            self.clocks.start()

    # how

    @property
    def now(self) -> datetime:
        """Return what the clock on the wall shows."""
        return self.clocks.now

    def attempt(self, command: Callable[..., Any], **about: Any) -> None:
        """Do what may be refused."""
        with suppress(Refused):
            command(now=self.now, **about)

    def raise_by(self, who: Staff, which: int, level: int, now: datetime) -> None:
        """Call for help, and see that it is one more call with a clock."""
        pk, before = self.pks[which % 2], set(self.clocks.calls)
        about: dict[str, Any] = {"reason": "he is near", "client_id": secrets.token_hex(16)}
        try:
            crisis.raise_escalation(actor=who, conversation_id=pk, level=level, now=now, **about)
        except Refused:
            assert who.role != "supervisor" or conversation(pk).state == "closed"
        else:
            self.clocks.take_in()
            assert len(set(self.clocks.calls) - before) == 1, "somebody called for help, and nobody is called"

    def called(self, which: int) -> UUID:
        """Return one that nobody has seen."""
        return list(self.clocks.calls)[which % len(self.clocks.calls)]

    def take(self, pk: UUID) -> None:
        """Let cleo take one that waits."""
        self.ready(cleo())
        self.attempt(services.take, actor=cleo(), conversation_id=pk)

    def ready(self, person: Staff) -> None:
        """Let somebody take conversations."""
        set_availability(user_id=person.id, state="ready", now=self.now)


def one_of(rows: QuerySet[Escalation], which: int) -> UUID | None:
    """Return one of some rows, None when there are none."""
    pks = list(rows.order_by("raised_at", "pk").values_list("pk", flat=True))
    return pks[which % len(pks)] if pks else None


@pytest.mark.django_db
@pytest.mark.timeout(0 if EXAMPLES else 120)
def test_no_sequence_leaves_a_call_for_help_unacknowledged_unescalated_and_silent() -> None:
    run_state_machine_as_test(
        Shift,
        settings=settings(
            max_examples=EXAMPLES or 12,
            stateful_step_count=40,
            deadline=None,
            derandomize=not EXAMPLES,
            suppress_health_check=list(HealthCheck),
            # to find a shorter story takes minutes
            phases=[Phase.generate, *([Phase.shrink] if EXAMPLES else [])],
        ),
    )
