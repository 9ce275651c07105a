"""The search of a profile sees through every packing that browsers use, and finds nothing where nothing is."""

import gzip
import sqlite3
import struct
from base64 import b64encode
from contextlib import closing
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from tests.support.profiles import MOZ_LZ4, TABLE_END, lz4_block, snappy_block, traces

WORD = "the teal kettle sings"


def lz4(raw: bytes) -> bytes:
    """Pack as an LZ4 block of bytes that stand for themselves."""
    more = len(raw) - 15
    return bytes([0xF0, *([255] * (more // 255)), more % 255]) + raw


def snappy(raw: bytes) -> bytes:
    """Pack as a Snappy block whose second half repeats the first."""
    return bytes([2 * len(raw), (len(raw) - 1) << 2]) + raw + bytes([(len(raw) - 1) << 2 | 2, len(raw), 0])


def table(block: bytes) -> bytes:
    """Return a LevelDB table of one packed block."""
    index = bytes([0, 1, 2]) + b"k" + bytes([0, len(block)]) + struct.pack("<II", 0, 1)
    foot = bytes([0, 0, len(block) + 5, len(index)])
    return block + b"\x01\0\0\0\0" + index + b"\0\0\0\0\0" + foot.ljust(40, b"\0") + TABLE_END


@pytest.mark.parametrize(
    "raw",
    [
        WORD.encode(),
        WORD.encode("utf-16-le"),
        MOZ_LZ4 + b"\0\0\0\0" + lz4(WORD.encode()),
        gzip.compress(WORD.encode()),
        table(snappy(WORD.encode())),
        b"text=" + quote_plus(WORD).encode() + b"&l=en",
        *(b64encode(b"abc"[:before] + WORD.encode() + b" and more") for before in range(3)),
        b64encode(b"text=" + quote_plus(WORD).encode()),
    ],
    ids=["plain", "utf-16", "session file", "gzip", "leveldb", "form", "base64", "base64+1", "base64+2", "base64 form"],
)
def test_a_word_is_found(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "file").write_bytes(b"\1" + raw if raw.startswith(WORD.encode()) else raw)
    assert traces(tmp_path, [WORD, "another"]) == {WORD: ["file"]}


def test_a_word_spread_over_pages_of_a_database_is_found(tmp_path: Path) -> None:
    long = "x" * 4_060 + WORD + "x" * 9_000
    with closing(sqlite3.connect(tmp_path / "db")) as database:
        database.execute("CREATE TABLE t (a TEXT)")
        database.execute("INSERT INTO t VALUES (?)", (long,))
        database.commit()
    assert traces(tmp_path, [long]) == {long: ["db"]}


def test_a_word_in_a_name_is_found_and_a_broken_file_is_no_error(tmp_path: Path) -> None:
    (tmp_path / f"{WORD}.txt").write_bytes(MOZ_LZ4 + b"\0\0\0\0\xff")
    (tmp_path / "broken").write_bytes(b"\xff" * 40 + TABLE_END)
    assert list(traces(tmp_path, [WORD])) == [WORD]


def test_copies_of_what_came_before_are_unpacked() -> None:
    assert snappy_block(snappy(b"abcd")) == b"abcdabcd"
    assert lz4_block(bytes([0x40]) + b"abcd" + struct.pack("<H", 4)) == b"abcdabcd"
