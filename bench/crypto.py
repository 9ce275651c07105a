"""Measure sealing beside the bare primitives: `python -m bench.crypto`. Bounded, ends by itself.

Each figure is the median of interleaved rounds, so that what else the machine does falls on both sides. Exits with 1
when a target is missed.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import django
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, Suite

from encryption.core import archive, envelope, slots
from encryption.core.archive import Placing
from encryption.core.envelope import Binding
from encryption.core.subject import Subject
from encryption.providers import FileProvider
from encryption.providers.base import unwrap_with, wrap_with

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 9
SIGN_INS = 50
ARCHIVES = 100_000
BURST_ENDS = 90.0
LONGEST = 90.0
"""Seconds that the run over the archive's wraps may take; with a slower machine it does fewer and says how many."""

SEAL_US, OPEN_MS, BURST_MIB = 50.0, 10.0, 400.0
"""The targets: a 200-byte message sealed, 500 messages opened, memory that a burst of sign-ins adds."""

SUBJECT = Subject("conversation", UUID(int=7))
KEY = bytes(range(32))
COMMITMENT = envelope.commitment(KEY, SUBJECT)
PLACING = Placing("site", SUBJECT, "2026-11", date(2026, 11, 27), COMMITMENT)
EPOCH = "op-2026-11-23"
CONTEXT = b"|".join((b"hl1", b"op", SUBJECT.kind.encode(), SUBJECT.id.bytes, COMMITMENT))
TEXT = "a" * 200

Work = Callable[[], object]
Row = dict[str, Any]


def main() -> int:
    """Run everything, print the table, write `bench/out/crypto.json` and return the exit status."""
    with tempfile.TemporaryDirectory(prefix="havre-bench-") as folder:
        rows = [*beside(FileProvider(Path(folder) / "keys")), rewrapped_archives(), burst()]
    (ROOT / "bench/out/crypto.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    print(table(rows))
    judged = [row for row in rows if row["target"] is not None]
    missed = [row["what"] for row in judged if row["value"] is None or row["value"] >= row["target"]]
    for what in missed:
        print(f"missed its target: {what}")
    return 1 if missed else 0


def beside(keys: FileProvider) -> Iterator[Row]:
    """Measure each piece of work beside the bare primitive, in turns."""
    # name, unit, how many units in a second, target, times a round, ours, bare
    pieces: list[tuple[str, str, float, float | None, int, Work, Work]] = [
        ("seal 200 bytes", "us", 1e6, SEAL_US, 2_000, *sealing()),
        ("open 500 messages", "ms", 1e3, OPEN_MS, 20, *opening()),
        ("HPKE seal", "us", 1e6, None, 300, *to_the_archive()),
        ("HPKE open", "us", 1e6, None, 300, *from_the_archive()),
        ("rewrap for the day", "us", 1e6, None, 300, *rewrapping(keys)),
    ]
    times: dict[str, list[tuple[float, float]]] = {name: [] for name, *_ in pieces}
    for _ in range(ROUNDS):
        for name, _, scale, _, count, ours, bare in pieces:
            times[name].append((timed(ours, count) * scale, timed(bare, count) * scale))
    for name, unit, scale, target, count, *_ in pieces:
        value, raw = (statistics.median(column) for column in zip(*times[name], strict=True))
        yield {
            "what": name,
            "value": round(value, 3),
            "unit": unit,
            "bare": round(raw, 3),
            "ratio": round(value / raw, 2),
            "per_s": round(scale / value, 1),
            "target": target,
            "n": count * ROUNDS,
        }


def timed(work: Work, count: int) -> float:
    """Return the seconds that one of many takes."""
    began = time.perf_counter()
    for _ in range(count):
        work()
    return (time.perf_counter() - began) / count


def sealing() -> tuple[Work, Work]:
    """Seal one message, as a conversation does; and encrypt as many bytes."""
    from encryption.services import Sealer  # needs Django

    sealer, cipher = Sealer(SUBJECT, KEY, COMMITMENT), AESGCM(KEY)
    padded, bound, here = envelope.pad(TEXT.encode()), bytes(130), _binding(3)
    return lambda: sealer.seal(here, TEXT), lambda: cipher.encrypt(os.urandom(12), padded, bound)


def opening() -> tuple[Work, Work]:
    """Open a conversation from its data key on; and decrypt as many bytes."""
    from encryption.services import Sealer  # needs Django

    sealer, cipher, bound, nonce = Sealer(SUBJECT, KEY, COMMITMENT), AESGCM(KEY), bytes(130), bytes(12)
    stored = [(_binding(number), sealer.seal(_binding(number), TEXT)) for number in range(500)]
    bare = [cipher.encrypt(nonce, envelope.pad(TEXT.encode()), bound) for _ in stored]

    def ours() -> None:
        reader = Sealer(SUBJECT, KEY, COMMITMENT)
        for binding, record in stored:
            reader.unseal(binding, record)

    return ours, lambda: [cipher.decrypt(nonce, body, bound) for body in bare]


def to_the_archive() -> tuple[Work, Work]:
    """Seal to a public key given as bytes; and with the bare suite to one that is read already."""
    pair, (suite, _, info) = archive.new_pair(), _suite()
    public = MLKEM768X25519PrivateKey(MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()).public_key()
    return lambda: archive.seal_to(pair.public, KEY, PLACING.info()), lambda: suite.encrypt(KEY, public, info)


def from_the_archive() -> tuple[Work, Work]:
    """Open with a secret given as bytes; and with the bare suite and a key that is read already."""
    pair, (suite, secret, info) = archive.new_pair(), _suite()
    ours, bare = archive.seal_to(pair.public, KEY, info), suite.encrypt(KEY, secret.public_key(), info)
    return lambda: archive.open_with(pair.secret, ours, PLACING.info()), lambda: suite.decrypt(bare, secret, info)


def rewrapping(keys: FileProvider) -> tuple[Work, Work]:
    """Unwrap and wrap a data key with the key in its file; and the same with the key at hand."""
    blob, near = keys.wrap(EPOCH, KEY, CONTEXT), wrap_with(KEY, KEY, CONTEXT)
    return (
        lambda: keys.wrap(EPOCH, keys.unwrap(EPOCH, blob, CONTEXT), CONTEXT),
        lambda: wrap_with(KEY, unwrap_with(KEY, near, CONTEXT), CONTEXT),
    )


def rewrapped_archives() -> Row:
    """Rewrap wraps of the archive in memory: both locks opened and closed again, as for a new month's key."""
    old, new, info = archive.new_pair(), archive.new_pair(), PLACING.info()
    retention, later = os.urandom(32), os.urandom(32)

    def made() -> bytes:
        return wrap_with(retention, archive.seal_to(old.public, KEY, info), info)

    def again(blob: bytes) -> bytes:
        data_key = archive.open_with(old.secret, unwrap_with(retention, blob, info), info)
        return wrap_with(later, archive.seal_to(new.public, data_key, info), info)

    trial = [made() for _ in range(500)]
    count = min(ARCHIVES, int(LONGEST / timed(lambda: [again(blob) for blob in trial], 1) * len(trial)))
    blobs = [made() for _ in range(count)]
    began = time.perf_counter()
    blobs = [again(blob) for blob in blobs]
    seconds = time.perf_counter() - began
    return {
        "what": "rewrap the archive",
        "value": round(seconds, 2),
        "unit": "s",
        "per_s": round(count / seconds, 1),
        "target": None,
        "n": count,
    }


def burst() -> Row:
    """Sign in often at once, in a process of its own: the peak of this one would hide that of the other."""
    command = [sys.executable, "-m", "bench.crypto", "burst"]
    figures: dict[str, float] = {}
    try:
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=BURST_ENDS)
        figures = json.loads(done.stdout)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        print(f"the sign-ins did not come to their end: {error}", file=sys.stderr)
    return {
        "what": f"{SIGN_INS} sign-ins at once",
        "value": figures.get("grown_mib"),
        "unit": "MiB",
        "seconds": figures.get("seconds"),
        "per_s": SIGN_INS / figures["seconds"] if figures else None,
        "target": BURST_MIB,
        "n": SIGN_INS,
    }


def sign_in_at_once() -> dict[str, float]:
    """Unlock one slot from many threads at its full cost; return the memory that it took and the seconds."""
    slot = slots.lock_with_phrase(KEY, "a b c d e f", b"owner", slots.Cost(64, 1, 1))
    slot = slots.Slot(slot.kind, slot.salt, slots.COST, slot.blob)  # the way in costs the same, and does not open
    refused: list[bool] = []
    gate = threading.Barrier(SIGN_INS + 1)

    def sign_in() -> None:
        gate.wait()
        try:
            slots.unlock(slot, "a b c d e f", b"owner")
        except envelope.NotAuthentic:
            refused.append(True)

    threads = [threading.Thread(target=sign_in) for _ in range(SIGN_INS)]
    for thread in threads:
        thread.start()
    before = _memory("VmRSS")
    gate.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if len(refused) != SIGN_INS:
        raise SystemExit("not every sign-in came to its end")
    return {"grown_mib": _memory("VmHWM") - before, "seconds": seconds}


def table(rows: list[Row]) -> str:
    """Return the figures for people."""
    columns = ("what", "value", "unit", "target", "bare", "ratio", "per_s", "seconds", "n")
    lines: list[tuple[str, ...]] = [("what", "median", "", "target", "bare", "x bare", "per s", "seconds", "n")]
    lines += [tuple(_cell(row.get(column)) for column in columns) for row in rows]
    widths = ("<22", ">10", "<3", ">7", ">9", ">7", ">11", ">8", ">7")
    return "\n".join(" ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)) for line in lines)


def _cell(value: str | float | None) -> str:
    return f"{value:.2f}" if isinstance(value, float) else "" if value is None else str(value)


def _suite() -> tuple[Suite, MLKEM768X25519PrivateKey, bytes]:
    secret = MLKEM768X25519PrivateKey(MLKEM768PrivateKey.generate(), X25519PrivateKey.generate())
    return Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM), secret, PLACING.info()


def _binding(number: int) -> Binding:
    return Binding("message", "visitor/0123456789abcdef0123456789abcdef", number, "visitor")


def _memory(name: str) -> float:
    """Return a figure of this process in MiB; `ru_maxrss` would begin with the peak of the parent."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1_024 for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    if sys.argv[1:] == ["burst"]:
        print(json.dumps(sign_in_at_once()))
        sys.exit(0)
    os.environ.setdefault("HAVRE_DEVELOPMENT", "1")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    sys.exit(main())
