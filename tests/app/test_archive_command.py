"""The whole key ceremony, and every way to cheat in it or to stumble."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from encryption.core import archive as hpke
from encryption.core import ceremony, papers
from encryption.core.envelope import NotAuthentic
from encryption.core.papers import Paper
from encryption.core.subject import Subject
from encryption.models import ArchiveKey, Grant, Reader, RecoveryKey
from encryption.services import KeyGone, readers, sealer_for
from staff.models import User
from tests.support.ceremony import SAID, CeremonyStories
from tests.support.people import NOON, ben, cleo, dana

MALLORY = Ed25519PrivateKey.generate()


class FirstCeremony(CeremonyStories):
    def test_a_closed_conversation_opens_for_each_reader_and_after_them_by_two_shares(self) -> None:
        self.whole()
        pk = self.closed()
        with pytest.raises(KeyGone):
            sealer_for(Subject("conversation", pk))
        assert (self.read(pk, dana()), self.read(pk, ben())) == (SAID, SAID)
        self.archive("revoke", "dana")
        self.archive("revoke", "ben")
        with pytest.raises(readers.NotReader):
            self.read(pk, dana())
        self.enrol(cleo())
        with pytest.raises(KeyGone):
            self.read(pk, cleo())
        self.archive("export-readers", "late.json")
        self.archive("export-drill", "lost.json")
        self.offline("sign", "--root", "root.json", "late.json", "new.json")
        self.room.bring = (3, 2)
        self.offline("recover", "--root", "root.json", "--readers", "new.json", "lost.json", "back.json")
        said = self.archive("import", "back.json")
        assert "1 signed reader, 2 grants" in said
        assert self.read(pk, cleo()) == SAID

    def test_a_second_import_changes_nothing(self) -> None:
        self.whole()
        before, grants = self.actions(), list(Grant.objects.order_by("pk").values_list("blob", "made_at"))
        said = self.archive("import", "months.json", "recovery.json", "signed.json")
        assert "nothing changed" in said
        assert self.actions() == before
        assert list(Grant.objects.order_by("pk").values_list("blob", "made_at")) == grants

    def test_the_trail_tells_of_every_step(self) -> None:
        self.whole()
        done = self.actions()
        assert done.count("reader.signed") == 2
        assert done.count("archive_key.granted") == 6
        for action in (
            "readers.exported",
            "recovery_key.published",
            "archive_key.published",
            "recovery_key.drill_begun",
            "recovery_key.tested",
            "archive_key.activated",
        ):
            assert action in done, action

    def test_status_says_what_comes_next(self) -> None:
        self.pin("")
        assert "! No root is pinned" in self.archive("status")
        assert "No root is pinned" in self.refused("export-readers", "x.json")
        self.begin(dana(), ben())
        said = self.archive("status")
        for words in ("none is signed", "NOT SIGNED", "There is no recovery key", "This month's key: NONE"):
            assert words in said
        self.archive("import", "months.json")
        assert "not tested" in self.archive("status")
        self.drill()
        assert "2026-11 to 2026-12 (2 keys) are not active. Next: archive activate --new." in self.archive("status")
        assert "Active: 2026-11, 2026-12." in self.archive("activate", "--new")
        assert "No key waits" in self.refused("activate", "--new")
        said = self.archive("status")
        assert said.endswith("Nothing is to be done.\n")
        assert Reader.objects.count() == 2
        for reader in Reader.objects.all():
            assert hpke.fingerprint(bytes(reader.public)) in said
        self.now = NOON + timedelta(days=30)
        assert "! 2027-01 has no active key" in self.archive("status")


class Refusals(CeremonyStories):
    def spoil(self, name: str, out: str, **changes: object) -> None:
        """Write a changed file that still carries the signature of the whole one."""
        paper = replace(self.room.paper(name), **changes)  # type: ignore[arg-type]
        (self.folder / out).write_text(papers.written(paper))

    def unchanged(self) -> bool:
        """Tell whether nothing was taken in."""
        return not (
            ArchiveKey.objects.exists()
            or RecoveryKey.objects.exists()
            or Grant.objects.exists()
            or Reader.objects.filter(signature__isnull=False).exists()
        )

    def test_a_readers_key_that_was_swapped_in_the_file_is_refused(self) -> None:
        self.begin(dana(), ben())
        mallory = hpke.new_pair()
        first, second = self.room.paper("signed.json").readers
        self.spoil("signed.json", "swapped.json", readers=(replace(first, public=mallory.public), second))
        assert "not what the site's root signed" in self.refused("import", "swapped.json")
        assert self.unchanged()
        assert self.actions()[-1] == "archive.import_refused"

    def test_a_readers_key_that_was_swapped_in_the_database_after_signing_is_refused(self) -> None:
        self.begin(dana(), ben())
        Reader.objects.filter(user_id=dana().id).update(public=hpke.new_pair().public)
        said = self.refused("import", "signed.json", "recovery.json", "months.json")
        assert f"Dana (account {dana().id}) is no reader with this key any more" in said
        assert self.unchanged(), "all or nothing"

    def test_a_key_swapped_before_signing_is_what_the_sixteen_signs_are_for(self) -> None:
        self.begin(dana(), ben())
        true = hpke.fingerprint(bytes(Reader.objects.get(user_id=dana().id).public))
        Reader.objects.filter(user_id=dana().id).update(public=hpke.new_pair().public)
        self.archive("export-readers", "evil.json")
        self.room.refused = ("Dana",)
        assert true not in self.offline("sign", "--root", "root.json", "evil.json", "checked.json")
        assert [one.name for one in self.room.paper("checked.json").readers] == ["Ben"]

    def test_the_sixteen_signs_are_read_again_for_a_key_that_was_signed_before(self) -> None:
        self.begin(dana(), ben())
        self.archive("import", "signed.json")
        self.archive("export-readers", "later.json")
        shown = self.offline("sign", "--root", "root.json", "later.json", "again.json")
        assert shown.count("do they read you the same sixteen signs?") == 2
        assert "signed before" not in shown
        whole = self.room.paper("later.json")
        renamed = replace(whole, readers=tuple(replace(one, name="Dana") for one in whole.readers))
        (self.folder / "relabelled.json").write_text(papers.written(renamed))
        self.room.refused = (whole.readers[1].fingerprint(),)
        self.offline("sign", "--root", "root.json", "relabelled.json", "rest.json")
        assert [one.user_id for one in self.room.paper("rest.json").readers] == [whole.readers[0].user_id]

    def test_a_forged_month_is_refused_however_it_is_forged(self) -> None:
        self.begin(dana(), ben())
        whole = self.room.paper("months.json")
        pair = hpke.new_pair()
        forged = replace(whole.keys[0], public=pair.public)
        resigned = replace(forged, signature=hpke.sign_public(MALLORY, "archive:2026-11", pair.public))
        grant = whole.grants[0]
        self.spoil("months.json", "key.json", keys=(forged, *whole.keys[1:]))
        self.spoil("months.json", "resigned.json", keys=(resigned, *whole.keys[1:]))
        self.spoil("months.json", "grant.json", grants=(replace(grant, blob=bytes(len(grant.blob))), *whole.grants[1:]))
        self.write("mallory.json", papers.sign(replace(whole, signature=b""), MALLORY))
        self.spoil("months.json", "bare.json", signature=b"")
        for name in ("key", "resigned", "grant", "mallory", "bare"):
            assert "not what the site's root signed" in self.refused("import", f"{name}.json"), name
            assert self.unchanged(), name

    def test_a_forged_key_inside_a_file_that_the_root_signed_is_refused_too(self) -> None:
        self.begin(dana(), ben())
        root = ceremony.open_root(papers.read_root((self.folder / "root.json").read_text()), self.room.phrase)
        whole, pair = self.room.paper("months.json"), hpke.new_pair()
        forged = replace(whole.keys[1], public=pair.public)
        self.write("inner.json", papers.sign(replace(whole, keys=(whole.keys[0], forged), signature=b""), root))
        assert "archive:2026-12" in self.refused("import", "inner.json")
        assert self.unchanged(), "all or nothing"

    def write(self, name: str, paper: Paper) -> None:
        """Write a file."""
        (self.folder / name).write_text(papers.written(paper))

    def test_another_key_of_the_same_name_is_refused(self) -> None:
        self.whole()
        self.months("again.json", "--from", "2026-12", "--count", "1")
        assert "Next: make 2026-12.2 instead" in self.refused("import", "again.json")

    def test_what_is_no_file_is_refused_in_words(self) -> None:
        self.begin(dana(), ben())
        (self.folder / "bad.json").write_text("{")
        (self.folder / "raw.json").write_bytes(b"\xff\xfe")
        for name, words in (("none", "cannot be read"), ("bad", "damaged"), ("raw", "not a file"), ("request", "kind")):
            assert words in self.refused("import", f"{name}.json")
        assert "never written over" in self.refused("export-readers", "request.json")

    def test_one_reader_is_not_enough(self) -> None:
        self.begin(dana(), ben())
        self.archive("import", "months.json")
        self.drill()
        self.archive("revoke", "ben")
        said = self.refused("activate", "2026-11")
        assert "2026-11: Two readers are needed; one has this key. Next:" in said
        assert not ArchiveKey.objects.filter(activated_at__isnull=False).exists()

    def test_without_a_drill_nothing_is_activated(self) -> None:
        self.begin(dana(), ben())
        self.archive("import", "months.json")
        assert "The recovery was not tested" in self.refused("activate", "2026-11")
        assert "no such archive key" in self.refused("activate", "2027-01")
        self.drill()
        self.now = NOON + timedelta(days=401)
        assert "The recovery was not tested" in self.refused("activate", "2026-11")
        self.now = NOON
        assert "no such archive key" in self.refused("activate", "2026-11", "2031-01")
        assert not ArchiveKey.objects.filter(activated_at__isnull=False).exists(), "all or none"
        self.archive("activate", "2026-11")


class Drills(CeremonyStories):
    def test_a_wrong_answer_is_refused_and_in_the_trail(self) -> None:
        self.begin(dana(), ben())
        self.archive("import", "months.json")
        self.archive("export-drill", "drill.json")
        for wrong in ("", "AAAA-BBBB-CCCC-DDDD"):
            assert "answers no drill" in self.refused("drill", wrong)
            assert self.actions()[-1] == "recovery_key.drill_refused"
        assert RecoveryKey.objects.get().tested_at is None

    def test_an_answer_counts_once_and_only_for_the_newest_drill(self) -> None:
        self.begin(dana(), ben())
        self.archive("import", "months.json")
        self.archive("export-drill", "old.json")
        old = self.offline("drill", "old.json").split("server:\n\n")[1].strip()
        self.drill()
        assert RecoveryKey.objects.get().tested_at == NOON
        for used in (old, self.words[-1]):
            assert "answers no drill" in self.refused("drill", used)

    def test_the_database_holds_no_answer(self) -> None:
        self.begin(dana(), ben())
        self.archive("import", "months.json")
        self.archive("export-drill", "drill.json")
        code = self.offline("drill", "drill.json").split("server:\n\n")[1].strip()
        row = RecoveryKey.objects.get()
        assert bytes(row.drill or b"") == ceremony.answer_digest(row.name, code)
        assert code not in (self.folder / "drill.json").read_text()

    def test_a_recovery_key_that_was_swapped_gets_no_challenge(self) -> None:
        self.begin(dana(), ben())
        assert "no such recovery key" in self.refused("export-drill", "drill.json")
        self.archive("import", "months.json")
        RecoveryKey.objects.update(public=hpke.new_pair().public)
        assert "is not signed by the pinned root" in self.refused("export-drill", "drill.json")


class Readers(CeremonyStories):
    def sign_cleo(self) -> None:
        """Bring cleo's key to the root and back."""
        self.enrol(cleo())
        self.archive("export-readers", "more.json")
        self.offline("sign", "--root", "root.json", "more.json", "more-signed.json")
        self.archive("import", "more-signed.json")

    def test_a_new_reader_gets_everything_from_one_who_has_it(self) -> None:
        self.whole()
        pk = self.closed()
        phrase = self.cards[dana().id].phrase
        cleo()
        assert "no signed reader" in self.refused("grant", "--to", "cleo", "--by", "dana", stdin=phrase)
        self.sign_cleo()
        assert "Cleo cannot open this month's key" in self.archive("status")
        assert "That is not the phrase of dana" in self.refused("grant", "--to", "cleo", "--by", "dana", stdin="a b c")
        assert self.actions()[-1] == "reader.unlock_refused"
        assert not Grant.objects.filter(reader__user_id=cleo().id).exists()
        assert "cleo has 2 keys" in self.archive("grant", "--to", "cleo", "--by", "dana", stdin=f"{phrase}\n")
        assert self.read(pk, cleo()) == SAID
        assert "no account" in self.refused("grant", "--to", "nobody", "--by", "dana", stdin=phrase)

    def test_the_service_gives_nothing_to_an_unsigned_or_swapped_key(self) -> None:
        self.whole()
        self.enrol(cleo())
        secret = self.secret_of(dana())
        with pytest.raises(readers.NotReader):
            readers.grant_all(to_user=cleo().id, by_user=dana().id, secret=secret, now=NOON)
        Reader.objects.filter(user_id=cleo().id).update(signature=bytes(64))
        with pytest.raises(hpke.NotOurs):
            readers.grant_all(to_user=cleo().id, by_user=dana().id, secret=secret, now=NOON)
        assert not Grant.objects.filter(reader__user_id=cleo().id).exists()

    def test_who_was_revoked_comes_back_by_no_old_file(self) -> None:
        self.whole()
        self.sign_cleo()
        self.archive("revoke", "ben")
        assert "no reader" in self.refused("revoke", "ben")
        for name in ("months.json", "signed.json"):
            assert "Ben" in self.refused("import", name)
        assert not Grant.objects.filter(reader__user_id=ben().id).exists()
        with pytest.raises(readers.NotReader):
            self.secret_of(ben())

    def test_a_disabled_account_is_not_exported_and_is_told_of(self) -> None:
        self.whole()
        User.objects.filter(pk=ben().id).update(is_active=False)
        self.archive("export-readers", "rest.json")
        assert [one.name for one in self.room.paper("rest.json").readers] == ["Dana"]
        assert "out of use but still a reader" in self.archive("status")
        self.archive("revoke", "ben")
        assert "out of use" not in self.archive("status")

    def test_after_a_departure_status_names_what_the_leaver_may_have(self) -> None:
        self.whole()
        self.sign_cleo()
        self.archive("grant", "--to", "cleo", "--by", "dana", stdin=self.cards[dana().id].phrase)
        self.closed()
        self.now = NOON + timedelta(hours=1)
        said = self.archive("revoke", "ben")
        assert "2026-11 to 2026-12 (2 keys) were made before a reader left" in said
        assert "Next: offline months --from 2026-11.2 --count 2" in said
        self.now = NOON + timedelta(hours=2)
        self.archive("export-readers", "rest.json")
        self.offline("sign", "--root", "root.json", "rest.json", "signed2.json")
        given = ("--root", "root.json", "--readers", "signed2.json", "--recovery", "recovery.json")
        self.offline("months", *given, "--from", "2026-11.2", "--count", "2", "months2.json")
        self.archive("import", "months2.json")
        self.archive("activate", "2026-11.2", "2026-12.2")
        said = self.archive("status")
        assert "before a reader left" not in said
        assert "1 conversation is sealed to 2026-11, which that reader may have" in said
        assert "Next: archive rekey 2026-11 2026-11.2 --by USERNAME." in said
        self.archive("rekey", "2026-11", "2026-11.2", "--by", "dana", stdin=self.cards[dana().id].phrase)
        assert self.archive("status").endswith("Nothing is to be done.\n")


class NewRoot(CeremonyStories):
    def test_after_a_change_of_root_status_names_the_months_in_which_nothing_could_begin(self) -> None:
        self.whole()
        pk = self.closed()
        self.pin(ceremony.root_public(MALLORY).hex())
        said = self.archive("status")
        assert "archive:2026-11 is NOT SIGNED by the pinned root. No conversation can begin." in said
        assert "2026-11 to 2026-12 (2 keys) were signed by another root" in said
        assert "Next: offline months --from 2026-11.2 --count 2" in said
        with pytest.raises(NotAuthentic):
            # the old root is part of each lock: docs/key-ceremony.md says so
            self.read(pk, dana())


class Machine(CeremonyStories):
    def test_the_search_of_each_story_would_find_a_secret(self) -> None:
        self.whole()
        lost = self.cards[dana().id].phrase
        for place in (lost.upper(), f"x {self.secrets[-1].hex()}", json.dumps({"x": self.words[-1]})):
            with pytest.raises(AssertionError, match="logs"):
                self.search(place)

    def test_an_unknown_step_is_refused(self) -> None:
        assert "invalid choice" in self.refused("open-sesame")
