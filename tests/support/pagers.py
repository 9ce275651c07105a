"""Far ends of pages: one that answers as a test says, on this machine, and what stands in for the threads."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

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
def far_end(*answers: bytes | Callable[[socket.socket], None]) -> Iterator[FarEnd]:
    """Give a server that answers its requests in this order, and then no more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        far = FarEnd(f"http://127.0.0.1:{server.getsockname()[1]}/hook?t=teal")

        def serve() -> None:
            for answer in answers:
                line, _ = server.accept()
                with line:
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
        services.settle_delivery(delivery_id=errand.delivery, tries=errand.tries, outcome=outcome, now=now)
    return list(errands)
