"""The steps of the ceremony that happen at the offline machine; each asks, works and writes one file."""

import os
from argparse import Namespace
from itertools import combinations
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from encryption.core import archive, ceremony, shares, slots
from encryption.core.papers import BadPaper, Kind, Paper, ReaderKey
from encryption.core.shares import Share
from encryption.offline import files
from encryption.offline.console import TRIES, Console


def make_root(console: Console, given: Namespace) -> None:
    """Make the site's root; its phrase is shown once and has to be typed back."""
    line_file = given.out.with_name(f"{given.out.name}.public")
    for path in (given.out, line_file):
        files.must_be_new(path)
    root, phrase = Ed25519PrivateKey.generate(), slots.new_phrase(given.language)
    console.clear()
    console.say("These six words are the phrase of the root. Write them on two cards now. They are not shown again.\n")
    for number, word in enumerate(phrase.split(), start=1):
        console.say(f"  {number}  {word}")
    console.say(f"\nThey are typed in one line:\n\n    {phrase}\n")
    console.ask("Both cards are written? Press Enter, and the screen is cleared.")
    console.clear()
    _typed_back(console, phrase)
    files.write(given.out, ceremony.lock_root(root, phrase, slots.COST))
    public = ceremony.root_public(root)
    line = f"HAVRE_ARCHIVE_ROOT={public.hex()}"
    console.say(f"\nThe locked root is in {given.out}. The server needs this line (it is no secret):\n\n{line}\n")
    console.say(f"Its fingerprint is {archive.fingerprint(public)}. Write it into the minutes.")
    _write_line(line_file, line)
    console.say(f"The line is in {line_file} too. Copy that file to the carry stick.")


def make_recovery(console: Console, given: Namespace) -> None:
    """Make the recovery key; each of three people writes down a share and types it back."""
    files.must_be_new(given.out)
    root = _root(console, given)
    seed = ceremony.new_seed()
    paper = ceremony.recovery_paper(root, ceremony.recovery_pair(seed).public)
    key = paper.needed_recovery()
    console.clear()
    back = [_handed_over(console, key.name, share) for share in shares.split(seed)]
    for two in combinations(back, 2):
        ceremony.secret_from(two, key)
    files.write(given.out, paper)
    console.say(f"The recovery key {key.name} is in {given.out}. Any two of the three shares open it.")


def sign(console: Console, given: Namespace) -> None:
    """Sign the keys of those readers whose fingerprint was compared."""
    files.must_be_new(given.out)
    request = files.read(given.request, Kind.READERS)
    root = _root(console, given)
    console.say("Ask each person for the sixteen signs on their own sheet. Do not read yours to them.")
    wanted = [one for one in request.readers if _is_theirs(console, one)]
    files.write(given.out, ceremony.sign_readers(root, wanted))
    console.say(f"{len(wanted)} of {len(request.readers)} keys are signed in {given.out}.")


def make_months(console: Console, given: Namespace) -> None:
    """Make archive keys, a month each, for those readers and the recovery key."""
    files.must_be_new(given.out)
    names = ceremony.month_names(given.name, 1) if given.name else ceremony.month_names(given.first, given.count)
    signed, recovery = files.read(given.readers, Kind.SIGNED), files.read(given.recovery, Kind.RECOVERY)
    locked = files.read_root(given.root)
    readers = ceremony.checked_readers(locked.public, signed)
    key = ceremony.checked_recovery(locked.public, recovery)
    console.say(f"Archive keys {names[0]} to {names[-1]} ({len(names)}) will be given to:")
    _show(console, readers)
    console.say(f"  the recovery key {key.name}")
    if not console.confirm("Is each of these people a reader today?"):
        raise BadPaper("Nothing was made. Export and sign the readers again, without who has left.")
    files.write(given.out, ceremony.make_months(_root(console, given), names, signed, recovery))
    console.say(f"{len(names)} archive keys are in {given.out}.")


def drill(console: Console, given: Namespace) -> None:
    """Prove with two shares that the archive could be recovered; shows the answer for the server."""
    paper = files.read(given.drill, Kind.DRILL)
    secret = _two_shares(console, paper)
    code = ceremony.answer(paper, secret)
    console.say(f"All {len(paper.grants)} recovery grants open. Type this answer at the server:\n\n    {code}\n")


def recover(console: Console, given: Namespace) -> None:
    """Open every archive key with two shares and give it to new readers."""
    files.must_be_new(given.out)
    paper, signed = files.read(given.drill, Kind.DRILL), files.read(given.readers, Kind.SIGNED)
    locked = files.read_root(given.root)
    readers = ceremony.checked_readers(locked.public, signed, fewest=1)
    console.say(f"{len(paper.keys)} archive keys will be given to:")
    _show(console, readers)
    if not console.confirm("Is each of these people a reader today?"):
        raise BadPaper("Nothing was made. Export and sign the readers again.")
    root = _root(console, given)
    files.write(given.out, ceremony.recover(root, signed, paper, _two_shares(console, paper)))
    console.say(f"The archive keys for these readers are in {given.out}.")


def _root(console: Console, given: Namespace) -> Ed25519PrivateKey:
    return ceremony.open_root(files.read_root(given.root), console.ask_hidden("The root's phrase:"))


def _write_line(path: Path, line: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise BadPaper(f"{path} could not be written: {error.strerror}. Copy the line from the screen.") from None


def _typed_back(console: Console, phrase: str) -> None:
    for _ in range(TRIES):
        if slots.plain_phrase(console.ask_hidden("Type the phrase from a card:")) == slots.plain_phrase(phrase):
            return
        console.say("That is not the phrase. Try again, from the card.")
    raise BadPaper("The phrase was not typed back. Nothing was written; burn the cards and begin again.")


def _handed_over(console: Console, name: str, share: Share) -> Share:
    console.ask(f"Only person {share.person} looks at the screen now. Press Enter.")
    console.say(f"Share {share.person} of 3 of the recovery key {name}: give this to person {share.person}.")
    console.say("Write it down: the name, the number, and the lines, every sign.\n")
    for at, line in enumerate(ceremony.on_paper(share), start=1):
        console.say(f"  {at}:  {line}")
    console.ask("\nWritten down? Press Enter, and the screen is cleared.")
    console.clear()
    back = console.share(f"Share {share.person}")
    if back != share:
        raise BadPaper("That is another share. Nothing was written; burn the papers and begin again.")
    return back


def _is_theirs(console: Console, one: ReaderKey) -> bool:
    # an earlier signature says nothing of the name beside it, which the server wrote: the signs are read every time
    console.say(f"\n{one.name} (account {one.user_id}), key {one.fingerprint()}")
    return console.confirm("Is this person a reader today, and do they read you the same sixteen signs?")


def _two_shares(console: Console, paper: Paper) -> bytes:
    key = paper.needed_recovery()
    console.say(f"Two of the three shares of the recovery key {key.name} are needed.")
    one = console.share("First share")
    return ceremony.secret_from((one, console.share("Second share")), key)


def _show(console: Console, readers: tuple[ReaderKey, ...]) -> None:
    for one in readers:
        console.say(f"  {one.name} (account {one.user_id}), key {one.fingerprint()}")
