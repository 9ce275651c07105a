"""A site's rules as a TOML file: what `site_rules.read` reads."""

from collections.abc import Iterable

from crisis.core.screening.site_rules import FIELDS, Entry, SiteRules, row_of


def written(site: SiteRules) -> str:
    """Return the file of a site's rules; the same rules give the same text."""
    parts = [f"off = {_list(site.off)}\n"] if site.off else []
    parts.extend(rule_text(site.rules[name]) for name in sorted(site.rules))
    if site.points:
        rows = [f"{_text(name)} = {row_of(worth)}\n" for name, worth in sorted(site.points.items())]
        parts.append("[points]\n" + "".join(rows))
    return "\n".join(parts)


def rule_text(entry: Entry) -> str:
    """Return a rule as the shipped files have it, its examples one a line."""
    lines = ["[[rule]]"]
    for key in FIELDS:
        if key not in entry:
            continue
        value = entry[key]
        if key == "patterns":
            lines.append(f"patterns = {_block(value)}")
        elif isinstance(value, list):
            lines.append(f"{key} = {_list(value)}")
        else:
            lines.append(f"{key} = {_text(value) if isinstance(value, str) else str(value).lower()}")
    return "\n".join(lines) + "\n"


def _list(texts: Iterable[str]) -> str:
    return "".join(["[\n", *(f"  {_text(one)},\n" for one in texts), "]"]) if texts else "[]"


def _block(text: str) -> str:
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    plain = not any("'" in line or not line.isprintable() for line in lines)
    return "\n".join(["'''", *lines, "'''"]) if plain else _text("\n".join(lines))


_ESCAPED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _text(text: str) -> str:
    signs = (_ESCAPED.get(one, one if one.isprintable() else f"\\U{ord(one):08x}") for one in text)
    return '"' + "".join(signs) + '"'
