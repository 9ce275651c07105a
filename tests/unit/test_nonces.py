"""No nonce is used twice with one key: for GCM that would give both texts and the power to forge away."""

import threading
from collections import Counter
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from encryption.core import envelope
from encryption.core.envelope import Binding
from encryption.core.subject import Subject
from encryption.providers.base import wrap_with

MANY = 1_000_000
"""About as many as one key is meant for, 2**20; nearly four seconds on a small machine."""
NONCE = slice(2, 14)

KEY = bytes(range(32))
SUBJECT = Subject("conversation", UUID(int=7))
KEY_ID = envelope.commitment(KEY, SUBJECT)
CIPHER = AESGCM(envelope.derive(KEY, SUBJECT, "message"))
HERE = Binding("message", "visitor/abc", 3, "visitor")


def seal_often(times: int, text: bytes = b"hello") -> list[bytes]:
    return [envelope.seal(CIPHER, SUBJECT, KEY_ID, HERE, text)[NONCE] for _ in range(times)]


def test_a_million_seals_of_one_key_use_a_million_nonces() -> None:
    nonces = seal_often(MANY)
    lengths, different = {len(nonce) for nonce in nonces}, len(set(nonces))
    assert lengths == {12}
    assert different == MANY
    everything = b"".join(nonces)
    for place in range(12):
        # each byte is random: a counter, a clock or a fixed part would show; eight deviations are about one in 10**12
        times = Counter(everything[place::12])
        values = len(times)
        assert values == 256, f"byte {place} does not take each value"
        expected = MANY / 256
        worst = max(abs(count - expected) for count in times.values())
        assert worst < 8 * expected**0.5, f"byte {place}"


def test_threads_that_seal_at_once_share_no_nonce() -> None:
    made: list[list[bytes]] = []
    together = [threading.Thread(target=lambda: made.append(seal_often(5_000))) for _ in range(8)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join(60)
    different = len({nonce for some in made for nonce in some})
    assert different == sum(map(len, made)) == 40_000


def test_the_same_text_in_the_same_place_never_looks_the_same() -> None:
    records = [envelope.seal(CIPHER, SUBJECT, KEY_ID, HERE, b"hello") for _ in range(1_000)]
    different = len(set(records)), len({record[14:] for record in records})
    assert different == (1_000, 1_000)


def test_each_wrap_of_a_key_has_a_nonce_of_its_own() -> None:
    different = len({wrap_with(KEY, KEY, b"context")[:12] for _ in range(50_000)})
    assert different == 50_000
