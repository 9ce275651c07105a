"""Turn what people type into plain words: case, accents, apostrophes, repeated letters, digits for letters, texting.

Each step reads the text once. Words come out in sentences, because what one sentence says must not silence another.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Set

COMMA = ","
"""Stands between the parts of a sentence; what is said in one part need not be about the next."""

LONGEST = 96
"""Words that a sentence may have; a longer run without a full stop is cut, so that work stays linear."""
OVERLAP = 16

Expansions = Mapping[str, tuple[str, ...]]

_SPLIT_WORD = re.compile(r"[0-9]+|[a-z]+")
_ELIDED = ("[jldcnsmt]", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "presqu")


def _after(words: Iterable[str], end: str) -> str:
    """Return the expression for a place right after one of some words and `end`."""
    return "|".join(rf"(?<=\b{word}{end})" for word in words)


# what follows begins with what it looks for and only then looks back: such a sign is found at once, where
# words that may begin anywhere are tried at each letter
_ELISION = re.compile("'(?=[a-z])(?:" + _after(_ELIDED, "'") + ")")
_SUBJECT_I = re.compile(r"i (?<!\wi )(?=(?:me|ma|mont|va|veut|veu|dit|di|vient|nous|sont|est|faut|menace|frappe)\b)")
_WHO_HAS = ("il", "elle", "on", "y", "qui", "ki", "boss", "chum", "gars", "patron", "oncle", "mari")
_HAS_ME = re.compile(rf" ma (?=[a-z])(?:{_after(_WHO_HAS, ' ma ')})")
_HAVE_ME = re.compile(rf" mon (?=[a-z]{{3}})(?:{_after(('ils', 'elles', 'y', 'les gars'), ' mon ')})")
_CLIPPED = {"j": "je", "l": "le", "d": "de", "m": "me", "t": "te", "s": "se", "n": "ne"}
SHORTEST_REST = 5
"""Letters that a word must have whose article or pronoun is grown on to it; shorter ones are other words too often."""
_DOTS = re.compile(r"\.{2,}")
_REPEATED = re.compile(r"([a-z])\1{2,}")
_DOUBLED = re.compile(r"([a-z])\1+")
_SPELLED_OUT = re.compile(r"(?<![a-z0-9'])(?:[a-z][ .\-_]){3,15}[a-z](?![a-z0-9'])")
_LOOKALIKE = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a", "$": "s"})
_SIGNS = str.maketrans(
    {
        "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "œ": "oe", "æ": "ae", "ß": "ss", "…": " ", "—": ",",
        "–": ",", "،": ",", "\u200b": None, "\u200c": None, "\u200d": None, "\ufeff": None, "\u00ad": None,
        "🔪": " knife ", "🗡": " knife ", "🔫": " gun ", "🆘": " sos ", "💊": " pills ", "🩸": " blood ",
    }
)  # fmt: skip
_FOLDED = _SIGNS | {
    ord(sign): plain for sign, plain in zip("àâäáãçéèêëíìîïñóòôöõúùûüÿ", "aaaaaceeeeiiiinooooouuuuy", strict=True)
}
"""The same with what French and its neighbours write; taking all of Unicode apart costs more."""


def _table(*signs: tuple[str, str], other: str) -> bytes:
    """Return a table that makes of the first signs of each pair the second, or one that stands for all."""
    plain_signs = dict.fromkeys(range(256), other)
    for those, made in signs:
        plain_signs.update(zip(map(ord, those), made * (len(those) // len(made)), strict=True))
    return "".join(plain_signs.values()).encode("latin-1")


_LETTERS, _FIGURES = "abcdefghijklmnopqrstuvwxyz", "0123456789*@$"
_SHAPES = _table((_LETTERS, "a"), (_FIGURES, "1"), (" .-_", " "), other="x")
"""Tells what a text looks like, whatever it says."""
_TOKENS = _table(
    (_LETTERS + _FIGURES + ".,", _LETTERS + _FIGURES + ".,"),
    ("\t\x0b\x0c\r\x1c\x1d\x1f ", " "),
    ("!?;\n\x1e", "\n"),
    other="\t",
)
"""Leaves what words are made of and what ends them: a space, a tab for what is none, a line for a sentence."""
_FOREIGN_SPACE, _FOREIGN = re.compile(r"[^\S\x00-\x7f]"), re.compile(r"[^\x00-\x7f]")


def plain(text: str) -> str:
    """Return a text in small letters without accents, with French elisions taken apart and other apostrophes gone."""
    text = text.lower()
    if not text.isascii():
        text = _folded(text)
    if "'" in text:
        text = _ELISION.sub(" ", text.replace("s'il", "si il")).replace("'", "")
    if ".." in text:
        text = _DOTS.sub(" ", text)
    if "il y a" in text:
        # so that nobody takes the `il` of `il y a` for a person
        text = text.replace("il y a ", "ilya ")
    # French as it is heard: `i va`, `il ma pris`, `ils mon pris`
    if " ma " in text:
        text = _HAS_ME.sub(" me a ", text)
    if " mon " in text:
        text = _HAVE_ME.sub(" me ont ", text)
    if "i " in text:
        text = _SUBJECT_I.sub("il ", text)
    return text


def _folded(text: str) -> str:
    """Return a text without accents, as plain signs as can be."""
    try:
        # most of what is written in French or English is one byte a sign, but for these two
        return text.replace("’", "'").replace("œ", "oe").encode("latin-1").translate(_LATIN, _NOTHING).decode("ascii")
    except UnicodeError:
        return _taken_apart(text)


def _taken_apart(text: str) -> str:
    text = text.translate(_FOLDED)
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join([sign for sign in decomposed if not unicodedata.combining(sign)]).translate(_SIGNS)


def _latin() -> tuple[bytes, bytes]:
    """Return what each byte of Latin-1 becomes in a text with accents, and those that become nothing.

    What becomes more than one sign, or stays foreign, is left as it is.
    """
    table, nothing = bytearray(range(256)), b""
    for code in range(256):
        became = _taken_apart(chr(code)) if code >= 128 else chr(code).translate(_SIGNS)
        if not became:
            nothing += bytes((code,))
        elif len(became) == 1 and became.isascii():
            table[code] = ord(became)
    return bytes(table), nothing


_LATIN, _NOTHING = _latin()


def sentences(text: str, known: Expansions, words: Set[str]) -> list[list[str]]:
    """Return the words of a text, sentence by sentence.

    `known` says what a short form, a slip of the fingers or an inflection without apostrophe stands for; `words` are
    others that mean something to the rules.
    """
    signs, rough = _smoothed(plain(text))
    lines = signs.translate(_TOKENS).decode("ascii")
    if "." in lines:
        # one within a number or a name ends nothing
        lines = f"{lines} ".replace(". ", "\n").replace(".\n", "\n").replace(".", "\t")
    if COMMA in lines:
        lines = lines.replace(COMMA, f" {COMMA} ")
    found: list[list[str]] = []
    for line in lines.split("\n"):
        sentence = _meant(line.split(), known, words, rough)
        if len(sentence) > LONGEST:
            found.extend(_pieces(sentence))
        elif sentence:
            found.append(sentence)
    return found


def _smoothed(text: str) -> tuple[bytes, bool]:
    """Return a text with spelled-out words joined and no letter more than twice, and whether it is roughly written."""
    if not text.isascii():
        text = _FOREIGN.sub("\0", _FOREIGN_SPACE.sub("\t", text))
    signs = text.encode("ascii")
    shape = signs.translate(_SHAPES)
    if b"a a a a" in shape:
        text = _SPELLED_OUT.sub(_joined, text)
        signs = text.encode("ascii")
        shape = signs.translate(_SHAPES)
    rough = b"a1" in shape or b"1a" in shape
    if _has_thrice(signs) and _REPEATED.search(text):
        return _REPEATED.sub(r"\1\1", text).encode("ascii"), True
    return signs, rough


def _has_thrice(signs: bytes) -> bool:
    """Tell whether some sign stands three times in a row: as one number, which is quicker than sign by sign."""
    number = int.from_bytes(signs, "little")
    other = number ^ number >> 8
    return 0 in (other | other >> 8).to_bytes(len(signs), "little")[:-2]


def _meant(tokens: list[str], known: Expansions, words: Set[str], rough: bool) -> list[str]:
    """Return the words that those of a sentence, as typed, stand for."""
    found: list[str] = []
    for token in tokens:
        if token in words:
            found.append(token)
        elif token in known:
            found.extend(known[token])
        elif rough:
            found.extend(_read(token, known, words))
        elif token[0] in _CLIPPED and (parted := _parted(token, known, words)):
            found.extend(parted)
        else:
            found.append(token)
    return found


def _parted(token: str, known: Expansions, words: Set[str]) -> tuple[str, ...]:
    """Return the two words of `jdois`, `lpatron` or `mattend`: the vowel that nobody says is not typed either."""
    rest = token[1:]
    if rest not in words and rest not in known:
        return ()
    if token[0] != "j" and (len(rest) < SHORTEST_REST or (token[0] not in "ld" and rest[0] not in "aeiouh")):
        return ()
    return (_CLIPPED[token[0]], *known.get(rest, (rest,)))


def _joined(match: re.Match[str]) -> str:
    return re.sub(r"[^a-z]", "", match.group())


def _read(token: str, known: Expansions, words: Set[str]) -> tuple[str, ...]:
    """Return what a word with doubled letters, digits or stars in it may stand for."""
    for guess in (token.translate(_LOOKALIKE), token.replace("1", "l").translate(_LOOKALIKE), token.replace("*", "")):
        for word in (guess, _DOUBLED.sub(r"\1", guess)):
            if word in words or word in known:
                return known.get(word, (word,))
    parts = _SPLIT_WORD.findall(token)
    return tuple(part for piece in parts for part in known.get(piece, (piece,)))


def _pieces(sentence: list[str]) -> list[list[str]]:
    step = LONGEST - OVERLAP
    return [sentence[start : start + LONGEST] for start in range(0, len(sentence) - OVERLAP, step)]
