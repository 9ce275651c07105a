"""Screen one text: find what the rules look for, and let guards decide what it means.

A guard speaks for its own sentence and, where it tells what the whole message is about, for those sentences in which
nobody says `I`. It never silences a plain cry in another part of the message.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from crisis.core.screening.lexicon import Lexicon
from crisis.core.screening.patterns import Pattern, Places, Span
from crisis.core.screening.text import COMMA, sentences

ALONE = 3
"""How many words more than what was found a sentence that says hardly anything else may have, less one."""
LOOK_BACK = 4
"""How many words before what was found can turn it round (`he never once hit me`)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Say what to look for and what it means. `kind` is `danger`, `idiom` or `guard`."""

    id: str
    kind: str
    patterns: tuple[Pattern, ...]
    level: int = 0
    category: str = ""
    note: str = ""
    negatable: bool = True
    cry: bool = False
    """A plain cry of present danger, which a guard in another part of the message does not silence."""
    across: bool = False
    """Its elements may stand in different sentences."""
    alone: bool = False
    """Its sentence has hardly another word."""
    unless: tuple[int, ...] = ()
    """Concepts of everyday life, which in the same sentence mean that nothing is the matter."""
    commas: bool = False
    """A guard whose say ends at a comma."""
    before: bool = False
    """A guard that also speaks for the sentences before its own."""
    whole: bool = False
    """A guard that tells what the whole message is about."""
    must_match: tuple[str, ...] = ()
    must_not_match: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cue:
    """Tell which rule spoke and because of which words."""

    rule: str
    level: int
    category: str
    words: str


@dataclass(frozen=True, slots=True)
class Screening:
    """Tell how dangerous a text sounds, 0 to 3, and why."""

    level: int
    cues: tuple[Cue, ...] = ()

    @property
    def categories(self) -> list[str]:
        """Return the categories found, the most dangerous first, each once."""
        return list(dict.fromkeys(cue.category for cue in self.cues))

    @property
    def rules(self) -> list[str]:
        """Return the ids of the rules that spoke, the most dangerous first."""
        return [cue.rule for cue in self.cues]


ORDINARY = Screening(0)

Hit = tuple[Rule, Span]


@dataclass(slots=True)
class _Sentence:
    """Be one sentence as the rules see it."""

    words: list[str]
    places: dict[int, int]
    hits: list[Hit]
    guards: list[Hit]


@dataclass(frozen=True, slots=True)
class _Look:
    """Be one pattern of a rule, to be tried on a sentence that has the rarest of its concepts."""

    number: int
    rule: Rule
    pattern: Pattern
    negatable: bool


class Screener:
    """Screen texts with one set of rules. Nothing changes once it is built, so threads may share it."""

    def __init__(self, lexicon: Lexicon, rules: Iterable[Rule], everyday: Mapping[str, int]) -> None:
        self.rules = tuple(rules)
        self._lexicon = lexicon
        self._not, self._pas = lexicon.number("NOT"), lexicon.number("PAS")
        self._subject, self._break = lexicon.number("SUBJECT"), lexicon.number("BREAK")
        self._first_person, self._now = lexicon.number("FIRST_PERSON"), lexicon.number("RIGHT_NOW")
        self._turn = lexicon.number("TURN")
        self._comma = lexicon.number(COMMA)
        words = lexicon.words_by_number()
        self._denials = {lexicon.number(word) for word in words[self._not]} | {self._not, self._pas}
        weights = {sense: sum(everyday.get(word, 0) for word in those) for sense, those in words.items()}
        numbers = count()
        self._index: dict[str, dict[int, list[_Look]]] = {
            kind: defaultdict(list) for kind in ("danger", "idiom", "guard")
        }
        for rule in self.rules:
            for pattern in rule.patterns:
                negatable = rule.negatable and not self._says_not(pattern)
                look = _Look(next(numbers), rule, pattern, negatable)
                for sense in _anchor(pattern, weights):
                    self._index[rule.kind][sense].append(look)
        self._across = [(rule, pattern) for rule in self.rules if rule.across for pattern in rule.patterns]
        self._hot = frozenset(word for sense in self._index["danger"] for word in words[sense])

    def screen(self, text: str) -> Screening:
        """Return how dangerous `text` sounds, and because of which words."""
        read = sentences(text, self._lexicon.expansions, self._lexicon.words)
        hot, places_in = self._hot, self._lexicon.places
        if all(hot.isdisjoint(words) for words in read):
            return ORDINARY
        placed = [(words, places_in(words)) for words in read]
        if not any(self._looks("danger", places) for _, places in placed):
            return ORDINARY
        found = [self._understood(words, places) for words, places in placed]
        whole = {guard.id: guard for sentence in found for guard, _ in sentence.guards if guard.whole}
        cues = [
            cue
            for place, sentence in enumerate(found)
            for cue in self._standing(sentence, whole.values(), found[place + 1 :])
        ]
        cues.extend(self._across_sentences(found, bool(whole)))
        if not cues:
            return ORDINARY
        cues.sort(key=lambda cue: -cue.level)
        return Screening(cues[0].level, tuple({cue.rule: cue for cue in reversed(cues)}.values())[::-1])

    def _understood(self, words: list[str], places: dict[int, int]) -> _Sentence:
        guards = self._found("guard", places, words)
        taken = 0
        for _, (start, end) in self._found("idiom", places, words):
            taken |= (1 << end + 1) - (1 << start)
        if taken:
            places = {sense: bits & ~taken for sense, bits in places.items() if bits & ~taken}
        hits = [hit for hit in self._found("danger", places, words) if self._may_stand(hit[0], places)]
        return _Sentence(words, places, hits, guards)

    def _may_stand(self, rule: Rule, places: Places) -> bool:
        return not rule.across and not any(sense in places for sense in rule.unless)

    def _looks(self, kind: str, places: Places) -> dict[int, _Look]:
        """Return the patterns that a sentence with these concepts might match."""
        index, there = self._index[kind], places.keys()
        return {
            look.number: look
            for sense in there & index.keys()
            for look in index[sense]
            if look.rule.across or look.pattern.possible(there)
        }

    def _found(self, kind: str, places: Places, words: Sequence[str]) -> list[Hit]:
        found: list[Hit] = []
        for look in self._looks(kind, places).values():
            for span in look.pattern.spans(places):
                if look.rule.alone and len(words) - (span[1] - span[0]) > ALONE:
                    continue
                if not (look.negatable and self._negated(span, places)):
                    found.append((look.rule, span))
        return found

    def _says_not(self, pattern: Pattern) -> bool:
        """Tell whether a pattern looks for a denial itself, so that the `not` it finds does not turn it round."""
        return any(not self._denials.isdisjoint(element.senses) for element in pattern.elements)

    def _negated(self, span: Span, places: Places) -> bool:
        """Tell whether a `not` before or inside it turns it round, or a French `pas` right after it."""
        start, end = span
        negations = places.get(self._not, 0)
        if not negations and self._pas not in places:
            return False
        if negations >> start & ((1 << end - start) - 1):
            return True
        if places.get(self._pas, 0) >> (end + 1) & 1:
            return True
        subjects = places.get(self._subject, 0)
        if subjects >> start & 1:
            return False
        stops = subjects | places.get(self._break, 0) | places.get(self._comma, 0)
        for place in range(start - 1, max(-1, start - 1 - LOOK_BACK), -1):
            if negations >> place & 1:
                return True
            if stops >> place & 1:
                return False
        return False

    def _standing(self, sentence: _Sentence, whole: Iterable[Rule], after: Iterable[_Sentence]) -> Iterable[Cue]:
        """Yield what the guards let stand."""
        if not sentence.hits:
            return
        if self._now not in sentence.places and any(guard.before for later in after for guard, _ in later.guards):
            return
        own = {guard.id for guard, _ in sentence.guards}
        elsewhere = any(guard.id not in own for guard in whole)
        for rule, span in sentence.hits:
            if any(self._silences(guard, said, rule, span, sentence.places) for guard, said in sentence.guards):
                continue
            if elsewhere and not self._speaks_for_itself(rule, sentence.places):
                continue
            yield Cue(rule.id, rule.level, rule.category, " ".join(sentence.words[span[0] : span[1] + 1]))

    def _silences(self, guard: Rule, guarded: Span, rule: Rule, hit: Span, places: Places) -> bool:
        if self._now in places:
            return False
        if not rule.cry:
            return True
        low, high = (guarded[1], hit[0]) if guarded[0] <= hit[0] else (hit[1], guarded[0])
        turns = places.get(self._turn, 0)
        if guard.commas and places.get(self._first_person, 0) >> hit[0] & ((1 << hit[1] + 1 - hit[0]) - 1):
            turns |= places.get(self._comma, 0)
        return not turns >> low & ((1 << max(0, high - low)) - 1)

    def _speaks_for_itself(self, rule: Rule, places: Places) -> bool:
        return rule.cry or self._first_person in places or self._now in places

    def _across_sentences(self, found: list[_Sentence], told: bool) -> Iterable[Cue]:
        """Yield the rules whose elements stand in several sentences, none of which a guard speaks for."""
        if told:
            return
        there = {sense for sentence in found if not sentence.guards for sense in sentence.places}
        for rule, pattern in self._across:
            if all(not there.isdisjoint(element.senses) for element in pattern.elements) and there.isdisjoint(
                pattern.absent
            ):
                yield Cue(rule.id, rule.level, rule.category, "")


def _anchor(pattern: Pattern, weights: Mapping[int, int]) -> frozenset[int]:
    """Return the concepts of the element that fewest ordinary messages hold."""
    return min(pattern.elements, key=lambda element: sum(weights.get(sense, 0) for sense in element.senses)).senses
