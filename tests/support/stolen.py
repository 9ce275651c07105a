"""What runs inside a Havre with somebody's data: set an archive up, read with every reader, or play the thief.

Each function is called by `manage.py shell` in a process of its own, with the settings of the place that it looks at,
and prints one line of JSON.
"""

import itertools
import json
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from chat import log, services
from chat.core.errors import Refused
from chat.models import Conversation, Event
from encryption.core import archive as hpke
from encryption.core.archive import Pair
from encryption.core.envelope import NotAuthentic, commitment
from encryption.core.subject import Subject
from encryption.models import Grant, ReaderSlot, Wrap
from encryption.providers import ProviderDown
from encryption.services import KeyGone, Sealer, archive, lifecycle, readers, sealing, unlock
from encryption.services.unlock import Holder
from staff.models import User
from staff.web import staff_of
from tests.support.people import recorded
from tests.support.vault_keys import Archive

READERS = ("dana", "ben")


def in_the_safe(archive_keys: Archive) -> dict[str, str]:
    """Return an archive's keys as text, to be handed to `set_up`."""
    return {
        "root": archive_keys.root.private_bytes_raw().hex(),
        "month": archive_keys.month.secret.hex(),
        "recovery": archive_keys.recovery.secret.hex(),
    }


def set_up(safe: dict[str, str]) -> None:
    """Bring the archive into working order; print each reader's phrase."""
    month, recovery = bytes.fromhex(safe["month"]), bytes.fromhex(safe["recovery"])
    keys = Archive(
        Ed25519PrivateKey.from_private_bytes(bytes.fromhex(safe["root"])),
        Pair(month, hpke.public_of(month)),
        Pair(recovery, hpke.public_of(recovery)),
    )
    people = tuple(staff_of(User.objects.get(username=name)) for name in READERS)
    written_down = keys.open(people, timezone.now())
    print(json.dumps({person.name.lower(): written_down[person.id].phrase for person in people}))


def close(pk: str) -> None:
    """End a conversation, record it and take it out of daily work."""
    now = timezone.now()
    ben = staff_of(User.objects.get(username="ben"))
    services.end_conversation(actor=ben, conversation_id=UUID(pk), now=now)
    recorded(UUID(pk), now)
    print(json.dumps(services.retire_closed(now=now + timedelta(minutes=15)).result))


def let_days_pass(days: int) -> None:
    """Destroy the keys whose time will have come."""
    print(json.dumps(lifecycle.destroy_over(timezone.now() + timedelta(days=days))))


def read_all(phrases: dict[str, str]) -> None:
    """Print every text that any path of the program opens: daily work, and each reader with their phrase."""
    texts = set(_daily())
    for name, phrase in phrases.items():
        person = staff_of(User.objects.get(username=name))
        holder = Holder(person.id, b"session")
        try:
            cookie = unlock.unlock(holder, kind="phrase", entered=phrase, now=timezone.now())
        except (readers.NotReader, NotAuthentic):
            continue
        for conversation in Conversation.objects.all():
            # a new one for each: reading asks for a fresh proof
            key = unlock.unlocked(holder, cookie, timezone.now())
            try:
                done = services.open_archived(
                    actor=person, unlocked=key, conversation_id=conversation.pk, reason="a drill", now=timezone.now()
                )
            except Refused:
                continue
            texts |= {line.text.reveal() for line in done.result.lines if line.text is not None}
    print(json.dumps(sorted(texts)))


def play_thief(guesses: list[str]) -> None:
    """Print what opens for who has database, keys of the server, its settings and its Redis, but no reader's words."""
    print(json.dumps({"daily": sorted(_daily()), "archive": sorted(_forced(guesses))}))


def _daily() -> Iterator[str]:
    for event in Event.objects.filter(sealed_body__isnull=False):
        try:
            yield _text(event, sealing.sealer_for(log.subject_of(event.conversation_id)))
        except (KeyGone, ProviderDown, NotAuthentic):
            continue


def _forced(guesses: list[str]) -> Iterator[str]:
    """Try every secret that the thief has on every wrap, behind every key of the server."""
    secrets = set(_secrets(guesses))
    for wrap in Wrap.objects.select_related("data_key").exclude(kind="op"):
        subject = Subject(wrap.data_key.subject_kind, wrap.data_key.subject_id)
        for data_key in _data_keys(wrap, secrets):
            if commitment(data_key, subject) == bytes(wrap.data_key.commitment):
                sealer = Sealer(subject, data_key, bytes(wrap.data_key.commitment))
                texts = Event.objects.filter(conversation=subject.id, sealed_body__isnull=False)
                yield from (_text(event, sealer) for event in texts)


def _data_keys(wrap: Wrap, secrets: set[bytes]) -> Iterator[bytes]:
    assert wrap.expires is not None
    placing = archive._placing(wrap.data_key, wrap.recipient, wrap.expires)
    provider = sealing.provider()
    for epoch in provider.list_epochs():
        try:
            inner = provider.unwrap(epoch, bytes(wrap.blob), placing.info())
        except (NotAuthentic, ProviderDown):
            continue
        yield inner[-32:]
        for secret in secrets:
            try:
                yield hpke.open_with(secret, inner, placing.info())
            except NotAuthentic:
                continue


def _secrets(guesses: list[str]) -> Iterator[bytes]:
    """Yield 96-byte strings from everything at hand: slots opened with guesses, grants, the store of unlocked keys."""
    for name, guess in itertools.product(READERS, guesses):
        user = User.objects.get(username=name)
        for kind in ("phrase", "code"):
            try:
                secret = readers.open_secret(user_id=user.pk, kind=kind, entered=guess)
            except (readers.NotReader, NotAuthentic):
                continue
            yield from (readers.secrets_of(user.pk, secret)(one.archive_key_id) for one in Grant.objects.all())
    noise = [bytes(grant.blob) for grant in Grant.objects.all()] + [
        bytes(slot.blob) for slot in ReaderSlot.objects.all()
    ]
    for blob in noise:
        yield from (blob[at : at + hpke.SECRET_BYTES] for at in range(0, max(1, len(blob) - hpke.SECRET_BYTES), 16))


def _text(event: Event, sealer: Sealer) -> str:
    binding = log.binding_of(event.kind, event.sender, event.client_id, event.staff_seq, event.author_role)
    return sealer.unseal(binding, bytes(event.sealed_body or b"")).reveal()
