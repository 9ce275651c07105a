"""The screening: words, patterns, guards, and rules that refuse to be wrong about their own examples."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crisis.core.screening import ORDINARY, BadRule, Screener, build
from crisis.core.screening.lexicon import inflected, slips
from crisis.core.screening.patterns import parse
from crisis.core.screening.screener import SURELY
from crisis.core.screening.signals import Points
from crisis.core.screening.text import LONGEST, sentences
from crisis.core.screening.words import Words, named
from crisis.rules import everyday, shipped


@pytest.fixture(scope="module")
def screener() -> Screener:
    return shipped()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("He's HERE!!", [["he", "is", "here"]]),
        ("J’ai peur", [["je", "ai", "peur"]]),
        ("jai peur. aide", [["je", "ai", "peur"], ["aide"]]),
        ("heeeelp", [["help"]]),
        ("h e l p m e", [["help", "me"]]),
        ("su1c1d3", [["suicide"]]),
        ("dont... go", [["do", "not", "go"]]),
        ("chu pognée icitte", [["je", "suis", "pognee", "ici"]]),
        ("15yo", [["15", "years", "old"]]),
        ("a\u200bb", [["ab"]]),
        ("Qu’il m'aide jusqu’à l'été", [["qu", "il", "m", "aide", "jusqu", "a", "l", "ete"]]),
        ("l'd'a (j'ai) ''a s'il", [["l", "d", "a", "je", "ai", "a", "si", "il"]]),
        ("hi va, i va. -i veut _i veut", [["hi", "va", ",", "il", "va"], ["il", "veut", "i", "veut"]]),
        (
            "il ma prise! ils mon vue, ma mère",
            [["il", "me", "a", "prise"], ["ils", "me", "ont", "vue", ",", "ma", "mere"]],
        ),
        ("3.5 km.fin. Fin.)ok", [["3", "5", "km", "fin"], ["fin", "ok"]]),
        ("ma sœur, à l’œil", [["ma", "soeur", ",", "a", "l", "oeil"]]),
        ("un œil: Ü½ ²", [["un", "oeil", "u", "1", "2", "2"]]),
        ("déjà\u2028vu.\u00a0ok.\x85là", [["deja", "vu"], ["ok"], ["la"]]),
        ("e\u0301te\u0301 ﬁn １８", [["ete", "fin", "18"]]),
        ("il y a eu", [["ilya", "eu"]]),
        ("🔪 k.i.l.l...cattt", [["knife", "kill", "catt"]]),
        ("", []),
        ("?!", []),
    ],
)
def test_what_people_type_becomes_words(text: str, words: list[list[str]]) -> None:
    known = {
        "hes": ("he", "is"), "jai": ("je", "ai"), "j": ("je",), "dont": ("do", "not"), "chu": ("je", "suis"),
        "icitte": ("ici",), "yo": ("years", "old"), "helpme": ("help", "me"),
    }  # fmt: skip
    assert sentences(text, known, {"help", "suicide"}) == words


def test_a_sentence_without_end_is_cut_and_nothing_is_left_out() -> None:
    words = [f"w{number}x" for number in range(1000)]
    pieces = sentences(" ".join(words), {}, set(words))
    assert max(len(piece) for piece in pieces) <= LONGEST
    assert {word for piece in pieces for word in piece} == set(words)


def test_inflections_and_slips_come_from_the_data() -> None:
    assert inflected("stab~vv") == ["stab", "stabs", "stabbed", "stabbing", "stabbin"]
    assert {"frappe", "frapper", "frappait"} <= set(inflected("frapp~er"))
    assert {"pasport", "passprot", "passpport"} <= slips("passport")
    with pytest.raises(ValueError, match="unknown ending"):
        inflected("gun~xyz")


@pytest.mark.parametrize(
    ("pattern", "words", "spans"),
    [
        ("a b", "a x x x b", [(0, 4)]),
        ("a b", "a x x x x b", []),
        ("a +b", "a x b", []),
        ("a =b", "a x b", [(0, 2)]),
        ("a ..b", "a x x x x x x x x x b", [(0, 10)]),
        ("a b", "a a b", [(1, 2)]),
        ("* a b", "b x x a", [(0, 3)]),
        ("* a a", "a x", []),
        ("a b -c", "a b c", []),
        ("a|c b", "c b", [(0, 1)]),
    ],
)
def test_patterns_allow_the_slack_they_name(pattern: str, words: str, spans: list[tuple[int, int]]) -> None:
    row = words.split()
    numbers = {name: number for number, name in enumerate("abcx")}
    places = {numbers[name]: sum(1 << place for place, word in enumerate(row) if word == name) for name in set(row)}
    assert parse(pattern, numbers.__getitem__).spans(places) == spans


def test_every_shipped_rule_keeps_its_own_examples(screener: Screener) -> None:
    # building refuses a rule whose examples fail; each danger has some of both kinds
    dangers = [rule for rule in screener.rules if rule.kind == "danger"]
    assert len(dangers) > 20
    assert all(rule.must_match and rule.note and rule.category for rule in dangers)
    assert {rule.level for rule in dangers} == {1, 2, 3}


CONCEPTS = {
    "NOT": "not, no", "PAS": "pas", "SUBJECT": "i, he", "BREAK": "and", "TURN": "but", "FIRST_PERSON": "i, me",
    "RIGHT_NOW": "right now", "GUN": "gun~s",
}  # fmt: skip


def _rule(**fields: Any) -> dict[str, Any]:
    return {"id": "r", "level": 3, "category": "weapon", "note": "n", "patterns": "he =GUN", **fields}


@pytest.mark.parametrize(
    "rule",
    [
        _rule(must_match=["she waves"]),
        _rule(must_not_match=["he has guns"]),
        _rule(patterns="he KNIFE"),
        _rule(patterns=""),
        _rule(level=4),
        _rule(kind="guard"),
        _rule(colour="red"),
    ],
    ids=["misses its example", "finds what it must not", "unknown concept", "no pattern", "level 4", "kind", "field"],
)
def test_a_bad_rule_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(BadRule, match="rule r"):
        build([{"concepts": CONCEPTS, "rule": [rule]}], {})


def test_words_count_once_each_and_are_named() -> None:
    words = Words({"door": Points(2, 1), "thanks": Points(-3, 0), "the door": Points(1, 0, 4)})
    said = words.said([["the", "door", "the", "door"], ["thanks"]])
    assert said is not None
    assert (said.points, said.words) == (Points(0, 1, 4), "door, the door")
    assert words.said([["nothing"]]) is None
    names = ["a", "b", "c", ". a", "b c", "c .", "a _ b", "up_to_4_words", "1_sentences"]
    assert named([["a", ",", "b", "c"]]) == names


def test_beginnings_of_words_ends_of_sentences_and_sizes_count_too() -> None:
    worth = {"frap-": Points(3), ". il": Points(2), "il _ frappait": Points(4), "2_sentences": Points(-1)}
    words, read = Words(worth), [["il", "me", "frappait"], ["frapper", "here"]]
    said = words.said(read)
    assert said is not None
    assert (said.points.danger, said.words) == (8, "il _ frappait, frap-, . il")


def test_a_result_names_the_words_that_count() -> None:
    rules = {"concepts": CONCEPTS, "rule": [_rule()], "words": {"3 0": "shed", "-9 0": "toy"}}
    screening = build([rules], {}).screen("he has guns in the shed")
    assert [(cue.rule, cue.words) for cue in screening.cues] == [("r", "he has guns"), ("words", "shed")]
    assert build([rules], {}).screen("he has toy guns") == ORDINARY


def test_a_good_rule_says_because_of_which_words() -> None:
    screener = build([{"concepts": CONCEPTS, "rule": [_rule(must_match=["he has guns"])]}], {})
    (cue,) = screener.screen("Hello. HE has a gun").cues or screener.screen("he has guns").cues
    assert cue.rule == "r"
    assert "guns" in cue.words


SIGNALS = {
    "concepts": CONCEPTS,
    "limits": {"danger": 5, "now": 2, "threat": 1},
    "points": {
        "guns": [4, 0, 2],
        "people": [3, 0],
        "calm": [-3, 0],
        "soon": [2, 2],
        "r": [1, 0],
        "denied.danger": [-1, 0],
    },
    "signal": [
        {"id": "guns", "words": "gun~s, big knife", "must_match": ["a gun"], "must_not_match": ["no gun", "a knife"]},
        {"id": "people", "words": "he", "negatable": False},
        {"id": "soon", "category": "people", "patterns": "^ now he", "must_not_match": ["he now he"]},
        {"id": "calm", "words": "movie", "against": True, "must_match": ["no movie"]},
        {"id": "denied.danger", "against": True},
    ],
    "rule": [],
}


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("a gun", 0),
        ("he has a gun", 2),
        ("now he has a gun", 3),
        ("he has no gun", 0),
        ("a gun. a gun. a big knife", 0),
        ("he he he", 0),
        ("now he waits", 1),
        ("in the movie he has a gun", 0),
    ],
)
def test_points_of_signals_add_up(text: str, level: int) -> None:
    screener = build([SIGNALS], {})
    assert screener.screen(text).level == level
    assert screener.screen(text).rules == [cue.rule for cue in screener.screen(text).cues]


@pytest.mark.parametrize(("beyond", "level"), [(SURELY, 3), (SURELY - 1, 0)])
def test_a_cry_among_harmless_sentences_stands_by_itself_when_it_is_surely_enough(beyond: int, level: int) -> None:
    calm = {"id": "calm", "words": "movie", "against": True}
    points = {"r": [5 + beyond, 0, 0], "calm": [-99, 0, 0]}
    limits = {"danger": 5, "now": 0, "threat": 0}
    screener = build([SIGNALS | {"limits": limits, "points": points, "rule": [_rule(cry=True)], "signal": [calm]}], {})
    assert screener.screen("a movie. he has guns").level == level
    assert screener.screen("he has guns").level == 3


@pytest.mark.parametrize(
    "signal",
    [
        {"id": "s", "words": "gun", "must_match": ["knife"]},
        {"id": "s", "words": "gun", "must_not_match": ["gun"]},
        {"id": "s", "patterns": "he KNIFE"},
        {"id": "s", "words": "gun", "colour": "red"},
    ],
    ids=["misses its example", "finds what it must not", "unknown concept", "field"],
)
def test_a_bad_signal_is_refused(signal: dict[str, Any]) -> None:
    with pytest.raises(BadRule, match="rule s"):
        build([{"concepts": CONCEPTS, "signal": [signal]}], {})


SOME = ["he", "me", "gun", "knife", "kill", "not", "no", "now", "hit", "door", "movie", "."]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([*sorted(everyday())[:400], *SOME])))
def test_the_quick_look_never_passes_over_what_a_closer_one_finds(words: list[str]) -> None:
    screener, text = shipped(), " ".join(words)
    if sum(cue.points.danger for cue in screener.evidence(text)) >= screener.limits.danger:
        assert screener.screen(text).level


@pytest.mark.parametrize(
    "text",
    [
        "he has a gun", "il a un couteau", "hes gona kil me", "il va me tuer", "i took all my pills",
        "he locked me in", "chu pognée ici il me laisse pas partir", "he's coming", "il arrive",
        "HELP", "jveux me suicider",
        "call 911 please", "my daughter is 13 and her pimp is bringing a client now", "elle respire plus",
        "help he has a couteau and il va me tuer",
        "I have an essay on suicide. He is choking me", "In the film she dies. my husband is hitting me right now",
        "I was abused years ago, but now he is beating me", "aidez moi svp",
    ],
)  # fmt: skip
def test_danger_now_is_level_three(screener: Screener, text: str) -> None:
    assert screener.screen(text).level == 3


@pytest.mark.parametrize(
    "text",
    [
        "", "hello", "bonjour", "this heat is killing me", "je suis mort de rire", "he doesn't have a gun",
        "il m'a jamais frappée", "I am writing an essay about suicide", "what are the signs of trafficking?",
        "In the movie he has a gun and he kills her", "he beat me years ago, I am safe now",
        "do you have posters about forced labour?", "I could kill for a coffee", "mes pieds me tuent",
        "what if someone has a gun?",
    ],
)  # fmt: skip
def test_ordinary_texts_raise_nothing(screener: Screener, text: str) -> None:
    assert screener.screen(text).level == 0


REPLIES = """
a, 2, maybe, i dont know, not yet, bye, still here, im 23, tbh no, in a minute, not at the moment
yup im here, give me a sec, whats the number, i live in surrey, thats all, can you repeat that, je sais pas
je suis là, une minute, on peut parler, j'ai 23 ans, dans une minute, pas en ce moment, je vais les appeler
envoyez-le, elle a 34 ans, c'est tout, j'ai noté le numéro, bonne question
"""
"""What a chat mostly consists of. Nineteen of them stand in no set."""


CRIES = """
hes here, he has a gun, hes coming, help me, sos, call 911, call the police, im bleeding, he found me, i took pills
i want to die, hes outside, he hit me, im trapped, il est là, il arrive, au secours, appelez la police
jai pris des pilules, je veux mourir, il a un couteau, je saigne, il m'a trouvée, chu enfermée, il me frappe
"""
"""As short, and a danger: what was learned of the others must not drown them."""


def each(listed: str) -> list[str]:
    return listed.strip().replace("\n", ", ").split(", ")


def test_short_cries_are_heard(screener: Screener) -> None:
    assert [one for one in each(CRIES) if screener.screen(one).level < 2] == []


def test_short_replies_raise_nothing(screener: Screener) -> None:
    assert [one for one in each(REPLIES) if screener.screen(one) != ORDINARY] == []


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_any_text_gets_an_answer(text: str) -> None:
    assert shipped().screen(text).level in (0, 1, 2, 3)


@settings(max_examples=60, deadline=2_000)
@given(st.lists(st.sampled_from(sorted(everyday())), min_size=1, max_size=700), st.sampled_from([" ", ", ", ". "]))
def test_any_row_of_known_words_gets_an_answer_in_time(words: list[str], between: str) -> None:
    assert shipped().screen(between.join(words)[:4_000]).level in (0, 1, 2, 3)


@pytest.mark.parametrize("text", ["he kill me ", "not ", "a", "aaaa bbbb ", "he has a gun. ", "j'", "1a", "h e l p "])
def test_time_grows_with_length_alone(screener: Screener, text: str) -> None:
    short, long = (text * (size // len(text)) for size in (4_000, 32_000))
    assert _seconds(screener, long) < 24 * _seconds(screener, short) + 0.02


def test_an_ordinary_message_costs_next_to_nothing(screener: Screener) -> None:
    text = "hello, I would like to know whether your office is open on the first of January."
    # the figure itself is measured by `make bench-screening`; this is loose, for a machine under load
    assert _seconds(screener, text) < 0.001


def _seconds(screener: Screener, text: str) -> float:
    times = []
    for _ in range(3):
        began = time.thread_time()
        screener.screen(text)
        times.append(time.thread_time() - began)
    return min(times)
