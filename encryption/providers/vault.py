"""Keys in HashiCorp Vault or OpenBao: one Transit key an epoch, which never leaves the server.

Contract: the Transit secrets engine's HTTP interface, as both projects document it. The policy that this token needs is
in `docs/encryption.md`.
"""

import base64
from collections.abc import Callable
from typing import Any

import hvac
import requests
from hvac.exceptions import InvalidPath, InvalidRequest, VaultError

from encryption.core.envelope import NotAuthentic
from encryption.providers.base import EpochGone, ProviderDown

KIND = "aes256-gcm96"
WITHIN = 3
"""Seconds for one request: a visitor waits behind it."""


class VaultProvider:
    """Wrap and unwrap through a server's Transit engine."""

    def __init__(self, url: str, token: str, *, mount: str = "transit", prefix: str = "havre-", ca: str = "") -> None:
        self._transit: Any = hvac.Client(url=url, token=token, timeout=WITHIN, verify=ca or True).secrets.transit
        self._mount = mount
        self._prefix = prefix
        self._made: set[str] = set()

    def wrap(self, epoch: str, key: bytes, context: bytes) -> bytes:
        """Wrap under the epoch's key; the context is its associated data."""
        self.create_epoch(epoch)
        answer = self._ask(
            epoch,
            lambda: self._transit.encrypt_data(
                self._name(epoch), plaintext=_text(key), associated_data=_text(context), mount_point=self._mount
            ),
        )
        return str(answer["data"]["ciphertext"]).encode("ascii")

    def unwrap(self, epoch: str, blob: bytes, context: bytes) -> bytes:
        """Unwrap with the epoch's key."""
        try:
            answer = self._ask(
                epoch,
                lambda: self._transit.decrypt_data(
                    self._name(epoch),
                    ciphertext=blob.decode("ascii", "replace"),
                    associated_data=_text(context),
                    mount_point=self._mount,
                ),
                unless=(InvalidRequest, InvalidPath),
            )
        except (InvalidRequest, InvalidPath) as refusal:
            # the server answers the same for a wrong blob and for a key that is gone
            if epoch not in self.list_epochs():
                raise EpochGone(epoch) from None
            raise NotAuthentic("wrapped key") if isinstance(refusal, InvalidRequest) else ProviderDown(epoch) from None
        return base64.b64decode(answer["data"]["plaintext"])

    def create_epoch(self, epoch: str) -> None:
        """Make the epoch's key, one that may be destroyed; harmless when it exists."""
        if epoch in self._made:
            return
        name = self._name(epoch)
        self._ask(epoch, lambda: self._transit.create_key(name, key_type=KIND, mount_point=self._mount))
        self._ask(
            epoch,
            lambda: self._transit.update_key_configuration(name, deletion_allowed=True, mount_point=self._mount),
        )
        self._made.add(epoch)

    def destroy_epoch(self, epoch: str) -> bool:
        """Have the server destroy the epoch's key; harmless when it is gone."""
        self._made.discard(epoch)
        if epoch not in self.list_epochs():
            return False
        try:
            self._ask(
                epoch,
                lambda: self._transit.delete_key(self._name(epoch), mount_point=self._mount),
                unless=(InvalidRequest, InvalidPath),
            )
        except (InvalidRequest, InvalidPath):
            # another process was quicker, or the server does not let go of it
            if epoch in self.list_epochs():
                raise ProviderDown(epoch) from None
            return False
        return True

    def list_epochs(self) -> tuple[str, ...]:
        """Return the epochs that the server holds keys of."""
        try:
            answer = self._ask("list", lambda: self._transit.list_keys(mount_point=self._mount), unless=(InvalidPath,))
        except InvalidPath as nothing:
            if nothing.errors or not isinstance(nothing.json, dict):
                # an empty engine answers so without a word; an engine that is not there says that it is not
                raise ProviderDown("list") from None
            return ()
        names = (str(name) for name in answer["data"]["keys"])
        return tuple(sorted(name.removeprefix(self._prefix) for name in names if name.startswith(self._prefix)))

    def _name(self, epoch: str) -> str:
        return f"{self._prefix}{epoch}"

    def _ask(self, epoch: str, question: Callable[[], Any], *, unless: tuple[type[VaultError], ...] = ()) -> Any:
        """Return the server's answer; every failure but those that the caller can read is `ProviderDown`."""
        try:
            return question()
        except (VaultError, requests.RequestException) as failure:
            if isinstance(failure, unless):
                raise
            # from None: the words of these errors may hold what was asked
            raise ProviderDown(epoch) from None


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
