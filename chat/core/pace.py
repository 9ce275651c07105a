"""How fast somebody may write, and how many may begin: pure, the clock is passed in.

A token bucket (Turner 1986, "New directions in communications") that lets its taker wait instead of refusing: a
frightened person who types fast is slowed down and never cut off. What would wait too long is told to come again.
"""

import hashlib
import hmac
import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field

from chat.core.errors import ErrorCode, Refused

BURST = 10.0
PER_SECOND = 1.0
"""Texts of one sender in one conversation."""
FRAME_BURST = 60.0
FRAMES_PER_SECOND = 10.0
"""Frames of one socket, whatever they are."""
LONGEST_WAIT = 10.0
"""Seconds that a text is held back for its sender; beyond that the page is told when to come again."""


class TooFast(Refused):
    """Report that what was sent would have to wait too long; `wait` is for how many seconds."""

    def __init__(self, wait: float) -> None:
        super().__init__(ErrorCode.SLOW_DOWN)
        self.wait = wait


@dataclass(slots=True)
class Bucket:
    """Hold what somebody has left; `at` is when that was counted, in seconds of any steady clock."""

    burst: float
    per_second: float
    left: float
    at: float

    @classmethod
    def full(cls, burst: float, per_second: float, now: float) -> "Bucket":
        """Return a bucket that nobody has taken from."""
        return cls(burst, per_second, burst, now)

    def take(self, now: float, cost: float = 1.0) -> float:
        """Take and return for how many seconds the taker must wait; 0 while something is left.

        Nothing is taken when the wait would be longer than `LONGEST_WAIT`.
        """
        # a clock that was set back fills nothing and takes nothing away
        self.left = min(self.burst, self.left + max(0.0, now - self.at) * self.per_second)
        self.at = max(self.at, now)
        wait = max(0.0, (cost - self.left) / self.per_second)
        if wait <= LONGEST_WAIT:
            self.left -= cost
        return wait


class Buckets:
    """Keep a bucket for each of the latest takers; the one that was not heard of for longest makes room.

    Only the full ones make room without loss, and with this many a taker comes back to a full one.
    """

    def __init__(self, burst: float, per_second: float, most: int) -> None:
        self._burst, self._per_second, self._most = burst, per_second, most
        self._held: OrderedDict[object, Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def take(self, who: object, now: float, cost: float = 1.0) -> float:
        """Take from somebody's bucket and return their wait."""
        bucket = self._held.setdefault(who, Bucket.full(self._burst, self._per_second, now))
        self._held.move_to_end(who)
        if len(self._held) > self._most:
            self._held.popitem(last=False)
        return bucket.take(now, cost)


@dataclass(slots=True)
class Openings:
    """Decide whether a beginning, a return or a try to sign in is ordinary or part of a flood.

    A flood of beginnings asks for work. A count by where somebody comes from comes first: as a keyed digest of the
    network that is cut to 64 bits, under a key that lives in this process's memory and is replaced each day: nothing
    of an address is written anywhere, and yesterday's digests say nothing today. A shelter shares one address, so the
    count is generous. Beside it stands the whole site's pace. What is beyond a network's own count is not charged to
    it: or one address would begin so often that everybody is asked for work.

    A shift that begins shares one address as well, and each of its people has an account. So tries to sign in are
    counted by network and account, and by the network alone with a far higher count, for who tries many accounts.
    """

    secret: bytes
    day: int
    now: float
    everybody: Bucket = field(init=False)
    networks: Buckets = field(init=False)
    returns: Buckets = field(init=False)
    sign_ins: Buckets = field(init=False)
    accounts: Buckets = field(init=False)

    SITE_BURST = 60.0
    SITE_PER_SECOND = 1.0
    NETWORK_BURST = 20.0
    NETWORK_PER_SECOND = 20 / 3600
    RETURN_BURST = 20.0
    RETURN_PER_SECOND = 1 / 60
    SIGN_IN_BURST = 200.0
    SIGN_IN_PER_SECOND = 1 / 10
    ACCOUNT_BURST = 10.0
    ACCOUNT_PER_SECOND = 1 / 60
    MOST_NETWORKS = 20_000

    def __post_init__(self) -> None:
        self.everybody = Bucket.full(self.SITE_BURST, self.SITE_PER_SECOND, self.now)
        self.networks = Buckets(self.NETWORK_BURST, self.NETWORK_PER_SECOND, self.MOST_NETWORKS)
        self.returns = Buckets(self.RETURN_BURST, self.RETURN_PER_SECOND, self.MOST_NETWORKS)
        self.sign_ins = Buckets(self.SIGN_IN_BURST, self.SIGN_IN_PER_SECOND, self.MOST_NETWORKS)
        self.accounts = Buckets(self.ACCOUNT_BURST, self.ACCOUNT_PER_SECOND, self.MOST_NETWORKS)

    def is_flood(self, address: str, now: float) -> bool:
        """Count one beginning; tell whether there are too many, of all or from this network."""
        return self._is_over(self.networks, address, now) or self.everybody.take(now) > 0

    def returns_often(self, address: str, now: float) -> bool:
        """Count one return by words; tell whether this network has tried very often."""
        return self._is_over(self.returns, address, now)

    def signs_in_often(self, address: str, account: str, now: float) -> bool:
        """Count one try to sign in; tell whether this network has tried this account, or all together, very often."""
        # the account last: a network that is over its count makes no room by names that it invents
        return self._is_over(self.sign_ins, address, now) or self._is_over(self.accounts, address, now, account)

    def _is_over(self, counts: Buckets, address: str, now: float, account: str = "") -> bool:
        network = network_of(address)
        if network is None:
            return False
        # its length first, so that no account reads as part of a network
        named = bytes([len(network)]) + network + account.casefold().encode(errors="replace")
        return counts.take(hmac.digest(self.secret, named, hashlib.sha256)[:8], now) > 0


def network_of(address: str) -> bytes | None:
    """Return the network of an address, /32 or /56; None for what names nobody: a proxy of ours, a private network."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    if not parsed.is_global:
        return None
    length = 32 if parsed.version == 4 else 56
    return ipaddress.ip_network((parsed, length), strict=False).network_address.packed
