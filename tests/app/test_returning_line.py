"""The way back as pages take it: requests that tell a guesser nothing, and lines that get nothing they should not."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from unittest import mock

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient, Client, TestCase
from django.utils import timezone

from chat import broadcast, returns, services
from chat.consumers import poll
from chat.core.errors import ErrorCode, Refused
from chat.core.pace import Openings, TooFast
from chat.db import in_slow_db
from chat.limits import Limits
from chat.models import ReturnWords
from chat.protocol import VisitorHello
from chat.returns import MOST_WAITING, STEP, Returns
from staff.models import User
from tests.app.test_visitor_socket import Page
from tests.support.people import ben, cleo, conversation, dana, eve, held_by, new_token, waiting
from tests.support.words import quick_words

SECRET = "the teal kettle sings"


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    returns.returns.forget()
    with quick_words():
        yield


class Talk:
    """Be ada's conversation with ben, and a word of hers in it."""

    def __init__(self) -> None:
        self.pk, self.token = held_by(ben(), timezone.now())
        self.say(SECRET, 1)

    def say(self, body: str, number: int) -> Any:
        return services.post_message(
            actor=ben(), conversation_id=self.pk, client_id=f"{number:032x}", body=body, now=timezone.now()
        )

    def accept(self) -> Any:
        newest = conversation(self.pk).return_seq
        return services.accept_return(actor=ben(), conversation_id=self.pk, returned=newest, now=timezone.now())

    def end(self) -> Any:
        return services.end_conversation(actor=ben(), conversation_id=self.pk, now=timezone.now())

    def words(self) -> str:
        return " ".join(services.give_words(token=self.token, now=timezone.now()).result)


async def ask(path: str, **body: Any) -> Any:
    answer = await AsyncClient().post(path, body, content_type="application/json")
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert not answer.cookies
    return answer.json()


async def come_back(words: str) -> tuple[bool, str]:
    token = new_token()
    return (await ask("/return", token=token, words=words))["found"], token


def knock(here: Returns, address: str = "") -> "asyncio.Task[bool]":
    """Try to come back with words that lead nowhere."""
    return asyncio.create_task(here.come_back("a", new_token(), timezone.now(), address=address))


@asynccontextmanager
async def held_up() -> AsyncIterator[None]:
    """Let no try to come back end meanwhile."""
    gate, real = asyncio.Event(), in_slow_db

    async def held(work: Any) -> Any:
        if work.func is services.give_words:
            return await real(work)
        await gate.wait()
        return services.Done(None)

    with mock.patch("chat.returns.in_slow_db", held):
        try:
            async with asyncio.timeout(15):
                yield
        finally:
            gate.set()
            await asyncio.sleep(0)


def bodies(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["body"] for frame in frames if frame["type"] == "message"]


def codes(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["code"] for frame in frames if frame["type"] in {"fact", "error"}]


class Lines(TestCase):
    async def test_the_new_page_sees_nothing_older_before_the_advocate_accepts(self) -> None:
        talk = await sync_to_async(Talk)()
        given = (await ask("/words", token=talk.token))["words"]
        assert len(given) == 6
        found, token = await come_back(" ".join(given))
        assert found
        page = Page(token)
        frames = await page.hello()
        welcome = frames[0]
        assert (welcome["type"], welcome["hidden"], welcome["older"]) == ("welcome", True, True)
        assert bodies(frames) == []
        await page.wire.send_json_to({"type": "older", "ref": 7, "before": welcome["after"] + 1})
        refused = await page.settled()
        assert refused == [{"type": "error", "ref": 7, "code": "forbidden", "wait_ms": None}]
        await broadcast.publish((await sync_to_async(talk.say)("is it you?", 2)).events)
        assert bodies(await page.settled()) == ["is it you?"]
        done = await sync_to_async(talk.accept)()
        await broadcast.publish(done.events)
        assert codes(await page.settled()) == ["return_accepted"]
        await page.wire.send_json_to({"type": "older", "ref": 8, "before": welcome["after"] + 1})
        assert SECRET in bodies(await page.settled())
        again = Page(token)
        frames = await again.hello()
        assert frames[0]["hidden"] is False
        assert bodies(frames) == [SECRET, "is it you?"]

    async def test_the_old_page_is_told_and_gets_nothing_more(self) -> None:
        talk = await sync_to_async(Talk)()
        words = await sync_to_async(talk.words)()
        old = Page(talk.token)
        await old.hello()
        assert (await come_back(words))[0]
        fact, error, close = [await old.wire.receive_output(timeout=15) for _ in range(3)]
        assert "came_back" in fact["text"]
        assert "token_unknown" in error["text"]
        assert (close["type"], close["code"]) == ("websocket.close", 4401)
        await broadcast.publish((await sync_to_async(talk.say)("not for the old page", 2)).events)
        await asyncio.sleep(0.05)
        assert old.wire.output_queue.empty()

    async def test_a_page_that_missed_the_news_gets_no_later_line(self) -> None:
        talk = await sync_to_async(Talk)()
        words = await sync_to_async(talk.words)()
        old = Page(talk.token)
        await old.hello()
        with mock.patch("chat.returns.broadcast.publish", mock.AsyncMock()):
            assert (await come_back(words))[0]
        # the word of the return was lost: the next line shows the gap
        await broadcast.publish((await sync_to_async(talk.say)("not for the old page", 2)).events)
        heard = []
        while (one := await old.wire.receive_output(timeout=15))["type"] != "websocket.close":
            heard.append(one["text"])
        assert not any("not for the old page" in text for text in heard)
        assert "came_back" in heard[0]

    async def test_over_plain_requests_as_well(self) -> None:
        talk = await sync_to_async(Talk)()
        words = await sync_to_async(talk.words)()
        _, token = await come_back(words)

        def hello(of: str) -> VisitorHello:
            return VisitorHello(version=1, token=of, after=0, start=False, language="en")

        fresh = await poll.poll(hello(token), "", within=0.1)
        assert SECRET not in "".join(fresh.frames)
        assert '"hidden":true' in fresh.frames[0]
        assert (await poll.poll(hello(talk.token), "", within=0.1)).close == 4401


class Guessing(TestCase):
    async def test_every_no_is_the_same_no(self) -> None:
        talk = await sync_to_async(Talk)()
        words = await sync_to_async(talk.words)()
        *first, _ = words.split()
        ended = await sync_to_async(lambda: Talk())()
        its_words = await sync_to_async(ended.words)()
        await sync_to_async(ended.end)()
        guesses = ["", "one two three four five six", " ".join([*first, "wrong"]), its_words, "x " * 400]
        answers = [
            await AsyncClient().post("/return", {"token": new_token(), "words": guess}, content_type="application/json")
            for guess in guesses
        ]
        assert {(one.status_code, one.content, str(sorted(one.headers.items()))) for one in answers} == {
            (200, b'{"found": false}', str(sorted(answers[0].headers.items())))
        }

    async def test_every_answer_takes_whole_seconds(self) -> None:
        talk = await sync_to_async(Talk)()
        words = await sync_to_async(talk.words)()
        clock = [10.0, 10.25, 20.0, 21.75]
        with (
            mock.patch("chat.returns.steady", side_effect=clock),
            mock.patch("chat.returns.pause", mock.AsyncMock()) as paused,
        ):
            await Returns().come_back("one two three", new_token(), timezone.now(), address="")
            await Returns().come_back(words, new_token(), timezone.now(), address="")
        assert [call.args[0] for call in paused.call_args_list] == [STEP - 0.25, 2 * STEP - 1.75]

    async def test_a_flood_waits_outside(self) -> None:
        here = Returns()
        async with held_up():
            flood = [knock(here) for _ in range(MOST_WAITING)]
            await asyncio.sleep(0.01)
            with pytest.raises(TooFast) as caught:
                await knock(here)
        assert await asyncio.gather(*flood) == [False] * MOST_WAITING
        assert caught.value.code is ErrorCode.SLOW_DOWN

    async def test_who_guesses_takes_no_place_of_a_page_that_asks_for_words(self) -> None:
        talk = await sync_to_async(Talk)()
        here = Returns()
        async with held_up():
            flood = [knock(here) for _ in range(MOST_WAITING)]
            await asyncio.sleep(0.01)
            assert len(await here.give_words(talk.token, timezone.now())) == 6
        await asyncio.gather(*flood)

    async def test_a_made_up_token_takes_no_place_and_is_not_counted(self) -> None:
        here = Returns()
        with mock.patch("chat.returns.in_slow_db") as slow:
            for _ in range(MOST_WAITING + 1):
                with pytest.raises(Refused) as caught:
                    await here.give_words(new_token(), timezone.now())
                assert caught.value.code is ErrorCode.TOKEN_UNKNOWN
        assert not slow.called
        assert len(here._asks) == 0

    async def test_one_network_that_never_stops_shares_one_place_and_others_have_the_rest(self) -> None:
        here = Returns()
        with mock.patch("chat.returns.in_slow_db", mock.AsyncMock(return_value=services.Done(None))):
            for _ in range(int(Openings.RETURN_BURST)):
                assert not await knock(here, "8.8.8.8")
        async with held_up():
            one = knock(here, "8.8.8.8")
            await asyncio.sleep(0.01)
            with pytest.raises(TooFast):
                await knock(here, "8.8.8.8")
            others = [knock(here, f"9.9.9.{number}") for number in range(MOST_WAITING - 1)]
            await asyncio.sleep(0.01)
            assert not any(other.done() for other in others)
        # who shares the network is not shut out
        assert await asyncio.gather(one, *others) == [False] * MOST_WAITING

    async def test_where_somebody_comes_from_is_counted(self) -> None:
        with mock.patch.object(Limits, "returns_often", return_value=False) as counted:
            await come_back("one two three four five six")
        assert [call.args[0] for call in counted.call_args_list] == ["127.0.0.1"]

    async def test_words_are_asked_for_a_few_times_only(self) -> None:
        talk = await sync_to_async(Talk)()
        here = Returns()
        for _ in range(3):
            await here.give_words(talk.token, timezone.now())
        with pytest.raises(Refused) as caught:
            await here.give_words(talk.token, timezone.now())
        assert caught.value.code is ErrorCode.SLOW_DOWN

    async def test_bad_requests(self) -> None:
        client = AsyncClient()
        for path in ("/return", "/words", "/code-word"):
            assert (await client.get(path)).status_code == 405
            assert (await client.post(path, "{", content_type="application/json")).status_code == 400
            assert (await client.post(path, "x" * 5_000, content_type="application/json")).status_code == 413
            foreign = await client.post(
                path, {}, content_type="application/json", headers={"Sec-Fetch-Site": "cross-site"}
            )
            assert foreign.status_code == 403
        assert await ask("/words", token=new_token()) == {"error": "token_unknown"}
        assert await ask("/code-word", token=new_token(), text="plum") == {"error": "token_unknown"}


class AdvocatesSide(TestCase):
    """What the console asks for; the stranger's answers say nothing."""

    def as_(self, who: str) -> Client:
        client = Client()
        client.force_login(User.objects.get(username=who))
        return client

    def post(self, who: str, what: str, **body: Any) -> tuple[int, Any]:
        answer = self.as_(who).post(f"/staff/api/conversations/{self.pk}/{what}", body, content_type="application/json")
        return answer.status_code, answer.json()

    def setUp(self) -> None:
        for person in (cleo(), dana(), eve()):
            assert person.id
        self.pk, self.token = held_by(ben(), timezone.now())
        self.phrase = ""

    def back(self) -> None:
        if not self.phrase:
            self.phrase = " ".join(services.give_words(token=self.token, now=timezone.now()).result)
            services.agree_by_token(token=self.token, text="plum", now=timezone.now())
        assert services.return_by_words(phrase=self.phrase, token=new_token(), now=timezone.now()).result == self.pk

    def newest(self) -> int:
        return conversation(self.pk).return_seq

    def test_the_advocate_reads_the_code_word_and_accepts(self) -> None:
        self.back()
        assert self.post("ben", "code-word/read") == (200, {"text": "plum"})
        assert self.post("ben", "accept", returned=self.newest()) == (200, {})
        assert not conversation(self.pk).return_open

    def test_a_decision_that_does_not_say_on_which_return_or_on_an_older_one_is_none(self) -> None:
        self.back()
        before = self.newest()
        self.back()
        for what in ("accept", "not-them"):
            assert self.post("ben", what) == (422, {"error": "bad_frame"})
            assert self.post("ben", what, returned=before) == (409, {"error": "wrong_state"})
        assert (conversation(self.pk).return_open, conversation(self.pk).state) == (True, "active")

    def test_the_advocate_says_not_them(self) -> None:
        self.back()
        assert self.post("ben", "not-them", returned=self.newest()) == (200, {})
        assert (conversation(self.pk).state, ReturnWords.objects.count()) == ("wrap_up", 0)

    def test_the_advocate_notes_a_code_word(self) -> None:
        assert self.post("ben", "code-word", text="plum") == (200, {})
        assert self.post("ben", "code-word", text=" ")[0] == 422
        assert self.post("ben", "code-word/read") == (200, {"text": "plum"})

    def test_others_get_nothing(self) -> None:
        self.back()
        decided = {"returned": self.newest()}
        bodies_of: dict[str, dict[str, int]] = {"accept": decided, "not-them": decided, "code-word/read": {}}
        for who in ("cleo", "eve"):
            for what in bodies_of:
                with self.subTest(who=who, what=what):
                    status, answer = self.post(who, what, **bodies_of[what])
                    assert status in {403, 404}
                    assert "text" not in answer
        assert self.post("dana", "accept", **decided)[0] == 403
        assert conversation(self.pk).return_open

    def test_a_waiting_one_is_decided_on_by_nobody(self) -> None:
        self.pk, self.token = waiting(timezone.now())
        self.back()
        assert self.post("ben", "accept", returned=self.newest())[0] in {403, 409}
