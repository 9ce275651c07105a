"""Bring the catalogue of each translation up to date with the texts in the code: `make messages`.

It needs no gettext installed, and reads what Babel cannot: Django's templates and the notes of the screening rules.
"""

import io
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir, extract_python
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from crisis.core.screening.signals import SEVERAL_WORDS

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("audit", "encryption", "staff", "chat", "crisis", "directory", "cases", "drills", "ops", "frontend")
KEYWORDS = DEFAULT_KEYWORDS | {
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}

Found = tuple[Any, ...]


def main() -> None:
    """Write the catalogues."""
    found = texts()
    for path in translated():
        path.write_text(updated(path.read_text(encoding="utf-8"), found), encoding="utf-8")


def translated() -> list[Path]:
    """Return the catalogues of translations; that of English is empty, since the texts in the code are English."""
    return [path for path in sorted(ROOT.glob("locale/*/LC_MESSAGES/django.po")) if path.parts[-3] != "en"]


def texts() -> Catalog:
    """Return every text of the code with the files in which it stands."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    catalog = Catalog()
    for room in ROOMS:
        for name, _line, text, comments, context in extract_from_dir(
            ROOT / room, methods, options, KEYWORDS, ("Translators",)
        ):
            catalog.add(text, None, [(f"{room}/{name}", 0)], auto_comments=comments, context=context)
    return catalog


def updated(catalogue: str, found: Catalog) -> str:
    """Return a catalogue with the texts that are `found`, in their order; what is in the code no more goes to its end.

    Its head stays as it is written: a date in there would change with each run and tell nothing.
    """
    head = catalogue.partition("\n\n")[0]
    messages = read_po(io.BytesIO(catalogue.encode("utf-8")))
    messages.update(found, no_fuzzy_matching=True)
    body = io.BytesIO()
    write_po(body, messages, width=0, omit_header=True, sort_by_file=True, include_lineno=False)
    return f"{head}\n\n{body.getvalue().decode('utf-8').strip()}\n"


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


if __name__ == "__main__":
    main()
