"""Tell what the site's own Prometheus sees: numbers of the shift, and nothing of anybody."""

import asyncio
import math
import re
import secrets
from datetime import datetime, timedelta
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from django.test import RequestFactory, TestCase
from django.utils import timezone

from chat import measures, services
from chat.consumers import replies
from chat.core.errors import Refused
from chat.models import Assignment, Conversation
from chat.selectors.shift_counts import first_reply_after, shift_counts
from chat.services.posting import Post
from chat.writer import Writer
from crisis.core.paging import DeliveryState
from crisis.services import add_target, climb_due, raise_escalation
from ops import metrics
from tests.app.test_staff_socket import Tab
from tests.app.test_visitor_socket import Page, types
from tests.support.pagers import worker_looks
from tests.support.people import alix, ben, dana, held_by, waiting

CANARY = "the teal kettle sings at dusk"


def value(name: str, **labels: str) -> float:
    """Return a number as Prometheus would read it."""
    found = measures.registry.get_sample_value(name, labels or None)
    assert found is not None, name
    return found


async def scraped(now: datetime | None = None) -> str:
    """Return the answer to a request from this machine."""
    request = RequestFactory().get("/metrics")
    metrics._counted._at = None
    with mock.patch("ops.metrics.timezone.now", return_value=now or timezone.now()):
        answer = await metrics.metrics(request)
    assert answer.status_code == 200
    return answer.content.decode()


class WhoMayLook(TestCase):
    def test_a_machine_of_the_site_may_and_what_a_proxy_passed_on_may_not(self) -> None:
        assert self.client.get("/metrics").status_code == 200
        for address in ("10.0.0.7", "172.20.0.3", "::1"):
            assert self.client.get("/metrics", REMOTE_ADDR=address).status_code == 200, address
        for address in ("8.8.8.8", "2001:4860::1", "", "no address"):
            assert self.client.get("/metrics", REMOTE_ADDR=address).status_code == 404, address
        for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
            assert self.client.get("/metrics", headers={header: "10.0.0.7"}).status_code == 404, header


class ShiftStories(TestCase):
    async def test_who_waits_is_shown_by_level_with_the_longest_wait(self) -> None:
        now = timezone.now()
        await sync_to_async(waiting)(now - timedelta(minutes=3))
        await sync_to_async(waiting)(now - timedelta(minutes=1))
        pk, _ = await sync_to_async(waiting)(now - timedelta(minutes=7))
        await Conversation.objects.filter(pk=pk).aupdate(level=3)
        await sync_to_async(lambda: held_by(ben(), now))()
        await scraped(now)
        assert (value("havre_waiting", level="0"), value("havre_waiting", level="3")) == (2, 1)
        assert value("havre_oldest_wait_seconds", level="0") == pytest.approx(180, abs=1)
        assert value("havre_oldest_wait_seconds", level="3") == pytest.approx(420, abs=1)
        assert (value("havre_waiting", level="1"), value("havre_oldest_wait_seconds", level="1")) == (0, 0)
        assert value("havre_running") == 1

    async def test_what_went_back_to_the_queue_is_counted_for_an_hour(self) -> None:
        now = timezone.now()
        await sync_to_async(self._declined)(now)
        await scraped(now + timedelta(minutes=59))
        assert value("havre_handed_back_last_hour", why="declined") == 1
        await scraped(now + timedelta(minutes=61))
        assert value("havre_handed_back_last_hour", why="declined") == 0

    def _declined(self, now: datetime) -> None:
        pk, _ = waiting(now)
        actor = ben()
        Conversation.objects.filter(pk=pk).update(state="offered", advocate_id=actor.id)
        Assignment.objects.create(conversation_id=pk, advocate_id=actor.id, begun_at=now, offered=True)
        services.decline(actor=actor, conversation_id=pk, now=now)

    async def test_many_looks_are_one_reading_of_two_queries(self) -> None:
        now = timezone.now()
        counted = metrics.Counted()
        with mock.patch("ops.metrics.shift_counts", wraps=shift_counts) as read:
            for seconds in (0, 1, 4.9, 5, 9):
                await counted.refresh(now + timedelta(seconds=seconds))
            assert read.call_count == 2
        await sync_to_async(self._two_queries)(now)

    def _two_queries(self, now: datetime) -> None:
        with self.assertNumQueries(2):
            shift_counts(now)

    async def test_pages_of_the_last_hour_are_counted_by_what_became_of_them(self) -> None:
        now = timezone.now()
        await sync_to_async(self._paged)(now)
        await scraped(now + timedelta(minutes=59))
        assert (value("havre_pages_last_hour", what="sent"), value("havre_pages_last_hour", what="unreached")) == (1, 0)
        await scraped(now + timedelta(minutes=61))
        assert value("havre_pages_last_hour", what="sent") == 0

    def _paged(self, now: datetime) -> None:
        pk, _ = held_by(ben(), now)
        given = {"name": "Pager", "way": "webhook", "address": "https://pager.example.org/", "wait_seconds": 60}
        add_target(actor=alix(), target_id=uuid4(), **given, now=now)  # type: ignore[arg-type]
        raise_escalation(actor=ben(), conversation_id=pk, level=3, reason="now", client_id="a" * 32, now=now)
        worker_looks(now, lambda errand: "204")

    async def test_a_clock_on_which_no_worker_acts_is_seen(self) -> None:
        now = timezone.now()
        await sync_to_async(self._paged)(now)
        for later, overdue in ((59, 0), (60, 0), (100, 40)):
            await scraped(now + timedelta(seconds=later))
            assert value("havre_clocks_overdue_seconds") == overdue
        await sync_to_async(climb_due)(now=now + timedelta(seconds=100))
        await scraped(now + timedelta(seconds=101))
        assert value("havre_clocks_overdue_seconds") == 0

    async def test_without_a_database_there_is_no_number_instead_of_a_quiet_evening(self) -> None:
        with (
            mock.patch("ops.metrics.shift_counts", side_effect=OSError),
            self.assertLogs("ops.metrics", "ERROR"),
        ):
            shown = await scraped()
        assert math.isnan(value("havre_waiting", level="0"))
        assert math.isnan(value("havre_clocks_overdue_seconds"))
        assert "havre_waiting" in shown

    async def test_the_first_answer_is_measured_once(self) -> None:
        began = timezone.now() - timedelta(seconds=100)
        pk, _ = await sync_to_async(lambda: held_by(ben(), began))()
        tab = await sync_to_async(lambda: Tab(ben()))()
        await tab.open()
        before = value("havre_first_reply_seconds_count"), value("havre_first_reply_seconds_sum")
        with mock.patch("chat.consumers.replies.first_reply_after", wraps=first_reply_after) as asked:
            for kind, number in (("note", 1), ("post", 2), ("post", 3)):
                await self._write(tab, pk, kind, number)
            assert asked.call_count == 1
            # as another process would
            replies._answered.clear()
            await self._write(tab, pk, "post", 4)
            assert asked.call_count == 2
        after = value("havre_first_reply_seconds_count"), value("havre_first_reply_seconds_sum")
        assert after[0] - before[0] == 1
        assert after[1] - before[1] == pytest.approx(100, abs=10)

    async def _write(self, tab: Tab, pk: UUID, kind: str, number: int) -> None:
        frame = {"type": kind, "ref": number, "conversation": str(pk), "client_id": f"{number:032x}", "body": "hm"}
        await tab.wire.send_json_to(frame)
        while (await tab.wire.receive_json_from(timeout=15)).get("ref") != number:
            pass
        await asyncio.sleep(0.05)

    async def test_open_sockets_are_counted_by_side(self) -> None:
        _, token = await sync_to_async(lambda: held_by(ben(), timezone.now()))()
        before = value("havre_sockets", side="visitor")
        page = Page(token)
        await page.hello()
        assert value("havre_sockets", side="visitor") == before + 1
        await page.wire.disconnect()
        assert value("havre_sockets", side="visitor") == before


async def test_the_writer_tells_its_batches_its_commits_and_what_waits() -> None:
    go = asyncio.Event()
    loop = asyncio.get_running_loop()

    def write(posts: list[Post]) -> list[Any]:
        asyncio.run_coroutine_threadsafe(go.wait(), loop).result(5)
        return [Refused for _ in posts]  # any answer will do

    before = {name: value(name) for name in ("havre_batch_texts_count", "havre_commit_seconds_count")}
    with mock.patch("django.conf.settings.DB_WORK_ON_MAIN_THREAD", False, create=True):
        writer = Writer(write)
        posts = [asyncio.create_task(writer.post(mock.Mock())) for _ in range(3)]
        await asyncio.sleep(0.05)
        assert value("havre_unacknowledged_texts") == 3
        go.set()
        await asyncio.gather(*posts)
        await writer.empty()
    assert value("havre_unacknowledged_texts") == 0
    batches = value("havre_batch_texts_count") - before["havre_batch_texts_count"]
    assert batches == value("havre_commit_seconds_count") - before["havre_commit_seconds_count"] == writer.batches


class Story(TestCase):
    async def test_no_text_name_token_or_id_is_ever_shown(self) -> None:
        now = timezone.now()
        pk, token = await sync_to_async(lambda: held_by(ben(), now))()
        page, tab = Page(token), await sync_to_async(lambda: Tab(ben()))()
        await page.hello()
        await tab.open()
        client_id = secrets.token_hex(16)
        await page.wire.send_json_to({"type": "post", "ref": 1, "client_id": client_id, "body": CANARY})
        assert types(await page.settled()) == ["ok"]
        frame = {"type": "post", "ref": 1, "conversation": str(pk), "client_id": secrets.token_hex(16), "body": CANARY}
        await tab.wire.send_json_to(frame)
        await page.settled()
        await sync_to_async(
            lambda: raise_escalation(
                actor=dana(), conversation_id=pk, level=2, reason=CANARY, client_id="a" * 32, now=now
            )
        )()
        shown = await scraped()
        row = await Conversation.objects.aget(pk=pk)
        canaries = [
            CANARY,
            "teal",
            token,
            client_id,
            str(pk),
            pk.hex,
            row.handle,
            "Ben",
            "ben",
            "Dana",
            "dana",
            "8.8.8",
        ]
        assert [canary for canary in canaries if canary in shown] == []
        labels = set(re.findall(r'(\w+)="([^"]*)"', shown))
        words = {word for name, word in labels if name != "le"}
        assert set(measures.PAGED) == {*DeliveryState, "unreached"}
        known = (measures.LEVELS, measures.SIDES, measures.WHYS, measures.SLOWED, measures.PROOFS, measures.PAGED)
        assert words <= {word for words in known for word in words}
        assert {name for name, _ in labels} <= {"le", "level", "side", "what", "why"}
        assert all(re.fullmatch(r"[0-9.e+-]+|\+Inf", word) for name, word in labels if name == "le")
        assert len(shown.splitlines()) < 300, "the number of series does not grow with what happens"
