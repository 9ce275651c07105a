"""A minimal XMPP client over WebSocket (RFC 7395): register, sign in, send, and be acknowledged.

A post is acknowledged by the count of stream management (XEP-0198), which the server answers after it has handled, and
with that archived, the message before it.
"""

import base64
import re

from bench.load import TEXTS, Pair
from bench.wire import Broken, Socket, connect, framed

HOST = "localhost"
OPEN = f"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{HOST}' version='1.0'/>"
ENABLE = b"<enable xmlns='urn:xmpp:sm:3'/>"
COUNT = framed(b"<r xmlns='urn:xmpp:sm:3'/>")
PASSWORD = "bench"
_ID = re.compile(rb"""^<message\b[^>]*?\sid=['"]([0-9a-f]{32})['"]""")
_TOTAL = re.compile(rb"<count[^>]*>(\d+)</count>")


class Xmpp:
    """The words of an XMPP server."""

    def post(self, pair: Pair, client_id: bytes) -> bytes:
        """Return a message and the question how much the server has handled."""
        pair.ref += 1
        words = (pair.peer, client_id, TEXTS[pair.ref % len(TEXTS)])
        message = b"<message xmlns='jabber:client' to='%s' type='chat' id='%s'><body>%s</body></message>" % words
        return framed(message) + COUNT

    def answer(self, text: bytes) -> int:
        """Tell a count from a failure."""
        return 1 if text.startswith(b"<a ") else -1 if b"type='error'" in text or b'type="error"' in text else 0

    def delivered(self, text: bytes) -> bytes | None:
        """Return the id of a message."""
        found = _ID.match(text)
        return found[1] if found else None


async def signed_in(port: int, path: str, name: str, *, register: bool) -> Socket:
    """Return a socket of an account that is available; makes the account first when asked to."""
    socket = await connect(port, path, Sec_WebSocket_Protocol="xmpp")
    await _opened(socket)
    if register:
        fields = f"<username>{name}</username><password>{PASSWORD}</password>"
        await _asked(socket, "set", f"<query xmlns='jabber:iq:register'>{fields}</query>")
    plain = base64.b64encode(f"\0{name}\0{PASSWORD}".encode()).decode()
    socket.send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>")
    answer = await socket.until(lambda text: text.startswith((b"<success", b"<failure")))
    if answer.startswith(b"<failure"):
        raise Broken(f"{name} could not sign in")
    await _opened(socket)
    await _asked(socket, "set", "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>")
    socket.send("<presence xmlns='jabber:client'/>")
    return socket


async def counted(socket: Socket) -> None:
    """Switch stream management on."""
    socket.send(ENABLE)
    await socket.until(lambda text: text.startswith(b"<enabled"))


async def archived(port: int, path: str, name: str) -> int:
    """Return how many messages an account's archive holds."""
    socket = await signed_in(port, path, name, register=False)
    only_count = "<set xmlns='http://jabber.org/protocol/rsm'><max>0</max></set>"
    answer = await _asked(socket, "set", f"<query xmlns='urn:xmpp:mam:2'>{only_count}</query>")
    socket.close()
    found = _TOTAL.search(answer)
    if found is None:
        raise Broken("the archive does not say how much it holds")
    return int(found[1])


async def _opened(socket: Socket) -> None:
    socket.send(OPEN)
    await socket.until(lambda text: b"features" in text[:40])


async def _asked(socket: Socket, kind: str, query: str) -> bytes:
    socket.send(f"<iq xmlns='jabber:client' type='{kind}' id='q'>{query}</iq>")
    answer = await socket.until(lambda text: text.startswith(b"<iq"))
    head = answer.split(b">", 1)[0]
    if b"error" in head:
        raise Broken(f"refused: {answer.decode(errors='replace')}")
    return answer
