"""Search everything that a browser keeps on disk for words that must not be there.

A word is looked for in UTF-8 and UTF-16LE, in each file as it is and in what its packing hides: Firefox's session files
(LZ4), LevelDB tables (Snappy), rows of SQLite that are spread over pages, and gzip.
"""

import json
import sqlite3
import struct
import zlib
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote_plus

MOZ_LZ4 = b"mozLz40\0"
SQLITE = b"SQLite format 3\0"
GZIP = b"\x1f\x8b\x08"
TABLE_END = bytes.fromhex("57fb808b247547db")
"""The last eight bytes of a LevelDB table."""


def traces(profile: Path, words: Iterable[str]) -> dict[str, list[str]]:
    """Return which word stands in which file of a profile; nothing is the aim."""
    wanted = {word: spellings(word) for word in words}
    found: dict[str, list[str]] = {}
    for path in sorted(profile.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        try:
            raw = path.read_bytes()
        except OSError:
            continue  # gone while we looked
        heap = [str(path.relative_to(profile)).encode(), raw, *unpacked(path, raw)]
        for word, forms in wanted.items():
            if any(form in piece for piece in heap for form in forms):
                found.setdefault(word, []).append(str(path.relative_to(profile)))
    return found


def spellings(word: str) -> set[bytes]:
    """Return a word as a file may hold it: with escapes of JSON, as a form sends it, in base64 wherever it begins."""
    said = {word.encode(), word.encode("utf-16-le"), json.dumps(word)[1:-1].encode(), quote_plus(word).encode()}
    return said | {_base64(raw, before) for raw in (word.encode(), quote_plus(word).encode()) for before in range(3)}


def _base64(raw: bytes, before: int) -> bytes:
    """Return the signs that stand for these bytes alone, however many came before them."""
    return b64encode(bytes(before) + raw)[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]


def unpacked(path: Path, raw: bytes) -> Iterator[bytes]:
    """Yield what the packing of a file hides; a broken one hides nothing that its bytes do not show."""
    with suppress(ValueError, IndexError, struct.error, zlib.error, sqlite3.Error):
        if raw.startswith(MOZ_LZ4):
            yield lz4_block(raw[len(MOZ_LZ4) + 4 :])
        elif raw.startswith(SQLITE):
            yield from sqlite_values(path)
        elif raw.endswith(TABLE_END):
            yield from table_blocks(raw)
        elif raw.startswith(GZIP):
            yield zlib.decompress(raw, wbits=47)


def sqlite_values(path: Path) -> Iterator[bytes]:
    """Yield every value of every row; the pages themselves, free ones too, are searched as bytes of the file."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
        connection.text_factory = bytes
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in tables:
            quoted = name.decode().replace('"', '""')
            with suppress(sqlite3.Error):
                for row in connection.execute(f'SELECT * FROM "{quoted}"'):
                    yield from (value for value in row if isinstance(value, bytes))


def lz4_block(packed: bytes) -> bytes:
    """Return what an LZ4 block holds; raises `ValueError` or `IndexError` when it is broken."""
    out, at = bytearray(), 0
    while at < len(packed):
        token, at = packed[at], at + 1
        length, at = _lz4_length(packed, at, token >> 4)
        out += packed[at : at + length]
        at += length
        if at >= len(packed):
            break
        back, at = struct.unpack_from("<H", packed, at)[0], at + 2
        length, at = _lz4_length(packed, at, token & 15)
        _copy(out, back, length + 4)
    return bytes(out)


def _lz4_length(packed: bytes, at: int, length: int) -> tuple[int, int]:
    if length == 15:
        while True:
            more, at = packed[at], at + 1
            length += more
            if more != 255:
                break
    return length, at


def snappy_block(packed: bytes) -> bytes:
    """Return what a Snappy block holds; raises `ValueError` or `IndexError` when it is broken."""
    _, at = _varint(packed, 0)
    out = bytearray()
    while at < len(packed):
        tag, at = packed[at], at + 1
        kind = tag & 3
        if kind == 0:
            length, size = tag >> 2, max(0, (tag >> 2) - 59)
            if size:
                length, at = int.from_bytes(packed[at : at + size], "little"), at + size
            out += packed[at : at + length + 1]
            at += length + 1
        elif kind == 1:
            _copy(out, (tag >> 5) << 8 | packed[at], (tag >> 2 & 7) + 4)
            at += 1
        else:
            size = 2 if kind == 2 else 4
            _copy(out, int.from_bytes(packed[at : at + size], "little"), (tag >> 2) + 1)
            at += size
    return bytes(out)


def _copy(out: bytearray, back: int, length: int) -> None:
    if not 0 < back <= len(out):
        raise ValueError("a copy from before the beginning")
    for _ in range(length):
        out.append(out[-back])


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        part, at = raw[at], at + 1
        value |= (part & 127) << shift
        if part < 128:
            return value, at
        shift += 7


def table_blocks(raw: bytes) -> Iterator[bytes]:
    """Yield the data blocks of a LevelDB table, unpacked."""
    foot = raw[-48:]
    _, at = _varint(foot, 0)
    _, at = _varint(foot, at)
    place, at = _varint(foot, at)
    size, at = _varint(foot, at)
    for handle in _entries(_block(raw, place, size)):
        start, at = _varint(handle, 0)
        length, at = _varint(handle, at)
        yield _block(raw, start, length)


def _block(raw: bytes, place: int, size: int) -> bytes:
    """Return a block; the byte behind it says how it is packed."""
    block = raw[place : place + size]
    return snappy_block(block) if raw[place + size] == 1 else block


def _entries(block: bytes) -> Iterator[bytes]:
    """Yield the values of a block."""
    end = len(block) - 4 * (struct.unpack("<I", block[-4:])[0] + 1)
    at = 0
    while at < end:
        _, at = _varint(block, at)
        own, at = _varint(block, at)
        length, at = _varint(block, at)
        yield block[at + own : at + own + length]
        at += own + length
