"""One suite for every key provider: what one promises, all keep."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hvac.exceptions import InvalidPath

from encryption.core.envelope import NotAuthentic
from encryption.providers import (
    EpochGone,
    FileProvider,
    KeyProvider,
    MemoryProvider,
    ProviderDown,
    epoch_of,
)
from encryption.providers.file import MARKER
from encryption.providers.vault import VaultProvider
from tests.support.vault import TOKEN, transit_server

KEY = bytes(range(32))
EPOCH, OTHER = "op-2026-11-23", "op-2026-11-24"
CONTEXT = b"conversation|7"


@pytest.fixture(params=["memory", "file", "vault"])
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeyProvider]:
    if request.param == "memory":
        yield MemoryProvider()
    elif request.param == "file":
        provider = FileProvider(tmp_path / "keys", development=False)
        provider.make_folder()
        yield provider
    else:
        with transit_server() as (url, _):
            yield VaultProvider(url, TOKEN)


def test_a_wrapped_key_comes_back_and_does_not_show(keys: KeyProvider) -> None:
    blob = keys.wrap(EPOCH, KEY, CONTEXT)
    assert KEY not in blob
    assert keys.unwrap(EPOCH, blob, CONTEXT) == KEY


def test_two_wraps_of_one_key_differ(keys: KeyProvider) -> None:
    assert keys.wrap(EPOCH, KEY, CONTEXT) != keys.wrap(EPOCH, KEY, CONTEXT)


def test_another_context_epoch_or_blob_is_refused(keys: KeyProvider) -> None:
    blob = keys.wrap(EPOCH, KEY, CONTEXT)
    keys.create_epoch(OTHER)
    broken = blob[:-6] + bytes([blob[-6] ^ 1]) + blob[-5:]
    for epoch, wrapped, context in ((EPOCH, blob, b"conversation|8"), (OTHER, blob, CONTEXT), (EPOCH, broken, CONTEXT)):
        with pytest.raises(NotAuthentic):
            keys.unwrap(epoch, wrapped, context)
    for short in (b"", blob[:11], blob[:-1]):
        with pytest.raises(NotAuthentic):
            keys.unwrap(EPOCH, short, CONTEXT)


def test_an_epoch_made_twice_stays_the_same(keys: KeyProvider) -> None:
    blob = keys.wrap(EPOCH, KEY, CONTEXT)
    keys.create_epoch(EPOCH)
    assert keys.unwrap(EPOCH, blob, CONTEXT) == KEY


def test_a_destroyed_epoch_opens_nothing_ever_again(keys: KeyProvider) -> None:
    blob, other = keys.wrap(EPOCH, KEY, CONTEXT), keys.wrap(OTHER, KEY, CONTEXT)
    keys.destroy_epoch(EPOCH)
    with pytest.raises(ProviderDown):
        keys.unwrap(EPOCH, blob, CONTEXT)
    assert keys.list_epochs() == (OTHER,)
    assert keys.unwrap(OTHER, other, CONTEXT) == KEY
    keys.create_epoch(EPOCH)
    with pytest.raises(NotAuthentic):
        keys.unwrap(EPOCH, blob, CONTEXT)


def test_destroying_twice_is_harmless(keys: KeyProvider) -> None:
    keys.create_epoch(EPOCH)
    assert (keys.destroy_epoch(EPOCH), keys.destroy_epoch(EPOCH)) == (True, False), "one call took it away"
    assert keys.list_epochs() == ()


def test_epochs_are_listed_in_order(keys: KeyProvider) -> None:
    for epoch in ("ret-2026-11-25", OTHER, EPOCH):
        keys.create_epoch(epoch)
    assert keys.list_epochs() == (EPOCH, OTHER, "ret-2026-11-25")


def test_an_epoch_is_the_day_in_utc() -> None:
    late = datetime(2026, 11, 23, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert epoch_of("op", late) == OTHER
    assert epoch_of("op", datetime(2026, 11, 23, tzinfo=UTC)) == EPOCH


def test_key_files_are_for_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    FileProvider(folder).create_epoch(EPOCH)
    (path,) = folder.glob("*.key")
    assert path.stat().st_mode & 0o777 == 0o400
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_written_is_a_provider_that_is_down(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(ProviderDown):
        FileProvider(blocked / "keys").wrap(EPOCH, KEY, CONTEXT)


def test_a_short_key_file_is_not_used(tmp_path: Path) -> None:
    keys = FileProvider(tmp_path / "keys")
    blob = keys.wrap(EPOCH, KEY, CONTEXT)
    os.truncate(_writable(tmp_path / "keys" / f"{EPOCH}.key"), 16)
    with pytest.raises(ProviderDown):
        keys.unwrap(EPOCH, blob, CONTEXT)


def _one_key_opens_all(folder: Path, wrapped: dict[str, list[bytes]]) -> None:
    keys = FileProvider(folder)
    assert keys.list_epochs() == tuple(sorted(wrapped))
    left = {path.name for path in folder.iterdir()} - {MARKER}
    assert left == {f"{epoch}.key" for epoch in wrapped}, "no half-made file stays"
    for epoch, blobs in wrapped.items():
        assert [keys.unwrap(epoch, blob, CONTEXT) for blob in blobs] == [KEY] * len(blobs)


def test_threads_that_race_for_the_first_key_all_use_one(tmp_path: Path) -> None:
    for attempt in range(20):
        folder, gate = tmp_path / str(attempt), threading.Barrier(16)
        FileProvider(folder).make_folder()
        blobs: list[bytes] = []

        def work(folder: Path = folder, blobs: list[bytes] = blobs, gate: threading.Barrier = gate) -> None:
            gate.wait(10)
            blobs.append(FileProvider(folder).wrap(EPOCH, KEY, CONTEXT))

        racing = [threading.Thread(target=work) for _ in range(16)]
        for thread in racing:
            thread.start()
        for thread in racing:
            thread.join(20)
        assert len(blobs) == 16
        _one_key_opens_all(folder, {EPOCH: blobs})


RACER = """
import sys
from pathlib import Path
from encryption.providers import FileProvider
keys, key, context = FileProvider(Path(sys.argv[1])), bytes.fromhex(sys.argv[2]), bytes.fromhex(sys.argv[3])
print("ready", flush=True)
for line in sys.stdin:
    print(keys.wrap(line.strip(), key, context).hex(), flush=True)
"""


def test_processes_that_race_for_the_first_key_all_use_one(tmp_path: Path) -> None:
    folder, root = tmp_path / "keys", Path(__file__).resolve().parents[2]
    FileProvider(folder).make_folder()
    command = [sys.executable, "-c", RACER, str(folder), KEY.hex(), CONTEXT.hex()]
    racing = [
        subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(8)
    ]
    wrapped: dict[str, list[bytes]] = {}
    try:
        assert [_line(process) for process in racing] == ["ready"] * 8
        for day in range(1, 29):
            epoch = f"op-2026-02-{day:02}"
            for process in racing:
                _tell(process, epoch)
            wrapped[epoch] = [bytes.fromhex(_line(process)) for process in racing]
    finally:
        for process in racing:
            process.communicate()
    assert [process.returncode for process in racing] == [0] * 8
    _one_key_opens_all(folder, wrapped)


def _tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _writable(path: Path) -> Path:
    path.chmod(0o600)
    return path


def test_a_server_that_is_down_or_refuses_is_a_provider_that_is_down() -> None:
    with transit_server() as (url, engine):
        with pytest.raises(ProviderDown):
            VaultProvider(url, "another-token").wrap(EPOCH, KEY, CONTEXT)
        assert engine.keys == {}
        keys = VaultProvider(url, TOKEN)
        blob = keys.wrap(EPOCH, KEY, CONTEXT)
    for work in (lambda: keys.unwrap(EPOCH, blob, CONTEXT), lambda: keys.wrap(EPOCH, KEY, CONTEXT), keys.list_epochs):
        with pytest.raises(ProviderDown) as caught:
            work()
        assert KEY.hex() not in repr(caught.value)


def test_the_server_never_sees_what_is_sealed_only_keys_of_it() -> None:
    with transit_server() as (url, engine):
        VaultProvider(url, TOKEN).wrap(EPOCH, KEY, CONTEXT)
        assert engine.heard == [
            f"POST keys/havre-{EPOCH}",
            f"POST keys/havre-{EPOCH}/config",
            f"POST encrypt/havre-{EPOCH}",
        ]


class TestFolderThatIsNotMounted:
    """What the empty place of a disk that is away does, and what it must not be taken for."""

    def test_it_is_an_outage_and_no_key_is_made_on_the_bare_disk(self, tmp_path: Path) -> None:
        folder, volume = tmp_path / "keys", tmp_path / "volume"
        keys = FileProvider(folder, development=False)
        keys.make_folder()
        blob = keys.wrap(EPOCH, KEY, CONTEXT)
        folder.rename(volume)
        folder.mkdir()
        works: tuple[Any, ...] = (
            lambda: keys.wrap(OTHER, KEY, CONTEXT),
            lambda: keys.unwrap(EPOCH, blob, CONTEXT),
            lambda: keys.create_epoch(OTHER),
            lambda: keys.destroy_epoch(EPOCH),
            keys.list_epochs,
        )
        for work in works:
            with pytest.raises(ProviderDown) as caught:
                work()
            assert not isinstance(caught.value, EpochGone), "away is not gone for good"
        assert list(folder.iterdir()) == []
        folder.rmdir()
        volume.rename(folder)
        assert keys.unwrap(EPOCH, blob, CONTEXT) == KEY

    def test_a_folder_that_is_not_there_is_not_made_by_itself(self, tmp_path: Path) -> None:
        with pytest.raises(ProviderDown):
            FileProvider(tmp_path / "keys", development=False).create_epoch(EPOCH)
        assert not (tmp_path / "keys").exists()

    def test_the_last_key_that_was_destroyed_is_gone_and_not_away(self, tmp_path: Path) -> None:
        keys = FileProvider(tmp_path / "keys", development=True)
        blob = keys.wrap(EPOCH, KEY, CONTEXT)
        keys.destroy_epoch(EPOCH)
        with pytest.raises(EpochGone):
            keys.unwrap(EPOCH, blob, CONTEXT)


def test_an_engine_that_is_not_mounted_is_a_provider_that_is_down_and_not_a_key_that_is_gone() -> None:
    keys: Any = VaultProvider("http://127.0.0.1:1", TOKEN)
    keys._transit = mock.Mock()
    away = InvalidPath(errors=["no handler for route"], json={"errors": ["no handler for route"]})
    for name in ("encrypt_data", "decrypt_data", "create_key", "delete_key", "list_keys"):
        getattr(keys._transit, name).side_effect = away
    works: tuple[Any, ...] = (
        lambda: keys.wrap(EPOCH, KEY, CONTEXT),
        lambda: keys.unwrap(EPOCH, b"vault:v1:x", CONTEXT),
        lambda: keys.create_epoch(EPOCH),
        lambda: keys.destroy_epoch(EPOCH),
        keys.list_epochs,
    )
    for work in works:
        with pytest.raises(ProviderDown) as caught:
            work()
        assert not isinstance(caught.value, EpochGone)
    keys._transit.list_keys.side_effect = InvalidPath(errors=[], json={"errors": []})
    with pytest.raises(EpochGone):
        keys.unwrap(EPOCH, b"vault:v1:x", CONTEXT)
