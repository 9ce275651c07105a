"""A whole key ceremony between `manage.py archive` and the offline machine, and a search of all that it left behind."""

import base64
import io
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from unittest import mock
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.test import TestCase

from audit.models import AuditEvent
from chat import log, services
from chat.core.actors import Staff, Visitor
from chat.models import Event
from encryption.core import archive as hpke
from encryption.core import ceremony, slots
from encryption.models import Reader
from encryption.services import archive, readers, sealing
from encryption.services.readers import Enrolment
from tests.support.offline import Person
from tests.support.people import NOON, ben, dana, held_by, recorded
from tests.support.vault_keys import CHEAP

SAID = "the teal kettle sings at dusk"


class CeremonyStories(TestCase):
    @pytest.fixture(autouse=True)
    def _room(
        self, tmp_path: Path, settings: object, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> Iterator[None]:
        monkeypatch.setattr(slots, "COST", CHEAP)
        monkeypatch.chdir(tmp_path)
        self.site, self.monkeypatch, self.folder = settings, monkeypatch, tmp_path
        self.room, self.now, self.printed = Person(tmp_path), NOON, ""
        self.cards: dict[int, Enrolment] = {}
        self.secrets: list[bytes] = []
        self.words = ["words that stand nowhere"]
        caplog.set_level(logging.DEBUG)
        with mock.patch("ops.management.commands.archive.timezone.now", side_effect=lambda: self.now):
            yield
        # `caplog.text` holds the lines of the present phase only, which is the end here
        lines = [caplog.handler.format(line) for phase in ("setup", "call") for line in caplog.get_records(phase)]
        self.search("\n".join(lines))

    def search(self, logged: str) -> None:
        """Look for every secret in what the server printed, wrote into the trail and logged."""
        trail = "\n".join(f"{one.actor} {one.action} {one.subject} {one.data}" for one in AuditEvent.objects.all())
        left = {"stdout": self.printed, "trail": trail, "logs": logged}
        texts = [text for card in self.cards.values() for text in (card.phrase, card.code)]
        texts += [line for paper in self.room.papers.values() for line in paper] + [self.room.phrase, *self.words]
        for secret in self.secrets:
            texts += [secret.hex()[:32], base64.b64encode(secret).decode()[:24], repr(secret)[2:-1][:24]]
        for place, found in left.items():
            plain = found.casefold()
            assert [text for text in texts if text and text.casefold() in plain] == [], place

    def pin(self, root: str) -> None:
        """Set HAVRE_ARCHIVE_ROOT."""
        self.site.ARCHIVE_ROOT = root  # type: ignore[attr-defined]

    def archive(self, *arguments: str, stdin: str = "", fails: bool = False) -> str:
        """Run a step at the server; return what it printed or refused."""
        out, refusal = io.StringIO(), ""
        with mock.patch("sys.stdin", io.StringIO(stdin)):
            try:
                call_command("archive", *arguments, stdout=out, stderr=out)
            except CommandError as error:
                refusal = str(error)
        said = out.getvalue() + refusal
        self.printed += said
        assert bool(refusal) is fails, said
        return said

    def refused(self, *arguments: str, stdin: str = "") -> str:
        """Run a step that has to be refused."""
        return self.archive(*arguments, stdin=stdin, fails=True)

    def offline(self, *arguments: str) -> str:
        """Do a step at the offline machine that has to succeed."""
        assert self.room.do(*arguments) == 0, self.room.shown
        return self.room.shown

    def enrol(self, person: Staff) -> None:
        """Let somebody become a reader, as the page does."""
        self.cards[person.id] = readers.enrol(user_id=person.id, language="en", now=self.now, cost=CHEAP)
        self.secrets.append(self.secret_of(person))

    def secret_of(self, person: Staff) -> bytes:
        """Return a reader's secret by their phrase."""
        return readers.open_secret(user_id=person.id, kind="phrase", entered=self.cards[person.id].phrase)

    def begin(self, *people: Staff, count: int = 2) -> None:
        """Go through the first ceremony up to the import."""
        shown = self.offline("root", "root.json")
        self.pin(shown.split("HAVRE_ARCHIVE_ROOT=")[1][:64])
        for person in people:
            self.enrol(person)
        self.archive("export-readers", "request.json")
        self.offline("sign", "--root", "root.json", "request.json", "signed.json")
        self.offline("recovery", "--root", "root.json", "recovery.json")
        self.months("months.json", "--from", "2026-11", "--count", str(count))

    def months(self, out: str, *which: str) -> None:
        """Make archive keys for those who are signed."""
        given = ("--root", "root.json", "--readers", "signed.json", "--recovery", "recovery.json")
        self.offline("months", *given, *which, out)

    def drill(self, name: str = "drill.json") -> None:
        """Test the recovery."""
        self.archive("export-drill", name)
        self.words.append(self.offline("drill", name).split("server:\n\n")[1].strip())
        self.archive("drill", self.words[-1])

    def whole(self) -> None:
        """Bring the archive into working order for dana and ben."""
        self.begin(dana(), ben())
        self.archive("import", "signed.json", "recovery.json", "months.json")
        self.drill()
        self.archive("activate", "2026-11", "2026-12")
        self.keep_secrets("months.json", dana())

    def keep_secrets(self, name: str, person: Staff) -> None:
        """Note the archive secrets of a file, to look for them later."""
        public = bytes(Reader.objects.get(user_id=person.id, revoked_at=None).public)
        to, secret = ceremony.reader_key_id(person.id), self.secret_of(person)
        for grant in self.room.paper(name).grants:
            if grant.to == to:
                info = ceremony.grant_info(grant.archive, to, public)
                self.secrets.append(hpke.open_with(secret, grant.blob, info))

    def closed(self, when: datetime | None = None) -> UUID:
        """Return a conversation that is over and out of daily work."""
        at = when or self.now
        pk, _ = held_by(ben(), now=at)
        services.post_message(actor=Visitor(pk), conversation_id=pk, client_id="a" * 32, body=SAID, now=at)
        services.end_conversation(actor=ben(), conversation_id=pk, now=at)
        recorded(pk, at)
        services.retire_closed(now=at + timedelta(minutes=15))
        sealing.forget()
        return pk

    def read(self, pk: UUID, person: Staff) -> str:
        """Return what was said, opened with a reader's secret."""
        sealer = archive.open_wrap(log.subject_of(pk), readers.secrets_of(person.id, self.secret_of(person)))
        event = Event.objects.get(conversation=pk, kind="message")
        binding = log.binding_of(event.kind, event.sender, event.client_id, event.staff_seq, event.author_role)
        return sealer.unseal(binding, bytes(event.sealed_body or b"")).reveal()

    def actions(self) -> list[str]:
        """Return what the trail says was done."""
        return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
