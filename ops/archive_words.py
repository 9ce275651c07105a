"""How the archive stands, in words: what is missing, and what comes next."""

from collections.abc import Iterator, Mapping
from itertools import groupby

from encryption.services.standing import KeyView, Standing

REASONS = {
    "unknown_key": "There is no such archive key here. Next: import the file of the offline step months.",
    "two_readers": "Two readers are needed. Next: another person becomes a reader; sign and grant their key.",
    "recovery_grant": "The recovery key has no grant of it. Next: make the months with --recovery, and import them.",
    "recovery_drill": "The recovery was not tested in the last 400 days. Next: archive export-drill, then the drill.",
}


def counted(count: int, what: str) -> str:
    """Return a count with its noun."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def missing(codes: tuple[str, ...], signed: int) -> list[str]:
    """Return sentences for what an archive key lacks."""
    count = {0: "none has", 1: "one has"}.get(signed, f"{signed} have")
    said = {**REASONS, "two_readers": REASONS["two_readers"].replace("needed.", f"needed; {count} this key.")}
    return [said.get(code, code) for code in codes]


def lines(now: Standing, names: Mapping[int, str]) -> Iterator[str]:
    """Yield the lines of `archive status`."""
    yield f"Root: pinned, fingerprint {now.root}" if now.root else "Root: none is pinned (HAVRE_ARCHIVE_ROOT is empty)"
    yield ""
    yield "Readers:" if now.readers else "Readers: none"
    for reader in now.readers:
        state = "signed" if reader.signed else "NOT SIGNED"
        ways = f"{counted(len(reader.grants), 'key')}, opens by {' or '.join(reader.slots)}"
        name = names.get(reader.user_id, "account not in use")
        yield f"  {name} ({reader.user_id})  {reader.fingerprint}  {state}  {ways}"
    yield "Recovery keys:" if now.recoveries else "Recovery keys: none"
    for recovery in now.recoveries:
        tested = f"tested {recovery.tested_at:%Y-%m-%d}" if recovery.tested_at else "NEVER TESTED"
        yield f"  {recovery.name}  {recovery.fingerprint}  {_genuine(recovery.genuine)}  {tested}"
    yield "Archive keys:" if now.keys else "Archive keys: none"
    for key in now.keys:
        state = "active" if key.activated else "not active"
        who = f"{counted(len(key.readers), 'reader')}, {counted(key.conversations, 'conversation')}"
        yield f"  {key.name}  {key.fingerprint}  {_genuine(key.genuine)}  {state}  {who}"
    yield f"This month's key: {now.current or 'NONE'}"
    yield ""
    todo = list(warnings(now, names))
    yield from todo or ["Nothing is to be done."]


def warnings(now: Standing, names: Mapping[int, str]) -> Iterator[str]:
    """Yield what is to be done, the most urgent first."""
    if now.clock_doubted:
        yield "! The clock jumped, so no key is destroyed. Next: look at it, set it right; then archive clock-is-right."
    if not now.root:
        yield "! No root is pinned. Next: the offline step root, then set HAVRE_ARCHIVE_ROOT and restart."
        return
    if now.swapped:
        yield f"! {now.swapped} is NOT SIGNED by the pinned root. No conversation can begin. Ask who changed it."
    if not now.current and not now.swapped:
        yield "! There is no active key, so closed conversations are kept for nobody."
    yield from _about_readers(now, names)
    # an older one is only kept for what was sealed before the newest was made
    if now.recoveries and not now.recoveries[-1].fresh:
        yield f"! Recovery key {now.recoveries[-1].name}: {REASONS['recovery_drill']}"
    if not now.recoveries:
        yield "! There is no recovery key. Next: the offline step recovery, then import its file."
    if not now.next_ready and not any(key.name.startswith(now.next_month) for key in waiting(now)):
        yield f"! {now.next_month} has no active key. Next: the offline step months, import, activate."
    yield from _about_keys(now)


def _about_readers(now: Standing, names: Mapping[int, str]) -> Iterator[str]:
    signed = sum(reader.signed for reader in now.readers)
    if signed < 2:
        count = {0: "none is", 1: "one is"}[signed]
        yield f"! Two readers are needed; {count} signed. Next: Archive, Become a reader; then archive export-readers."
    for reader in now.readers:
        if reader.user_id not in names:
            yield f"! The account {reader.user_id} is out of use but still a reader. Next: archive revoke."
        elif reader.signed and now.current and now.current not in reader.grants:
            name = names[reader.user_id]
            yield f"! {name} cannot open this month's key. Next: archive grant, by somebody who can."


def waiting(now: Standing) -> list[KeyView]:
    """Return the keys that could still begin to work: not active, of this month or later, without a newer one."""
    return [
        key
        for key in now.keys
        if not key.activated
        and key.name >= now.current
        and not any(_follows(one, key) and one.activated for one in now.keys)
    ]


def _about_keys(now: Standing) -> Iterator[str]:
    for (codes, held), some in groupby(waiting(now), lambda key: (key.missing, len(key.readers))):
        names = [key.name for key in some]
        which = f"{names[0]} is" if len(names) == 1 else f"{names[0]} to {names[-1]} ({len(names)} keys) are"
        yield f"! {which} not active. {' '.join(missing(codes, held)) or 'Next: archive activate --new.'}"
    yield from _about_leavers(now)


def _about_leavers(now: Standing) -> Iterator[str]:
    """Yield what protects too little because somebody left who may have copied a key, and what another root signed."""
    coming = [
        key
        for key in now.keys
        if key.activated and key.name >= now.current and not any(_follows(one, key) for one in now.keys)
    ]
    strange = [key for key in coming if not key.genuine]
    if strange:
        yield f"! {_range(strange)} signed by another root: nothing can begin then. Next: {_anew(strange)}"
    used = [key for key in coming if key.left and key.genuine]
    if used:
        yield f"! {_range(used)} made before a reader left, who may have one. Next: {_anew(used)}"
    to = next((key.name for key in now.keys if key.name == now.current and not key.left), "NEW")
    for key in (key for key in now.keys if key.left and key.genuine and key.conversations):
        sealed = f"{counted(key.conversations, 'conversation')} {'is' if key.conversations == 1 else 'are'} sealed"
        next_step = f"archive rekey {key.name} {to} --by USERNAME."
        yield f"! {sealed} to {key.name}, which that reader may have. Next: {next_step}"


def _anew(keys: list[KeyView]) -> str:
    first, again = keys[0].name[:7], int(keys[0].name[8:] or 1) + 1
    return f"offline months --from {first}.{again} --count {len(keys)}, import, activate --new."


def _range(keys: list[KeyView]) -> str:
    names = [key.name for key in keys]
    return f"{names[0]} was" if len(names) == 1 else f"{names[0]} to {names[-1]} ({len(names)} keys) were"


def _follows(one: KeyView, other: KeyView) -> bool:
    return one.name[:7] == other.name[:7] and one.name > other.name


def _genuine(signed: bool) -> str:
    return "signed by the root" if signed else "NOT SIGNED BY THE ROOT"
