"""A secret comes out through `reveal` and in no other way."""

import copy
import dataclasses
import io
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from encryption.text import Secret

CANARY = "the teal kettle sings at dusk"
SECRET = Secret(CANARY)


@dataclasses.dataclass(frozen=True)
class Holder:
    """Be what a service returns."""

    result: Secret


WAYS_OUT: dict[str, Callable[[], Any]] = {
    "str": lambda: str(SECRET),
    "format": lambda: format(SECRET, ""),
    "format with a width": lambda: format(SECRET, ">40"),
    "f-string": lambda: f"{SECRET}",
    "str.format": lambda: "{}".format(SECRET),  # noqa: UP032 - a way of its own
    "percent": lambda: "%s" % SECRET,  # noqa: UP031 - a way of its own
    "join": lambda: "".join([SECRET]),  # type: ignore[list-item]
    "plus": lambda: "x" + SECRET,  # type: ignore[operator]
    "bytes": lambda: bytes(SECRET),
    "bytearray": lambda: bytearray(SECRET),  # type: ignore[call-overload]
    "memoryview": lambda: memoryview(SECRET),  # type: ignore[arg-type]
    "list": lambda: list(SECRET),  # type: ignore[call-overload]
    "int": lambda: int(SECRET),  # type: ignore[call-overload]
    "json": lambda: json.dumps({"text": SECRET}),
    "json by str": lambda: json.dumps({"text": SECRET}, default=str),
    "json by vars": lambda: json.dumps({"text": SECRET}, default=vars),
    "msgspec json": lambda: msgspec.json.encode({"text": SECRET}),
    "msgspec msgpack": lambda: msgspec.msgpack.encode([SECRET]),
    "msgspec builtins": lambda: msgspec.to_builtins(SECRET),
    "msgspec by str": lambda: msgspec.json.encode(SECRET, enc_hook=str),
    "copy": lambda: copy.copy(SECRET),
    "deepcopy": lambda: copy.deepcopy({"text": SECRET}),
    "asdict": lambda: dataclasses.asdict(Holder(SECRET)),
    "getstate": lambda: SECRET.__getstate__(),
    "reduce": lambda: SECRET.__reduce_ex__(4),
    "write": lambda: io.StringIO().write(SECRET),  # type: ignore[arg-type]
    "vars": lambda: vars(SECRET),
} | {f"pickle {number}": lambda number=number: pickle.dumps(SECRET, number) for number in range(6)}


@pytest.mark.parametrize("way", WAYS_OUT.values(), ids=WAYS_OUT.keys())
def test_no_way_out(way: Callable[[], Any]) -> None:
    with pytest.raises(TypeError) as caught:
        way()
    told = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert CANARY not in told


@pytest.mark.parametrize("shown", [repr, ascii, "%r".__mod__, "{!r}".format, lambda one: repr([Holder(one)])])
def test_what_shows_it_sees_a_word_for_it(shown: Callable[[object], str]) -> None:
    assert "<secret>" in shown(SECRET)
    assert CANARY not in shown(SECRET)


def test_a_log_line_does_not_show_it(capsys: pytest.CaptureFixture[str]) -> None:
    from config.logs import QuietFormatter, QuietHandler

    stream = io.StringIO()
    handler = QuietHandler(stream)
    handler.setFormatter(QuietFormatter())
    logger = logging.getLogger("chat.test_secret")
    logger.addHandler(handler)
    logger.propagate = False
    logger.error("wrote %s for %s", SECRET, CANARY)
    assert "wrote <Secret> for <str>" in stream.getvalue()
    assert CANARY not in stream.getvalue() + "".join(capsys.readouterr())


def test_it_comes_out_where_it_is_asked_for_and_compares() -> None:
    assert SECRET.reveal() == CANARY
    assert Secret(CANARY) == SECRET
    assert Secret("other") != SECRET
    assert {SECRET: 1}[Secret(CANARY)] == 1
