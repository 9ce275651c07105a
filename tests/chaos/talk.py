"""Let people talk while something goes wrong, then count."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from tests.chaos.count import Count, counted
from tests.chaos.site import Site
from tests.support.crowd import Advocate, Crowd, Pace, Visitor, until

PER_ADVOCATE = 4
BY_THE_DOOR = 40
"""Visitors who begin as pages do; more at once would look like a flood, and are begun past the door."""
AT_ONCE = 50

Fault = Callable[[Site, Crowd], Awaitable[list[str]]]


async def seated(site: Site, crowd: Crowd, pairs: int, pace: Pace) -> None:
    """Let visitors come and advocates take them, four to each; visitors on the first process, staff on the last."""
    tokens = await asyncio.to_thread(site.begun, pairs) if pairs > BY_THE_DOOR else [""] * pairs
    visitors = await arrived(site, crowd, tokens, pace)
    sessions = await asyncio.to_thread(site.sessions, -(-pairs // PER_ADVOCATE))
    for session in sessions:
        advocate = Advocate(site.ports[-1], pace=pace, session=session)
        crowd.advocates.append(advocate)
        advocate.connect()
    await until(lambda: all(one.welcomed for one in crowd.advocates), "every advocate is welcomed")
    for number, visitor in enumerate(visitors):
        advocate = crowd.advocates[number // PER_ADVOCATE]
        pk = await asyncio.to_thread(site.conversation_of, visitor.token)
        if number % PER_ADVOCATE == 0:
            await advocate.command(type="availability", state="busy")
        taken = await advocate.command(type="take", conversation=pk)
        assert taken.ok, f"take: {taken.code}"
        crowd.seats.append((visitor, advocate, pk))
    await until(lambda: all(pk in a.held for _, a, pk in crowd.seats), "every advocate follows their conversations")


async def arrived(site: Site, crowd: Crowd, tokens: list[str], pace: Pace) -> list[Visitor]:
    """Let visitors connect, some at a time, and wait until all are welcomed."""
    visitors = [Visitor(site.ports[0], pace=pace, token=token) for token in tokens]
    crowd.visitors.extend(visitors)
    for at in range(0, len(visitors), AT_ONCE):
        some = visitors[at : at + AT_ONCE]
        for visitor in some:
            visitor.connect()
        await until(lambda some=some: all(one.welcomed for one in some), "visitors are welcomed")  # type: ignore[misc]
    return visitors


def ordinary(number: int, turn: int) -> str:
    """Return a text of some eighty signs."""
    return f"{turn} de {number}: un texte comme on en écrit quand on a peu de temps, about eighty signs"


async def talk(crowd: Crowd, messages: int, seconds: float, text: Callable[[int, int], str] = ordinary) -> None:
    """Let everybody write their share, each text after the acknowledgement of the one before, over some seconds."""
    people = 2 * len(crowd.seats)
    gap = seconds * people / messages

    async def write(number: int) -> None:
        visitor, advocate, pk = crowd.seats[number // 2]
        share = messages // people + (number < messages % people)
        await asyncio.sleep(random.random() * gap)
        for turn in range(share):
            due = time.monotonic() + gap
            words = text(number, turn)
            await (visitor.say(words) if number % 2 == 0 else advocate.say(pk, words))
            await asyncio.sleep(max(0.0, due - time.monotonic()) * random.uniform(0.5, 1.0))

    async with asyncio.TaskGroup() as writers:
        for number in range(people):
            writers.create_task(write(number))


async def when(crowd: Crowd, count: int, within: float = 120.0) -> None:
    """Wait until so many texts were acknowledged."""
    await until(lambda: crowd.acknowledged >= count, f"{count} texts are acknowledged", within)


async def during(
    site: Site,
    crowd: Crowd,
    fault: Fault,
    *,
    messages: int,
    pairs: int,
    seconds: float,
    pace: Pace,
    text: Callable[[int, int], str] = ordinary,
) -> Count:
    """Seat people, let them talk while the fault is made, and count."""
    await seated(site, crowd, pairs, pace)
    began = time.monotonic()
    async with asyncio.timeout(seconds * 6 + 180), asyncio.TaskGroup() as both:
        both.create_task(talk(crowd, messages, seconds, text))
        made = both.create_task(_made(fault, site, crowd))
    count = await counted(site, crowd)
    count.seconds = time.monotonic() - began
    count.remarks[:0] = made.result()
    return count


async def _made(fault: Fault, site: Site, crowd: Crowd) -> list[str]:
    return await fault(site, crowd)
