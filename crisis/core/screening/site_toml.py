"""Look over a site's text before it is parsed: the parser takes the square of the time for a name of many parts.

It knows strings and comments, so that what is quoted in an example or a pattern may have as many dots as it likes.
Where a text is no TOML the parser stops at that place, and nothing behind it is of interest.
"""

import re

MOST_PARTS, LONGEST_PART = 8, 100
"""Parts of a name with dots between them, and signs of a name or number that is not quoted."""

_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_TOKEN = re.compile(
    # strings of several lines, whose end may have two more quotes that belong to it
    r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*+"{3,5}'
    r"|'''(?:[^']|'(?!''))*+'{3,5}"
    # one that never ends
    r"|(?:\"\"\"|''')[\s\S]*+"
    r"|\#[^\n]*+"
    rf"|(?P<name>{_PART}(?:[ \t]*+\.[ \t]*+{_PART})*+)"
)
_EACH = re.compile(_PART)


def tangled_line(text: str) -> int:
    """Return the first line with a name or number that is too long for the parser, 0 where there is none."""
    for token in _TOKEN.finditer(text):
        name = token["name"]
        if name and _is_tangled(_EACH.findall(name)):
            return text.count("\n", 0, token.start()) + 1
    return 0


def _is_tangled(parts: list[str]) -> bool:
    return len(parts) > MOST_PARTS or any(len(part) > LONGEST_PART and part[0] not in "\"'" for part in parts)
