"""An archive in working order, made as the ceremonies make it: root, two readers, recovery, a month's key."""

from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.services import record
from encryption.core import archive as hpke
from encryption.core.archive import Pair
from encryption.core.slots import Cost
from encryption.models import ArchiveKey, Reader, RecoveryKey
from encryption.services import archive, readers
from encryption.services.readers import Enrolment
from staff.core import Staff

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
MONTH = "2026-11"


@dataclass
class Archive:
    """Hold what lies in the safe and with people, never with the server."""

    root: Ed25519PrivateKey
    month: Pair
    recovery: Pair

    @classmethod
    def new(cls) -> "Archive":
        """Return fresh keys; nothing is stored yet."""
        return cls(Ed25519PrivateKey.generate(), hpke.new_pair(), hpke.new_pair())

    @property
    def pinned(self) -> str:
        """Return the value of HAVRE_ARCHIVE_ROOT."""
        return self.root.public_key().public_bytes_raw().hex()

    def enrol(self, person: Staff, now: datetime) -> Enrolment:
        """Make somebody a signed reader who holds the month's key."""
        written_down = readers.enrol(user_id=person.id, language="en", now=now, cost=CHEAP)
        reader = Reader.objects.get(user_id=person.id, revoked_at=None)
        public = bytes(reader.public)
        signature = hpke.sign_public(self.root, readers.reader_key_id(person.id), public)
        readers.accept_signature(user_id=person.id, public=public, signature=signature, now=now)
        self.grant(reader, readers.reader_key_id(person.id), public, now)
        return written_down

    def grant(self, to: Reader | RecoveryKey, name: str, public: bytes, now: datetime) -> None:
        """Seal the month's secret to somebody."""
        blob = hpke.seal_to(public, self.month.secret, readers.grant_info(MONTH, name, public))
        readers.store_grant(archive_name=MONTH, to=to, blob=blob, actor="command", now=now)

    def publish(self, now: datetime) -> None:
        """Store the month's public key and the recovery key's, as an import does."""
        signature = hpke.sign_public(self.root, archive.key_id(MONTH), self.month.public)
        readers.publish_key(name=MONTH, public=self.month.public, signature=signature, now=now)
        name = readers.recovery_key_id("1")
        signed = hpke.sign_public(self.root, name, self.recovery.public)
        recovery = readers.publish_recovery(name="1", public=self.recovery.public, signature=signed, now=now)
        self.grant(recovery, name, self.recovery.public, now)

    def test_recovery(self, now: datetime) -> None:
        """Note a passed drill."""
        RecoveryKey.objects.update(tested_at=now)
        record(actor="command", action="recovery_key.tested", subject=readers.recovery_key_id("1"), now=now)

    def open(self, people: tuple[Staff, ...], now: datetime) -> dict[int, Enrolment]:
        """Bring the whole into working order and activate the month; return what each reader wrote down."""
        self.publish(now)
        written_down = {person.id: self.enrol(person, now) for person in people}
        self.test_recovery(now)
        readers.activate(name=MONTH, now=now)
        assert ArchiveKey.objects.get(pk=MONTH).activated_at is not None
        return written_down
