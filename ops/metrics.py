"""Show the numbers of this process and of the shift to the site's own Prometheus, and to nobody outside."""

import asyncio
import ipaddress
import logging
import math
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST

from chat import measures
from chat.db import in_db
from chat.selectors.shift_counts import ShiftCounts, shift_counts
from crisis.selectors import longest_overdue
from crisis.selectors.on_call import page_counts

logger = logging.getLogger(__name__)

KEPT_FOR = timedelta(seconds=5)
WITHIN = 3.0
_PASSED_ON = ("X-Forwarded-For", "X-Real-Ip", "Forwarded", "Via")
"""Headers of a request that came through a proxy, and so from outside."""


async def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with everything that is measured; 404 to whoever is not of this site."""
    if not from_inside(request):
        return HttpResponse(status=404)
    await _counted.refresh(timezone.now())
    return HttpResponse(measures.text(), content_type=CONTENT_TYPE_LATEST)


def from_inside(request: HttpRequest) -> bool:
    """Tell whether a request comes straight from this machine or a private network."""
    if any(name in request.headers for name in _PASSED_ON):
        return False
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return address.is_private or address.is_loopback


class Counted:
    """Bring the numbers of the database up to date, at most once in some seconds."""

    def __init__(self) -> None:
        self._at: datetime | None = None

    async def refresh(self, now: datetime) -> None:
        """Count again if it is time."""
        if self._at is not None and timedelta(0) <= now - self._at < KEPT_FOR:
            return
        self._at = now
        try:
            show(*await asyncio.wait_for(in_db(_counted_now, now), WITHIN))
        except Exception as error:
            # numbers that nobody can know must not look like a quiet evening
            logger.error("the shift was not counted: %s", type(error).__name__)
            show(None, None, None)


def _counted_now(now: datetime) -> tuple[ShiftCounts, Mapping[str, int], timedelta]:
    return shift_counts(now), page_counts(now), longest_overdue(now)


def show(counts: ShiftCounts | None, pages: Mapping[str, int] | None, overdue: timedelta | None) -> None:
    """Set the gauges of the shift; to no number when it could not be counted."""
    unknown = math.nan
    for what in measures.PAGED:
        measures.pages.labels(what).set(pages.get(what, 0) if pages is not None else unknown)
    for level in measures.LEVELS:
        measures.waiting.labels(level).set(counts.waiting.get(int(level), 0) if counts else unknown)
        measures.oldest_wait_seconds.labels(level).set(counts.oldest.get(int(level), 0) if counts else unknown)
    for why in measures.WHYS:
        measures.handed_back.labels(why).set(counts.handed_back.get(why, 0) if counts else unknown)
    measures.running.set(counts.running if counts else unknown)
    measures.clocks_overdue_seconds.set(unknown if overdue is None else overdue.total_seconds())


_counted = Counted()
