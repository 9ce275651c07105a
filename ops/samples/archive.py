"""A demo's archive, with the whole ceremony done by one program: what a real site does with people, paper and safes."""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from encryption.core import ceremony
from encryption.core.slots import Cost
from encryption.models import ArchiveKey
from encryption.services import ceremony as server
from encryption.services import readers
from encryption.services.archive import root
from staff.models import User

READERS = ("ben", "dana")
MONTHS = 3
CHEAP = Cost(memory_kib=8_192, passes=1, lanes=1)
"""Words that are printed at every start need no costly lock."""


def seed(now: datetime) -> None:
    """Bring the sample archive into working order, and give it the months that it lacks."""
    secret = _sample_root()
    if secret is None:
        return
    phrases = sample_phrases()
    for user in User.objects.filter(username__in=READERS, sample=True):
        if readers.reader_view(user.pk) is None:
            made = readers.enrol(user_id=user.pk, language=user.language, now=now, cost=CHEAP)
            phrases[user.username] = made.phrase
            _keep(phrases)
    names = [name for name in ceremony.month_names(f"{now:%Y-%m}", MONTHS) if _lacks(name)]
    people = {user.pk: user.work_name for user in User.objects.filter(username__in=phrases, sample=True)}
    if not names or len(people) < len(READERS):
        return
    signed = ceremony.sign_readers(secret, server.readers_paper(people, now).readers)
    seed = _seed_of_recovery()
    recovery = ceremony.recovery_paper(secret, ceremony.recovery_pair(seed).public)
    server.take_in((signed, recovery, ceremony.make_months(secret, names, signed, recovery)), now)
    drill = server.begin_drill("", now)
    server.finish_drill(ceremony.answer(drill, ceremony.recovery_pair(seed).secret), now)
    server.activate(names, now)


def sample_phrases() -> dict[str, str]:
    """Return the words of the sample readers, by account."""
    try:
        return dict(json.loads(_phrases().read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}


def _lacks(name: str) -> bool:
    return not ArchiveKey.objects.filter(pk=name, activated_at__isnull=False).exists()


def _sample_root() -> Ed25519PrivateKey | None:
    """Return the root that lies beside the data, None when the site has pinned another."""
    path: Path = settings.DATA_DIR / "development-archive-root"
    if not settings.DEVELOPMENT or not path.exists():
        return None
    secret = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text(encoding="ascii").strip()))
    return secret if ceremony.root_public(secret) == root() else None


def _seed_of_recovery() -> bytes:
    path: Path = settings.DATA_DIR / "sample-recovery"
    if not path.exists():
        _write(path, ceremony.new_seed().hex())
    return bytes.fromhex(path.read_text(encoding="ascii"))


def _phrases() -> Path:
    path: Path = settings.DATA_DIR / "sample-phrases"
    return path


def _keep(phrases: Mapping[str, str]) -> None:
    _write(_phrases(), json.dumps(phrases))


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
