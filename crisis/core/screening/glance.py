"""A first look at a sentence, word by word: what its words count, and what else could stand in it.

All that a word brings is worked out when the rules are built, so that a sentence costs one step a word. What is looked
for has a bit each, and so has each element of a pattern: where words stand is not asked.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from crisis.core.screening.lexicon import HERE, Lexicon, Node
from crisis.core.screening.words import BEGINNING, END, LONG, MOST_SENTENCES, SIZES, Worths

FEW = 24
"""How many words with something to try a sentence may have before it is asked whether they repeat themselves."""

_Tries = tuple[tuple[int, int], ...]
"""Patterns that are tried somewhere: of each the marks that its sentence must have, and the bit of what it is then."""
_Phrase = tuple[int, _Tries, "Mapping[str, _Phrase] | None"]
"""The marks of a phrase, the patterns tried at it, and how longer ones go on."""
_Row = tuple[tuple[int, ...], int, _Tries, Mapping[str, int], Mapping[str, int]]
"""What a word brings to its sentence: the numbers of what counts, itself and its beginning; its marks and the patterns
tried at it; and for words that come next, and next but one, the numbers of what both count."""
Seen = tuple[set[int], int]
"""What a look at a sentence sees: the numbers of what counts, and the bits of what could be there."""


class Glance:
    """Know what each word brings. What counts has a number, since it counts once a text."""

    def __init__(self, lexicon: Lexicon, worths: Worths, meanings: "Meanings") -> None:
        """Work that out, for words that count so much and for what they mean."""
        self._wanted = meanings.wanted
        self._of_size, self._of_sentences = worths.of_size, worths.of_sentences
        self._end = meanings.of((lexicon.end,))
        self._question = meanings.of((lexicon.end, *lexicon.senses.get("?", ())))
        self._worth = [0]
        """What counts, by its number."""
        self._phrases: list[_Phrase] = [(0, (), None)]
        """What pairs of words begin, by their numbers, which are the first: numbers cost the collector nothing."""
        beside = self._pairs(lexicon, worths, meanings)
        self._first = beside.pop(END, {})
        """The numbers of the words that count where they begin a sentence."""
        apart: dict[str, dict[str, int]] = defaultdict(dict)
        for (word, other), worth in worths.apart.items():
            apart[word][other] = self._number(worth)
        self._begun = {letters: self._number(worth) for letters, worth in worths.begun.items()}
        self._rows: dict[str, _Row] = {}
        none: dict[str, int] = {}
        for word in {*worths.single, *beside, *apart, *lexicon.senses}:
            counts = [self._number(worths.single[word])] if word in worths.single else []
            if number := self._beginning(word):
                counts.append(number)
            marks, tries = meanings.of(lexicon.senses.get(word, ()))
            self._rows[word] = tuple(counts), marks, tries, beside.get(word, none), apart.get(word, none)

    def _pairs(self, lexicon: Lexicon, worths: Worths, meanings: "Meanings") -> dict[str, dict[str, int]]:
        """Return for each word the numbers of pairs with the next one that count or begin a phrase."""
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for word, node in lexicon.phrases.items():
            for other, below in node.items():
                found[word][other] = self._number(worths.beside.get((word, other), 0))
                self._phrases.append(_phrase(below, meanings))
        for (word, other), worth in worths.beside.items():
            if other not in found[word]:
                found[word][other] = self._number(worth)
        return found

    def _number(self, worth: int) -> int:
        self._worth.append(worth)
        return len(self._worth) - 1

    def look(self, words: list[str], *, asked: bool) -> Seen:
        """Look at a sentence; `asked` tells that a question mark belongs to it."""
        rows, phrases, begins, size = self._rows, self._phrases, len(self._phrases), len(words)
        marks, tries = self._question if asked else self._end
        counts, tried = [self._first.get(words[0], 0)], [tries]
        after = words[1:]
        after.append(END)
        for place, word, following, later in zip(range(2, size + 2), words, after, [*after[1:], ""], strict=True):
            row = rows.get(word)
            if row is None:
                counts.append(self._beginning(word))
                continue
            own, more, tries, beside, apart = row
            counts += own
            marks |= more
            if tries:
                tried.append(tries)
            if following in beside:
                number = beside[following]
                counts.append(number)
                if number < begins:
                    more, tries, longer = phrases[number]
                    marks |= more
                    tried.append(tries)
                    while longer is not None and place < size and words[place] in longer:
                        more, tries, longer = longer[words[place]]
                        marks |= more
                        tried.append(tries)
                        place += 1
            if later in apart:
                counts.append(apart[later])
        return set(counts), self._could_be(marks, tried)

    def _could_be(self, marks: int, tried: list[_Tries]) -> int:
        if len(tried) > FEW:
            # what is said over and over is tried once
            tried = list({id(tries): tries for tries in tried}.values())
        for need, bit in chain.from_iterable(tried):
            if need & marks == need:
                marks |= bit
        return marks & self._wanted

    def _beginning(self, word: str) -> int:
        """Return the number of what a word counts by its beginning."""
        return self._begun.get(word[:BEGINNING], 0) if len(word) >= LONG else 0

    def points(self, counts: Iterable[int], words: int, sentences: int) -> int:
        """Return what counts in so many words and sentences, for danger."""
        worth = self._worth
        size = self._of_size[bisect_left(SIZES, words)] + self._of_sentences[min(MOST_SENTENCES, sentences)]
        return size + sum([worth[number] for number in counts])


def _phrase(node: Node, meanings: "Meanings") -> _Phrase:
    marks, tries = meanings.of(node.get(HERE, ()))
    longer = {word: _phrase(below, meanings) for word, below in node.items() if word != HERE}
    return marks, tries, longer or None


class Meanings:
    """Know what each meaning brings."""

    def __init__(
        self, size: int, sure: Mapping[int, int], patterns: Sequence[tuple[int, Sequence[frozenset[int]]]]
    ) -> None:
        """Work that out. The first `size` bits are what is looked for; `sure` is what each meaning surely is.

        Of each pattern its bit and what its elements may be, the rarest first.
        """
        self.wanted = (1 << size) - 1
        self._marks: dict[int, int] = defaultdict(int, sure)
        self._tries: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._known: dict[tuple[int, ...], tuple[int, _Tries]] = {}
        # what many patterns need gets the lowest bits, so that numbers are short
        common = Counter(element for _, (_, *others) in patterns for element in others)
        mark = {element: 1 << size + place for place, (element, _) in enumerate(common.most_common())}
        for element, bit in mark.items():
            for sense in element:
                self._marks[sense] |= bit
        for bit, (rarest, *others) in patterns:
            need = sum({mark[element] for element in others})
            for sense in rarest:
                if need:
                    self._tries[sense].append((need, bit))
                else:
                    self._marks[sense] |= bit

    def of(self, senses: tuple[int, ...]) -> tuple[int, _Tries]:
        """Return the marks of some meanings, and the patterns tried where they stand."""
        if senses not in self._known:
            marks, tries = 0, dict[tuple[int, int], None]()
            for sense in senses:
                marks |= self._marks.get(sense, 0)
                tries.update(dict.fromkeys(self._tries.get(sense, ())))
            self._known[senses] = marks, tuple(tries)
        return self._known[senses]
