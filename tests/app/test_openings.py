"""Tell how a flood of beginnings is met: with work, never with a refusal, and without knowing who comes."""

import asyncio
import gc
import logging
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import msgspec
import pytest
from altcha import v2 as altcha
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import TestCase, override_settings
from django.utils import timezone

from chat import limits, proof
from chat import protocol as wire
from chat.consumers import base, poll
from chat.consumers.visitor import VisitorSocket
from chat.core.pace import Openings
from chat.limits import Limits
from chat.models import Conversation, Site
from chat.proof import Proofs
from chat.selectors import is_known
from tests.app.test_visitor_socket import HEADERS, begun

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("COST", 1), ("FEWEST", 1), ("MOST", 9)):
        monkeypatch.setattr(proof, name, value)


def solved(challenge: wire.ProofChallenge) -> wire.Proof:
    """Do the work as altcha itself does it."""
    parameters = altcha.ChallengeParameters(
        algorithm=challenge.algorithm,
        nonce=challenge.nonce,
        salt=challenge.salt,
        cost=challenge.cost,
        key_length=challenge.key_length,
        key_prefix=challenge.key_prefix,
    )
    solution = altcha.solve_challenge(altcha.Challenge(parameters))
    assert solution is not None
    return wire.Proof(challenge=challenge, counter=solution.counter, derived_key=solution.derived_key)


def test_a_proof_counts_once_and_in_its_time() -> None:
    ours = Proofs()
    done = solved(ours.challenge(NOON + timedelta(days=3650)))
    at = NOON + timedelta(days=3650)
    assert not ours.accepts(done, at + timedelta(minutes=5, seconds=1))
    assert ours.accepts(done, at)
    assert not ours.accepts(done, at)


@pytest.mark.parametrize("field", ["cost", "nonce", "key_prefix", "key_signature", "expires_at", "signature"])
def test_a_changed_challenge_is_none_of_ours(field: str) -> None:
    ours = Proofs()
    done = solved(ours.challenge(timezone.now()))
    before: Any = getattr(done.challenge, field)
    after = before + 1 if isinstance(before, int) else before[::-1] + ("0" if before == before[::-1] else "")
    changed = msgspec.structs.replace(done.challenge, **{field: after})
    assert not ours.accepts(msgspec.structs.replace(done, challenge=changed), timezone.now())


def test_work_that_was_not_done_and_another_process_s_challenge_do_not_count() -> None:
    ours = Proofs()
    challenge = ours.challenge(timezone.now())
    lazy = wire.Proof(challenge=challenge, counter=1, derived_key=challenge.key_prefix + "0" * 32)
    assert not ours.accepts(lazy, timezone.now())
    assert not Proofs().accepts(solved(challenge), timezone.now())


def test_what_was_used_is_remembered_as_long_as_it_could_be_used_again_and_no_longer() -> None:
    ours = Proofs()
    for number in range(5):
        ours._spend(msgspec.structs.replace(ours.challenge(NOON), nonce=f"{number:032x}"), NOON.timestamp())
    assert len(ours._spent) == 5
    later = NOON + timedelta(minutes=6)
    ours._spend(ours.challenge(later), later.timestamp())
    assert len(ours._spent) == 1


def test_the_day_s_key_is_forgotten_with_its_day_and_a_flood_is_not() -> None:
    ours = Limits(1.0)
    for _ in range(70):
        ours.is_flood("8.8.8.8", NOON)
    first = ours._openings
    assert first is not None
    kept, secret = set(first.networks._held), first.secret
    late = NOON + timedelta(hours=12)
    ours.is_flood("8.8.8.8", late)
    second = ours._openings
    assert second is not None
    assert (second.secret == secret, kept & set(second.networks._held)) == (False, set())
    del first
    gc.collect()
    assert not [one for one in gc.get_objects() if type(one) is Openings and one.secret == secret]
    assert len(secret) == 32


class Newcomer:
    """Be the page of somebody who begins."""

    def __init__(self, token: str = "", address: str = "8.8.8.8") -> None:
        self.token = token or secrets.token_urlsafe(32)
        self.wire = WebsocketCommunicator(VisitorSocket.as_asgi(), "/ws/v", headers=HEADERS)
        self.wire.scope["client"] = (address, 4711)

    async def hello(self, **more: Any) -> dict[str, Any]:
        """Say hello and return the answer."""
        frame = {"type": "hello", "version": 1, "token": self.token, "after": 0, "start": True, "language": "en"}
        await self.wire.send_json_to(frame | more)
        answer: dict[str, Any] = await self.wire.receive_json_from(timeout=15)
        return answer

    async def begin(self, **more: Any) -> dict[str, Any]:
        """Connect and say hello."""
        await self.wire.connect()
        return await self.hello(**more)


def proof_of(frame: dict[str, Any]) -> dict[str, Any]:
    """Return the proof for what a frame asks."""
    done: dict[str, Any] = msgspec.to_builtins(solved(msgspec.convert(frame["challenge"], wire.ProofChallenge)))
    return done


class FloodStories(TestCase):
    async def flood(self) -> None:
        await Site.objects.acreate(pk=1, open=True)
        now = base.now()
        while not limits.limits().is_flood("", now):
            pass

    async def begun(self, page: Newcomer) -> bool:
        return await sync_to_async(is_known)(page.token)

    async def test_on_an_ordinary_evening_nobody_works(self) -> None:
        await Site.objects.acreate(pk=1, open=True)
        assert (await Newcomer().begin())["type"] == "welcome"

    async def test_in_a_flood_nothing_begins_before_the_work_and_the_same_line_goes_on_after_it(self) -> None:
        await self.flood()
        page = Newcomer()
        asked = await page.begin()
        assert asked["type"] == "proof_wanted"
        assert not await self.begun(page)
        assert (await page.hello(proof=proof_of(asked)))["type"] == "welcome"
        assert await self.begun(page)

    async def test_a_proof_lets_one_begin(self) -> None:
        await self.flood()
        page, other = Newcomer(), Newcomer()
        proof_once = proof_of(await page.begin())
        await page.hello(proof=proof_once)
        assert (await other.begin(proof=proof_once))["type"] == "proof_wanted"
        assert not await self.begun(other)

    async def test_a_conversation_that_runs_is_never_asked(self) -> None:
        _, token = await sync_to_async(begun)()
        now = base.now()
        while not limits.limits().is_flood("", now):
            pass
        assert (await Newcomer(token).begin())["type"] == "welcome"
        assert (await Newcomer(token).begin(start=False))["type"] == "welcome"

    async def test_a_flood_from_one_network_asks_nobody_else(self) -> None:
        await Site.objects.acreate(pk=1, open=True)
        first = [(await Newcomer().begin())["type"] for _ in range(22)]
        assert first == ["welcome"] * 20 + ["proof_wanted"] * 2
        assert (await Newcomer(address="9.9.9.9").begin())["type"] == "welcome"

    async def test_without_sockets_a_network_is_counted_too_and_asks_nobody_else(self) -> None:
        await Site.objects.acreate(pk=1, open=True)

        async def comes(address: str) -> str:
            hello = wire.VisitorHello(version=1, token=secrets.token_urlsafe(32), after=0, start=True, language="en")
            answer = await poll.poll(hello, "", client=(address, 5), within=0.01)
            return str(msgspec.json.decode(answer.frames[0])["type"])

        assert [await comes("8.8.8.8") for _ in range(22)] == ["welcome"] * 20 + ["proof_wanted"] * 2
        assert await comes("9.9.9.9") == "welcome"

    async def test_there_is_more_time_for_the_work_than_for_a_hello(self) -> None:
        assert (base.HELLO_WITHIN, proof.SOLVE_WITHIN) == (10.0, 60.0)
        await self.flood()
        with mock.patch.object(base, "HELLO_WITHIN", 0.3):
            silent, working = Newcomer(), Newcomer()
            await silent.wire.connect()
            assert (await working.begin())["type"] == "proof_wanted"
            assert await silent.wire.receive_output(5) == {"type": "websocket.close", "code": 4408}
            await asyncio.sleep(0.3)
            assert await working.wire.receive_nothing(0.1)
            await working.wire.disconnect()

    async def test_who_only_guesses_is_sent_away_for_a_while(self) -> None:
        await self.flood()
        page = Newcomer()
        answer = await page.begin()
        for _ in range(2):
            wrong = proof_of(answer) | {"derived_key": "0" * 64}
            answer = await page.hello(proof=wrong)
            assert answer["type"] == "proof_wanted"
        answer = await page.hello(proof=proof_of(answer) | {"derived_key": "0" * 64})
        assert answer["code"] == "slow_down"
        assert (await page.wire.receive_output(timeout=15))["code"] == 4429

    async def test_a_page_without_a_socket_is_asked_too_and_comes_back_with_its_work(self) -> None:
        await self.flood()
        token = secrets.token_urlsafe(32)
        hello = wire.VisitorHello(version=1, token=token, after=0, start=True, language="en")
        answer = await poll.poll(hello, "", within=0.01)
        (asked,) = map(msgspec.json.decode, answer.frames)
        assert (asked["type"], answer.close) == ("proof_wanted", 4429)
        done = msgspec.convert(proof_of(asked), wire.Proof)
        answer = await poll.poll(msgspec.structs.replace(hello, proof=done), "", within=0.01)
        assert msgspec.json.decode(answer.frames[0])["type"] == "welcome"

    @override_settings(WRITES_PER_SECOND=0)
    async def test_a_benchmark_is_no_flood(self) -> None:
        await Site.objects.acreate(pk=1, open=True)
        assert {(await Newcomer().begin())["type"] for _ in range(70)} == {"welcome"}

    async def test_nothing_of_an_address_is_in_what_is_kept(self) -> None:
        await Site.objects.acreate(pk=1, open=True)
        with self.assertLogs() as logs:
            await Newcomer(address="203.0.113.77").begin()
            await Newcomer(address="2a00:1450:4001:81b::200e").begin()
            logging.getLogger("chat").warning("the end")
        openings = limits.limits()._openings
        assert openings is not None
        held = repr(vars(openings.networks)) + "".join(logs.output)
        assert "203.0" not in held
        assert "2a00" not in held
        assert not await Conversation.objects.filter(handle__contains="203").aexists()
