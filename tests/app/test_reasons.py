"""Why a message called for help, as dana and alix read it: words and notes in their language, and the way to a rule."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client, TestCase
from django.urls import reverse
from django.utils.translation import override

from chat import hooks
from chat.core.actors import Visitor
from chat.services.posting import Post, post_one
from crisis.cues import Cues as Screener
from crisis.models import Escalation
from crisis.rules import files
from crisis.services import raise_escalation
from frontend.rule_meanings import Told, category_name, category_names, note_name, told
from staff.models import User
from tests.app.test_on_call_pages import signed_in
from tests.support.people import NOON, alix, ben, dana, eve, held_by

STORED = (
    "“he has a gun” · Somebody has a weapon, or it is pointed at a person. [weapon.at_hand]\n"
    "“kill” · Kill, die, dead, body, bury, dig, grave, in several words. [threat.death_words_phrase]\n"
    "“shed” · cry for help [site.shed]\n"
    "and the words in general [words]"
)


def test_a_reason_is_told_in_the_readers_language_without_ids() -> None:
    with override("fr"):
        assert told(STORED).text.replace("\xa0", " ").split("\n") == [
            "“he has a gun” · Quelqu’un a une arme, ou elle est pointée sur une personne.",
            "“kill” · Tuer, mourir, mort, corps, enterrer, creuser, tombe, en plusieurs mots.",
            "“shed” · appel à l’aide",
            "et les mots en général",
        ]
    with override("en"):
        assert "[" not in told(STORED).text
        assert told(STORED).rules == ("weapon.at_hand", "threat.death_words_phrase", "site.shed")
        assert told("and the words in general [words]").text == "the words in general"


def test_a_reason_of_an_older_kind_stays_as_it_is() -> None:
    for reason in ("She is afraid [urgent", "“he has a gun” · weapon.at_hand", "Two lines\nof [ben]", ""):
        assert told(reason) == Told(reason)


def test_every_category_and_note_that_comes_with_havre_has_french_words() -> None:
    entries = [entry for file in files() for kind in ("rule", "signal") for entry in file.get(kind, ())]
    with override("fr"):
        assert [entry["note"] for entry in entries if note_name(entry["note"]) == entry["note"]] == []
        named = {entry.get("category") or entry["id"].partition(".")[0] for entry in entries}
        silent = {"guard", "idiom"}
        assert named - category_names().keys() - silent == set()
        assert category_name("a_new_one") == "a new one"
        assert note_name("") == ""


class Reading(TestCase):
    def setUp(self) -> None:
        hooks.register_screener(Screener())
        self.addCleanup(hooks._screeners.clear)
        pk, _ = held_by(ben())
        post_one(Post(Visitor(pk), pk, uuid4().hex, "he has a gun", NOON))
        self.row = Escalation.objects.get()

    def read(self, who: Client) -> Any:
        return who.post(reverse("read_reason", args=[self.row.pk]), "{}", content_type="application/json")

    def test_dana_reads_what_was_found_and_comes_to_the_rule_behind_it(self) -> None:
        answer = self.read(signed_in(dana())).json()
        assert answer["reason"].startswith("“he has a gun” · Somebody has a weapon")
        assert "weapon.at_hand" not in answer["reason"]
        assert {"id": "weapon.at_hand", "address": reverse("rule", args=["weapon.at_hand"])} in answer["rules"]
        there = {rule["id"] for file in files() for rule in file.get("rule", ())}
        assert {rule["id"] for rule in answer["rules"]} <= there, "a signal has no page"

    def test_what_a_person_wrote_is_read_as_they_wrote_it_whatever_it_looks_like(self) -> None:
        for number, reason in enumerate(("She is at motel 6 [204]", "He said these [words]", STORED)):
            raised = raise_escalation(
                actor=ben(), conversation_id=self.row.conversation_id, level=2, reason=reason,
                client_id=f"{number:032x}", now=NOON,
            )  # fmt: skip
            self.row = Escalation.objects.get(pk=raised.result.id)
            assert self.read(signed_in(dana())).json() == {"reason": reason, "rules": []}

    def test_each_reads_it_in_their_language_and_who_sees_no_rules_gets_no_way_to_them(self) -> None:
        User.objects.filter(pk=ben().id).update(language="fr")
        answer = self.read(signed_in(ben())).json()
        assert "Quelqu’un a une arme" in answer["reason"]
        assert answer["rules"] == []
        for who in (alix(), eve()):
            assert self.read(signed_in(who)).status_code in (403, 404)
        assert self.read(Client()).status_code == 401


pytestmark = pytest.mark.django_db
