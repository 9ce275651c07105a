"""The other site: it links to ours and is where the quick exit leads; it notes what it is asked, and can be slow."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Weather</title></head><body><h1>Weather</h1>
<p><a id="ours" href="{ours}">a link</a> <a id="on" href="/second">on</a></p>
<p id="kept"></p><textarea id="box" aria-label="box"></textarea>
<script>
addEventListener("pageshow", (e) => {{ document.getElementById("kept").textContent = String(e.persisted); }});
</script>
</body></html>"""


class Neutral:
    """Serve it on a name that is another site than 127.0.0.1."""

    def __init__(self, ours: str = "") -> None:
        self.ours = ours
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                if self.path.startswith("/weather"):
                    outer.may_answer.wait(30)
                body = PAGE.format(ours=outer.ours).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://localhost:{self._server.server_port}"
        self.weather = f"{self.address}/weather"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.may_answer.set()
        self._server.shutdown()
        self._server.server_close()
