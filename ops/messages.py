"""Read the texts of Django's templates, and the notes of the screening rules, for Babel.

`make messages` needs no gettext installed.
"""

import io
import tomllib
from collections.abc import Collection, Iterator, Mapping
from typing import IO, Any

from babel.messages.extract import extract_python
from django.utils.translation.template import templatize

from crisis.core.screening.signals import SEVERAL_WORDS

Found = tuple[Any, ...]


def extract_template(
    fileobj: IO[bytes], keywords: Mapping[str, Any], comment_tags: Collection[str], options: Mapping[str, str]
) -> Iterator[Found]:
    """Yield the texts of one template in Babel's own form: line, function, arguments, comments."""
    python_like = templatize(fileobj.read().decode("utf-8"))
    # Django leaves calls of gettext among blanked-out text. Indented, that would be no Python.
    flat = "\n".join(line.lstrip() for line in python_like.splitlines())
    yield from extract_python(io.BytesIO(flat.encode("utf-8")), keywords, comment_tags, {"encoding": "utf-8"})


def extract_notes(
    fileobj: IO[bytes], keywords: Mapping[str, Any], comment_tags: Collection[str], options: Mapping[str, str]
) -> Iterator[Found]:
    """Yield the notes of a file of screening rules; `, in several words` is a text of its own."""
    file = tomllib.loads(fileobj.read().decode("utf-8"))
    for entry in (*file.get("rule", ()), *file.get("signal", ())):
        note = entry.get("note", "")
        if note and not note.endswith(SEVERAL_WORDS):
            yield 0, "gettext", note, []
