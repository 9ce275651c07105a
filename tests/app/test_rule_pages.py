"""The pages of the screening rules: alix changes them, dana looks and tries, nobody else comes near."""

import json
import re
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, TestCase
from django.urls import reverse

from audit.models import AuditEvent
from crisis import proving, services
from crisis.core.screening.site_rules import BadSiteRules, SiteRules, read
from crisis.in_force import rules
from crisis.models import RuleVersion
from crisis.services.rules import MovedOn, NoReason
from staff.models import User
from tests.app.test_on_call_pages import signed_in
from tests.support.people import NOON, alix, ben, dana, eve
from tests.support.small_rules import SHIPPED, instead_of_the_shipped_ones
from tests.unit.test_site_rules import RULE

KETTLE = "the teal kettle has a gun, he has a gun and a shed"


@pytest.fixture(autouse=True)
def _small() -> Iterator[None]:
    # the pace is tried on the longest text elsewhere (`test_rule_strain.py`); here it would be most of the time
    with instead_of_the_shipped_ones(), mock.patch.object(proving, "LONG", 400):
        yield


def words(answer: Any) -> str:
    """Return what an answer says, its markup taken out."""
    text = re.sub(r"<[^>]+>", "", answer.content.decode())
    return re.sub(r"\s+", " ", text.replace("&quot;", '"').replace("&#x27;", "'"))


class Pages(TestCase):
    def setUp(self) -> None:
        self.alix, self.dana = signed_in(alix()), signed_in(dana())

    def typed(self, text: str = RULE, **more: str) -> dict[str, Any]:
        return {"text": text, "why": "A test", "after": str(self.newest()), "do": "keep", **more}

    def newest(self) -> int:
        return RuleVersion.objects.count()

    def post(self, name: str, *args: object, who: Client | None = None, **given: Any) -> Any:
        return (who or self.alix).post(reverse(name, args=args), given)

    def added(self, text: str = RULE) -> None:
        assert self.post("new_rule", **self.typed(text)).status_code == 302

    def said(self, name: str, *args: object, who: Client | None = None) -> str:
        answer = (who or self.alix).get(reverse(name, args=args))
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "no-store"
        return words(answer)


class Who(Pages):
    def test_strangers_and_advocates_see_try_and_change_nothing(self) -> None:
        self.added()
        gets, posts = self.addresses()
        before = AuditEvent.objects.count()
        for who in (ben(), eve()):
            client = signed_in(who)
            assert {client.get(address).status_code for address in gets} == {403}
            assert {client.post(address, self.typed()).status_code for address in posts} == {403}
        outside = Client()
        assert {outside.get(address)["Location"] for address in gets} == {reverse("sign_in")}
        assert {outside.post(address, self.typed())["Location"] for address in posts} == {reverse("sign_in")}
        assert AuditEvent.objects.count() == before

    def addresses(self) -> tuple[list[str], list[str]]:
        """Return what may be looked at, and what changes something."""
        gets = [reverse(name) for name in ("rules", "try_lines", "rule_versions")]
        gets += [reverse("rule", args=["weapon.gun"]), reverse("rule_version", args=[1])]
        posts = [reverse(name) for name in ("new_rule", "export_rules", "import_rules", "switch_screening")]
        posts += [reverse(name, args=["weapon.gun"]) for name in ("edit_rule", "rule_off", "rule_on", "rule_back")]
        return gets, [*posts, reverse("rules_back", args=[0])]

    def test_a_supervisor_looks_and_tries_and_changes_nothing(self) -> None:
        self.added()
        gets, posts = self.addresses()
        for address in gets:
            answer = self.dana.get(address)
            assert answer.status_code == 200
            assert not [form for form in posts if f'action="{form}"' in answer.content.decode()]
        assert {self.dana.post(address, self.typed()).status_code for address in posts} == {403}
        assert self.dana.get(reverse("new_rule")).status_code == 403
        assert "weapon.gun" in words(self.dana.post(reverse("try_lines"), {"lines": "he has a gun"}))
        assert reverse("rules") in self.dana.get(reverse("ladder")).content.decode()
        assert self.newest() == 1

    def test_services_ask_for_the_right_themselves(self) -> None:
        good = proving.proved(SiteRules())
        for who in (ben(), eve(), dana()):
            given: dict[str, Any] = {"actor": who, "why": "no", "after": 0, "now": NOON}
            with pytest.raises(PermissionDenied):
                services.keep_rules(proved=good, **given)
            with pytest.raises(PermissionDenied):
                services.roll_back(proved=good, to=0, **given)
            with pytest.raises(PermissionDenied):
                services.switch_screening(on=True, **given)
            with pytest.raises(PermissionDenied):
                services.note_export(actor=who, number=0, now=NOON)
        assert not RuleVersion.objects.exists()


class Looking(Pages):
    def test_the_list_is_searched_by_id_category_level_kind_and_state(self) -> None:
        self.added()
        self.post("rule_off", "weapon.rope", why="Noisy", after="1")
        for query, shown in (
            ({}, {"guard.film", "site.shed", "weapon.gun", "weapon.rope"}),
            ({"q": "ROPE"}, {"weapon.rope"}),
            ({"category": "weapon", "level": "2"}, {"site.shed", "weapon.rope"}),
            ({"kind": "guard"}, {"guard.film"}),
            ({"standing": "own"}, {"site.shed"}),
            ({"standing": "off"}, {"weapon.rope"}),
            ({"q": "nothing at all"}, set()),
        ):
            html = self.alix.get(reverse("rules"), query).content.decode()
            assert set(re.findall(r"<code>([a-z.]+)</code></a>", html)) == shown, query

    def test_a_rule_shows_what_it_is_made_of(self) -> None:
        said = self.said("rule", "weapon.gun", who=self.dana)
        for part in ("Somebody has a gun.", "he GUN", "he has a gun", "as shipped", "danger 10, now 0, threat 0"):
            assert part in said
        assert self.alix.get(reverse("rule", args=["no.rule"])).status_code == 404

    def test_lines_are_tried_against_what_is_in_force_and_kept_nowhere(self) -> None:
        self.added()
        with self.assertNoLogs():
            answer = self.post("try_lines", who=self.dana, lines=f"{KETTLE}\n\nhello")
        assert answer["Cache-Control"] == "no-store"
        said = words(answer)
        assert "weapon.gun" in said
        assert "site.shed" in said
        assert "he has a gun" in said
        assert "0 · " in said
        # nothing of it in an address, on the trail or in a row of ours
        assert "teal" not in str(answer.headers)
        assert not AuditEvent.objects.filter(action__contains="try").exists()
        assert "teal" not in str(list(RuleVersion.objects.values())) + str(list(AuditEvent.objects.values("data")))
        assert self.post("try_lines", lines="x\n" * 51).status_code == 422

    def live(self, name: str, who: Client | None = None, **given: str) -> Any:
        return (who or self.dana).post(reverse(name), json.dumps(given), content_type="application/json")

    def test_lines_are_tried_while_they_are_typed_by_who_may(self) -> None:
        answer = self.live("try_live", lines="he has a gun")
        assert answer["Cache-Control"] == "no-store"
        (row,) = answer.json()["rows"]
        assert (row["now"]["level"], row["now"]["cues"][0]["rule"]) == (3, "weapon.gun")
        assert "signs at a time" in self.live("try_live", lines="x\n" * 51).json()["problem"]
        assert self.live("try_live").status_code == 422
        draft = {"of": "", "text": RULE, "danger": "", "now": "", "threat": "", "lines": "he has a shed"}
        (row,) = self.live("try_draft_live", self.alix, **draft).json()["rows"]
        assert (row["now"]["level"], row["draft"]["level"], row["differs"]) == (0, 2, True)
        wrong = draft | {"text": RULE.replace("GUN", "KNIFE")}
        assert "no concept KNIFE" in self.live("try_draft_live", self.alix, **wrong).json()["problem"]
        assert self.live("try_draft_live", self.dana, **draft).status_code == 403
        for who in (ben(), eve()):
            assert self.live("try_live", signed_in(who), lines="x").status_code == 403
        assert self.live("try_live", Client(), lines="x").status_code == 401
        assert not RuleVersion.objects.exists()

    def test_pages_are_french_for_who_reads_french(self) -> None:
        self.added()
        User.objects.filter(pk=alix().id).update(language="fr")
        for name, args in (("rules", ()), ("rule", ("site.shed",)), ("rule_versions", ()), ("rule_version", (1,))):
            assert "repérage" in self.said(name, *args)
        bad = self.post("new_rule", **self.typed(RULE.replace("site.shed", "site.b").replace("GUN", "KNIFE")))
        assert "Règle site.b, champ patterns, ligne 2 : il n’y a pas de concept KNIFE." in words(bad)


class Changing(Pages):
    def test_a_draft_is_tried_beside_what_is_in_force_and_then_kept(self) -> None:
        tried = self.post("new_rule", **self.typed(do="try", lines="he has a shed\nhe has a gun"))
        assert tried.status_code == 200
        said = words(tried)
        assert "holds: he has a shed · must match" in said
        assert "holds: a shed · must not match" in said
        assert said.count("changes") == 1, "the other line comes out as before"
        assert not RuleVersion.objects.exists()
        kept = self.post("new_rule", **self.typed())
        assert kept["Location"] == reverse("rule", args=["site.shed"]) + "?done=kept"
        row = RuleVersion.objects.get()
        assert (row.number, row.why, row.made_by_id, row.screens) == (1, "A test", alix().id, None)
        assert '"site.shed" = [83, -88, 61]' in row.rules
        event = AuditEvent.objects.get(action="rules.kept")
        assert (event.actor, event.subject) == (str(alix()), "rules:1")
        assert "test" not in str(event.data)

    def test_it_is_in_force_after_a_look(self) -> None:
        self.post("switch_screening", screens="on", why="We begin", after="0")
        async_to_sync(rules.look)(NOON)
        self.added()
        assert "version 1 still is" in self.said("rules")
        async_to_sync(rules.look)(NOON)
        screener = rules.screener()
        assert screener is not None
        assert screener.screen("he has a shed").level == 2
        assert "still is" not in self.said("rules")

    def refused(self, text: str, *said: str, **more: str) -> None:
        answer = self.post("new_rule", **self.typed(text, **more))
        assert answer.status_code == 422
        for part in said:
            assert part in words(answer)
        assert not RuleVersion.objects.exists()

    def test_a_rule_whose_own_examples_fail_is_not_kept(self) -> None:
        failing = RULE.replace('["he has a shed"]', '["he has a shed", "the shed is red"]')
        self.refused(failing, "Rule site.shed: its example must be found, and is not: “the shed is red”")
        failing = RULE.replace('["a shed"]', '["he said shed"]')
        self.refused(failing, "its example must not be found, and is: “he said shed”")
        assert "fails: he said shed" in words(self.post("new_rule", **self.typed(failing, do="try")))

    def test_a_rule_that_breaks_another_rules_examples_is_not_kept(self) -> None:
        guard = RULE.replace("level = 2\n", 'kind = "guard"\n').replace("he shed\nGUN ..shed", "he")
        guard = guard.replace('["a shed"]', "[]")
        said = "Rule weapon.gun: its example must be found, and is not: “he has a gun”"
        self.refused(guard, said, danger="-40", now="0", threat="0")

    def test_what_is_too_slow_too_long_or_without_reason_is_not_kept(self) -> None:
        with mock.patch.multiple(proving, TIMES_SLOWER=0.0, SPARE=0.0):
            self.refused(RULE, "too slow")
        self.refused(RULE + "#" * 20_000, "too long: 20000")
        self.refused(RULE, "Say why", why=" ")
        self.refused(RULE, "three whole numbers", danger="many", now="0", threat="0")
        self.refused(RULE, "three whole numbers", danger="100", now="0", threat="0")
        self.refused(RULE, "three whole numbers", danger="1")

    def test_what_a_rule_looks_for_may_take_no_longer_than_danger_does(self) -> None:
        screener = mock.Mock(screen=lambda text: sum(range(len(text) * (200 if "shed" in text else 0))))
        with mock.patch.object(proving, "LONG", 4_000):
            with pytest.raises(BadSiteRules, match="slow"):
                proving.check_pace(screener, mock.Mock(screen=len), ["shed"])
            proving.check_pace(screener, mock.Mock(screen=len), ["rope"])

    def test_a_form_that_is_late_changes_nothing(self) -> None:
        late = self.typed(RULE.replace("site.shed", "site.late"))
        self.added()
        answer = self.post("new_rule", **late)
        assert answer.status_code == 422
        assert "Somebody else made a version meanwhile" in words(answer)
        assert "site.late" in words(answer), "what was typed is still there"
        assert self.newest() == 1

    def test_a_shipped_rule_is_changed_switched_off_and_on_and_put_back(self) -> None:
        page = self.alix.get(reverse("edit_rule", args=["weapon.gun"])).content.decode()
        assert 'id="danger" name="danger" type="number" min="-99" max="99" value="10"' in page
        text = re.search(r"<textarea id=\"text\"[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
        assert text is not None
        rule = text[1].replace("&quot;", '"').replace("&#x27;", "'")
        same = self.post("edit_rule", "weapon.gun", **self.typed(rule, danger="10", now="0", threat="0"))
        assert same["Location"].endswith("?done=same")
        for name, number in (("rule_off", 1), ("rule_on", 2)):
            assert self.post(name, "weapon.rope", why="Because", after=str(number - 1)).status_code == 302
        changed = rule.replace("Somebody has a gun.", "Somebody has a firearm.")
        assert self.post("edit_rule", "weapon.gun", **self.typed(changed)).status_code == 302
        assert "changed by the site" in self.said("rule", "weapon.gun")
        assert self.post("rule_back", "weapon.gun", why="Ours was worse", after="3").status_code == 302
        assert RuleVersion.objects.get(number=4).rules == ""
        assert self.post("rule_off", "weapon.gun", why="", after="4").status_code == 422

    def test_a_rule_that_is_off_keeps_its_examples_too(self) -> None:
        self.added()
        self.post("rule_off", "site.shed", why="Noisy", after="1")
        answer = self.post("edit_rule", "site.shed", **self.typed(RULE.replace("he has a shed", "she has a shed")))
        assert answer.status_code == 422
        assert "she has a shed" in words(answer)
        assert self.newest() == 2

    def test_a_rule_of_ones_own_is_removed(self) -> None:
        self.added()
        answer = self.post("rule_back", "site.shed", why="Not needed", after="1")
        assert answer["Location"] == reverse("rules") + "?done=kept"
        assert self.alix.get(reverse("rule", args=["site.shed"])).status_code == 404


class Versions(Pages):
    def setUp(self) -> None:
        super().setUp()
        self.added()
        self.post("rule_off", "weapon.rope", why="Too many <false> alarms", after="1")

    def test_versions_tell_who_when_why_and_what(self) -> None:
        said = self.said("rule_versions", who=self.dana)
        for part in ("Version 2", "Too many &lt;false&gt; alarms", "Version 1", "Alix", "As it came with Havre"):
            assert part in said
        said = self.said("rule_version", 2)
        assert "weapon.rope: switched off" in said
        assert "site.shed: added" not in said
        answer = self.alix.get(reverse("rule_version", args=[2]), {"since": "0"})
        assert "site.shed: added" in words(answer)
        assert "+must_match = [" in words(answer)
        assert self.alix.get(reverse("rule_version", args=[9])).status_code == 404

    def test_going_back_is_a_version_of_its_own_and_leaves_the_switch(self) -> None:
        self.post("switch_screening", screens="on", why="We begin", after="2")
        assert self.post("rules_back", 1, why="", after="3").status_code == 422
        assert self.post("rules_back", 1, why="Wrong", after="3").status_code == 302
        rows = {row.number: row for row in RuleVersion.objects.all()}
        assert (rows[4].rules, rows[4].screens, rows[4].back_to) == (rows[1].rules, True, 1)
        assert self.post("rules_back", 0, why="All of it", after="4").status_code == 302
        assert RuleVersion.objects.get(number=5).rules == ""
        assert list(AuditEvent.objects.filter(action="rules.back").values_list("data", flat=True)) == [
            {"to": 1},
            {"to": 0},
        ]
        assert "back to version 1" in self.said("rule_versions")

    def test_an_earlier_version_that_fails_today_is_refused_with_its_example(self) -> None:
        RuleVersion.objects.filter(number=1).update(rules=RULE.replace("he has a shed", "the barn"))
        answer = self.post("rules_back", 1, why="Wrong", after="2")
        assert answer.status_code == 422
        assert "“the barn”" in words(answer)
        assert self.newest() == 2

    def test_a_broken_newest_version_is_said_and_left_by_going_back(self) -> None:
        RuleVersion.objects.create(number=3, rules="no toml", why="x", made_by_id=alix().id, made_at=NOON)
        for name, args in (("rules", ()), ("rule", ("weapon.gun",)), ("new_rule", ())):
            assert "The newest version cannot be read" in self.said(name, *args)
        assert self.post("rule_off", "weapon.gun", why="x", after="3").status_code == 422
        assert "One of the two cannot be read" in self.said("rule_version", 3)
        assert self.post("rules_back", 2, why="Mend it", after="3").status_code == 302
        assert "cannot be read" not in self.said("rules")

    def test_what_is_exported_is_imported_as_the_same_after_a_look_at_it(self) -> None:
        exported = self.post("export_rules")
        assert exported["Content-Disposition"] == 'attachment; filename="havre-rules-2.toml"'
        assert exported["Cache-Control"] == "no-store"
        assert AuditEvent.objects.filter(action="rules.exported", subject="rules:2").count() == 1
        self.post("rules_back", 0, why="Start anew", after="2")
        file = SimpleUploadedFile("rules.toml", exported.content)
        shown = self.post("import_rules", file=file, do="show")
        assert shown.status_code == 200
        assert "site.shed: added" in words(shown)
        assert self.newest() == 3
        text = re.search(r"<textarea name=\"text\" hidden>\n(.*?)</textarea>", shown.content.decode(), re.DOTALL)
        assert text is not None
        given: dict[str, Any] = {
            "text": text[1].replace("&quot;", '"').replace("&#x27;", "'"),
            "do": "keep",
            "after": "3",
        }
        assert self.post("import_rules", **given, why="").status_code == 422
        assert self.post("import_rules", **given, why="From the other site").status_code == 302
        rows = {row.number: row.rules for row in RuleVersion.objects.all()}
        assert rows[4] == rows[2]

    def test_a_bad_file_is_refused_with_its_line(self) -> None:
        for content, said in (
            (b"\xff\xfe", "This file is not a rules file"),
            (b"off = []\nnonsense", "Line 2: this is no TOML: nonsense"),
            (RULE.replace("he has a shed", "the barn").encode(), "“the barn”"),
            (b"#" * 56_001, "too long"),
            (b"#" * 300_000, "too long"),
        ):
            answer = self.post("import_rules", file=SimpleUploadedFile("rules.toml", content), do="show")
            assert answer.status_code == 422
            assert said in words(answer)
        assert self.newest() == 2

    def test_screening_is_switched_with_a_reason(self) -> None:
        assert "Messages are not screened." in self.said("rules")
        assert self.post("switch_screening", screens="on", why="", after="2").status_code == 422
        assert self.post("switch_screening", screens="on", why="We begin", after="1").status_code == 422
        assert self.post("switch_screening", screens="on", why="We begin", after="2").status_code == 302
        assert "Messages are screened." in self.said("rules")
        event = AuditEvent.objects.get(action="rules.switched")
        assert (event.actor, event.data) == (str(alix()), {"on": True})


class Racing(TestCase):
    def test_of_two_who_keep_at_once_one_is_told(self) -> None:
        good = proving.proved(read(RULE, SHIPPED))
        given: dict[str, Any] = {"actor": alix(), "proved": good, "after": 0, "now": NOON}
        services.keep_rules(why="First", **given)
        with pytest.raises(MovedOn):
            services.keep_rules(why="Second", **given)
        for why in ("", "x" * 301, "two\nlines"):
            with pytest.raises(NoReason):
                services.keep_rules(why=why, **given | {"after": 1})
        assert services.keep_rules(why="The same", **given | {"after": 1}).result == 1
