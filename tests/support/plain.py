"""Be a browser without script, and what it reads."""

import asyncio
import re
from contextlib import suppress
from html import unescape
from typing import Any
from urllib.parse import urlencode

from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import AsyncClient, TestCase, override_settings
from django.utils import timezone

from chat import services
from chat.models import Conversation
from staff.services import set_availability
from tests.app.test_visitor_socket import tell
from tests.support.people import ben, conversation, open_site

COOKIE = settings.VISITOR_COOKIE_NAME
SOON = 15.0
CANARY = "the teal kettle sings at dusk"


class Browser:
    """Be a browser without script: it keeps cookies, follows nothing by itself, and sends what is in the form."""

    def __init__(self) -> None:
        self.client = AsyncClient(enforce_csrf_checks=True)
        self.html = ""

    @property
    def token(self) -> str:
        return self.client.cookies[COOKIE].value if COOKIE in self.client.cookies else ""

    async def get(self, path: str, **headers: str) -> Any:
        answer = await self.client.get(path, headers={"Sec-Fetch-Site": "same-origin"} | headers)
        if not answer.streaming:
            self.html = answer.content.decode()
        return answer

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> Any:
        answer = await self.client.post(
            path,
            urlencode(fields),
            content_type="application/x-www-form-urlencoded",
            headers={"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"} | headers,
        )
        self.html = answer.content.decode()
        return answer

    def form(self, action: str) -> dict[str, str]:
        """Return the hidden fields of a form of the page, or of the frame that comes with it."""
        inside = "".join(unescape(held) for held in re.findall(r'srcdoc="([^"]*)"', self.html))
        (form,) = re.findall(rf'<form [^>]*action="{action}[?"].*?</form>', self.html + inside, re.DOTALL)
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))

    async def begin(self, language: str = "en", **more: str) -> Any:
        await self.get(f"/?l={language}")
        return await self.post("/plain/begin", self.form("/plain/begin") | more)

    async def say(self, text: str, query: str = "?l=en") -> Any:
        """Write a message, in the frame or in the page, as it is looked at."""
        await self.get(f"/plain{query}")
        action = "/plain/write" if "srcdoc" in self.html else "/plain/send"
        return await self.post(action, self.form(action) | {"text": text})


class Frame:
    """Read an answer that does not end."""

    def __init__(self, answer: Any) -> None:
        self.parts = answer.streaming_content
        self.text = ""

    async def more(self) -> None:
        async with asyncio.timeout(SOON):
            self.text += (await anext(self.parts)).decode()

    async def until(self, words: str) -> None:
        while words not in self.text:
            await self.more()

    async def ended(self) -> None:
        with suppress(StopAsyncIteration):
            while True:
                await self.more()

    async def close(self) -> None:
        """Break the line, as servers tell of it: what waits for the next part is cancelled."""
        waits = asyncio.create_task(self.more())
        await asyncio.sleep(0.01)
        waits.cancel()
        with suppress(asyncio.CancelledError):
            await waits


async def never(*_: Any, **__: Any) -> None:
    await asyncio.Event().wait()


async def conversation_now(pk: Any) -> Conversation:
    row: Conversation = await sync_to_async(conversation)(pk)
    return row


# the file server is a middleware without async: a server gives each request a thread for it, where the test client has
# one for all, in which nothing else would go on while a frame streams
@override_settings(MIDDLEWARE=[one for one in settings.MIDDLEWARE if "StaticFiles" not in one])
class Plain(TestCase):
    async def begun(self) -> Browser:
        await sync_to_async(open_site)()
        ada = Browser()
        answer = await ada.begin()
        assert (answer.status_code, answer["Location"]) == (303, "/plain?l=en&m=live")
        self.pk = (await Conversation.objects.order_by("-opened_at").afirst() or Conversation()).pk
        return ada

    async def taken(self) -> None:
        await tell(self.take)

    def take(self) -> Any:
        set_availability(user_id=ben().id, state="ready", now=timezone.now())
        return services.take(actor=ben(), conversation_id=self.pk, now=timezone.now())

    async def answered(self, body: str, client_id: str = "b" * 32) -> None:
        await tell(
            lambda: services.post_message(
                actor=ben(), conversation_id=self.pk, client_id=client_id, body=body, now=timezone.now()
            )
        )
