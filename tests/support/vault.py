"""A Transit engine of our own on a loopback port: the part of the documented contract that a provider uses.

Key material stays in here, as it would in the real server. Answers carry the documented status codes and shapes.
"""

import base64
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN = "test-token"
_Answer = tuple[int, dict[str, Any] | None]


class Transit:
    """Hold named keys and answer requests about them."""

    def __init__(self) -> None:
        self.keys: dict[str, bytes] = {}
        self.deletable: set[str] = set()
        self.heard: list[str] = []

    def answer(self, method: str, path: str, body: dict[str, Any]) -> _Answer:
        """Return status and body for a request below /v1/transit/."""
        self.heard.append(f"{method} {path}")
        parts = path.split("/")
        if parts[0] == "keys":
            return self._keys(method, parts[1:], body)
        if parts[1] not in self.keys:
            return 400, {"errors": ["encryption key not found"]}
        cipher, data = AESGCM(self.keys[parts[1]]), base64.b64decode(body.get("associated_data", ""))
        if parts[0] == "encrypt":
            nonce = os.urandom(12)
            sealed = nonce + cipher.encrypt(nonce, base64.b64decode(body["plaintext"]), data)
            return 200, {"data": {"ciphertext": "vault:v1:" + base64.b64encode(sealed).decode(), "key_version": 1}}
        try:
            sealed = base64.b64decode(str(body["ciphertext"]).removeprefix("vault:v1:"), validate=True)
            opened = cipher.decrypt(sealed[:12], sealed[12:], data)
        except (InvalidTag, ValueError):
            return 400, {"errors": ["cipher: message authentication failed"]}
        return 200, {"data": {"plaintext": base64.b64encode(opened).decode()}}

    def _keys(self, method: str, rest: list[str], body: dict[str, Any]) -> _Answer:
        if method == "LIST":
            return (200, {"data": {"keys": sorted(self.keys)}}) if self.keys else (404, {"errors": []})
        name = rest[0]
        if method == "DELETE":
            if name not in self.deletable:
                return 400, {"errors": ["deletion is not allowed for this key"]}
            del self.keys[name]
            return 204, None
        if rest[1:] == ["config"]:
            if body.get("deletion_allowed"):
                self.deletable.add(name)
        else:
            # an existing key is left as it is
            self.keys.setdefault(name, os.urandom(32))
        return 200, {"data": {"name": name}}


@contextmanager
def transit_server() -> Iterator[tuple[str, Transit]]:
    """Run the engine on a loopback port; yield its address and itself."""
    engine = Transit()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            path = self.path.split("?")[0].removeprefix("/v1/transit/")
            if self.headers.get("X-Vault-Token") != TOKEN:
                status, answer = 403, {"errors": ["permission denied"]}
            else:
                status, answer = engine.answer(self.command, path, body)  # type: ignore[assignment]
            raw = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PUT = do_DELETE = do_LIST = _serve

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", engine
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
