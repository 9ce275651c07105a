"""The server's half of the key ceremony: what goes out to the offline machine, what comes back, and how things stand.

Nothing that the offline machine made is believed without the signature of the pinned root. What is refused is in the
trail too. This room knows no accounts: work names are given by who calls.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from audit.services import record
from encryption.core import archive, ceremony, papers
from encryption.core.archive import NotOurs
from encryption.core.ceremony import reader_key_id, recovery_key_id
from encryption.core.envelope import NotAuthentic
from encryption.core.papers import BadPaper, Kind, Paper, ReaderKey, SealedGrant, SignedKey
from encryption.models import ArchiveKey, Grant, Reader, RecoveryKey
from encryption.services import readers
from encryption.services.archive import root
from encryption.services.receipts import revocation_of


class WrongAnswer(Exception):
    """Report a code that answers no drill."""


@dataclass(slots=True)
class Taken:
    """Count what an import brought in; nothing at all when it was imported before."""

    readers: int = 0
    recovery_keys: int = 0
    archive_keys: int = 0
    grants: int = 0


def readers_paper(names: Mapping[int, str], now: datetime) -> Paper:
    """Return the keys of everybody in `names` who enrolled, for the offline machine."""
    rows = Reader.objects.filter(revoked_at=None, user_id__in=names).order_by("user_id")
    found = tuple(
        ReaderKey(row.user_id, _printable(names[row.user_id]), bytes(row.public), bytes(row.signature or b""))
        for row in rows
    )
    if not found:
        raise BadPaper("Nobody has become a reader yet. Next: two people sign in and choose Archive, Become a reader.")
    record(actor="command", action="readers.exported", subject="archive", data={"count": len(found)}, now=now)
    return Paper(Kind.READERS, readers=found)


def begin_drill(name: str, now: datetime) -> Paper:
    """Return a challenge with every recovery grant, to be opened with two shares; `name` may be empty for the newest.

    A drill that was begun before counts no more.
    """
    with transaction.atomic():
        keys = RecoveryKey.objects.select_for_update().order_by("-created_at")
        row = (keys.filter(pk=name) if name else keys).first()
        if row is None:
            raise BadPaper("There is no such recovery key. Next: import the file of the offline step recovery.")
        key = SignedKey(row.name, bytes(row.public), bytes(row.signature))
        archive.check_public(root(), recovery_key_id(key.name), key.public, key.signature)
        challenge, row.drill = ceremony.challenge_for(key)
        row.save(update_fields=["drill"])
        record(actor="command", action="recovery_key.drill_begun", subject=recovery_key_id(row.name), now=now)
    grants = Grant.objects.filter(recovery=row).select_related("archive_key").order_by("archive_key_id")
    held = tuple(
        SignedKey(one.archive_key.name, bytes(one.archive_key.public), bytes(one.archive_key.signature))
        for one in grants
    )
    sealed = tuple(SealedGrant(one.archive_key_id, recovery_key_id(row.name), bytes(one.blob)) for one in grants)
    return Paper(Kind.DRILL, recovery=key, keys=held, grants=sealed, challenge=challenge)


def finish_drill(code: str, now: datetime) -> str:
    """Take the answer of a drill and return the recovery key that it proved; it counts once. Raises `WrongAnswer`."""
    with transaction.atomic():
        rows = RecoveryKey.objects.select_for_update().filter(drill__isnull=False).order_by("pk")
        right = [row for row in rows if _answers(row, code)]
        for row in right:
            row.drill, row.tested_at = None, now
            row.save(update_fields=["drill", "tested_at"])
            record(actor="command", action="recovery_key.tested", subject=recovery_key_id(row.name), now=now)
    if not right:
        record(actor="command", action="recovery_key.drill_refused", subject="archive", now=now)
        raise WrongAnswer
    return right[0].name


def take_in(given: Iterable[Paper], now: datetime) -> Taken:
    """Take in what the offline machine made: all of it or nothing. What is there already is left as it is.

    Raises `BadPaper` for anything that the pinned root did not sign or that does not fit what is here, `NotOurs`
    without a pinned root.
    """
    taken = Taken()
    try:
        with transaction.atomic():
            for paper in sorted(given, key=lambda one: papers.FROM_OFFLINE.index(one.kind)):
                papers.check(paper, root())
                _TAKE[paper.kind](paper, taken, now)
    except NotOurs as stranger:
        record(actor="command", action="archive.import_refused", subject="archive", now=now)
        raise BadPaper(f"The pinned root did not sign this: {stranger}. Nothing was taken in.") from None
    except BadPaper:
        record(actor="command", action="archive.import_refused", subject="archive", now=now)
        raise
    return taken


def secret_by_phrase(*, user_id: int, phrase: str, now: datetime) -> bytes:
    """Return a reader's secret for one command; the trail holds it either way.

    Raises `NotReader` for who is none or is not signed, `NotOurs`, `NotAuthentic` for a wrong phrase.
    """
    readers.signed_reader(user_id)
    who = f"staff:{user_id}"
    try:
        secret = readers.open_secret(user_id=user_id, kind="phrase", entered=phrase)
    except NotAuthentic:
        record(actor=who, action="reader.unlock_refused", subject=who, data={"by": "command"}, now=now)
        raise
    record(actor=who, action="reader.unlocked", subject=who, data={"by": "command"}, now=now)
    return secret


def activate(names: Iterable[str], now: datetime) -> None:
    """Activate archive keys, all of them or none. Raises `NotReady`, `NotOurs`."""
    with transaction.atomic():
        for name in names:
            readers.activate(name=name, now=now)


def _take_readers(paper: Paper, taken: Taken, now: datetime) -> None:
    for one in paper.readers:
        row = _present(one)
        if row.signature is not None and bytes(row.signature) == one.signature:
            continue
        readers.accept_signature(user_id=one.user_id, public=one.public, signature=one.signature, now=now)
        taken.readers += 1


def _take_recovery(paper: Paper, taken: Taken, now: datetime) -> None:
    key = paper.needed_recovery()
    row = RecoveryKey.objects.filter(pk=key.name).first()
    if row is None:
        readers.publish_recovery(name=key.name, public=key.public, signature=key.signature, now=now)
        taken.recovery_keys += 1
    elif bytes(row.public) != key.public:
        raise BadPaper(f"Another recovery key is named {key.name} here. Do not go on: ask who changed it.")


def _take_months(paper: Paper, taken: Taken, now: datetime) -> None:
    _take_readers(paper, taken, now)
    _take_recovery(paper, taken, now)
    for key in paper.keys:
        row = ArchiveKey.objects.filter(pk=key.name).first()
        if row is None:
            readers.publish_key(name=key.name, public=key.public, signature=key.signature, now=now)
            taken.archive_keys += 1
        elif bytes(row.public) != key.public:
            raise BadPaper(f"There is another archive key {key.name} already. Next: make {key.name[:7]}.2 instead.")
    _take_grants(paper, taken, now, replace=False)


def _take_recovered(paper: Paper, taken: Taken, now: datetime) -> None:
    _take_readers(paper, taken, now)
    for key in paper.keys:
        row = ArchiveKey.objects.filter(pk=key.name).first()
        if row is None or bytes(row.public) != key.public:
            raise BadPaper(
                f"There is no such archive key {key.name} here. Next: export the drill again and recover anew."
            )
    _take_grants(paper, taken, now, replace=True)


def _take_grants(paper: Paper, taken: Taken, now: datetime, *, replace: bool) -> None:
    """Store grants; one that is there stays, unless what was recovered is to replace it."""
    to: dict[str, Reader | RecoveryKey] = {reader_key_id(one.user_id): _present(one) for one in paper.readers}
    if paper.recovery is not None:
        to[recovery_key_id(paper.recovery.name)] = RecoveryKey.objects.get(pk=paper.recovery.name)
    known = {key.name for key in paper.keys}
    for grant in paper.grants:
        if grant.to not in to or grant.archive not in known:
            raise BadPaper("This file gives keys to somebody whom it does not name.")
        whom = to[grant.to]
        there = whom.grants.filter(archive_key_id=grant.archive).first()
        if there is not None and (not replace or bytes(there.blob) == grant.blob):
            continue
        readers.store_grant(archive_name=grant.archive, to=whom, blob=grant.blob, actor="command", now=now)
        taken.grants += 1


_TAKE: dict[Kind, Callable[[Paper, Taken, datetime], None]] = {
    Kind.SIGNED: _take_readers,
    Kind.RECOVERY: _take_recovery,
    Kind.MONTHS: _take_months,
    Kind.RECOVERED: _take_recovered,
}


def _present(one: ReaderKey) -> Reader:
    """Return the row of a reader who is one today, with this very key; raises `BadPaper`."""
    row = Reader.objects.filter(user_id=one.user_id, revoked_at=None, public=one.public).first()
    if row is None:
        raise BadPaper(
            f"{one.name} (account {one.user_id}) is no reader with this key any more. Next: export the readers again, "
            "sign them, and make the file anew. Nothing was taken in."
        )
    event = revocation_of(row)
    if event is not None:
        raise BadPaper(
            f"{one.name} (account {one.user_id}) was revoked by event {event} of the audit trail, and the database "
            "says otherwise. Do not go on: ask who changed it. Nothing was taken in."
        )
    return row


def _answers(row: RecoveryKey, code: str) -> bool:
    return hmac.compare_digest(bytes(row.drill or b""), ceremony.answer_digest(row.name, code))


def _printable(name: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in name)[:80] or "?"
