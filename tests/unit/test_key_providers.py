"""One suite for every key provider: what one promises, all keep."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from encryption.core.envelope import NotAuthentic
from encryption.providers import (
    FileProvider,
    KeyProvider,
    MemoryProvider,
    ProviderDown,
    VaultProvider,
    epoch_of,
)
from tests.support.vault import TOKEN, transit_server

KEY = bytes(range(32))
EPOCH, OTHER = "op-2026-11-23", "op-2026-11-24"
CONTEXT = b"conversation|7"


@pytest.fixture(params=["memory", "file", "vault"])
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeyProvider]:
    if request.param == "memory":
        yield MemoryProvider()
    elif request.param == "file":
        yield FileProvider(tmp_path / "keys")
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
    keys.destroy_epoch(EPOCH)
    keys.destroy_epoch(EPOCH)
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
    keys = FileProvider(tmp_path)
    blob = keys.wrap(EPOCH, KEY, CONTEXT)
    os.truncate(_writable(tmp_path / f"{EPOCH}.key"), 16)
    with pytest.raises(ProviderDown):
        keys.unwrap(EPOCH, blob, CONTEXT)


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
