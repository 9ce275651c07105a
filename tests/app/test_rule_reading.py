"""What the pages of the rules say to people: where a search looks, what a try tells, what going back would change."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from crisis.models import RuleVersion
from staff.models import User
from tests.app import test_rule_pages as pages
from tests.app.test_on_call_pages import signed_in
from tests.support.people import NOON, alix, ben
from tests.support.small_rules import instead_of_the_shipped_ones
from tests.unit.test_site_rules import RULE


@pytest.fixture(autouse=True)
def _small() -> Iterator[None]:
    with instead_of_the_shipped_ones():
        yield


OFF = 'off = ["weapon.rope"]\n'


class Quick(pages.Pages):
    def made(self, *every: str) -> None:
        """Have versions with these rules, none of which is tried."""
        for number, text in enumerate(every, 1):
            RuleVersion.objects.create(number=number, rules=text, why="x", made_by_id=alix().id, made_at=NOON)


class Finding(Quick):
    def test_a_search_reads_patterns_and_examples_and_leads_on_where_nothing_is_found(self) -> None:
        self.made(RULE)
        for query, name in (("GUN ..shed", "site.shed"), ("he has rope", "weapon.rope")):
            html = self.alix.get(reverse("rules"), {"q": query}).content.decode()
            assert f"<code>{name}</code></a>" in html
            assert "No rule says this" not in html
        nothing = self.dana.get(reverse("rules"), {"q": "teal kettle"}).content.decode()
        assert "No rule says this" in nothing
        assert f'href="{reverse("try_lines")}"' in nothing.partition("No rule says this")[2]

    def test_a_rule_that_is_off_is_said_where_it_is_switched_and_in_the_list(self) -> None:
        answer = self.post("rule_off", "weapon.rope", why="Noisy", after="0")
        assert "It is switched off" in pages.words(self.alix.get(answer["Location"]))
        assert "It is switched off: nothing looks for it." in self.said("rule", "weapon.rope")
        assert "1 rule is switched off" in self.said("rules")

    def test_a_try_tells_the_words_the_meaning_and_the_points(self) -> None:
        self.made(RULE)
        said = pages.words(self.post("try_lines", who=self.dana, lines="he has a gun"))
        assert "he has a gun Somebody has a gun. 10 points · weapon.gun" in said

    def test_what_a_draft_changes_comes_first(self) -> None:
        tried = pages.words(self.post("new_rule", **self.typed(do="try", lines="he has a gun\nhe has a shed")))
        table = tried.partition("What is said to your lines")[2]
        assert table.index("he has a shed") < table.index("he has a gun")
        html = self.post("new_rule", **self.typed(do="try", lines="he has a gun")).content.decode()
        assert html.index('id="lines"') < html.index('id="tried-lines"') < html.index('value="keep"')

    def test_categories_are_words_of_the_readers_language(self) -> None:
        assert "weapon" in self.said("rules")
        User.objects.filter(pk=alix().id).update(language="fr")
        for name, args in (("rules", ()), ("rule", ("weapon.gun",))):
            assert "arme" in self.said(name, *args)
        assert "arme" in pages.words(self.post("try_lines", lines="he has a gun"))


class Versions(Quick):
    def test_before_one_goes_back_it_says_what_that_changes(self) -> None:
        self.made(RULE, OFF + RULE)
        back = self.said("rule_version", 0).partition("Go back to this version")[2]
        assert "What that changes in version 2, the newest" in back
        assert "site.shed: removed" in back
        assert "weapon.rope: switched on" in back

    def test_the_switch_is_a_change_too(self) -> None:
        self.post("switch_screening", screens="on", why="We begin", after="0")
        self.post("switch_screening", screens="off", why="Too soon", after="1")
        said = self.said("rule_version", 2)
        assert "Screening: switched off" in said
        assert "Nothing." not in said
        assert "Screening: switched on" in self.said("rule_version", 1)

    def test_a_file_of_another_kind_is_called_that(self) -> None:
        for content in (b"\xff\xfe", b"%PDF-1.7\n%"):
            answer = self.post("import_rules", file=SimpleUploadedFile("x.toml", content), do="show")
            assert "This file is not a rules file from Havre." in pages.words(answer)

    def test_a_file_that_changes_nothing_is_not_kept(self) -> None:
        self.made(RULE)
        file = SimpleUploadedFile("rules.toml", RuleVersion.objects.get().rules.encode())
        answer = self.post("import_rules", file=file, do="show")
        assert "There is nothing to keep." in pages.words(answer)
        assert 'value="keep"' not in answer.content.decode()

    def test_french_has_its_space_before_a_colon(self) -> None:
        self.made(RULE)
        User.objects.filter(pk=alix().id).update(language="fr")
        assert "site.shed : ajoutée" in self.said("rule_version", 1).replace("\xa0", " ")


class Staying(Quick):
    def led(self, at: str, who: Client | None = None) -> str:
        given = {"language": "fr", "page": "rules", "at": at}
        return str((who or self.alix).post(reverse("staff_language"), given)["Location"])

    def test_the_other_language_shows_the_same_page(self) -> None:
        edit = reverse("edit_rule", args=["weapon.gun"])
        assert f'name="at" value="{edit}"' in self.alix.get(edit).content.decode()
        for address in (edit, reverse("new_rule"), reverse("try_lines"), reverse("rules") + "?q=gun"):
            assert self.led(address) == address
        assert self.led(reverse("rule", args=["weapon.gun"]) + "?done=kept") == reverse("rule", args=["weapon.gun"])
        assert self.led(reverse("rule_off", args=["weapon.gun"])) == reverse("rule", args=["weapon.gun"])

    def test_it_leads_nowhere_else(self) -> None:
        for address in ("https://elsewhere.example/staff/rules/new", "//elsewhere.example/x", "/bye", "x" * 9_000, ""):
            where = self.led(address)
            assert where in (reverse("rules"), reverse("new_rule"))

    def test_a_wrong_address_shows_staff_their_own_way_back_and_strangers_the_door(self) -> None:
        for client in (self.alix, signed_in(ben())):
            answer = client.get("/staff/no/such/page")
            assert answer.status_code == 404
            assert f'href="{reverse("staff_home")}"' in answer.content.decode()
        assert "There is no such page" in pages.words(self.alix.get(reverse("rule", args=["no.rule"])))
        User.objects.filter(pk=alix().id).update(language="fr")
        assert "Cette page n’existe pas" in pages.words(self.alix.get("/staff/nowhere"))
        assert Client().get("/staff/no/such/page")["Location"] == reverse("sign_in")
        assert self.alix.get("/staff/api/nothing").status_code == 404
        assert Client().post("/staff/api/nothing").status_code == 401


class Plain(Quick):
    def test_a_rule_is_added_without_toml(self) -> None:
        given: dict[str, Any] = {
            "plain_called": "Red Shed",
            "plain_phrases": "He has a shed\nhe locks the shed",
            "plain_level": "2",
            "plain_category": "confined",
            "plain_must_not": "a shed",
            "text": "",
            "lines": "he has a shed",
        }
        tried = self.post("new_rule", **given, do="try")
        assert "holds: He has a shed · must match" in pages.words(tried)
        assert "he locks the shed" in tried.content.decode().partition('id="text"')[2], "as text it says the same"
        kept = self.post("new_rule", **given, do="keep", why="Said here", after="0")
        assert kept["Location"] == reverse("rule", args=["site.red_shed"]) + "?done=kept"
        refused = self.post("new_rule", **given | {"plain_called": " "}, do="keep", why="x", after="1")
        assert refused.status_code == 422
        assert 'name="plain_must_not"' in refused.content.decode()

    def test_a_plain_rule_is_tried_while_it_is_typed(self) -> None:
        plain = {"plain_called": "shed", "plain_phrases": "he has a shed", "plain_category": "weapon"}
        empty = {"of": "", "text": "", "danger": "", "now": "", "threat": ""}
        draft = empty | {"lines": "he has a shed", "plain": plain}
        answer = self.alix.post(reverse("try_draft_live"), json.dumps(draft), content_type="application/json")
        (row,) = answer.json()["rows"]
        assert (row["now"]["level"], row["draft"]["level"]) == (0, 2)
