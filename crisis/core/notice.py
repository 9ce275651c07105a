"""What a page says, how it is signed, and where it may go. No content, no name, no pseudonym: who is paged signs in.

The signature covers the time and the body, so that neither can be changed and an old page cannot be sent again later.
Its version stands before it: a receiver takes the versions that it knows, and more than one may stand there one day.
"""

import hashlib
import hmac
import ipaddress
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import urlsplit

SIGNATURE = "Havre-Signature"
IDEMPOTENCY = "Idempotency-Key"
LONGEST_ADDRESS = 500
_PRINTABLE = re.compile(r"[!-~]+")
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@([A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9-]{1,63})+)")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GIVEN_OUT = ipaddress.ip_network("2000::/3")
"""All of IPv6 that is public: outside of it Python calls public what no one was given, such as NAT64 of a network."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Way(StrEnum):
    """Say how a target is paged."""

    WEBHOOK = "webhook"
    MAIL = "mail"


class Flaw(StrEnum):
    """Name what is wrong with a target as somebody has typed it."""

    NAME = "name"
    ADDRESS = "address"
    WAIT = "wait"
    NO_MAIL = "no_mail"  # this site has no mail server
    TOO_MANY = "too_many"
    AGAIN = "again"  # the same form was sent before
    CHANGED = "changed"  # somebody else changed it since the form was shown


class BadTarget(ValueError):
    """Report why a target is not made or changed. Holds no word of what was typed."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


@dataclass(frozen=True, slots=True)
class Notice:
    """Be one page. `page` is the same in every try to every target of a paging.

    `more` calls travel with it. `holds_back` says that from now on not every call is paged.
    """

    page: str
    escalation: str | None
    kind: str
    level: int
    at: datetime
    site: str
    board: str
    more: int = 0
    holds_back: bool = False


def body_of(notice: Notice) -> bytes:
    """Return the body of a webhook."""
    told = {
        "page": notice.page,
        "escalation": notice.escalation,
        "kind": notice.kind,
        "level": notice.level,
        "time": notice.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "site": notice.site,
        "board": notice.board,
        "more": notice.more,
        "held_back": notice.holds_back,
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def key_of(notice: Notice, deliveries: Iterable[int]) -> str:
    """Return what a receiver knows a repeat by: the same for each try of one page to one target, and for no other."""
    which = ",".join(str(one) for one in sorted(deliveries))
    return hashlib.sha256(f"{which}|".encode() + body_of(notice)).hexdigest()[:32]


def signature(secret: str, body: bytes, at: datetime) -> str:
    """Return the value of the signature's header: the second in which it was sent, and HMAC-SHA256 over both."""
    second = int(at.timestamp())
    digest = hmac.digest(secret.encode(), f"{second}.".encode() + body, hashlib.sha256)
    return f"t={second},v1={digest.hex()}"


def mail_of(notice: Notice) -> tuple[str, str]:
    """Return subject and text of a mail, each in both languages: who is on call reads either."""
    if notice.kind == "test":
        subject = f"{notice.site}: test / essai"
        lines = ["This is a test. Nothing has to be done.", "Ceci est un essai. Il n’y a rien à faire."]
    elif notice.kind == "drill":
        subject = f"{notice.site}: DRILL, level {notice.level} / EXERCICE, niveau {notice.level}"
        lines = [
            f"DRILL. A practice call for help of level {notice.level} waits on the board. Nobody is in danger.",
            f"EXERCICE. Un appel à l’aide simulé de niveau {notice.level} attend au tableau. Personne n’est en danger.",
        ]
    else:
        subject = f"{notice.site}: call for help, level {notice.level} / appel à l’aide, niveau {notice.level}"
        lines = _calls(notice)
    if notice.holds_back:
        lines += list(_HELD_BACK)
    return subject, "\n\n".join((*lines, notice.board, notice.page)) + "\n"


_HELD_BACK = (
    "Many pages have gone out in this hour. Pages of level 1 and 2 are now held back. Those of level 3 come once a "
    "minute at most. The board has every call.",
    "Beaucoup d’appels sont partis en une heure. Ceux de niveau 1 et 2 sont maintenant retenus. Ceux de niveau 3 "
    "viennent une fois par minute au plus. Le tableau les a tous.",
)


def _calls(notice: Notice) -> list[str]:
    """Say how many calls wait, and of which level the gravest is."""
    english = f"A call for help of level {notice.level} waits on the board"
    french = f"Un appel à l’aide de niveau {notice.level} attend au tableau"
    if notice.more:
        english += f", and {notice.more} more with it"
        french += f", et {notice.more} {'autre' if notice.more == 1 else 'autres'} avec lui"
    what = "them" if notice.more else "it"
    return [
        f"{english}. Please sign in and acknowledge {what}.",
        f"{french}. Veuillez ouvrir une session et en accuser réception.",
    ]


def checked_webhook(text: str, *, development: bool) -> str:
    """Return the address of a webhook: https, and on a development machine http to itself. Raises `BadTarget`."""
    if len(text) > LONGEST_ADDRESS or not _PRINTABLE.fullmatch(text) or any(sign in text for sign in '@#\\"<>'):
        raise BadTarget(Flaw.ADDRESS)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise BadTarget(Flaw.ADDRESS) from None
    plain = development and parts.scheme == "http" and host in {"localhost", "127.0.0.1", "::1"}
    if not host or not (parts.scheme == "https" or plain):
        raise BadTarget(Flaw.ADDRESS)
    return text


def checked_mail(text: str) -> str:
    """Return an e-mail address, or raise `BadTarget`."""
    if len(text) > LONGEST_ADDRESS or not _MAIL.fullmatch(text):
        raise BadTarget(Flaw.ADDRESS)
    return text


def shown_of(way: Way, address: str) -> str:
    """Return the part of an address that may be shown: the host. What stands around it may be a secret or a person."""
    if way is Way.MAIL:
        return f"…@{address.rpartition('@')[2]}"
    return urlsplit(address).hostname or ""


def may_go_to(address: Address, inside: Sequence[Network], *, development: bool) -> bool:
    """Tell whether a page may be sent to an address: a public one, or one of the networks that the operator allows.

    An administrator of the site names the target, and must not reach what stands beside Havre with it.
    """
    real = _unwrapped(address)
    if any(real.version == network.version and real in network for network in inside):
        return True
    if real.is_loopback:
        return development
    return real.is_global and not real.is_multicast and (real.version == 4 or real in _GIVEN_OUT)


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
