"""The scripts that ship with Havre, and those of a site: a folder with `en` and `fr` in it, of the same form.

A site's script of the same name stands in for the shipped one. One that cannot be read is told of in the log and left
out; the others work on.
"""

import logging
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from drills.core.loading import BadScript, script_of
from drills.core.script import LANGUAGES, Script

logger = logging.getLogger(__name__)
SHIPPED = Path(__file__).parent


def scripts() -> dict[tuple[str, str], Script]:
    """Return every script by language and name; files that changed are read anew."""
    found: dict[tuple[str, str], Script] = {}
    for folder in folders():
        for path in files(folder):
            try:
                changed = path.stat().st_mtime_ns
            except OSError:
                # removed in this very moment, or a link to nowhere
                continue
            script = _quietly(path, changed)
            if script is not None:
                found[script.language, script.name] = script
    return found


def script(language: str, name: str) -> Script | None:
    """Return one script, None when it is not there."""
    return scripts().get((language, name))


def folders() -> list[Path]:
    """Return where scripts are looked for, the site's own last."""
    own: Path | None = settings.DRILL_SCRIPTS
    return [SHIPPED, *([own] if own is not None else [])]


def files(folder: Path) -> list[Path]:
    """Return the files of scripts in a folder, without those that editors and systems hide there."""
    found = (path for language in LANGUAGES for path in (folder / language).glob("*.toml"))
    return sorted(path for path in found if not path.name.startswith("."))


def read(path: Path) -> Script:
    """Return the script of a file, or raise `BadScript`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadScript(f"{path.parent.name}/{path.name}: file: it cannot be read ({type(error).__name__}).") from None
    return script_of(path.stem, path.parent.name, text)


@lru_cache(maxsize=512)
def _quietly(path: Path, changed: int) -> Script | None:
    try:
        return read(path)
    except BadScript as bad:
        logger.error("a drill's script is left out: %s", bad)
        return None
