"""Turn what people type into plain words: case, accents, apostrophes, repeated letters, digits for letters, texting.

Each step reads the text once. Words come out in sentences, because what one sentence says must not silence another.
"""

import re
import unicodedata
from collections.abc import Mapping, Set

COMMA = ","
"""Stands between the parts of a sentence; what is said in one part need not be about the next."""

LONGEST = 96
"""Words that a sentence may have; a longer run without a full stop is cut, so that work stays linear."""
OVERLAP = 16

Expansions = Mapping[str, tuple[str, ...]]

_TOKEN = re.compile(r"[a-z0-9*@$]+|[!?;\n\x1e]+|\.(?=\s|$)|,")
_SPLIT_WORD = re.compile(r"[0-9]+|[a-z]+")
_ELISION = re.compile(r"\b(j|l|d|c|n|s|m|t|qu|jusqu|lorsqu|puisqu|quoiqu|presqu)'(?=[a-z])")
_SUBJECT_I = re.compile(r"\bi (?=(?:me|ma|mont|va|veut|veu|dit|di|vient|nous|sont|est|faut|menace|frappe)\b)")
_HAS_ME = re.compile(r"\b(il|elle|on|y|qui|ki|boss|chum|gars|patron|oncle|mari) ma (?=[a-z])")
_HAVE_ME = re.compile(r"\b(ils|elles|y|les gars) mon (?=[a-z]{3})")
_CLIPPED = {"j": "je", "l": "le", "d": "de", "m": "me", "t": "te", "s": "se", "n": "ne"}
SHORTEST_REST = 5
"""Letters that a word must have whose article or pronoun is grown on to it; shorter ones are other words too often."""
_DOTS = re.compile(r"\.{2,}")
_REPEATED = re.compile(r"([a-z])\1{2,}")
_DOUBLED = re.compile(r"([a-z])\1+")
_SPELLED_OUT = re.compile(r"(?<![a-z0-9'])(?:[a-z][ .\-_]){3,15}[a-z](?![a-z0-9'])")
_MIXED = re.compile(r"[a-z][0-9*@$]|[0-9*@$][a-z]")
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


def plain(text: str) -> str:
    """Return a text in small letters without accents, with French elisions taken apart and other apostrophes gone."""
    text = text.lower()
    if not text.isascii():
        text = text.translate(_FOLDED)
        if not text.isascii():
            decomposed = unicodedata.normalize("NFKD", text)
            text = "".join([sign for sign in decomposed if not unicodedata.combining(sign)]).translate(_SIGNS)
    if "'" in text:
        text = _ELISION.sub(r"\1 ", text.replace("s'il", "si il")).replace("'", "")
    if ".." in text:
        text = _DOTS.sub(" ", text)
    if "il y a" in text:
        # so that nobody takes the `il` of `il y a` for a person
        text = text.replace("il y a ", "ilya ")
    if " ma " in text or " mon " in text:
        # French as it is heard: `i va`, `il ma pris`, `ils mon pris`
        text = _HAVE_ME.sub(r"\1 me ont ", _HAS_ME.sub(r"\1 me a ", text))
    if "i " in text:
        text = _SUBJECT_I.sub("il ", text)
    return text


def sentences(text: str, known: Expansions, words: Set[str]) -> list[list[str]]:
    """Return the words of a text, sentence by sentence.

    `known` says what a short form, a slip of the fingers or an inflection without apostrophe stands for; `words` are
    those that mean something to the rules.
    """
    text = plain(text)
    if _SPELLED_OUT.search(text):
        text = _SPELLED_OUT.sub(_joined, text)
    rough = _REPEATED.search(text) is not None
    if rough:
        text = _REPEATED.sub(r"\1\1", text)
    rough = rough or _MIXED.search(text) is not None
    found: list[list[str]] = []
    current: list[str] = []
    get = known.get
    for token in _TOKEN.findall(text):
        if token[0] in ".!?;\n\x1e":
            if current:
                found.append(current)
                current = []
            continue
        meant = get(token)
        if meant is not None:
            current.extend(meant)
        elif rough and token not in words:
            current.extend(_read(token, known, words))
        elif token[0] in _CLIPPED and token not in words and (parted := _parted(token, known, words)):
            current.extend(parted)
        else:
            current.append(token)
    if current:
        found.append(current)
    return [piece for sentence in found for piece in _pieces(sentence)]


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
    if len(sentence) <= LONGEST:
        return [sentence]
    step = LONGEST - OVERLAP
    return [sentence[start : start + LONGEST] for start in range(0, len(sentence) - OVERLAP, step)]
