"""A hold ends before its day by as many people and as much proof as it took to make it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from unittest import mock
from uuid import UUID

import pytest
from django.db import IntegrityError, OperationalError, transaction

from audit.models import AuditEvent
from chat import services
from chat.core.actors import Staff
from chat.core.errors import ErrorCode
from chat.models import Hold, HoldEnd
from chat.selectors.archive import archived_row
from chat.selectors.borne_out import unborne
from encryption.providers import ProviderDown
from encryption.services import sealing
from encryption.services.unlock import Unlocked
from tests.support.archive_stories import DAY, LATER, NOTED, SAID, WHY_END, ArchiveStories
from tests.support.people import NOON, ben, cleo, conversation, dana, eve

Command = Callable[[Staff, Unlocked | None], object]
WAITS = timedelta(hours=24)


class Ends(ArchiveStories):
    """Have a conversation that is kept for the law, and look whether it still is."""

    def setUp(self) -> None:
        super().setUp()
        self.pk = self.closed()
        self.kept = self.held(self.pk)
        self.fay = self.second()

    def confirm(self, end: UUID, who: Staff | None = None, now: datetime = LATER) -> None:
        person = who or self.fay
        services.confirm_hold_end(actor=person, unlocked=self.key_of(person, now), end_id=end, now=now)

    def withdraw(self, end: UUID, who: Staff, now: datetime = LATER) -> None:
        services.withdraw_hold_end(actor=who, unlocked=self.key_of(who, now), end_id=end, now=now)

    def assert_kept(self) -> None:
        assert Hold.objects.get(pk=self.kept).ended_at is None
        assert any(epoch.startswith("hold-") for epoch in sealing.provider().list_epochs())
        services.tend_keys(now=NOON + 40 * DAY)
        assert self.read(self.pk, dana(), self.key_of(dana())) == [SAID, NOTED], "kept beyond its ordinary day"

    def assert_gone(self) -> None:
        assert not any(epoch.startswith("hold-") for epoch in sealing.provider().list_epochs())
        services.tend_keys(now=NOON + 40 * DAY)
        assert self.refused(lambda: self.read(self.pk, dana(), self.key_of(dana()))) is ErrorCode.GONE

    def told(self, action: str) -> list[tuple[str, dict[str, object]]]:
        return list(AuditEvent.objects.filter(action=action).order_by("pk").values_list("actor", "data"))


class TwoPeople(Ends):
    def test_two_people_let_it_go_and_it_falls_back_to_its_ordinary_day(self) -> None:
        end = self.ask_end(self.kept)
        self.confirm(end)
        assert self.read(self.pk, dana(), self.key_of(dana())) == [SAID, NOTED], "its own day has not come"
        named = {"hold": str(self.kept), "end": str(end)}
        assert self.told("hold.end_asked") == [(str(dana()), named)]
        assert self.told("hold.ended") == [(str(self.fay), named)]
        assert unborne() == []
        self.assert_gone()

    def test_a_repeat_changes_nothing(self) -> None:
        end = self.ask_end(self.kept)
        for _ in range(2):
            self.confirm(end)
        assert len(self.told("hold.ended")) == 1
        self.assert_gone()

    def test_one_person_alone_ends_nothing(self) -> None:
        end = self.ask_end(self.kept)
        assert self.refused(lambda: self.confirm(end, dana())) is ErrorCode.SECOND_PERSON
        assert self.told("hold.ended") == []
        self.assert_kept()

    def test_who_asked_to_keep_it_may_confirm_its_end_and_who_confirmed_may_ask(self) -> None:
        key = self.key_of(self.fay)
        end = services.ask_hold_end(actor=self.fay, unlocked=key, hold_id=self.kept, reason=WHY_END, now=LATER).result
        self.confirm(end, dana())
        self.assert_gone()

    def test_the_database_refuses_one_person_twice(self) -> None:
        end = self.ask_end(self.kept)
        with pytest.raises(IntegrityError), transaction.atomic():
            HoldEnd.objects.filter(pk=end).update(confirmed_by_id=dana().id)

    def test_strangers_neither_ask_nor_confirm_nor_withdraw_nor_learn_why(self) -> None:
        end = self.ask_end(self.kept)
        for person in (ben(), cleo(), eve()):
            if person.id not in self.written_down:
                self.written_down[person.id] = self.keys.enrol(person, NOON)
            key = self.key_of(person)
            for name, command in self.commands(self.kept, end).items():
                with self.subTest(who=person.name, command=name):
                    code = self.refused(lambda command=command, person=person, key=key: command(person, key))
                    assert code in {ErrorCode.NOT_FOUND, ErrorCode.FORBIDDEN}
            with self.subTest(who=person.name, command="reason"):
                code = self.refused(
                    lambda person=person: services.read_hold_end_reason(actor=person, end_id=end, now=LATER)
                )
                assert code in {ErrorCode.NOT_FOUND, ErrorCode.FORBIDDEN}
        assert self.told("hold.end_reason_read") == []
        self.assert_kept()

    def commands(self, hold: UUID, end: UUID) -> dict[str, Command]:
        """Return everything that can be done about a hold's end, and the withdrawal of a hold."""
        return {
            "ask": lambda who, key: services.ask_hold_end(actor=who, unlocked=key, hold_id=hold, reason="x", now=LATER),
            "confirm": lambda who, key: services.confirm_hold_end(actor=who, unlocked=key, end_id=end, now=LATER),
            "withdraw": lambda who, key: services.withdraw_hold_end(actor=who, unlocked=key, end_id=end, now=LATER),
            "withdraw the hold": lambda who, key: services.withdraw_hold(
                actor=who, unlocked=key, hold_id=hold, now=LATER
            ),
        }

    def test_nothing_without_a_fresh_proof_of_ones_own(self) -> None:
        end = self.ask_end(self.kept)
        stale = replace(self.key_of(self.fay), fresh=False)
        theirs = self.key_of(dana())
        for name, command in self.commands(self.kept, end).items():
            for key in (None, stale, theirs):
                with self.subTest(command=name, key=key):
                    code = self.refused(lambda command=command, key=key: command(self.fay, key))
                    assert code is ErrorCode.LOCKED
        assert HoldEnd.objects.get().closed_at is None
        self.assert_kept()

    def test_no_end_without_a_reason_which_stays_sealed(self) -> None:
        key = self.key_of(dana())
        for reason in ("", " \u200b "):
            code = self.refused(
                lambda reason=reason: services.ask_hold_end(
                    actor=dana(), unlocked=key, hold_id=self.kept, reason=reason, now=LATER
                )
            )
            assert code is ErrorCode.REASON_MISSING
        assert not HoldEnd.objects.exists()
        end = self.ask_end(self.kept)
        assert WHY_END.encode() not in bytes(HoldEnd.objects.get().sealed_reason)
        done = services.read_hold_end_reason(actor=self.fay, end_id=end, now=LATER)
        assert done.result.reveal() == WHY_END
        assert self.told("hold.end_reason_read") == [(str(self.fay), {"hold": str(self.kept), "end": str(end)})]
        for event in AuditEvent.objects.all():
            assert WHY_END not in str(event.data)
        other = HoldEnd.objects.create(
            hold_id=self.held(self.closed(NOON + timedelta(minutes=1))),
            sealed_reason=HoldEnd.objects.get().sealed_reason,
            asked_by_id=dana().id,
            asked_at=LATER,
        )
        with pytest.raises(sealing.KeyGone):
            services.read_hold_end_reason(actor=self.fay, end_id=other.pk, now=LATER)


class Unfinished(Ends):
    def test_what_nobody_confirms_within_a_day_lapses_and_can_be_asked_anew(self) -> None:
        end = self.ask_end(self.kept)
        last = LATER + WAITS - timedelta(microseconds=1)
        row = archived_row(dana(), conversation(self.pk), last)
        assert row.hold is not None
        assert row.hold.end is not None
        at = LATER + WAITS
        row = archived_row(dana(), conversation(self.pk), at)
        assert row.hold is not None
        assert row.hold.end is None
        assert self.refused(lambda: self.confirm(end, now=at)) is ErrorCode.WRONG_STATE
        again = self.ask_end(self.kept, at)
        assert again != end
        assert self.told("hold.end_lapsed") == [("system", {"hold": str(self.kept), "end": str(end)})]
        assert self.refused(lambda: self.confirm(end, now=at)) is ErrorCode.WRONG_STATE
        assert unborne() == []
        self.assert_kept()

    def test_just_in_time_is_in_time(self) -> None:
        self.confirm(self.ask_end(self.kept), now=LATER + WAITS - timedelta(microseconds=1))
        self.assert_gone()

    def test_who_asked_takes_it_back_and_a_colleague_may_say_no(self) -> None:
        for who in (dana(), self.fay):
            end = self.ask_end(self.kept)
            for _ in range(2):
                self.withdraw(end, who)
            assert self.refused(lambda end=end: self.confirm(end)) is ErrorCode.WRONG_STATE
        assert [actor for actor, _ in self.told("hold.end_withdrawn")] == [str(dana()), str(self.fay)]
        assert unborne() == []
        self.assert_kept()

    def test_what_was_confirmed_is_not_taken_back(self) -> None:
        end = self.ask_end(self.kept)
        self.confirm(end)
        assert self.refused(lambda: self.withdraw(end, dana())) is ErrorCode.WRONG_STATE
        self.assert_gone()

    def test_it_is_asked_for_once_at_a_time(self) -> None:
        self.ask_end(self.kept)
        assert self.refused(lambda: self.ask_end(self.kept)) is ErrorCode.END_ASKED
        assert HoldEnd.objects.count() == 1
        assert len(self.told("hold.end_asked")) == 1

    def test_only_what_stands_can_end(self) -> None:
        other = self.closed(NOON + timedelta(minutes=1))
        asked = self.hold(other)
        assert self.refused(lambda: self.ask_end(asked)) is ErrorCode.WRONG_STATE, "nobody has confirmed it"
        self.let_go(self.kept)
        assert self.refused(lambda: self.ask_end(self.kept)) is ErrorCode.WRONG_STATE, "it has ended"

    def test_its_own_day_ends_it_whoever_asked_what(self) -> None:
        over = datetime(2027, 7, 1, tzinfo=NOON.tzinfo)
        asked = over - timedelta(hours=1)
        end = self.ask_end(self.kept, asked)
        assert self.refused(lambda: self.confirm(end, now=over)) is ErrorCode.WRONG_STATE
        assert self.refused(lambda: self.ask_end(self.kept, over)) is ErrorCode.WRONG_STATE
        services.tend_keys(now=over)
        assert self.refused(lambda: self.read(self.pk, dana(), self.key_of(dana()))) is ErrorCode.GONE
        assert conversation(self.pk).purged_at == over
        assert unborne() == []

    def test_an_outage_while_it_ends_is_made_good_by_the_next_round(self) -> None:
        end = self.ask_end(self.kept)
        with mock.patch.object(sealing.provider(), "list_epochs", side_effect=ProviderDown("hold")):
            assert self.refused(lambda: self.confirm(end)) is ErrorCode.OURS
        assert any(epoch.startswith("hold-") for epoch in sealing.provider().list_epochs())
        assert Hold.objects.get().ended_at == LATER
        services.tend_keys(now=LATER)
        self.assert_gone()

    def test_an_outage_while_it_is_asked_changes_nothing(self) -> None:
        with mock.patch.object(sealing.provider(), "wrap", side_effect=ProviderDown("std")):
            assert self.refused(lambda: self.ask_end(self.kept)) is ErrorCode.OURS
        assert not HoldEnd.objects.exists()
        assert self.told("hold.end_asked") == []

    def test_what_the_trail_does_not_take_is_not_done(self) -> None:
        def fails(work: Callable[[], object]) -> None:
            before = list(HoldEnd.objects.values())
            with (
                mock.patch("chat.services.hold_ends.put_on_trail", side_effect=OperationalError),
                pytest.raises(OperationalError),
                transaction.atomic(),
            ):
                work()
            assert list(HoldEnd.objects.values()) == before

        fails(lambda: self.ask_end(self.kept))
        end = self.ask_end(self.kept)
        fails(lambda: self.confirm(end))
        fails(lambda: self.withdraw(end, dana()))
        self.assert_kept()

    def test_the_key_lives_until_the_trail_says_that_it_ends(self) -> None:
        end, seen = self.ask_end(self.kept), list[str]()
        real = sealing.provider().destroy_epoch

        def noting(epoch: str) -> bool:
            seen.extend(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
            return real(epoch)

        with mock.patch.object(sealing.provider(), "destroy_epoch", side_effect=noting):
            self.confirm(end)
        assert seen[-2:] == ["hold.ended", "epoch.ending"]


class Withdrawn(ArchiveStories):
    def withdraw(self, hold: UUID, who: Staff) -> None:
        services.withdraw_hold(actor=who, unlocked=self.key_of(who), hold_id=hold, now=LATER)

    def test_who_asked_takes_an_unconfirmed_hold_back_and_nobody_else(self) -> None:
        pk = self.closed()
        hold, fay = self.hold(pk), self.second()
        assert self.refused(lambda: self.withdraw(hold, fay)) is ErrorCode.FIRST_PERSON
        assert self.refused(lambda: self.erase(pk)) is ErrorCode.ON_HOLD
        for _ in range(2):
            self.withdraw(hold, dana())
        assert AuditEvent.objects.filter(action="hold.withdrawn").count() == 1
        code = self.refused(
            lambda: services.confirm_hold(actor=fay, unlocked=self.key_of(fay), hold_id=hold, now=LATER)
        )
        assert code is ErrorCode.WRONG_STATE
        assert unborne() == []
        self.erase(pk)
        assert conversation(pk).erase_asked_at == LATER

    def test_a_confirmed_one_takes_two(self) -> None:
        hold = self.held(self.closed())
        assert self.refused(lambda: self.withdraw(hold, dana())) is ErrorCode.WRONG_STATE
        assert Hold.objects.get().ended_at is None

    def test_one_that_lapsed_is_borne_out(self) -> None:
        pk = self.closed()
        self.hold(pk)
        self.erase(pk, LATER + WAITS)
        assert Hold.objects.get().ended_at == LATER + WAITS
        assert unborne() == []


class WrittenInTheDatabase(ArchiveStories):
    """Do as a database writer would, who has no second person."""

    def setUp(self) -> None:
        super().setUp()
        self.kept = self.held(self.closed())

    def test_a_confirmation_that_no_event_tells_of(self) -> None:
        end = self.ask_end(self.kept)
        HoldEnd.objects.update(confirmed_by_id=self.second().id, closed_at=LATER)
        assert unborne() == [f"end {end} of hold {self.kept}: confirmed in the database, and no event says so"]

    def test_a_wish_that_no_event_tells_of(self) -> None:
        row = HoldEnd.objects.create(hold_id=self.kept, sealed_reason=b"x", asked_by_id=dana().id, asked_at=LATER)
        assert unborne() == [f"end {row.pk} of hold {self.kept}: asked for in the database, and no event says so"]

    def test_somebody_else_written_as_who_asked_so_that_one_person_does_both(self) -> None:
        end = self.ask_end(self.kept)
        HoldEnd.objects.update(asked_by_id=self.second().id)
        services.confirm_hold_end(actor=dana(), unlocked=self.key_of(dana()), end_id=end, now=LATER)
        (line,) = unborne()
        assert line.startswith(f"hold {self.kept}: ended by event")
        assert line.endswith("and no second person had asked for it")

    def test_a_confirmed_hold_written_as_unconfirmed_and_taken_back(self) -> None:
        row = Hold.objects.values("confirmed_by_id", "confirmed_at").get()
        Hold.objects.update(confirmed_by_id=None, confirmed_at=None)
        services.withdraw_hold(actor=dana(), unlocked=self.key_of(dana()), hold_id=self.kept, now=LATER)
        assert "the database says otherwise" in "".join(unborne())
        Hold.objects.update(**row)
        (line,) = unborne()
        assert line.startswith(f"hold {self.kept}: confirmed, and ended by event")
