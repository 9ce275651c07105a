"""Far ends of pages: one that answers as a test says, on this machine, and what stands in for the threads."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from crisis import services
from crisis.transport import Errand, Outcome

OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class FarEnd:
    """Hold what a web server on this machine was sent."""

    address: str
    heard: list[bytes] = field(default_factory=list)

    def head(self, name: str) -> str:
        """Return a header of the last request."""
        lines = self.heard[-1].split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return dict(line.split(": ", 1) for line in lines)[name]

    def body(self) -> bytes:
        """Return the body of the last request."""
        return self.heard[-1].partition(b"\r\n\r\n")[2]


@contextmanager
def far_end(
    *answers: bytes | Callable[[socket.socket], None], name: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> Iterator[FarEnd]:
    """Give a server that answers its requests in this order, and then no more; over TLS with a context."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        far = FarEnd(f"{'https' if tls else 'http'}://{name}:{server.getsockname()[1]}/hook?t=teal")

        def serve() -> None:
            for answer in answers:
                plain, _ = server.accept()
                # who does not trust the certificate hangs up
                with plain, suppress(OSError), tls.wrap_socket(plain, server_side=True) if tls else plain as line:
                    far.heard.append(_request(line))
                    if callable(answer):
                        answer(line)
                    else:
                        line.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield far
        finally:
            thread.join(5)


def certificate(name: str, folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Return a server's context with a certificate that it signed itself, and the file with that."""
    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    both, alone = folder / "both.pem", folder / "alone.pem"
    alone.write_bytes(made.public_bytes(Encoding.PEM))
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    both.write_bytes(secret + alone.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, alone


def _request(line: socket.socket) -> bytes:
    """Return one request to its end."""
    heard = b""
    while piece := line.recv(65_536):
        heard += piece
        head, found, body = heard.partition(b"\r\n\r\n")
        lengths = [int(one.split(b":")[1]) for one in head.split(b"\r\n") if one.startswith(b"Content-Length:")]
        if found and len(body) >= lengths[0]:
            break
    return heard


Answers = Callable[[Errand], str]
"""Returns a status or a code for a page, as the transport would."""


def worker_looks(now: datetime, answers: Answers) -> list[Errand]:
    """Let a worker look once, with a transport that answers what a test says; return what it carried."""
    services.step_pagings(now=now)
    errands = services.claim_deliveries(now=now, limit=10).result
    for errand in errands:
        code = answers(errand)
        outcome = Outcome(code.startswith("2"), code)
        services.settle_errand(errand=errand, outcome=outcome, now=now)
    return list(errands)
