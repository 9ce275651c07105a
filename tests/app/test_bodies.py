"""Somebody sends far too much: they are told so, and nothing of it comes to lie on a disk."""

import tempfile
from io import BytesIO
from typing import Any, cast
from unittest import mock

import pytest
from asgiref.sync import async_to_sync
from daphne.http_protocol import HTTPFactory, WebRequest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, TestCase
from django.urls import reverse
from twisted.internet.testing import StringTransport

from ops.bodies import MOST_BODY_BYTES, App, keep_daphnes_in_memory, within_bounds
from tests.app.test_on_call_pages import signed_in
from tests.support.people import alix

PIECE = b"x" * 65_536


async def _answer(app: Any, pieces: int, *headers: tuple[bytes, bytes]) -> tuple[list[int], int]:
    """Return the codes that were answered and how many pieces were asked for."""
    asked, sent = 0, []

    async def receive() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": PIECE, "more_body": asked < pieces}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/staff/rules/import", "query_string": b"", "headers": headers}
    await app(scope, receive, send)
    return [message["status"] for message in sent if "status" in message], asked


answer = async_to_sync(_answer)


class Bodies(TestCase):
    def test_what_says_that_it_is_too_long_is_refused_unread(self) -> None:
        for length in (b"1048577", b"9" * 5_000, b"-1", b"many"):
            assert answer(within_bounds(mock.Mock()), 9, (b"content-length", length)) == ([413], 0)

    def test_what_says_nothing_of_its_length_is_read_no_further_than_it_may_be_long(self) -> None:
        from config.asgi import pages

        with mock.patch.object(tempfile.SpooledTemporaryFile, "rollover", side_effect=AssertionError):
            form = (b"content-type", b"multipart/form-data; boundary=abc")
            assert answer(within_bounds(cast(App, pages)), 60, form) == ([413], MOST_BODY_BYTES // len(PIECE) + 1)

    def test_the_server_itself_asks_for_it(self) -> None:
        from config.asgi import _pages

        assert answer(_pages, 9, (b"content-length", b"3000000")) == ([413], 0)

    def test_no_upload_makes_a_file_before_anybody_asks_whose_it_is(self) -> None:
        file = b"#" * 3_000_000
        known = signed_in(alix())
        with mock.patch("django.core.files.uploadedfile.tempfile.NamedTemporaryFile", side_effect=AssertionError):
            for client, token, status in ((known, "a" * 32, 422), (known, "b" * 32, 403), (Client(), "b" * 32, 403)):
                client.handler.enforce_csrf_checks = True
                client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
                given = {"csrfmiddlewaretoken": token, "file": SimpleUploadedFile("rules.toml", file), "do": "show"}
                assert client.post(reverse("import_rules"), given).status_code == status


@pytest.mark.parametrize("head", [b"Content-Length: 200000", b"Transfer-Encoding: chunked"])
def test_daphne_keeps_a_body_in_memory(head: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    channel, transport = _daphne(monkeypatch, head)
    assert isinstance(channel.requests[0].content, BytesIO)
    assert not transport.disconnecting


def test_daphne_hangs_up_on_a_body_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    channel, transport = _daphne(monkeypatch, b"Content-Length: 1048577")
    assert transport.disconnecting
    assert b"HTTP/1.1 413 " in transport.io.getvalue()
    channel, transport = _daphne(monkeypatch, b"Transfer-Encoding: chunked")
    for _ in range(20):
        channel.dataReceived(b"10000\r\n" + PIECE + b"\r\n")
    assert transport.disconnecting
    assert len(channel.requests[0].content.getvalue()) <= MOST_BODY_BYTES + len(PIECE)


def _daphne(monkeypatch: pytest.MonkeyPatch, head: bytes) -> tuple[Any, StringTransport]:
    for name in ("gotLength", "handleContentChunk"):
        monkeypatch.setattr(WebRequest, name, getattr(WebRequest, name))
    keep_daphnes_in_memory()
    channel = HTTPFactory(mock.Mock()).buildProtocol(None)
    transport = StringTransport()  # type: ignore[no-untyped-call]
    channel.makeConnection(transport)
    channel.dataReceived(b"POST / HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n\r\n")
    return channel._channel, transport
