"""Screen one text: find what the rules look for, and let guards decide what it means.

A guard speaks for its own sentence and, where it tells what the whole message is about, for those sentences in which
nobody says `I`. It never silences a plain cry in another part of the message. Such a sentence stands by itself when it
is surely enough, however much the rest speaks against danger.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain, count

from crisis.core.screening.lexicon import Lexicon
from crisis.core.screening.patterns import Pattern, Places, Span, by_rarity
from crisis.core.screening.prospects import Prospects
from crisis.core.screening.result import DENIED, ORDINARY, UNOPPOSED, WORDS, Cue, Screening
from crisis.core.screening.rule import Rule
from crisis.core.screening.signals import NO_POINTS, Limits, Signal, Signals
from crisis.core.screening.text import COMMA, sentences
from crisis.core.screening.words import Words

KINDS = ("danger", "idiom", "guard")
ALONE = 3
"""How many words more than what was found a sentence that says hardly anything else may have, less one."""
LOOK_BACK = 4
"""How many words before what was found can turn it round (`he never once hit me`)."""

SURELY = 15
"""How many points more than a message a sentence needs to be enough by itself: the rest, which mostly makes it
harmless, is left out there. In messages of fresh hands those with less were a fifth of all false alarms, and hardly
ever danger."""
OFTEN = 12
"""How many times a rule is found in one text before nobody looks for it any more: what repeats itself is not news."""

Hit = tuple[Rule, Span]


@dataclass(slots=True)
class _Sentence:
    """Be one sentence as the rules see it."""

    words: list[str]
    places: dict[int, int]
    hidden: dict[int, int]
    """The same before idioms hid their words."""
    hits: list[Hit]
    guards: list[Hit]
    idioms: list[Hit]
    standing: list[Cue]
    """The rules that guards do not silence."""


@dataclass(frozen=True, slots=True)
class _Look:
    """Be one pattern of a rule, to be tried on a sentence that has the rarest of its concepts."""

    number: int
    rule: Rule
    pattern: Pattern
    negatable: bool


class Screener:
    """Screen texts with one set of rules. Nothing changes once it is built, so threads may share it."""

    def __init__(
        self,
        lexicon: Lexicon,
        rules: Iterable[Rule],
        signals: Sequence[Signal],
        limits: Limits,
        everyday: Mapping[str, int],
        words: Words | None = None,
        mild: Set[str] = frozenset(),
    ) -> None:
        """Keep all ready. A message is never less dangerous for a rule that is `mild`."""
        self.rules = tuple(rules)
        self.signals = tuple(signals)
        self.limits = limits
        self._words = words or Words()
        self._mild = frozenset(mild)
        self.lexicon = lexicon
        self._plain = lexicon.words - lexicon.expansions.keys()
        self._not, self._pas = lexicon.number("NOT"), lexicon.number("PAS")
        self._subject, self._break = lexicon.number("SUBJECT"), lexicon.number("BREAK")
        self._first_person, self._now = lexicon.number("FIRST_PERSON"), lexicon.number("RIGHT_NOW")
        self._turn = lexicon.number("TURN")
        self._comma = lexicon.number(COMMA)
        known = lexicon.words_by_number()
        self._denials = {lexicon.number(word) for word in known[self._not]} | {self._not, self._pas}
        weights = lexicon.weights(everyday)
        numbers = count()
        self._index: dict[str, dict[int, list[_Look]]] = {kind: defaultdict(list) for kind in KINDS}
        for rule in self.rules:
            for pattern in rule.patterns:
                negatable = rule.negatable and not self._says_not(pattern)
                look = _Look(next(numbers), rule, pattern, negatable)
                for sense in by_rarity(pattern, weights)[0]:
                    self._index[rule.kind][sense].append(look)
        self._cries = frozenset(rule.id for rule in self.rules if rule.cry)
        self._across = [(rule, pattern) for rule in self.rules if rule.across for pattern in rule.patterns]
        anchors = {id(pattern): by_rarity(pattern, weights)[0] for signal in signals for pattern in signal.patterns}
        denying = frozenset(id(pattern) for signal in signals for pattern in signal.patterns if self._says_not(pattern))
        self._signals = Signals(signals, anchors, denying)
        # what guards and idioms count, and rules over several sentences, is left to the closer look
        sure = [rule for rule in self.rules if rule.kind == "danger"]
        self._prospects = Prospects((*sure, *signals), lexicon, everyday, self._words.worths())
        self._denial = next((signal for signal in signals if signal.id == DENIED), None)
        self._unopposed = next((signal for signal in signals if signal.id == UNOPPOSED), None)

    def screen(self, text: str) -> Screening:
        """Return how dangerous `text` sounds, and because of which words."""
        read, asked = self.read(text), "?" in text
        hopes = self._prospects.hopes(read, self.limits.danger, asked=asked)
        if not hopes:
            return ORDINARY
        placed = self._placed(read, asked)
        meant = [places for _, places in placed]
        if not any(self._prospects.reach(hope, meant) for hope in hopes):
            return ORDINARY
        found = self._all_understood(placed)
        evidence = self._evidence(found)
        if not self._enough(evidence):
            evidence = self._cry(found)
        if not evidence:
            return ORDINARY
        spoke = [cue for cue in evidence if cue.points.danger > 0]
        spoke.sort(key=lambda cue: (not cue.words, -cue.points.danger))
        return Screening(self._level(evidence), tuple(spoke))

    def _level(self, evidence: Sequence[Cue]) -> int:
        level = self._level_by_points(evidence)
        if self._mild and any(cue.rule in self._mild for cue in evidence):
            others = [cue for cue in evidence if cue.rule not in self._mild and cue.rule != UNOPPOSED]
            others = self._together(others)
            if self._enough(others):
                return max(level, self._level_by_points(others))
        return level

    def _level_by_points(self, evidence: Iterable[Cue]) -> int:
        points = sum([cue.points for cue in evidence], NO_POINTS)
        if points.threat < self.limits.threat:
            return 1
        return 3 if points.now >= self.limits.now else 2

    def evidence(self, text: str) -> list[Cue]:
        """Return all that counts in `text`, for danger and against it, each once."""
        return self._evidence(self._all_understood(self._placed(self.read(text), "?" in text)))

    def read(self, text: str) -> list[list[str]]:
        """Return the words of `text` as the rules see them, sentence by sentence."""
        return sentences(text, self.lexicon.expansions, self._plain)

    def _placed(self, read: Iterable[list[str]], asked: bool) -> list[tuple[list[str], dict[int, int]]]:
        placed = [(words, self.lexicon.places(words)) for words in read]
        if placed and asked:
            words, places = placed[-1]
            places.update(dict.fromkeys(self.lexicon.senses.get("?", ()), 1 << len(words)))
        return placed

    def _enough(self, evidence: Iterable[Cue], more: int = 0) -> bool:
        return sum(cue.points.danger for cue in evidence) >= self.limits.danger + more

    def cries(self, text: str) -> list[tuple[list[str], list[Cue]]]:
        """Return each sentence beside others that has a plain cry, and what counts in it by itself."""
        found = self._all_understood(self._placed(self.read(text), "?" in text))
        return [(sentence.words, self._alone(sentence)) for sentence in self._crying(found)]

    def _cry(self, found: list[_Sentence]) -> list[Cue]:
        """Return what counts in a sentence with a plain cry that surely is enough, whatever the text is about."""
        alone = (self._alone(sentence) for sentence in self._crying(found))
        return next((own for own in alone if self._enough(own, SURELY)), [])

    def _crying(self, found: list[_Sentence]) -> list[_Sentence]:
        if len(found) == 1:
            return []
        return [one for one in found if any(cue.rule in self._cries for cue in one.standing)]

    def _alone(self, sentence: _Sentence) -> list[Cue]:
        said = self._said([sentence.words])
        return self._together([*sentence.standing, *self._counted(sentence, set()), *said])

    def _all_understood(self, placed: Iterable[tuple[list[str], dict[int, int]]]) -> list[_Sentence]:
        times: Counter[str] = Counter()
        found = [self._understood(words, places, times) for words, places in placed]
        whole = {guard.id: guard for sentence in found for guard, _ in sentence.guards if guard.whole}
        for place, sentence in enumerate(found):
            sentence.standing = list(self._standing(sentence, whole.values(), found[place + 1 :]))
        return found

    def _evidence(self, found: list[_Sentence]) -> list[Cue]:
        cues: list[Cue] = []
        seen: set[str] = set()
        for sentence in found:
            cues.extend(sentence.standing)
            cues.extend(self._counted(sentence, seen))
        told = any(guard.whole for sentence in found for guard, _ in sentence.guards)
        cues.extend(self._across_sentences(found, told))
        cues.extend(self._said([sentence.words for sentence in found]))
        return self._together(cues)

    def _said(self, read: Sequence[list[str]]) -> Iterable[Cue]:
        """Yield what the words of sentences count by themselves."""
        said = self._words.said(read)
        if said is not None:
            yield Cue(WORDS, WORDS, said.words, said.points, 0)

    def _together(self, cues: Iterable[Cue]) -> list[Cue]:
        """Return each cue once, and whether nothing speaks against them."""
        together: dict[str, Cue] = {}
        for cue in cues:
            together.setdefault(cue.rule, cue)
        sides = {cue.side for cue in together.values()}
        if self._unopposed is not None and 1 in sides and -1 not in sides:
            together[UNOPPOSED] = Cue(UNOPPOSED, self._unopposed.category, "", self._unopposed.points, 0)
        return list(together.values())

    def _counted(self, sentence: _Sentence, seen: set[str]) -> Iterable[Cue]:
        """Yield guards, idioms and signals of a sentence, save those `seen`, and note them there."""
        places = sentence.places
        for rule, span in chain(sentence.guards, sentence.idioms):
            yield _cue(rule, span, sentence.words)
        denials = places.get(self._not, 0) | places.get(self._pas, 0)
        for signal, span, negatable in self._signals.found(places, sentence.hidden, denials, seen):
            if not (negatable and denials and self._negated(span, places)):
                seen.add(signal.id)
                yield _cue(signal, span, sentence.words)
            elif self._denial is not None:
                yield _cue(self._denial, span, sentence.words)

    def _understood(self, words: list[str], places: dict[int, int], times: Counter[str]) -> _Sentence:
        """Return a sentence as the rules see it; `times` counts how often each has been found, and is added to."""
        hidden = places
        guards = self._found("guard", places, words, times)
        taken, idioms = 0, self._found("idiom", places, words, times)
        for _, (start, end) in idioms:
            taken |= (1 << end + 1) - (1 << start)
        if taken:
            places = {sense: bits & ~taken for sense, bits in places.items() if bits & ~taken}
        hits = [hit for hit in self._found("danger", places, words, times) if self._may_stand(hit[0], places)]
        return _Sentence(words, places, hidden, hits, guards, idioms, [])

    def _may_stand(self, rule: Rule, places: Places) -> bool:
        return not any(sense in places for sense in rule.unless)

    def _found(self, kind: str, places: Places, words: Sequence[str], times: Counter[str]) -> list[Hit]:
        """Return what rules of a kind find in a sentence, save those found often enough."""
        found: list[Hit] = []
        index, there = self._index[kind], set(places)
        looks = {
            look.number: look
            for sense in there
            if sense in index
            for look in index[sense]
            if look.pattern.possible(there)
        }
        for look in looks.values():
            if look.rule.across or times[look.rule.id] >= OFTEN:
                continue
            for span in look.pattern.spans(places):
                if look.rule.alone and len(words) - (span[1] - span[0]) > ALONE:
                    continue
                if not (look.negatable and self._negated(span, places)):
                    found.append((look.rule, span))
                    times[look.rule.id] += 1
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
            yield _cue(rule, span, sentence.words)

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
                yield Cue(rule.id, rule.category, "", rule.points, note=rule.note, level=rule.level)


def _cue(rule: Rule | Signal, span: Span, words: Sequence[str]) -> Cue:
    return Cue(
        rule.id, rule.category, " ".join(words[span[0] : span[1] + 1]), rule.points, rule.side, rule.note, rule.level
    )
