"""See after a clock was set back that nobody waits for the hour to pass: newcomers, open offers, lost advocates."""

import asyncio
import time

from tests.chaos.clock import Clock
from tests.chaos.site import Site
from tests.support.crowd import Advocate, Crowd, Pace, Visitor, until

RESCUED_WITHIN = 95.0
LAPSED_WITHIN = 60.0


async def somebody_new_is_served(site: Site, crowd: Crowd) -> list[str]:
    """Let somebody come and be offered, taken and answered."""
    began = time.monotonic()
    visitor, pk = await _newcomer(site, crowd)
    advocate = await _ready(site, crowd)
    await until(lambda: offered_to(advocate, pk), "a newcomer is offered to somebody who is ready", 15)
    assert (await advocate.command(type="take", conversation=pk)).ok
    await until(lambda: pk in advocate.held, "the advocate follows")
    assert (await advocate.say(pk, "bonjour")).ok
    assert (await visitor.say("hello")).ok
    await until(lambda: visitor.ledger.last >= 3, "both texts are shown")
    return [f"a newcomer was offered, taken and answered in {time.monotonic() - began:.1f} s"]


async def nobody_is_stranded(site: Site, crowd: Crowd, clock: Clock) -> list[str]:
    """Let an offer and an advocate's silence begin before the clock is set back; both must end in time."""
    slow = await _ready(site, crowd)
    _, waiting = await _newcomer(site, crowd)
    await until(lambda: offered_to(slow, waiting), "an offer is made", 15)
    await slow.command(type="availability", state="busy")
    gone = await _ready(site, crowd, readiness="busy")
    _, running = await _newcomer(site, crowd)
    assert (await gone.command(type="take", conversation=running)).ok
    clock.set(-3_600)
    began = time.monotonic()
    await asyncio.sleep(1.5)
    gone.close()
    crowd.advocates.remove(gone)
    remarks = await somebody_new_is_served(site, crowd)
    for advocate in crowd.advocates:
        await advocate.command(type="availability", state="busy")
    lapsed = await _left(site, waiting, "offered", LAPSED_WITHIN, began)
    rescued = await _left(site, running, "active", RESCUED_WITHIN, began)
    crowd_says = [
        f"open offer lapsed after {lapsed:.0f} s"
        if lapsed
        else f"STRANDED: an offer still open after {LAPSED_WITHIN:.0f} s",
        f"vanished advocate's conversation given back after {rescued:.0f} s"
        if rescued
        else f"STRANDED: a vanished advocate still holds a conversation after {RESCUED_WITHIN:.0f} s",
    ]
    return [*remarks, *crowd_says]


async def _left(site: Site, pk: str, state: str, within: float, began: float) -> float | None:
    """Return after how many seconds a conversation left a state."""
    while time.monotonic() - began < within:
        found = await asyncio.to_thread(site.query, "SELECT id, state FROM chat_conversation")
        if not any(str(one).replace("-", "") == pk.replace("-", "") and was == state for one, was in found):
            return time.monotonic() - began
        await asyncio.sleep(0.5)
    return None


async def _newcomer(site: Site, crowd: Crowd) -> tuple[Visitor, str]:
    visitor = Visitor(site.ports[0], pace=Pace())
    crowd.visitors.append(visitor)
    visitor.connect()
    await until(lambda: visitor.welcomed, "a newcomer is welcomed", 15)
    return visitor, await asyncio.to_thread(site.conversation_of, visitor.token)


async def _ready(site: Site, crowd: Crowd, readiness: str = "ready") -> Advocate:
    (session,) = await asyncio.to_thread(site.sessions, 1)
    advocate = Advocate(site.ports[-1], pace=Pace(), session=session)
    crowd.advocates.append(advocate)
    advocate.connect()
    await until(lambda: advocate.welcomed, "an advocate is welcomed", 15)
    assert (await advocate.command(type="availability", state=readiness)).ok
    return advocate


def offered_to(advocate: Advocate, pk: str) -> bool:
    """Tell whether an advocate's list shows a conversation as offered to them."""
    row = advocate.overview.get(pk)
    return row is not None and row["state"] == "offered" and row["advocate_id"] == advocate.you.get("id")
