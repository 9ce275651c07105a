"""Count at the end of a run: acknowledged = stored = shown, in order, none lost, none doubled, numbers dense."""

import asyncio
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from tests.chaos.line import Frame, Pace
from tests.chaos.site import Row, Site
from tests.support.crowd import Crowd, Ledger, Visitor

SAMPLE = 3


@dataclass
class Count:
    """Hold what a run came to; everything in `wrong` must be nothing."""

    sent: int = 0
    acknowledged: int = 0
    stored: int = 0
    shown_visitor: int = 0
    shown_staff: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: list[str] = field(default_factory=list)
    ours: int = 0
    """Refusals with `ours`, each of which was tried again."""
    reconnects: int = 0
    slowest: float = 0.0
    """The longest that anybody waited for an acknowledgement, in seconds."""
    seconds: float = 0.0
    remarks: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Tell whether nothing was lost, doubled or wrong."""
        figures = {self.sent, self.acknowledged, self.stored, self.shown_visitor, self.shown_staff}
        return len(figures) == 1 and not (self.lost or self.doubled or self.wrong)

    def told(self) -> list[str]:
        """Return what was wrong in words, each once."""
        return [f"{what} ({times} times)" if times > 1 else what for what, times in Counter(self.wrong).items()]


async def counted(site: Site, crowd: Crowd, *, within: float = 40.0) -> Count:
    """Wait until every page holds what is stored, then compare page by page and number by number."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in await asyncio.to_thread(site.rows):
        rows[row.conversation].append(row)
    count = Count()
    began = time.monotonic()
    while not (whole := all(_holds_all(rows[pk], v, a.log(pk)) for v, a, pk in crowd.seats)):
        if time.monotonic() - began > within:
            break
        await asyncio.sleep(0.05)
    if not whole:
        count.wrong.append(f"not every page was up to date within {within:.0f} s")
    elif time.monotonic() - began > 1:
        count.remarks.append(f"last page up to date after {time.monotonic() - began:.1f} s")
    for visitor, advocate, pk in crowd.seats:
        await asyncio.wait_for(asyncio.gather(visitor.fetch_older(), advocate.fetch_older(pk)), within)
        _compare(count, rows[pk], visitor.ledger, advocate.log(pk))
    for page in (*crowd.visitors, *crowd.advocates):
        count.reconnects += max(0, page.connects - 1)
        if page.stopped:
            count.wrong.append(f"a page was stopped with {page.codes[-1:]}")
    await _sample(count, site, crowd)
    return count


def _holds_all(rows: list[Row], visitor: Visitor, log: Ledger) -> bool:
    last = max((row.visitor_seq or 0 for row in rows), default=0)
    return visitor.ledger.last >= last and log.last >= len(rows)


def _compare(count: Count, rows: list[Row], visitor: Ledger, staff: Ledger) -> None:
    sent = visitor.sent | staff.sent
    acknowledged = visitor.acknowledged.keys() | staff.acknowledged.keys()
    stored = Counter(row.client_id for row in rows if row.client_id is not None)
    count.sent += len(sent)
    count.acknowledged += len(acknowledged)
    count.stored += stored.total()
    count.doubled += sum(times - 1 for times in stored.values())
    count.lost += len(acknowledged - stored.keys())
    count.ours += visitor.refused.count("ours") + staff.refused.count("ours")
    count.wrong += [f"refused: {code}" for code in (*visitor.refused, *staff.refused) if code != "ours"]
    count.slowest = max(count.slowest, visitor.slowest, staff.slowest)
    _numbers(count, rows)
    for row in rows:
        if row.client_id is None:
            continue
        text = sent.get(row.client_id)
        count.shown_visitor += _shows(count, visitor.shown.get(row.visitor_seq or 0), text)
        count.shown_staff += _shows(count, staff.shown.get(row.staff_seq), text)
        told = visitor.acknowledged.get(row.client_id, row.visitor_seq)
        told_staff = staff.acknowledged.get(row.client_id, row.staff_seq)
        if (told, told_staff) != (row.visitor_seq, row.staff_seq):
            count.wrong.append("acknowledged under another number than it is stored")
    for ledger in (visitor, staff):
        own = [row.client_id for row in rows if row.client_id in ledger.sent]
        if own != [one for one in ledger.sent if one in stored]:
            count.wrong.append("one person's texts are not in the order in which they were written")
        shown = Counter(frame["client_id"] for frame in ledger.shown.values() if frame.get("client_id"))
        count.doubled += sum(times - 1 for times in shown.values())


def _shows(count: Count, frame: Frame | None, text: str | None) -> int:
    if frame is None:
        count.lost += 1
        return 0
    if frame.get("body") != text:
        count.wrong.append("a page shows another text than was written")
        return 0
    return 1


def _numbers(count: Count, rows: list[Row]) -> None:
    staff = [row.staff_seq for row in rows]
    visitor = [row.visitor_seq for row in rows if row.visitor_seq is not None]
    for numbers in (staff, visitor):
        if numbers != list(range(1, len(numbers) + 1)):
            count.wrong.append("numbers have a gap or are out of order")


async def _sample(count: Count, site: Site, crowd: Crowd) -> None:
    """Read some logs anew from the beginning, as a page that holds nothing, and compare every text."""
    for visitor, advocate, pk in crowd.seats[:SAMPLE]:
        fresh = Visitor(visitor.port, pace=Pace(), token=visitor.token)
        fresh.connect()
        ends = time.monotonic() + 30
        while fresh.ledger.last < visitor.ledger.last and time.monotonic() < ends:
            await asyncio.sleep(0.02)
        await asyncio.wait_for(fresh.fetch_older(), 60)
        fresh.close()
        if _texts(fresh.ledger) != _texts(visitor.ledger):
            count.wrong.append("a log that was read anew holds other texts than the page that saw it grow")
        if [text for _, text in _texts(fresh.ledger)] != [text for _, text in _texts(advocate.log(pk))]:
            count.wrong.append("visitor and advocate read different texts")


def _texts(ledger: Ledger) -> list[tuple[int, str]]:
    return [(number, frame["body"]) for number, frame in sorted(ledger.shown.items()) if frame["type"] == "message"]
