"""Patterns over concepts, matched bit by bit: the places of a sentence are the bits of a number.

A pattern is a row of elements. Each is a concept in capitals or a word, alternatives joined by `|`:

    HE HAVE WEAPON      in this order, at most three other words between two of them
    HE +HAVE            right after one another
    HE =HAVE            at most one other word between
    HE ..WEAPON         at most nine other words between
    * HE LOCKED ME      in any order, close together
    HE COMES -JOKE      and the sentence has no JOKE
    ^ HE COMES          and it begins the sentence

There is no backtracking: each element costs a few shifts, however long the sentence is.
"""

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass

NEAR, WIDE = 4, 10
"""How many places on the next element may be, usually and after `..`."""
AROUND = 8
"""How many places from the first element found the others of an unordered pattern may be."""
MOST_SPANS = 6
"""How many places of a match are looked at when guards decide; what repeats itself says nothing new."""

Places = Mapping[int, int]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Element:
    """Be one place of a pattern: any of these concepts, at most `reach` places after the one before."""

    senses: frozenset[int]
    reach: int

    def bits(self, places: Places) -> int:
        """Return where in a sentence it can stand."""
        if len(self.senses) == 1:
            (sense,) = self.senses
            return places.get(sense, 0)
        found = 0
        for sense in self.senses:
            if sense in places:
                found |= places[sense]
        return found


@dataclass(frozen=True, slots=True)
class Pattern:
    """Be a row of elements; `absent` are concepts that its sentence must not have."""

    elements: tuple[Element, ...]
    ordered: bool
    absent: frozenset[int]
    first: bool = False

    def possible(self, there: Set[int]) -> bool:
        """Tell whether a sentence with these concepts, wherever they stand, might match.

        `there` had better be a true set: against the keys of a dictionary each question would go through all of them.
        """
        for element in self.elements:
            if element.senses.isdisjoint(there):
                return False
        return self.absent.isdisjoint(there)

    def spans(self, places: Places) -> list[Span]:
        """Return where it matches, first and last place each, tightest readings first."""
        for sense in self.absent:
            if sense in places:
                return []
        rows = []
        for element in self.elements:
            bits = element.bits(places)
            if not bits:
                return []
            rows.append(bits)
        if self.first:
            rows[0] &= 1
        return self._in_order(rows) if self.ordered else _close_together(rows)

    def stands(self, places: Places) -> bool:
        """Tell whether its elements stand as it asks, whatever it must not have; cheaper than `spans`."""
        if not self.ordered:
            return bool(_close_together([element.bits(places) for element in self.elements]))
        reached, reach = 0, 0
        for element in self.elements:
            bits = element.bits(places)
            if reach:
                bits &= _after(reached, element.reach)
            elif self.first:
                bits &= 1
            if not bits:
                return False
            reached, reach = bits, element.reach
        return True

    def _in_order(self, rows: list[int]) -> list[Span]:
        reached = [rows[0]]
        for element, bits in zip(self.elements[1:], rows[1:], strict=True):
            bits &= _after(reached[-1], element.reach)
            if not bits:
                return []
            reached.append(bits)
        return [(self._start(reached, end), end) for end in _first(reached[-1])]

    def _start(self, reached: list[int], end: int) -> int:
        """Return where the tightest match that ends at `end` begins."""
        place = end
        for index in range(len(reached) - 1, 0, -1):
            reach = self.elements[index].reach
            earlier = reached[index - 1] & ((1 << place) - 1) & ~((1 << max(0, place - reach)) - 1)
            place = earlier.bit_length() - 1
        return place


def parse(source: str, sense: Callable[[str], int]) -> Pattern:
    """Return the pattern that `source` spells; `sense` gives the number of a concept or a word.

    Raises `ValueError` when it has no element, and whatever `sense` raises for a name that it does not know.
    """
    words = source.split()
    ordered, first = words[:1] != ["*"], words[:1] == ["^"]
    elements: list[Element] = []
    absent: list[int] = []
    for word in words[1:] if first or not ordered else words:
        if word.startswith("-"):
            absent.extend(sense(name) for name in word[1:].split("|"))
            continue
        reach, names = NEAR, word
        if word.startswith("+"):
            reach, names = 1, word[1:]
        elif word.startswith("="):
            reach, names = 2, word[1:]
        elif word.startswith(".."):
            reach, names = WIDE, word[2:]
        elements.append(Element(frozenset(sense(name) for name in names.split("|")), reach))
    if not elements:
        raise ValueError(f"a pattern without an element: {source!r}")
    return Pattern(tuple(elements), ordered, frozenset(absent), first)


def by_rarity(pattern: Pattern, weights: Mapping[int, int]) -> list[frozenset[int]]:
    """Return the concepts of each element, first those that fewest ordinary messages hold."""
    return sorted(
        (element.senses for element in pattern.elements),
        key=lambda senses: sum(weights.get(sense, 0) for sense in senses),
    )


def _after(bits: int, reach: int) -> int:
    """Return the places that come after one of `bits`, at most `reach` on."""
    if reach == NEAR:
        # by far the most are so near
        found = bits << 1
        found |= found << 1
        return found | found << 2
    found, done = bits << 1, 1
    while done < reach:
        step = min(done, reach - done)
        found |= found << step
        done += step
    return found


def _close_together(rows: list[int]) -> list[Span]:
    """Return spans that hold one place of each row, none the same place twice where another is there."""
    fewest = min(range(len(rows)), key=lambda index: rows[index].bit_count())
    spans = []
    for place in _first(rows[fewest]):
        taken = [place]
        for index, bits in enumerate(rows):
            if index == fewest:
                continue
            near = _nearest(bits, place, taken)
            if near is None:
                break
            taken.append(near)
        else:
            if max(taken) - min(taken) <= AROUND:
                spans.append((min(taken), max(taken)))
    return spans


def _nearest(bits: int, place: int, taken: list[int]) -> int | None:
    for distance in range(1, AROUND + 1):
        for candidate in (place - distance, place + distance):
            if candidate >= 0 and bits >> candidate & 1 and candidate not in taken:
                return candidate
    return None


def _first(bits: int) -> Iterator[int]:
    """Yield the first places of a row of bits."""
    for _ in range(MOST_SPANS):
        if not bits:
            return
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
