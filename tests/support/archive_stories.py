"""What the stories of the archive share: a working archive, and a conversation that is over."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import TestCase

from chat import services
from chat.core.actors import Staff, Visitor
from chat.core.errors import ErrorCode, Refused
from encryption.services import sealing, unlock
from encryption.services.unlock import Holder, Unlocked
from staff.models import User
from staff.web import staff_of
from tests.support.people import NOON, ben, dana, held_by, recorded
from tests.support.vault_keys import Archive

SAID = "the teal kettle sings at dusk"
WHY_END = "the court let it go"
WHY_ERASED = "she asked on the phone"
NOTED = "amber note beside the lamp"
LATER = NOON + timedelta(minutes=30)
DAY = timedelta(days=1)
UNTIL = date(2027, 6, 30)


class ArchiveWork:
    """Have an archive in working order, and what people do with it."""

    @pytest.fixture(autouse=True)
    def _root(self, settings: object) -> None:
        self.keys = Archive.new()
        settings.ARCHIVE_ROOT = self.keys.pinned  # type: ignore[attr-defined]

    def setUp(self) -> None:
        self.written_down = self.keys.open((dana(), ben()), NOON)

    def key_of(self, person: Staff, now: datetime = LATER, rights: bytes = b"session") -> Unlocked:
        holder = Holder(person.id, rights)
        cookie = unlock.unlock(holder, kind="phrase", entered=self.written_down[person.id].phrase, now=now)
        found = unlock.unlocked(holder, cookie, now)
        assert found is not None
        return found

    def closed(self, when: datetime = NOON, *, retire: bool = True) -> UUID:
        pk, _ = held_by(ben(), now=when)
        services.post_message(actor=Visitor(pk), conversation_id=pk, client_id="a" * 32, body=SAID, now=when)
        services.write_note(actor=ben(), conversation_id=pk, client_id="b" * 32, body=NOTED, now=when)
        services.end_conversation(actor=ben(), conversation_id=pk, now=when)
        recorded(pk, when)
        if retire:
            services.retire_closed(now=when + timedelta(minutes=15))
            sealing.forget()
        return pk

    def second(self) -> Staff:
        """Return another supervisor, a reader as well."""
        fay = {"work_name": "Fay", "role": "supervisor", "password": "!"}
        user, made = User.objects.get_or_create(username="fay", defaults=fay)
        if made:
            self.written_down[user.pk] = self.keys.enrol(staff_of(user), NOON)
        return staff_of(user)

    def hold(self, pk: UUID, now: datetime = LATER) -> UUID:
        """Have dana ask that it be kept."""
        key = self.key_of(dana(), now)
        asked = services.ask_hold(actor=dana(), unlocked=key, conversation_id=pk, until=UNTIL, reason="court", now=now)
        return asked.result

    def held(self, pk: UUID, now: datetime = LATER) -> UUID:
        """Have dana ask that it be kept, and fay confirm it."""
        hold, fay = self.hold(pk, now), self.second()
        services.confirm_hold(actor=fay, unlocked=self.key_of(fay, now), hold_id=hold, now=now)
        return hold

    def ask_end(self, hold: UUID, now: datetime = LATER) -> UUID:
        """Have dana ask that it be let go."""
        key = self.key_of(dana(), now)
        return services.ask_hold_end(actor=dana(), unlocked=key, hold_id=hold, reason=WHY_END, now=now).result

    def let_go(self, hold: UUID, now: datetime = LATER) -> UUID:
        """Have dana ask that it be let go, and fay confirm it."""
        end, fay = self.ask_end(hold, now), self.second()
        services.confirm_hold_end(actor=fay, unlocked=self.key_of(fay, now), end_id=end, now=now)
        return end

    def erase(self, pk: UUID, now: datetime = LATER) -> None:
        """Have dana ask for its erasure."""
        key = self.key_of(dana(), now)
        services.ask_erasure(actor=dana(), unlocked=key, conversation_id=pk, reason=WHY_ERASED, now=now)

    def read(self, pk: UUID, person: Staff, key: Unlocked | None, reason: str = "she asked us") -> list[str]:
        done = services.open_archived(actor=person, unlocked=key, conversation_id=pk, reason=reason, now=LATER)
        return [line.text.reveal() for line in done.result.lines if line.text is not None]

    def refused(self, work: Any) -> ErrorCode:
        with pytest.raises(Refused) as caught:
            work()
        return caught.value.code


class ArchiveStories(ArchiveWork, TestCase):
    """Tell stories of the archive in a transaction that is rolled back."""
