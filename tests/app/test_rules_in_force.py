"""A version of the rules comes into force while a process runs; one that is broken stops and loses nothing."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.db import DatabaseError
from django.test import TestCase, override_settings

from chat import hooks, measures
from chat.core.actors import Visitor
from chat.models import Conversation, Event
from chat.services.posting import Post, post_one
from crisis import in_force, proving
from crisis.core import screening
from crisis.core.screening.site_rules import BadSiteRules, Flaw
from crisis.cues import Cues
from crisis.in_force import AGAIN, NoRules, rules
from crisis.models import Escalation, RuleVersion
from frontend.rule_words import problem
from tests.support.people import NOON, alix, ben, held_by
from tests.support.small_rules import instead_of_the_shipped_ones
from tests.unit.test_site_rules import RULE

BROKEN = "this is no toml: the teal kettle"
FAILING = RULE.replace("he has a shed", "the teal kettle sings")


@pytest.fixture(autouse=True)
def _small() -> Iterator[None]:
    with instead_of_the_shipped_ones():
        yield


def version(number: int, text: str = RULE, screens: bool | None = True) -> None:
    """Put a version into the database as no service would, tried or not."""
    RuleVersion.objects.create(
        number=number, rules=text, screens=screens, why="a test", made_by_id=alix().id, made_at=NOON
    )


def look(later: timedelta = timedelta()) -> None:
    async_to_sync(rules.look)(NOON + later)


def level(text: str) -> int | None:
    screener = rules.screener()
    return None if screener is None else screener.screen(text).level


class InForce(TestCase):
    def test_nothing_is_screened_until_the_site_says_so_and_then_within_a_look(self) -> None:
        look()
        assert level("he has a gun") is None
        version(1, "")
        look()
        assert level("he has a gun") == 3
        version(2, "", screens=False)
        look()
        assert level("he has a gun") is None

    @override_settings(SCREENING=True)
    def test_the_environment_says_it_until_somebody_does(self) -> None:
        assert level("he has a gun") == 3, "before the first look too"
        look()
        assert level("he has a gun") == 3
        version(1, RULE, screens=None)
        look()
        assert (level("he has a gun"), level("he has a shed")) == (3, 2)
        version(2, RULE, screens=False)
        look()
        assert level("he has a gun") is None

    def test_a_new_version_replaces_the_one_before_and_a_look_without_one_builds_nothing(self) -> None:
        version(1)
        look()
        assert (level("he has a shed"), measures.rules_version._value.get()) == (2, 1)
        with mock.patch.object(in_force, "made", side_effect=AssertionError):
            look()
        version(2, 'off = ["weapon.gun"]')
        look()
        assert (level("he has a shed"), level("he has a gun"), measures.rules_version._value.get()) == (0, 0, 2)

    def test_it_is_built_on_a_thread_beside_the_loop(self) -> None:
        threads = []
        build = proving.built

        def built(text: str) -> Any:
            threads.append(threading.current_thread())
            return build(text)

        async def looks() -> threading.Thread:
            await rules.look(NOON)
            return threading.current_thread()

        version(1)
        with mock.patch.object(in_force, "built", built):
            loop = async_to_sync(looks)()
        assert len(threads) == 1
        assert threads[0] not in (loop, threading.main_thread())

    def test_one_set_is_built_at_a_time_and_the_loop_goes_on(self) -> None:
        running, most = [0], [0]
        go = threading.Event()

        def work() -> None:
            running[0] += 1
            most[0] = max(most[0], running[0])
            go.wait(5)
            running[0] -= 1

        async def three() -> None:
            tasks = [asyncio.create_task(proving.aside(work)) for _ in range(3)]
            await asyncio.sleep(0)
            go.set()
            await asyncio.gather(*tasks)

        async_to_sync(three)()
        assert most == [1]


@pytest.mark.parametrize("text", [BROKEN, FAILING.replace("he shed", "KNIFE")])
@pytest.mark.django_db
def test_a_version_that_cannot_be_built_leaves_the_old_one(text: str, caplog: pytest.LogCaptureFixture) -> None:
    version(1)
    look()
    version(2, text)
    look()
    assert (level("he has a shed"), level("he has a gun")) == (2, 3)
    assert rules.force is not None
    assert (rules.force.version, rules.force.newest.number) == (1, 2)
    assert measures.rules_failed._value.get() == 1
    assert "version 2 of the screening rules has a flaw" in caplog.text
    assert "kettle" not in caplog.text
    look()
    assert caplog.text.count("version 2") == 1, "it is said once, and not built again every few seconds"
    version(3)
    look()
    assert (rules.force.version, rules.force.flaw, measures.rules_failed._value.get()) == (3, None, 0)


@pytest.mark.django_db
def test_what_failed_in_passing_is_tried_again_within_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    version(1)
    look()
    version(2, RULE.replace("level = 2", "level = 3"))
    with mock.patch.object(in_force, "built", side_effect=MemoryError) as built:
        look()
        look(AGAIN - timedelta(seconds=1))
        assert (level("he has a shed"), built.call_count) == (2, 1)
        look(AGAIN)
        look(AGAIN * 2 - timedelta(seconds=1))
        assert (level("he has a shed"), built.call_count) == (2, 2)
        assert rules.force is not None
        assert "They could not be built: MemoryError" in problem(rules.force.flaw or BadSiteRules(Flaw.TOML))
    look(AGAIN * 2)
    assert (level("he has a shed"), measures.rules_failed._value.get()) == (3, 0)


@pytest.mark.django_db
def test_a_failure_at_the_start_is_tried_again_at_the_first_look(caplog: pytest.LogCaptureFixture) -> None:
    version(1)
    with mock.patch.object(in_force, "built", side_effect=MemoryError):
        rules.load()
    assert level("he has a shed") == 0
    look()
    assert level("he has a shed") == 2


@pytest.mark.django_db
def test_a_clock_that_was_set_back_keeps_nothing_from_being_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    version(1)
    with mock.patch.object(in_force, "built", side_effect=MemoryError):
        look(timedelta(hours=5))
    look()
    assert level("he has a shed") == 2


def test_a_draft_and_the_newest_version_stay_built_side_by_side() -> None:
    draft = RULE.replace("level = 2", "level = 3")
    with mock.patch.object(proving, "build", wraps=screening.build) as build:
        for text in (RULE, draft) * 3:
            proving.built(text)
    assert build.call_count == 2


class Broken(TestCase):
    """Have ben hold ada's conversation, and this process screen by what is in force."""

    def setUp(self) -> None:
        hooks.register_screener(Cues(rules.screener))
        self.addCleanup(hooks._screeners.clear)
        self.pk, _ = held_by(ben())

    def written(self, text: str) -> None:
        done = post_one(Post(Visitor(self.pk), self.pk, uuid4().hex, text, NOON))
        assert Event.objects.filter(client_id=done.result.client_id).exists()

    def test_a_process_that_starts_with_a_broken_version_screens_by_the_shipped_rules(self) -> None:
        version(1, BROKEN)
        with self.assertLogs("crisis.in_force", "ERROR") as logged:
            rules.load()
        assert "kettle" not in logged.output[0]
        self.written("he has a gun, the teal kettle")
        assert Escalation.objects.get().level == 3

    def test_a_version_whose_examples_fail_since_an_update_is_in_force_and_said(self) -> None:
        version(1, FAILING)
        with self.assertLogs("crisis.in_force", "ERROR") as logged:
            look()
        assert "kettle" not in logged.output[0]
        assert level("he has a shed") == 2
        assert rules.force is not None
        assert rules.force.flaw is not None
        assert rules.force.flaw.rule == "site.shed"
        self.written("he has a shed")
        assert Escalation.objects.get().level == 2

    def test_without_any_rules_at_all_messages_are_stored_and_the_failure_is_counted(self) -> None:
        version(1)
        with (
            mock.patch.object(in_force, "built", side_effect=MemoryError),
            mock.patch("crisis.rules.shipped", side_effect=MemoryError),
            self.assertLogs("crisis.in_force", "ERROR"),
        ):
            look()
        with pytest.raises(NoRules):
            rules.screener()
        before = measures.screenings_failed._value.get()
        with self.assertLogs("chat.hooks", "ERROR"):
            self.written("he has a gun")
        assert measures.screenings_failed._value.get() == before + 1
        assert Conversation.objects.get(pk=self.pk).level == 0

    @override_settings(SCREENING=True)
    def test_a_process_that_starts_without_a_database_screens_by_the_shipped_rules(self) -> None:
        with mock.patch.object(in_force, "newest_rules", side_effect=DatabaseError):
            rules.load()
        assert level("he has a gun") == 3
        version(1)
        look()
        assert level("he has a shed") == 2

    def test_readiness_names_a_flaw_and_turns_nobody_away(self) -> None:
        from tests.app.test_rounds import ReadinessStories

        version(1, FAILING)
        with self.assertLogs("crisis.in_force", "ERROR"):
            look()
        status, said = ReadinessStories.asked(self)  # type: ignore[arg-type]
        assert (status, said["rules"]) == (200, False)
