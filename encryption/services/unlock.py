"""Let a reader's key work for the minutes in which they read, over HTTP only: a socket outlives a sign-out.

One unlock a person; a new one ends the last. It ends by itself when it is idle, when its time is over, and when
anything about the person's session, role or password changes, since those are bound into it.
"""

from dataclasses import dataclass
from datetime import datetime

from audit.services import record
from encryption import halves
from encryption.core import unlocked as half
from encryption.core.envelope import NotAuthentic
from encryption.core.unlocked import ABSOLUTE, IDLE, Times
from encryption.services import readers
from encryption.services.archive import Secrets

MOST_TRIES = 5
TRIES_FOR = 900
"""Seconds for which wrong tries count."""


class TooManyTries(Exception):
    """Refuse another try for now."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Be the person, with a digest of everything that their right to be here rests on."""

    user_id: int
    rights: bytes


@dataclass(frozen=True, slots=True)
class Unlocked:
    """Hold a reader's secret for one request."""

    user_id: int
    secret: bytes
    ends: datetime
    fresh: bool

    def __repr__(self) -> str:
        return f"<unlocked reader {self.user_id}>"

    def secrets(self) -> Secrets:
        """Return what gives the secrets of archive keys."""
        return readers.secrets_of(self.user_id, self.secret)


def unlock(holder: Holder, *, kind: str, entered: str | bytes, now: datetime) -> str:
    """Unlock a reader's key and return the browser's half.

    Raises `TooManyTries`, `NotReader`, `NotAuthentic` for a wrong phrase, code or passkey, `HalvesDown`.
    """
    tries = f"tries:{holder.user_id}"
    # counted before it is looked at, so that tries at the same time count as well
    if halves.halves().count(tries, TRIES_FOR) > MOST_TRIES:
        raise TooManyTries
    try:
        secret = readers.open_secret(user_id=holder.user_id, kind=kind, entered=entered)
    except NotAuthentic:
        record(
            actor=f"staff:{holder.user_id}", action="reader.unlock_refused", subject=f"staff:{holder.user_id}", now=now
        )
        raise
    halves.halves().drop(tries)
    lock(holder.user_id)
    cookie = half.new_cookie()
    record(actor=f"staff:{holder.user_id}", action="reader.unlocked", subject=f"staff:{holder.user_id}", now=now)
    name, times = half.name_of(cookie), Times.beginning(now)
    halves.halves().put(name, half.shut(cookie, secret, holder.rights, times), int(IDLE.total_seconds()))
    # for all the time that it can last: later uses refresh the half alone, so that none of them overwrites a newer one
    halves.halves().put(_of(holder.user_id), name.encode(), int(ABSOLUTE.total_seconds()))
    return cookie


def enrol(*, user_id: int, language: str, now: datetime) -> readers.Enrolment:
    """Make somebody's reader pair as `readers.enrol` does, as often as a key may be tried: each costs as much memory.

    Raises `TooManyTries`, `NotReady`, `HalvesDown`.
    """
    if halves.halves().count(f"joins:{user_id}", TRIES_FOR) > MOST_TRIES:
        raise TooManyTries
    return readers.enrol(user_id=user_id, language=language, now=now)


def unlocked(holder: Holder, cookie: str, now: datetime) -> Unlocked | None:
    """Return the unlocked key of this request and note its use; None when there is none any more."""
    found = _find(holder, cookie, now)
    if found is None:
        return None
    secret, times = found
    times = times.touched(now)
    if not _refresh(cookie, secret, holder, times):
        return None
    return Unlocked(holder.user_id, secret, times.ends(), times.fresh(now))


def prove_again(holder: Holder, cookie: str, now: datetime) -> bool:
    """Note that the person has just proved who they are; False when nothing is unlocked."""
    found = _find(holder, cookie, now)
    if found is None:
        return False
    secret, times = found
    return _refresh(cookie, secret, holder, times.proven(now))


def lock(user_id: int) -> None:
    """End whatever somebody has unlocked, wherever."""
    name = halves.halves().get(_of(user_id))
    if name is not None:
        halves.halves().drop(name.decode())
        halves.halves().drop(_of(user_id))


def _find(holder: Holder, cookie: str, now: datetime) -> tuple[bytes, Times] | None:
    name = half.name_of(cookie)
    current, held = halves.halves().get(_of(holder.user_id)), halves.halves().get(name)
    if held is None or current != name.encode():
        return None
    try:
        secret, times = half.opened(cookie, held, holder.rights)
    except NotAuthentic:
        # another session's cookie, or rights that have changed since: either way it is over
        lock(holder.user_id)
        return None
    if not times.live(now) or not readers.holds(holder.user_id, secret):
        lock(holder.user_id)
        return None
    return secret, times


def _refresh(cookie: str, secret: bytes, holder: Holder, times: Times) -> bool:
    """Keep the half with newer times; False when it was locked meanwhile, which a request under way does not undo."""
    left = times.opened + int(ABSOLUTE.total_seconds()) - times.used
    seconds = max(1, min(int(IDLE.total_seconds()), left))
    shut = half.shut(cookie, secret, holder.rights, times)
    return halves.halves().refresh(half.name_of(cookie), shut, seconds)


def _of(user_id: int) -> str:
    return f"of:{user_id}"
