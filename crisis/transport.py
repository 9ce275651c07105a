"""Carry one page to one target, from a thread that touches no row: it may take seconds, and its far end is not ours.

What comes back is a status or a short code, never a word of what the far end said.
"""

import http.client
import ipaddress
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage

from crisis.core.notice import IDEMPOTENCY, SIGNATURE, Notice, Way, body_of, mail_of, may_go_to, signature
from encryption.text import Secret

WITHIN = 10.0
"""Seconds for one try from the first connection to the answer's status, however slowly the far end speaks."""
_MOST_HEAD = 4_096
_AGENT = "Havre"


@dataclass(frozen=True, slots=True)
class Errand:
    """Hold what one try needs; its secrets do not show in a traceback."""

    delivery: int
    tries: int
    way: Way
    address: Secret
    secret: Secret | None
    notice: Notice
    key: str
    # deliveries that travel with it, each with the number of its try
    others: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """Tell whether a page arrived, with the status or a code of what went wrong."""

    arrived: bool
    code: str


class _Failed(Exception):
    """Carry the code of a failure of our own finding."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


_CODES: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "timeout"),
    (ssl.SSLError, "tls"),
    (socket.gaierror, "no_such_host"),
    (smtplib.SMTPAuthenticationError, "mail_sign_in"),
    (smtplib.SMTPRecipientsRefused, "mail_refused"),
    (smtplib.SMTPException, "mail"),
    (OSError, "no_connection"),
)


def carry(errand: Errand, now: datetime) -> Outcome:
    """Send one page and tell what became of it; raises nothing."""
    try:
        if errand.way is Way.MAIL:
            _mail(errand)
            return Outcome(True, "mail_taken")
        status = _post(errand, now)
        return Outcome(200 <= status < 300, str(status))
    except _Failed as failed:
        return Outcome(False, failed.code)
    except Exception as error:
        # whatever a library of ours or the far end comes up with: the next try or target must still have its turn
        return Outcome(False, next((code for kind, code in _CODES if isinstance(error, kind)), "failed"))


def _mail(errand: Errand) -> None:
    if not settings.MAIL:
        raise _Failed("no_mail")
    subject, text = mail_of(errand.notice)
    # the same in each try, so that a mailbox can drop a repeat; Django would put the name of this machine in
    name = f"<{errand.key}@{settings.DEFAULT_FROM_EMAIL.rpartition('@')[2]}>"
    headers = {"Message-ID": name, "Auto-Submitted": "auto-generated"}
    EmailMessage(subject, text, to=[errand.address.reveal()], headers=headers).send()


def _post(errand: Errand, now: datetime) -> int:
    """Post the body and return the status. Nothing of the answer is read behind it, and no redirect is followed."""
    deadline = monotonic() + WITHIN
    parts = urlsplit(errand.address.reveal())
    body = body_of(errand.notice)
    headers = {"Content-Type": "application/json", "User-Agent": _AGENT, "Connection": "close"}
    headers[IDEMPOTENCY] = errand.key
    if errand.secret is not None:
        headers[SIGNATURE] = signature(errand.secret.reveal(), body, now)
    host, tls = parts.hostname or "", ssl.create_default_context() if parts.scheme == "https" else None
    with closing(_connected(host, parts.port or (443 if tls else 80), deadline)) as plain:
        _time_left(plain, deadline)
        with closing(tls.wrap_socket(plain, server_hostname=host) if tls else plain) as wire:
            line = _line(host, parts.port, tls)
            # over the connection that was looked at: asked again, the name could lead elsewhere
            line.sock = wire
            _time_left(wire, deadline)
            line.request("POST", f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}", body, headers)
            return _status(wire, deadline)


def _line(host: str, port: int | None, tls: ssl.SSLContext | None) -> http.client.HTTPConnection:
    if tls is None:
        return http.client.HTTPConnection(host, port)
    return http.client.HTTPSConnection(host, port, context=tls)


def _connected(host: str, port: int, deadline: float) -> socket.socket:
    """Return a connection to the first address of a host that answers; none of them may be one that is not allowed."""
    last: OSError = socket.gaierror()
    for family, address in list(_allowed(host, port)):
        wire = socket.socket(family, socket.SOCK_STREAM)
        try:
            _time_left(wire, deadline)
            wire.connect(address)
        except OSError as error:
            wire.close()
            last = error
            continue
        return wire
    raise last


def _allowed(host: str, port: int) -> Iterator[tuple[int, Any]]:
    networks = [ipaddress.ip_network(one) for one in settings.PAGING_NETWORKS]
    for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        found = ipaddress.ip_address(str(address[0]).partition("%")[0])
        if not may_go_to(found, networks, development=settings.DEVELOPMENT):
            raise _Failed("not_allowed")
        yield family, address


def _status(wire: socket.socket, deadline: float) -> int:
    """Return the status of the answer; a far end that drips is given no more time than one that is silent."""
    head = b""
    while b"\n" not in head:
        _time_left(wire, deadline)
        piece = wire.recv(_MOST_HEAD)
        head += piece
        if not piece or len(head) > _MOST_HEAD:
            raise _Failed("not_http")
    words = head.split(b"\n")[0].split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit() or len(words[1]) != 3:
        raise _Failed("not_http")
    return int(words[1])


def _time_left(wire: socket.socket, deadline: float) -> None:
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError
    wire.settimeout(left)
