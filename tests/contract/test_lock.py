"""Check that what is installed is pinned, hashed and names no place to fetch it from."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def problems_of(lock: str, wanted: list[str]) -> list[str]:
    """Name what is wrong with a requirements lock that has to hold the `wanted` requirements."""
    found = [f"an address: {hit}" for hit in re.findall(r"\S*(?:://|\bfile:|--(?:index|find))\S*|\s@\s\S+", lock)]
    # One requirement is one logical line: the pin, then its hashes on continued lines.
    entries = [entry for entry in lock.replace("\\\n", " ").splitlines() if entry.strip()]
    pinned = {}
    for entry in entries:
        pin = re.match(r"([a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==(\S+)\s", entry)
        if pin is None:
            found.append(f"not a pin: {entry.split()[0]}")
            continue
        pinned[pin[1]] = pin[2]
        if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry):
            found.append(f"no hash: {pin[1]}")
    found += [f"not locked: {name}" for name in map(_name, wanted) if name not in pinned]
    return found


def pins(lock: str) -> dict[tuple[str, str], str]:
    """Return the version of each requirement, by its name and marker."""
    entries = re.findall(r"^([a-z0-9-]+)\S*==(\S+)(?: ; ([^\\\n]+))?", lock, re.MULTILINE)
    return {(name, marker.strip()): version for name, version, marker in entries}


def wanted_by(lock: str) -> list[str]:
    """Return the requirements of pyproject.toml that a lock has to hold."""
    runtime: list[str] = PROJECT["project"]["dependencies"]
    development: list[str] = PROJECT["dependency-groups"]["dev"]
    return runtime + (development if "dev" in lock else [])


@pytest.mark.parametrize("name", LOCKS)
def test_python_lock_is_pinned_hashed_and_without_addresses(name: str) -> None:
    assert problems_of(_read(name), wanted_by(name)) == []


def test_development_lock_holds_the_versions_that_are_served() -> None:
    served, developed = pins(_read(LOCKS[0])), pins(_read(LOCKS[1]))
    assert served
    assert {key: developed.get(key) for key in served} == served


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("channels==", "channels @ https://example.org/c.whl ; x==", "an address"),
        ("channels==", "--index-url https://example.org\nchannels==", "an address"),
        ("channels==", "channels>=", "not a pin"),
        ("\nchannels==", "\nsluices==", "not locked: channels"),
        ("    --hash=sha256:", "    --hash=md5:", "no hash"),
    ],
)
def test_broken_lock_is_noticed(old: str, new: str, expected: str) -> None:
    lock = _read(LOCKS[0])
    assert old in lock
    assert expected in "\n".join(problems_of(lock.replace(old, new), wanted_by(LOCKS[0])))


def test_npm_lock_is_hashed_and_without_addresses() -> None:
    text = _read("package-lock.json")
    packages = {path: entry for path, entry in json.loads(text)["packages"].items() if path}
    assert packages
    assert '"resolved"' not in text
    assert "://" not in text
    assert [path for path, entry in packages.items() if not entry["integrity"].startswith("sha512-")] == []
    declared = json.loads(_read("package.json"))["devDependencies"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in declared} == declared


def test_npm_leaves_addresses_out_on_every_machine() -> None:
    assert "omit-lockfile-registry-resolved=true" in _read(".npmrc").splitlines()


def _name(requirement: str) -> str:
    return re.split(r"[\[<>=!~;\s]", requirement, maxsplit=1)[0].lower()


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")
