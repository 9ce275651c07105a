"""Drive the browser's lines and stores in Node.js: one process for all tests, a line of JSON for each question."""

import atexit
import json
import subprocess
from functools import cache
from typing import Any

from tests.support.needs import ROOT, need_node


class Pages:
    """Be the pages of tests/js/pages.js."""

    def __init__(self) -> None:
        self._node = subprocess.Popen(
            [need_node(), str(ROOT / "tests/js/pages.js")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        atexit.register(self._node.kill)

    def ask(self, op: str, **about: Any) -> tuple[Any, list[list[Any]]]:
        """Return the answer to a question, and what the pages did to their sockets meanwhile."""
        assert self._node.stdin is not None
        assert self._node.stdout is not None
        self._node.stdin.write(json.dumps({"op": op, **about}) + "\n")
        self._node.stdin.flush()
        answer = json.loads(self._node.stdout.readline())
        return answer["result"], answer["done"]


@cache
def pages() -> Pages:
    """Return the one process."""
    return Pages()
