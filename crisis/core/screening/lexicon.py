"""Words and what they mean to the rules: concepts, phrases, inflections and slips of the fingers."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from crisis.core.screening.text import COMMA, plain

SHORTEST_SLIP = 7
"""A shorter word is too near to others for its misspellings to be taken for it."""

ALWAYS = 10**6
"""How often what stands in every message does, more than any word."""

_VOWELS = "aeiou"
_SOUNDS = (("ph", "f"), ("ck", "k"), ("c", "k"), ("c", "s"), ("s", "z"), ("qu", "k"), ("ie", "ei"), ("y", "i"))

Node = dict[str, Any]
END = "END"
"""The concept that stands right after the last word of a sentence."""

HERE = ""
"""The key under which a node of the phrase tree keeps the concepts that end there."""


class Lexicon:
    """Hold what each word and phrase means; concepts and plain words in patterns are numbers alike."""

    def __init__(
        self,
        concepts: Mapping[str, str],
        expansions: Mapping[str, str],
        ordinary: Iterable[str] = (),
        against: Iterable[str] = (),
    ) -> None:
        """Learn the words of concepts. Phrases of those in `against` leave a `not` in them as it is."""
        self._numbers: dict[str, int] = {}
        self.senses: dict[str, tuple[int, ...]] = {}
        self.phrases: Node = {}
        self.words: set[str] = set()
        """Every word that means something, alone or in a phrase."""
        self.expansions = {plain(word): tuple(plain(meant).split()) for word, meant in expansions.items()}
        self.names: set[str] = {END, *concepts}
        self._pieces: dict[str, str] = dict(concepts)
        for name in concepts:
            for form in self._forms(name):
                self._learn(form, self.number(name))
        self._add_slips(frozenset(ordinary))
        self.end = self.number("END")
        self._concepts = len(self._numbers)
        self.denials = frozenset(self.number(name) for name in ("NOT", "PAS"))
        self._leave_denials = self.denials | {self.number(name) for name in against}
        self.number(COMMA)

    def number(self, name: str) -> int:
        """Return the number of a concept or word that a pattern names. Raises `KeyError` for an unknown concept."""
        known = self._numbers.get(name)
        if known is not None:
            return known
        if name.isupper() and name not in self.names:
            raise KeyError(f"no concept {name}")
        number = self._numbers[name] = len(self._numbers)
        if name not in self.names:
            if name != COMMA:
                self._learn(name.replace("_", " "), number)
            else:
                self.senses[name] = (number,)
        return number

    def words_by_number(self) -> dict[int, set[str]]:
        """Return for each meaning the words that have it, and the first word of each phrase that has it."""
        found: dict[int, set[str]] = defaultdict(set)
        for word, senses in self.senses.items():
            for sense in senses:
                found[sense].add(word)
        for first, node in self.phrases.items():
            for sense in _below(node):
                found[sense].add(first)
        return found

    def shortest(self, wanted: Collection[int]) -> dict[int, str]:
        """Return for each meaning that is wanted the shortest text that has it, nothing for the end of a sentence."""
        found = {}
        for name, number in self._numbers.items():
            if number in wanted:
                forms = self._forms(name) if name in self._pieces else iter((name.replace("_", " "),))
                found[number] = "" if number == self.end else min(forms, key=len, default="")
        return found

    def weights(self, everyday: Mapping[str, int]) -> dict[int, int]:
        """Return for each meaning how often ordinary messages have it; every sentence has an end."""
        found = {sense: sum(everyday.get(word, 0) for word in words) for sense, words in self.words_by_number().items()}
        return found | {self.end: ALWAYS, self.number(COMMA): ALWAYS}

    def places(self, words: list[str]) -> dict[int, int]:
        """Return for each meaning the places of a sentence where it stands; a phrase stands on all of its words."""
        places: dict[int, int] = {}
        spoken_for = 0
        for place, word in enumerate(words):
            for sense in self.senses.get(word, ()):
                places[sense] = places.get(sense, 0) | 1 << place
            node = self.phrases.get(word)
            if node is not None:
                spoken_for |= self._follow(node, words, place, places)
        places[self.end] = 1 << len(words)
        for sense in self.denials if spoken_for else ():
            if sense in places:
                places[sense] &= ~spoken_for
        return places

    def _follow(self, node: Node, words: list[str], start: int, places: dict[int, int]) -> int:
        """Add what phrases from `start` on mean; return the places whose `not` belongs to a phrase."""
        place, spoken_for = start + 1, 0
        while True:
            for sense in node.get(HERE, ()):
                on = (1 << place) - (1 << start)
                places[sense] = places.get(sense, 0) | on
                if sense < self._concepts and sense not in self._leave_denials:
                    spoken_for |= on
            following = node.get(words[place]) if place < len(words) else None
            if following is None:
                return spoken_for
            node, place = following, place + 1

    def _forms(self, name: str) -> Iterator[str]:
        """Yield the words and phrases that a concept is."""
        for entry in self._entries(name):
            yield from inflected(plain(entry))

    def _entries(self, name: str, above: tuple[str, ...] = ()) -> Iterator[str]:
        """Yield the entries of a concept; `@OTHER` stands for all of another's, `{OTHER} ans` for phrases of them."""
        if name in above:
            raise ValueError(f"the concept {name} contains itself")
        if name not in self._pieces:
            raise KeyError(f"no concept {name}")
        for entry in self._pieces[name].replace("\n", ",").split(","):
            entry = entry.strip()
            if entry.startswith("@"):
                yield from self._entries(entry[1:], (*above, name))
            elif entry:
                yield from self._filled(entry, (*above, name))

    def _filled(self, entry: str, above: tuple[str, ...]) -> Iterator[str]:
        head, brace, rest = entry.partition("{")
        if not brace:
            yield entry
            return
        inner, _, tail = rest.partition("}")
        tails = list(self._filled(tail, above))
        yield from (head + filling + end for filling in self._entries(inner, above) for end in tails)

    def _learn(self, form: str, number: int) -> None:
        words = [part for word in form.split() for part in self.expansions.get(word, (word,))]
        self.words.update(words)
        if len(words) == 1:
            known = self.senses.get(words[0], ())
            if number not in known:
                self.senses[words[0]] = (*known, number)
            return
        node = self.phrases
        for word in words:
            node = node.setdefault(word, {})
        if number not in node.get(HERE, ()):
            node[HERE] = (*node.get(HERE, ()), number)

    def _add_slips(self, ordinary: frozenset[str]) -> None:
        """Let misspellings stand for their word, unless they are words of their own or of two words at once."""
        found: dict[str, str] = {}
        doubtful = set()
        for word in sorted(self.words):
            if len(word) < SHORTEST_SLIP:
                continue
            for slip in slips(word):
                if slip in self.words or slip in self.expansions or slip in ordinary:
                    continue
                other = found.setdefault(slip, word)
                if self.senses.get(other) != self.senses.get(word):
                    doubtful.add(slip)
        self.expansions.update({slip: (word,) for slip, word in found.items() if slip not in doubtful})


def inflected(entry: str) -> list[str]:
    """Return the forms of an entry: `gun~s`, `kick~v`, `stab~vv`, `chok~e`, `cr~y` and French `frapp~er`, `agress~if`.

    The sign may end any word of a phrase; an entry without it is itself only.
    """
    if "~" not in entry:
        return [entry]
    forms = [""]
    for word in entry.split():
        stem, sign, ending = word.partition("~")
        if sign and ending not in _ENDINGS:
            raise ValueError(f"unknown ending in {entry!r}")
        written = [stem + end for end in _ENDINGS[ending].split(",")] if sign else [stem]
        if ending == "vv":
            last = stem[-1]
            written = [stem, stem + "s", *(stem + last + end for end in ("ed", "ing", "in"))]
        forms = [f"{form} {one}".strip() for form in forms for one in written]
    return forms


_ENDINGS = {
    "s": ",s",
    "v": ",s,ed,ing,in",
    "vv": "",
    "e": "e,es,ed,ing,in",
    "y": "y,ies,ied,ying",
    # "-e" stands also for the participle, whose accent is gone or was never typed
    "er": "e,es,er,ez,ee,ees,ent,ait,ais,aient,era,erai,eras,eront,erait,ant,ons,ai,a",
    "ir": "i,is,it,ie,ies,ir,issent,issait,issais,issez,ira,irai,iront,irait",
    "f": ",e,s,es",
    "re": "re,s,,u,ue,us,ues,ait,ais,aient,ent,ra,rai,ront,rait,ez",
}


def slips(word: str) -> set[str]:
    """Return common misspellings: a letter left out, doubled or swapped, another vowel, another spelling of a sound.

    The first letter is left alone, people seldom miss it.
    """
    found = set()
    for place in range(1, len(word)):
        head, letter, tail = word[:place], word[place], word[place + 1 :]
        found.add(head + tail)
        found.add(head + letter + letter + tail)
        if tail:
            found.add(head + tail[0] + letter + tail[1:])
        if letter in _VOWELS:
            found.update(head + vowel + tail for vowel in _VOWELS)
    for sound, spelling in _SOUNDS:
        for wrong in (word.replace(sound, spelling, 1), word.replace(spelling, sound, 1)):
            if wrong[0] == word[0]:
                found.add(wrong)
    found.discard(word)
    return found


def _below(node: Node) -> Iterator[int]:
    for key, below in node.items():
        yield from below if key == HERE else _below(below)
