"""The offline half of the ceremony: what it makes, what it refuses, and that it knows no site."""

import json
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from encryption.core import archive, ceremony, papers, shares, slots
from encryption.core.envelope import NotAuthentic
from encryption.core.papers import BadPaper, Kind, Paper, ReaderKey, SealedGrant, SignedKey
from encryption.core.slots import Cost
from encryption.offline import files
from encryption.services import archive as vault
from tests.support.offline import ROOT, Person

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
SITE = Ed25519PrivateKey.generate()
PUBLIC = ceremony.root_public(SITE)
MALLORY = Ed25519PrivateKey.generate()
PAIRS = {3: archive.new_pair(), 7: archive.new_pair()}
READERS = tuple(ReaderKey(user, f"Reader {user}", pair.public) for user, pair in PAIRS.items())
SEED = bytes(range(32))
SIGNED = ceremony.sign_readers(SITE, READERS)
RECOVERY = ceremony.recovery_paper(SITE, ceremony.recovery_pair(SEED).public)
KEY = RECOVERY.needed_recovery()
MONTHS = ceremony.make_months(SITE, ("2026-12", "2027-01"), SIGNED, RECOVERY)


def drill_of(months: Paper = MONTHS) -> Paper:
    """Return the drill that a server exports."""
    challenge, _ = ceremony.challenge_for(KEY)
    to = ceremony.recovery_key_id(KEY.name)
    grants = tuple(one for one in months.grants if one.to == to)
    return Paper(Kind.DRILL, recovery=KEY, keys=months.keys, grants=grants, challenge=challenge)


def opened(paper: Paper, user: int) -> dict[str, bytes]:
    """Return the archive secrets that a file gives to a reader."""
    to, pair = ceremony.reader_key_id(user), PAIRS[user]
    return {
        one.archive: archive.open_with(pair.secret, one.blob, ceremony.grant_info(one.archive, to, pair.public))
        for one in paper.grants
        if one.to == to
    }


def test_each_reader_and_the_recovery_key_get_every_month() -> None:
    publics = {key.name: key.public for key in MONTHS.keys}
    for user in PAIRS:
        assert {name: archive.public_of(secret) for name, secret in opened(MONTHS, user).items()} == publics
    secret = ceremony.recovery_pair(SEED).secret
    assert ceremony.opened_grants(drill_of(), secret) == opened(MONTHS, 3)


def test_a_grant_is_bound_to_its_archive_key_and_to_who_gets_it() -> None:
    whole = ceremony.grant_info("2026-12", "reader:3", PAIRS[3].public)
    others = [
        ceremony.grant_info("2027-01", "reader:3", PAIRS[3].public),
        ceremony.grant_info("2026-12", "reader:7", PAIRS[3].public),
        ceremony.grant_info("2026-12", "reader:3", PAIRS[7].public),
    ]
    blob = archive.seal_to(PAIRS[3].public, b"secret", whole)
    assert archive.open_with(PAIRS[3].secret, blob, whole) == b"secret"
    for other in others:
        with pytest.raises(NotAuthentic):
            archive.open_with(PAIRS[3].secret, blob, other)


def test_names_that_the_root_signs_are_those_that_the_server_checks() -> None:
    for key in MONTHS.keys:
        archive.check_public(PUBLIC, vault.key_id(key.name), key.public, key.signature)
    assert vault.key_id("2026-12") == ceremony.archive_key_id("2026-12")


@pytest.mark.parametrize("paper", [SIGNED, RECOVERY, MONTHS, drill_of()], ids=lambda one: one.kind.value)
def test_a_file_comes_back_as_it_was_written(paper: Paper) -> None:
    assert papers.read(papers.written(paper), *Kind) == paper


@pytest.mark.parametrize("paper", [SIGNED, RECOVERY, MONTHS], ids=lambda one: one.kind.value)
def test_a_file_of_another_root_or_a_changed_one_is_refused(paper: Paper) -> None:
    papers.check(paper, PUBLIC)
    changed = [replace(paper, signature=b""), papers.sign(replace(paper, signature=b""), MALLORY)]
    if paper.readers:
        changed.append(replace(paper, readers=paper.readers[:1]))
    if paper.grants:
        first = paper.grants[0]
        changed.append(replace(paper, grants=(replace(first, blob=first.blob[:-1] + b"x"), *paper.grants[1:])))
    for other in changed:
        with pytest.raises(BadPaper, match="root signed"):
            papers.check(other, PUBLIC)


def test_a_key_that_was_swapped_into_a_signed_file_is_refused_by_its_own_signature() -> None:
    mallory = archive.new_pair().public
    swapped = replace(SIGNED, readers=(replace(SIGNED.readers[0], public=mallory), SIGNED.readers[1]))
    with pytest.raises(BadPaper, match="not signed by this root"):
        ceremony.checked_readers(PUBLIC, papers.sign(swapped, SITE))
    other = replace(RECOVERY, recovery=replace(KEY, public=mallory))
    with pytest.raises(BadPaper, match="not signed by this root"):
        ceremony.checked_recovery(PUBLIC, papers.sign(other, SITE))


def test_months_are_not_made_for_one_reader_or_a_stranger() -> None:
    alone = ceremony.sign_readers(SITE, READERS[:1])
    with pytest.raises(BadPaper, match="2 readers are needed; this file has 1"):
        ceremony.make_months(SITE, ("2026-12",), alone, RECOVERY)
    twice = ceremony.sign_readers(SITE, (READERS[0], READERS[0]))
    with pytest.raises(BadPaper, match="twice"):
        ceremony.make_months(SITE, ("2026-12",), twice, RECOVERY)
    with pytest.raises(BadPaper, match="root signed"):
        ceremony.make_months(SITE, ("2026-12",), ceremony.sign_readers(MALLORY, READERS), RECOVERY)
    foreign = ceremony.recovery_paper(MALLORY, KEY.public)
    with pytest.raises(BadPaper, match="root signed"):
        ceremony.make_months(SITE, ("2026-12",), SIGNED, foreign)


@pytest.mark.parametrize(
    ("first", "count", "names"),
    [
        ("2026-11", 3, ("2026-11", "2026-12", "2027-01")),
        ("2026-12.2", 2, ("2026-12.2", "2027-01.2")),
    ],
)
def test_months_follow_each_other(first: str, count: int, names: tuple[str, ...]) -> None:
    assert ceremony.month_names(first, count) == names


@pytest.mark.parametrize("first", ["2026-13", "2026-1", "26-12", "2026-12.1", "2026-12.10", "", "2026-12 "])
def test_what_is_no_month_is_refused(first: str) -> None:
    with pytest.raises(BadPaper):
        ceremony.month_names(first, 1)
    with pytest.raises(BadPaper):
        ceremony.month_names("2026-12", 37)


def test_a_root_opens_by_its_phrase_only() -> None:
    locked = papers.read_root(papers.written(ceremony.lock_root(SITE, "one two three four five six", CHEAP)))
    assert ceremony.open_root(locked, "One  two three four five SIX").private_bytes_raw() == SITE.private_bytes_raw()
    with pytest.raises(BadPaper, match="does not open"):
        ceremony.open_root(locked, "one two three four five seven")
    assert SITE.private_bytes_raw().hex() not in papers.written(locked)


def test_the_recovery_key_comes_back_from_any_two_papers() -> None:
    three = [ceremony.from_paper(ceremony.on_paper(share)) for share in shares.split(SEED)]
    for two in combinations(three, 2):
        assert ceremony.secret_from(two, KEY) == ceremony.recovery_pair(SEED).secret
    with pytest.raises(BadPaper, match="same one"):
        ceremony.secret_from((three[0], three[0]), KEY)
    strangers = shares.split(bytes(32))
    with pytest.raises(BadPaper, match=KEY.name):
        ceremony.secret_from(strangers[:2], KEY)
    with pytest.raises(BadPaper, match="do not belong"):
        ceremony.secret_from((three[0], strangers[1]), KEY)


def test_the_recovery_key_grows_from_its_seed_as_x_wing_publishes_it() -> None:
    # first vector of draft-connolly-cfrg-xwing-kem, appendix C: beginning (ML-KEM) and end (X25519) of its public key
    seed = bytes.fromhex("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26")
    public = ceremony.recovery_pair(seed).public.hex()
    assert public[:64] == "e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b07131713fc14b2b5"
    assert public[-64:] == "859edb06eff389b27dce59844570216223593d4ba32d9abac8cd049040ef6534"


def test_a_mistake_in_a_line_of_a_share_is_found_in_that_line() -> None:
    lines = ceremony.on_paper(shares.split(SEED)[0])
    assert len(lines) == ceremony.LINES
    assert max(map(len, lines)) <= 32
    for at, line in enumerate(lines):
        assert ceremony.line_fits(at, line.lower().replace(" ", ""))
        assert not ceremony.line_fits((at + 1) % 6, line), "a line in another's place"
        missed = sum(
            ceremony.line_fits(at, line[:place] + ("B" if line[place] != "B" else "C") + line[place + 1 :])
            for place in range(len(line))
            if line[place] != " "
        )
        assert missed <= 1, "two check signs miss one mistake in 1,024"
    with pytest.raises(BadPaper):
        ceremony.from_paper(lines[:-1])


def test_the_drill_answers_only_when_everything_opens() -> None:
    secret = ceremony.recovery_pair(SEED).secret
    challenge, digest = ceremony.challenge_for(KEY)
    drill = replace(drill_of(), challenge=challenge)
    code = ceremony.answer(drill, secret)
    assert ceremony.answer_digest(KEY.name, code.lower().replace("-", " ").replace("O", "0")) == digest
    assert ceremony.answer_digest("other", code) != digest
    first, *rest = drill.grants
    wrong = archive.new_pair()
    spoiled = [
        replace(drill, grants=(replace(first, blob=first.blob[:-1] + b"x"), *rest)),
        replace(drill, grants=tuple(rest)),
        replace(drill, keys=(replace(drill.keys[0], public=wrong.public), *drill.keys[1:])),
        replace(drill, challenge=first.blob),
    ]
    for other in spoiled:
        with pytest.raises(BadPaper):
            ceremony.answer(other, secret)


def test_what_somebody_else_sealed_as_a_challenge_is_not_shown() -> None:
    info = ceremony._drill_info(KEY)
    for text in ("\x1b[2J run this", "AAAA-BBBB-CCCC-DDDD-EEEE", "aaaa-bbbb-cccc-dddd"):
        drill = replace(drill_of(), challenge=archive.seal_to(KEY.public, text.encode(), info))
        with pytest.raises(BadPaper):
            ceremony.answer(drill, ceremony.recovery_pair(SEED).secret)


def test_recovery_gives_all_secrets_to_new_readers_and_to_nobody_that_the_root_did_not_sign() -> None:
    secret = ceremony.recovery_pair(SEED).secret
    new = ceremony.sign_readers(SITE, READERS[1:])
    assert opened(ceremony.recover(SITE, new, drill_of(), secret), 7) == opened(MONTHS, 7)
    with pytest.raises(BadPaper):
        ceremony.recover(SITE, ceremony.sign_readers(MALLORY, READERS), drill_of(), secret)
    forged = archive.new_pair()
    to = ceremony.recovery_key_id(KEY.name)
    grant = SealedGrant(
        "2027-02", to, archive.seal_to(KEY.public, forged.secret, ceremony.grant_info("2027-02", to, KEY.public))
    )
    key = SignedKey("2027-02", forged.public, archive.sign_public(MALLORY, "archive:2027-02", forged.public))
    drill = drill_of()
    with pytest.raises(BadPaper, match="archive:2027-02 is not signed"):
        ceremony.recover(SITE, new, replace(drill, keys=(*drill.keys, key), grants=(*drill.grants, grant)), secret)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"kind": "other"}',
        "[" * 100_000,
        json.dumps({"kind": "havre-readers", "readers": 3}),
        json.dumps({"kind": "havre-readers", "readers": [{"user_id": True, "name": "x", "public": ""}]}),
        json.dumps({"kind": "havre-readers", "readers": [{"user_id": 1, "name": "Ben\x1b[A", "public": ""}]}),
        json.dumps({"kind": "havre-readers", "readers": [{"user_id": 1, "name": "Ben", "public": "eA=="}]}),
        json.dumps({"kind": "havre-readers", "challenge": 7}),
        json.dumps(
            {"kind": "havre-root", "public": "", "slot": {"cost": {"memory_kib": 2**40, "passes": 3, "lanes": 4}}}
        ),
    ],
)
def test_what_is_no_file_of_the_ceremony_is_refused_in_words(text: str) -> None:
    for work in (lambda: papers.read(text, *set(Kind) - {Kind.ROOT}), lambda: papers.read_root(text)):
        with pytest.raises(BadPaper, match=r"[a-z]\."):
            work()


@pytest.mark.parametrize("name", ["Ben\x1b[A", "Ben\u202e", "Ben\n", "", "B" * 81])
def test_a_name_that_could_change_what_the_screen_shows_is_refused(name: str) -> None:
    text = papers.written(Paper(Kind.READERS, readers=(replace(READERS[0], name=name),)))
    with pytest.raises(BadPaper, match="name is missing or no text"):
        papers.read(text, Kind.READERS)


@pytest.mark.parametrize(("field", "value"), [("memory_kib", 2**40), ("lanes", 0), ("passes", 10_000)])
def test_a_root_file_cannot_ask_for_all_memory_or_all_time(field: str, value: int) -> None:
    whole = json.loads(papers.written(ceremony.lock_root(SITE, "one two three four five six", CHEAP)))
    whole["slot"]["cost"][field] = value
    with pytest.raises(BadPaper, match="numbers cannot be right"):
        papers.read_root(json.dumps(whole))


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    """Give an offline machine with its people, in this process and with a cheap phrase."""
    monkeypatch.setattr(slots, "COST", CHEAP)
    monkeypatch.chdir(tmp_path)
    return Person(tmp_path)


def test_the_whole_offline_half_as_a_program(tmp_path: Path) -> None:
    person = Person(tmp_path)
    assert person.run("root", "root.json") == 0
    assert "Write it into the minutes" in person.shown
    public = person.shown.split("HAVRE_ARCHIVE_ROOT=")[1][:64]
    assert json.loads((tmp_path / "root.json").read_text())["slot"]["cost"]["memory_kib"] == slots.COST.memory_kib
    assert (tmp_path / "root.json").stat().st_mode & 0o777 == 0o400
    assert person.run("recovery", "--root", "root.json", "recovery.json") == 0
    (tmp_path / "request.json").write_text(papers.written(Paper(Kind.READERS, readers=READERS)))
    assert person.run("sign", "--root", "root.json", "request.json", "signed.json") == 0
    args = ("--root", "root.json", "--readers", "signed.json", "--recovery", "recovery.json", "--from", "2026-12")
    assert person.run("months", *args, "--count", "2", "months.json") == 0
    months = person.paper("months.json")
    papers.check(months, bytes.fromhex(public))
    assert [key.name for key in months.keys] == ["2026-12", "2027-01"]
    key = months.needed_recovery()
    challenge, digest = ceremony.challenge_for(key)
    grants = tuple(one for one in months.grants if one.to.startswith("recovery:"))
    drill = Paper(Kind.DRILL, recovery=key, keys=months.keys, grants=grants, challenge=challenge)
    (tmp_path / "drill.json").write_text(papers.written(drill))
    person.bring = (3, 1)
    assert person.run("drill", "drill.json") == 0
    assert ceremony.answer_digest(key.name, person.shown.split("server:\n\n")[1].strip()) == digest
    assert person.run("recover", "--root", "root.json", "--readers", "signed.json", "drill.json", "back.json") == 0
    assert opened(person.paper("back.json"), 7) == opened(months, 7)
    written = "".join(path.read_text() for path in tmp_path.iterdir())
    for kept in (person.phrase, person.papers[1][0]):
        assert kept not in written


def test_the_program_knows_no_django_and_no_settings(tmp_path: Path) -> None:
    code = "import sys, encryption.offline.__main__; print(sorted({m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.replace("'", "").strip("[]\n").split(", "))
    assert not loaded & {"django", "config", "audit", "staff", "msgspec", "redis", "psycopg", "socket"}
    assert {"cryptography", "mnemonic", "encryption"} <= loaded


def test_the_six_words_are_numbered_and_the_servers_line_is_in_a_file(room: Person) -> None:
    assert room.do("root", "root.json") == 0
    words = room.phrase.split()
    assert [f"  {number}  {word}" in room.shown.split("-----\n")[1] for number, word in enumerate(words, 1)] == [
        True
    ] * 6
    line = Path("root.json.public").read_text()
    assert line == f"HAVRE_ARCHIVE_ROOT={papers.read_root(Path('root.json').read_text()).public.hex()}\n"
    assert line in room.shown
    assert "on their own sheet" not in room.shown
    Path("request.json").write_text(papers.written(Paper(Kind.READERS, readers=READERS)))
    assert room.do("sign", "--root", "root.json", "request.json", "signed.json") == 0
    assert "on their own sheet" in room.shown


def test_a_line_file_that_is_there_is_not_written_over(room: Person, capsys: pytest.CaptureFixture[str]) -> None:
    Path("root.json.public").write_text("another root's line")
    assert room.do("root", "root.json") == 1
    assert "root.json.public is there already" in capsys.readouterr().err
    assert Path("root.json.public").read_text() == "another root's line"
    assert not Path("root.json").exists()


def test_a_refusal_is_a_plain_sentence_and_status_1(room: Person, capsys: pytest.CaptureFixture[str]) -> None:
    assert room.do("root", "root.json") == 0
    before = Path("root.json").read_bytes()
    Path("request.json").write_text(papers.written(Paper(Kind.READERS, readers=READERS)))
    Path("broken.json").write_text("{")
    right = room.phrase
    refused = [
        (("root", "root.json"), "never written over"),
        (("recovery", "--root", "nothing.json", "x.json"), "No such file"),
        (("recovery", "--root", "broken.json", "x.json"), "damaged"),
        (("sign", "--root", "root.json", "root.json", "x.json"), "needed is havre-readers"),
        (("drill", "request.json"), "needed is havre-drill"),
    ]
    for arguments, words in refused:
        capsys.readouterr()
        assert room.do(*arguments) == 1, arguments
        said = capsys.readouterr().err
        assert words in said
        assert "Traceback" not in said
    room.mistype = "one two three four five six"
    assert room.do("sign", "--root", "root.json", "request.json", "x.json") == 1
    assert "does not open" in capsys.readouterr().err
    assert room.do("root", "other.json") == 1
    assert not Path("other.json").exists(), "a phrase that was not typed back makes no root"
    assert not Path("x.json").exists()
    assert Path("root.json").read_bytes() == before
    assert right not in before.decode()


def test_only_who_was_confirmed_is_signed(room: Person, capsys: pytest.CaptureFixture[str]) -> None:
    assert room.do("root", "root.json") == 0
    Path("request.json").write_text(papers.written(Paper(Kind.READERS, readers=READERS)))
    room.refused = ("Reader 3",)
    assert room.do("sign", "--root", "root.json", "request.json", "signed.json") == 0
    assert READERS[0].fingerprint() in room.shown
    assert [one.user_id for one in room.paper("signed.json").readers] == [7]
    room.refused = ("Reader",)
    assert room.do("sign", "--root", "root.json", "request.json", "none.json") == 1
    assert "Nobody was confirmed" in capsys.readouterr().err


def test_a_share_that_is_typed_wrong_five_times_ends_the_drill(
    room: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("drill.json").write_text(papers.written(drill_of()))
    room.papers = {1: ["ABCDE FGHIJ KLMNO PQRST UVWXY AA"] * 6, 2: []}
    assert room.do("drill", "drill.json") == 1
    assert "Line 1 of this share was wrong 5 times" in capsys.readouterr().err


def test_shares_and_phrase_are_cleared_before_anything_else_is_shown(room: Person) -> None:
    assert room.do("root", "root.json") == 0
    assert room.phrase in room.shown.split("-----\n")[1]
    assert room.phrase not in room.shown.split("-----\n")[2]
    assert room.do("recovery", "--root", "root.json", "recovery.json") == 0
    for screen in room.shown.split("-----\n"):
        assert sum(lines[0] in screen for lines in room.papers.values()) <= 1
        assert not ("Write it down" in screen and "Line 1:" in screen), "typed from the paper, not from the screen"


def test_a_file_that_appears_in_the_meantime_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "root.json"
    locked = ceremony.lock_root(SITE, "one two three four five six", CHEAP)
    files.must_be_new(path)
    path.write_text("somebody else's root")
    with pytest.raises(BadPaper, match="could not be written"):
        files.write(path, locked)
    assert path.read_text() == "somebody else's root"
