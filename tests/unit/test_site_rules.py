"""A site's own rules as text: read, refused with the place of its flaw, laid over the shipped ones, compared."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crisis import rules as ours
from crisis.core.screening import Screener, build
from crisis.core.screening.signals import Points
from crisis.core.screening.site_changes import Changed, changes
from crisis.core.screening.site_rules import (
    FLAGS,
    MOST_RULES,
    BadSiteRules,
    Flaw,
    Shipped,
    SiteRules,
    default_points,
    drafted,
    laid_over,
    read,
    read_rule,
)
from crisis.core.screening.site_writing import rule_text, written
from tests.support.small_rules import FILES, SHIPPED

RULE = """
[[rule]]
id = "site.shed"
level = 2
category = "weapon"
note = "Somebody speaks of the shed."
patterns = '''
he shed
GUN ..shed
'''
must_match = ["he has a shed"]
must_not_match = ["a shed"]
"""
FILM = rule_text(SHIPPED.rules["guard.film"])


def flaw_of(text: str) -> BadSiteRules:
    with pytest.raises(BadSiteRules) as caught:
        read(text, SHIPPED)
    return caught.value


@pytest.mark.parametrize(
    ("was", "now", "flaw", "field", "line"),
    [
        ("level = 2", "level = ", Flaw.TOML, "", 4),
        ("[[rule]]", "[concepts]\n[[rule]]", Flaw.TABLE, "concepts", 0),
        ("[[rule]]", "rule = 7\n[points]", Flaw.VALUE, "rule", 0),
        ("level = 2", "colour = 2", Flaw.FIELD, "colour", 0),
        ("level = 2", 'level = "2"', Flaw.VALUE, "level", 0),
        ("level = 2", "level = true", Flaw.VALUE, "level", 0),
        ("level = 2", "level = 4", Flaw.LEVEL, "level", 0),
        ("level = 2", "", Flaw.LEVEL, "level", 0),
        ("level = 2", 'level = 2\nkind = "guard"', Flaw.LEVEL, "level", 0),
        ("level = 2", 'level = 2\nkind = "law"', Flaw.KIND, "kind", 0),
        ("level = 2", 'level = 2\ncry = "yes"', Flaw.VALUE, "cry", 0),
        ('"site.shed"', '"The shed"', Flaw.ID, "id", 0),
        ('"site.shed"', '"calm"', Flaw.TAKEN, "id", 0),
        ('"weapon"', '"a weapon"', Flaw.CATEGORY, "category", 0),
        ('note = "Somebody speaks of the shed."', 'note = " "', Flaw.NOTE, "note", 0),
        ("he shed\nGUN ..shed", "", Flaw.NO_PATTERN, "patterns", 0),
        ("GUN ..shed", "KNIFE ..shed", Flaw.CONCEPT, "patterns", 2),
        ("GUN ..shed", "he|", Flaw.PATTERN, "patterns", 2),
        ("GUN ..shed", "he (shed)", Flaw.PATTERN, "patterns", 2),
        ("GUN ..shed", "* -shed", Flaw.PATTERN, "patterns", 2),
        ("GUN ..shed", "a " * 13, Flaw.PATTERN, "patterns", 2),
        ("GUN ..shed", "a\n" * 301, Flaw.TOO_MANY, "patterns", 0),
        ("level = 2", 'level = 2\nunless = "HUNT"', Flaw.CONCEPT, "unless", 1),
        ('["he has a shed"]', "[]", Flaw.NO_EXAMPLE, "must_match", 0),
        ('["he has a shed"]', '"he has a shed"', Flaw.VALUE, "must_match", 0),
        ('["a shed"]', '["a shed", "two\\nlines"]', Flaw.EXAMPLE, "must_not_match", 2),
        ("[[rule]]", 'off = ["gone.rule"]\n[[rule]]', Flaw.UNKNOWN, "off", 0),
        ('["a shed"]', '["a shed"]\n[points]\n"site.shed" = [1, 2]', Flaw.POINTS, "points", 0),
        ('["a shed"]', '["a shed"]\n[points]\n"site.shed" = [100, 0, 0]', Flaw.POINTS, "points", 0),
        ('["a shed"]', '["a shed"]\n[points]\n"no.rule" = [1, 0, 0]', Flaw.UNKNOWN, "points", 0),
        ("[[rule]]", "# " + "x" * 56_000 + "\n[[rule]]", Flaw.TOO_LONG, "", 0),
    ],
)
def test_a_flaw_is_named_with_its_place(was: str, now: str, flaw: Flaw, field: str, line: int) -> None:
    assert was in RULE
    bad = flaw_of(RULE.replace(was, now))
    assert (bad.flaw, bad.field, bad.line) == (flaw, field, line)


DOTS = "a." * 9_990


@pytest.mark.parametrize(
    "tangle",
    [
        f"{DOTS}a = 1",
        f"{DOTS}",
        f"[{DOTS}a]",
        f"[[{DOTS}a]]",
        f"x = {{{DOTS}a = 1}}",
        f"{'a . ' * 9_000}a = 1",
        f"""{'"a".' * 9_000}a = 1""",
        f"""{"'#'.'a'." * 5_000}a = 1""",
        f"x = ['''a'''', {{{DOTS}a = 1, c = '}}]",
        f'x = ["""a\\""""", {{{DOTS}a = 1, c = "}}]',
        f"level = {'1' * 5_000}",
        f"level = 0x{'f' * 5_000}",
    ],
)
def test_a_name_or_number_that_would_keep_the_parser_busy_is_refused_with_its_line(tangle: str) -> None:
    for text in (f"# a rule\n{tangle}\n", f"note = '''\n'''\n{tangle}", RULE + tangle):
        bad = flaw_of(text)
        assert (bad.flaw, bad.line) == (Flaw.TANGLED, text[: text.index(tangle)].count("\n") + 1)
        with pytest.raises(BadSiteRules) as caught:
            read_rule(text, SHIPPED.concepts)
        assert caught.value.flaw in (Flaw.TANGLED, Flaw.TOO_LONG)


def test_lists_within_lists_and_what_else_the_parser_cannot_take_are_a_flaw() -> None:
    assert flaw_of("off = " + "[" * 20_000).flaw is Flaw.TANGLED
    assert flaw_of("x = " + "{a=" * 9_000 + "1" + "}" * 9_000).flaw is Flaw.TANGLED
    assert flaw_of("x = 2024-02-31").flaw is Flaw.TOML


def test_what_is_quoted_may_have_as_many_dots_as_it_likes() -> None:
    dots = "no. " * 40 + "a.b.c." * 20
    text = RULE.replace("Somebody speaks of the shed.", "Of the shed. " * 12)
    text = text.replace('"a shed"', f"""'{dots}', "{dots}", '''{dots}''', \"\"\"{dots}\\\"\"\"\"""")
    text = text.replace("[[rule]]", f"# {dots}{'x' * 200}\n[[rule]]")
    assert read(text, SHIPPED).rules["site.shed"]["must_not_match"][0] == dots


def test_a_rule_twice_and_too_many_are_refused() -> None:
    assert flaw_of(RULE + RULE).flaw is Flaw.TAKEN
    assert flaw_of("[[rule]]\n" * (MOST_RULES + 1)).flaw is Flaw.TOO_MANY


def test_one_rule_is_one_rule() -> None:
    assert read_rule(RULE, SHIPPED.concepts)["id"] == "site.shed"
    assert read_rule(RULE.replace("[[rule]]\n", ""), SHIPPED.concepts)["id"] == "site.shed"
    for text in ("", RULE + FILM, RULE + "\n[points]\n"):
        with pytest.raises(BadSiteRules) as caught:
            read_rule(text, SHIPPED.concepts)
        assert caught.value.flaw is Flaw.ONE_RULE


def level_with(site: SiteRules, text: str) -> int:
    # whether examples hold is asked elsewhere
    return build(laid_over(SHIPPED, site), {}, checked=False).screen(text).level


def test_own_rules_add_changed_ones_replace_and_what_is_off_is_not_looked_for() -> None:
    site = read(RULE, SHIPPED)
    assert level_with(SiteRules(), "he has a shed") == 0
    assert level_with(site, "he has a shed") == 2
    assert level_with(site.switched("site.shed", off=True), "he has a shed") == 0
    assert level_with(site.switched("weapon.gun", off=True), "he has a gun") == 0
    text = rule_text(SHIPPED.rules["weapon.gun"]).replace("he GUN", "he +GUN")
    _, changed = drafted(site, text, None, "weapon.gun", SHIPPED)
    assert level_with(changed, "he has a gun") == 0
    assert level_with(changed, "he gun") == 3
    assert level_with(changed.without_rule("weapon.gun"), "he has a gun") == 3


def test_no_rule_of_the_sites_own_makes_a_message_less_dangerous() -> None:
    site = read(RULE.replace("level = 2", "level = 1"), SHIPPED)
    assert level_with(site, "he has a shed") == 1
    assert level_with(site, "he has a gun, he has a shed") == 3
    gentle = drafted(site, rule_text(SHIPPED.rules["weapon.gun"]), [5, 0, 0], "weapon.gun", SHIPPED)[1]
    assert level_with(gentle, "he has a gun, he has a shed") == 1, "without it there is not enough"


def test_a_draft_keeps_its_id_takes_no_other_and_says_nothing_new_when_it_is_the_shipped_one() -> None:
    for text, of, flaw in ((RULE, "weapon.gun", Flaw.OTHER_ID), (FILM, "", Flaw.TAKEN)):
        with pytest.raises(BadSiteRules) as caught:
            drafted(SiteRules(), text, None, of, SHIPPED)
        assert caught.value.flaw is flaw
    same = drafted(SiteRules(), FILM, [-20, 0, 0], "guard.film", SHIPPED)[1]
    assert same == SiteRules()
    assert drafted(SiteRules(), FILM, [-30, 0, 0], "guard.film", SHIPPED)[1].points == {"guard.film": Points(-30, 0, 0)}


def test_what_an_update_took_away_is_passed_over_when_it_is_put_in_force() -> None:
    text = 'off = ["gone.rule"]\n[points]\n"gone.rule" = [1, 0, 0]\n'
    assert read(text, SHIPPED, strict=False) == SiteRules()


def test_changes_are_told_by_rule() -> None:
    before = read(RULE, SHIPPED)
    after = drafted(before, FILM.replace("A film.", "A film or a play."), [-21, 0, 0], "guard.film", SHIPPED)[1]
    after = after.without_rule("site.shed").switched("weapon.gun", off=True)
    told = {(one.rule, one.what) for one in changes(before, after, SHIPPED)}
    assert told == {
        ("guard.film", Changed.CHANGED),
        ("guard.film", Changed.POINTS),
        ("site.shed", Changed.REMOVED),
        ("weapon.gun", Changed.OFF),
    }
    back = {(one.rule, one.what) for one in changes(after, before, SHIPPED)}
    assert back == {
        ("guard.film", Changed.BACK),
        ("guard.film", Changed.POINTS),
        ("site.shed", Changed.ADDED),
        ("weapon.gun", Changed.ON),
    }
    assert changes(before, before, SHIPPED) == []


SIGNS = st.characters(codec="utf-8", categories=("L", "N", "P", "S"))
WORDS = st.text(SIGNS, min_size=1, max_size=20)
PATTERN = st.lists(st.sampled_from(["he", "=GUN", "..gun|shed", "+not_me", "-END", "=,", "?"]), min_size=1, max_size=6)
ENTRY = st.builds(
    lambda number, level, note, patterns, must, flags: {
        "id": f"site.rule_{number}", "level": level, "category": "weapon", "note": note,
        "patterns": "\n".join("he " + " ".join(one) for one in patterns),
        "must_match": must, "must_not_match": must[1:],
        **flags,
    },
    st.integers(0, 9),
    st.sampled_from([1, 2, 3]),
    WORDS,
    st.lists(PATTERN, min_size=1, max_size=3),
    st.lists(WORDS, min_size=1, max_size=3),
    st.dictionaries(st.sampled_from(FLAGS), st.booleans()),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(ENTRY, max_size=4), st.sets(st.sampled_from(["weapon.gun", "guard.film"])))
def test_what_is_written_is_read_as_the_same(entries: list[dict[str, Any]], off: set[str]) -> None:
    rules = {entry["id"]: entry for entry in entries}
    points = {name: default_points(entry, SHIPPED.limits) for name, entry in rules.items()}
    site = SiteRules(rules, points, tuple(sorted(off)))
    assert read(written(site), SHIPPED) == site
    assert written(read(written(site), SHIPPED)) == written(site)


# with the rules as they are shipped


def test_every_shipped_rule_can_be_taken_up_by_the_editor_as_it_is() -> None:
    shipped = Shipped(ours.files())
    concepts = shipped.concepts.keys()
    for name, entry in shipped.rules.items():
        assert rule_text(read_rule(rule_text(entry), concepts)) == rule_text(entry)
        assert drafted(SiteRules(), rule_text(entry), None, name, shipped)[1] == SiteRules()


@pytest.fixture(scope="module")
def with_three_own() -> Screener:
    """Return the shipped rules with one of each level whose words nobody else looks for."""
    shipped = Shipped(ours.files())
    site = SiteRules()
    for level in (1, 2, 3):
        text = RULE.replace("site.shed", f"site.made_up_{level}").replace("level = 2", f"level = {level}")
        text = text.replace("he shed\nGUN ..shed", f"zorblax{'abc'[level - 1]}")
        site = drafted(site, text, None, "", shipped)[1]
    return build(laid_over(shipped, site), ours.everyday(), checked=False)


CALM = (
    "{}", "{}.", "on m'a parlé de {} ce matin", "the {} was there when i came home from the shop", "thanks for {}",
    "hello, i would like to know more about {}", "bonjour, je cherche {} pour ma sœur et ses filles",
    "my daughter likes {} and we still need a winter coat", "merci pour {}, bonne journée", "we talked of {} at lunch",
    "is there {} near the library?", "il y a {} à la bibliothèque le mardi",
)  # fmt: skip


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_lone_match_of_a_rule_without_points_reaches_its_level(with_three_own: Screener, level: int) -> None:
    # what the shipped rules raise without it is no lone match
    calm = [text for text in CALM if not ours.shipped().screen(text.format("zorblax")).level]
    assert len(calm) >= 8
    for text in calm:
        found = with_three_own.screen(text.format(f"zorblax{'abc'[level - 1]}"))
        assert f"site.made_up_{level}" in found.rules, text
        assert found.level == level, text


def test_the_small_set_of_other_tests_is_good() -> None:
    assert build(FILES, {}).screen("he has a gun").level == 3
    assert build(FILES, {}).screen("he has rope").level == 2
