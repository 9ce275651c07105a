"""Whatever is lost, doubled, swapped, cut or killed: both sides end with the same log, each text once and in order.

Real stores and lines of the pages over real consumers and a real database (`tests.support.world`); the interleaving is
drawn. `HAVRE_TEST_EXAMPLES` asks for more of them.
"""

import os
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from chat.models import Event
from staff.models import User
from tests.support.people import ben, held_by
from tests.support.world import SIDES, World

EXAMPLES = int(os.environ.get("HAVRE_TEST_EXAMPLES", "20"))

side = st.sampled_from(SIDES)
who = st.sampled_from(("visitor", "staff", "staff", "note"))
few = st.integers(1, 6)
steps = st.one_of(
    st.tuples(st.just("say"), who, st.booleans()),
    st.tuples(st.just("say"), who, st.just(True)),
    st.tuples(st.just("up"), side, few),
    st.tuples(st.just("down"), side, few),
    st.tuples(st.just("through"), side),
    st.tuples(st.just("cut"), side, st.booleans()),
    st.tuples(st.just("kill"), side),
    st.tuples(st.just("nudge"), st.integers(0, 9), st.sampled_from((0, 0, 1, 2))),
    st.tuples(st.just("nudge"), st.integers(0, 9), st.sampled_from((0, 0, 1, 2))),
    st.tuples(st.just("wait"), st.sampled_from((1, 4, 12, 26))),
)


async def play(world: World, pk: str, plan: list[tuple[Any, ...]]) -> None:
    """Let both sides connect, let the plan happen, then let everything through."""
    await world.settle([1, 1])
    said = 0
    for what, *how in plan:
        if what == "say":
            said += 1
            who = "visitor" if how[0] == "visitor" else "staff"
            kind = "note" if how[0] == "note" else "post"
            await world.says(who, conversation=pk, id=f"{said:032x}", body=f"text {said}", kind=kind)
            if how[1]:
                await world.up(who, 100)
        elif what == "up":
            await world.up(how[0], how[1])
        elif what == "down":
            await world.down(how[0], how[1])
        elif what == "through":
            await world.through(how[0])
        elif what == "cut":
            await world.break_line(how[0], told=how[1])
        elif what == "kill":
            await world.kill(how[0])
        elif what == "nudge":
            await world.nudge(how[0], times=how[1])
        else:
            await world.wait(how[0])
    await world.settle()


class ConvergenceStories(TestCase):
    """Both sides converge."""

    def setup_example(self) -> None:
        super().setup_example()  # type: ignore[no-untyped-call]
        self.conversation, self.token = held_by(ben(), timezone.now())
        self.pk = str(self.conversation)
        client = Client()
        client.force_login(User.objects.get(username="ben"))
        name = django_settings.SESSION_COOKIE_NAME
        self.cookie = f"{name}={client.cookies[name].value}"

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize="HAVRE_TEST_EXAMPLES" not in os.environ,
        suppress_health_check=list(HealthCheck),
        # a shorter plan would take minutes to find
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
    )
    @given(st.lists(steps, min_size=20, max_size=60))
    def test_any_interleaving_ends_in_the_same_log_each_text_once_and_in_order(
        self, plan: list[tuple[Any, ...]]
    ) -> None:
        async def run() -> tuple[Any, Any]:
            world = World(self.token, self.cookie)
            with world.patched():
                await world.begin()
                await play(world, self.pk, plan)
                return world.view("visitor"), world.view("staff")

        visitor, staff = async_to_sync(run)()
        rows = list(Event.objects.filter(conversation=self.conversation).order_by("staff_seq"))
        texts = {row.client_id: row for row in rows if row.client_id}
        said = [step for step in plan if step[0] == "say"]

        # every text is stored once; whatever was acknowledged is, with the number that was told
        assert sorted(texts) == [f"{number:032x}" for number in range(1, len(said) + 1)]
        assert visitor["answers"] == {
            one: row.visitor_seq for one, row in texts.items() if row.author_role == "visitor"
        }
        assert staff["answers"] == {one: row.staff_seq for one, row in texts.items() if row.author_role != "visitor"}
        # both pages hold the log as it is stored, in order and once, and nothing is left on its way
        seen = [(line["seq"], line.get("body")) for line in visitor["lines"]]
        assert seen == [(row.visitor_seq, body(row)) for row in rows if row.visitor_seq]
        log = staff["logs"][self.pk]
        assert [(line["seq"], line.get("body")) for line in log["lines"]] == [
            (row.staff_seq, body(row)) for row in rows
        ]
        assert (visitor["outbox"], staff["outbox"]) == ([], {})
        # and staff know that the visitor's page has everything
        newest = [row.staff_seq for row in rows if row.visitor_seq is not None][-1]
        assert staff["reached"][self.pk]["delivered"] == newest


def body(row: Event) -> str | None:
    """Return the text of a stored line, which is known by its client id; None for a fact."""
    return f"text {int(row.client_id, 16)}" if row.client_id else None
