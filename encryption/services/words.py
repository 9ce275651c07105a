"""Make and check the words by which a visitor comes back, under the site's own secret.

The secret is derived from Django's signing key: it stands in no database and no backup of one. With another signing
key the words that are out come to nothing, which costs what a lost line costs.
"""

from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from encryption.core import words
from encryption.core.envelope import fields
from encryption.core.words import COST, Kept, new_words

__all__ = ["Kept", "fits", "keep", "lookup_of", "new_words"]


def keep(phrase: str) -> Kept:
    """Return what is stored of six words; takes some tenths of a second."""
    return words.keep(phrase, _pepper(settings.SECRET_KEY), COST)


def lookup_of(phrase: str) -> bytes:
    """Return under what six words are found."""
    return words.lookup_of(phrase, _pepper(settings.SECRET_KEY))


def fits(phrase: str, kept: Kept | None) -> bool:
    """Tell whether these are the words; takes as long when there is nothing to compare with."""
    return words.fits(phrase, kept, _pepper(settings.SECRET_KEY), COST)


@cache
def _pepper(secret_key: str) -> bytes:
    info = fields(b"hl1", b"return words")
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(secret_key.encode())
