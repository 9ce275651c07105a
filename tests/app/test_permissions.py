"""Walk every command for every person: the owner may, the stranger never."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.test import TestCase

from chat import services
from chat.core.actors import Staff, Visitor
from chat.core.errors import ErrorCode, Refused
from chat.core.pausing import Why
from chat.models import Event
from chat.selectors import conversation_for
from staff.permissions import TABLE, Action, Relation, Role, allowed, allowed_at_all
from tests.support.people import NOON, ben, cleo, dana, eve, held_by, waiting

Command = Callable[[Staff, UUID], object]

COMMANDS: dict[str, Command] = {
    "message": lambda who, pk: services.post_message(
        actor=who, conversation_id=pk, client_id="b" * 32, body="hello", now=NOON
    ),
    "note": lambda who, pk: services.write_note(
        actor=who, conversation_id=pk, client_id="c" * 32, body="hello", now=NOON
    ),
    "read": lambda who, pk: services.read_conversation(actor=who, conversation_id=pk, after=0, now=NOON),
    "mark": lambda who, pk: services.mark_read(actor=who, conversation_id=pk, up_to=1, now=NOON),
    "take": lambda who, pk: services.take(actor=who, conversation_id=pk, now=NOON),
    "decline": lambda who, pk: services.decline(actor=who, conversation_id=pk, now=NOON),
    "pause": lambda who, pk: services.pause(actor=who, conversation_id=pk, minutes=15, why=Why.ABUSE, now=NOON),
    "lift": lambda who, pk: services.lift_pause(actor=who, conversation_id=pk, now=NOON),
    "end": lambda who, pk: services.end_conversation(actor=who, conversation_id=pk, now=NOON),
    "close": lambda who, pk: services.close_conversation(actor=who, conversation_id=pk, now=NOON),
}
SUPERVISOR_MAY = {"note", "read", "mark", "pause", "lift"}
SITE_WIDE = {
    *(Action.SEE_ON_CALL, Action.TEST_ON_CALL, Action.SET_ON_CALL, Action.SET_LADDER),
    *(Action.SEE_DUTY, Action.EDIT_DUTY),
    *(Action.SEE_RULES, Action.SET_RULES),
    *(Action.SEE_DRILLS, Action.START_DRILL),
}
"""What an administrator does: about no conversation and no case."""


class PermissionStories(TestCase):
    def test_strangers_change_and_read_nothing_of_a_held_conversation(self) -> None:
        pk, _ = held_by(ben())
        before = Event.objects.count()
        for stranger in (cleo(), eve()):
            for name, command in COMMANDS.items():
                with self.subTest(who=stranger.name, command=name), pytest.raises(Refused):
                    command(stranger, pk)
        assert Event.objects.count() == before

    def test_a_supervisor_reads_and_notes_but_does_not_write_in_another_s_name(self) -> None:
        pk, _ = held_by(ben())
        for name, command in COMMANDS.items():
            with self.subTest(command=name):
                if name in SUPERVISOR_MAY:
                    command(dana(), pk)
                else:
                    with pytest.raises(Refused):
                        command(dana(), pk)

    def test_one_visitor_s_token_opens_no_other_conversation(self) -> None:
        mine, _ = waiting()
        other, _ = waiting()
        with pytest.raises(Refused) as caught:
            services.post_message(
                actor=Visitor(mine), conversation_id=other, client_id="d" * 32, body="hello", now=NOON
            )
        assert caught.value.code == ErrorCode.NOT_FOUND

    def test_the_second_taker_is_told_so(self) -> None:
        pk, _ = held_by(ben())
        with pytest.raises(Refused) as caught:
            services.take(actor=cleo(), conversation_id=pk, now=NOON)
        assert caught.value.code == ErrorCode.ALREADY_TAKEN

    def test_roles_without_content_may_do_what_is_about_the_site_and_open_nothing_with_it(self) -> None:
        pk, _ = held_by(ben())
        empty, _ = waiting()
        gus = Staff(id=eve().id, role="administrator", name="Gus", language="en")
        assert set(Action) == set(TABLE)
        for action in Action:
            assert not allowed_at_all(Role.ANALYST, action)
            assert not allowed_at_all("unheard-of", action)
            assert allowed_at_all(Role.ADMINISTRATOR, action) is (action in SITE_WIDE)
            for relation in set(Relation) - {Relation.SITE}:
                for name in (Role.ADMINISTRATOR, Role.ANALYST, "unheard-of"):
                    assert not allowed(name, action, relation)
            for stranger in (gus, eve()):
                for conversation in (pk, empty):
                    with self.subTest(action=action, who=stranger.role), pytest.raises(Refused):
                        conversation_for(stranger, conversation, action)
