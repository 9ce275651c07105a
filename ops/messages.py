"""Read the translatable texts of Django's templates, for Babel: `make messages` needs no gettext installed."""

import io
from collections.abc import Collection, Iterator, Mapping
from typing import IO, Any

from babel.messages.extract import extract_python
from django.utils.translation.template import templatize

Found = tuple[Any, ...]


def extract_template(
    fileobj: IO[bytes], keywords: Mapping[str, Any], comment_tags: Collection[str], options: Mapping[str, str]
) -> Iterator[Found]:
    """Yield the texts of one template in Babel's own form: line, function, arguments, comments."""
    python_like = templatize(fileobj.read().decode("utf-8"))
    # Django leaves calls of gettext among blanked-out text. Indented, that would be no Python.
    flat = "\n".join(line.lstrip() for line in python_like.splitlines())
    yield from extract_python(io.BytesIO(flat.encode("utf-8")), keywords, comment_tags, {"encoding": "utf-8"})
