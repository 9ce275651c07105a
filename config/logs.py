"""Keep what people write out of the logs, and out of everything else that a process prints on its own.

A log line holds time, level, logger and a message as it stands in the source. Values are filled into our own messages
only, and only ids, numbers, times and codes. Of an exception it holds the types and the places in the code, never its
words: libraries put values into them. Uvicorn's and Daphne's access lines hold client addresses and are off.
"""

import linecache
import logging
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date, timedelta
from itertools import islice
from types import TracebackType
from typing import Any
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured

SILENT = ("uvicorn.access", "daphne.http_protocol", "daphne.ws_protocol", "django.server")
"""Loggers that write addresses or paths of visitors."""

OURS = frozenset(
    {"config", "frontend", "ops", "drills", "cases", "crisis", "directory", "chat", "staff", "encryption", "audit"}
)
"""The rooms, whose loggers are named after them; the messages of every other logger get no values."""

MOST_ERRORS = 12
"""Exceptions of one chain or group that a line names."""

_PLAIN = (bool, int, float, UUID, date, timedelta)
_CODE = re.compile(r"[\w.:/+-]{0,80}", re.ASCII)
_NEAR = 12
"""Lines around a call in which its message is looked for."""


class QuietFormatter(logging.Formatter):
    """Format a record without the words of an exception and without values that somebody may have written."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, and the places of an error below it."""
        line = f"{self.formatTime(record)} {record.levelname} {record.name} {_message(record)}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line

    def formatException(self, ei: object) -> str:
        """Return the exception's types and places."""
        error = ei[1] if isinstance(ei, tuple) else None
        return places(error) if isinstance(error, BaseException) else ""

    def formatStack(self, stack_info: str) -> str:
        """Return nothing: a stack is printed with source lines that we do not choose."""
        return ""


class QuietHandler(logging.StreamHandler[Any]):
    """Write to standard error; a line that cannot be written is lost rather than printed with its values."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Say where the line came from; Python's own way prints its arguments."""
        with suppress(OSError, ValueError):
            sys.stderr.write(f"a log line of {record.name} could not be written\n")


def _message(record: logging.LogRecord) -> str:
    """Return the message as it stands in the source, with the values that may be shown; else only its place."""
    template = str(record.msg).split("\n")[0] if isinstance(record.msg, str) else ""
    if not template or not _stands_in_source(template, record):
        # put together at run time, so it may hold anything: asyncio shows the arguments of a callback that way
        return f"at {_short(record.pathname)}:{record.lineno}"
    if record.name.split(".")[0] not in OURS or not record.args:
        return template
    try:
        return str(template % _shown(record.args))
    except (TypeError, ValueError, KeyError):
        return template


def _stands_in_source(template: str, record: logging.LogRecord) -> bool:
    first = max(record.lineno - _NEAR, 1)
    lines = linecache.getlines(record.pathname)[first - 1 : record.lineno + _NEAR]
    # as it is written between quotes; a backslash or a quote in it makes it unfit, and only its place is shown
    return any(f'"{template}' in line or f"'{template}" in line for line in lines)


def _shown(values: tuple[object, ...] | Mapping[str, object]) -> Any:
    if isinstance(values, Mapping):
        return {name: _value(value) for name, value in values.items()}
    return tuple(_value(value) for value in values)


def _value(value: object) -> object:
    """Return an id, number, time or code as it is, anything else as its type: a sentence is not a code."""
    if value is None or isinstance(value, _PLAIN):
        return value
    if isinstance(value, str) and _CODE.fullmatch(value):
        return str.__str__(value)
    return f"<{type(value).__name__}>"


def places(error: BaseException) -> str:
    """Return where an exception was raised, without its words: `ValueError at chat/log.py:12 < ...`."""
    errors = islice(_chain(error), MOST_ERRORS)
    return "  " + "\n  ".join(f"{type(one).__name__} at {_trail(one.__traceback__)}" for one in errors)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, what it holds if it is a group, and what it came from; each once."""
    left, met = [error], set[int]()
    while left:
        one = left.pop(0)
        if id(one) in met:
            continue
        met.add(id(one))
        yield one
        cause = one.__cause__ or one.__context__
        members = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        left += [*members, *([cause] if cause is not None else [])]


def _trail(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace, limit=-6)
    return " < ".join(f"{_short(frame.filename)}:{frame.lineno}" for frame in reversed(frames))


def _short(path: str) -> str:
    return "/".join(path.split("/")[-2:])


def configure() -> None:
    """Send everything from INFO up to standard error through the quiet formatter, and crashes and warnings with it."""
    handler = QuietHandler()
    handler.setFormatter(QuietFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in SILENT:
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = False
        logger.disabled = True
    logging.getLogger("django.request").setLevel(logging.ERROR)
    logging.getLogger("django.security").setLevel(logging.ERROR)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    _quiet_python()


_OUTSIDE = logging.getLogger("config.outside")
"""Tells of what no logger was asked to tell."""
_SPEAKS = (ImproperlyConfigured,)
"""Crashes whose words are ours or Django's about settings, and which an operator needs to read."""


def _quiet_python() -> None:
    """Give the ways in which Python itself prints an exception or a warning the same silence."""
    sys.excepthook = _crashed
    sys.unraisablehook = lambda what: _OUTSIDE.error("an exception could not be raised", exc_info=what.exc_value)
    threading.excepthook = lambda what: _OUTSIDE.error("a thread crashed", exc_info=what.exc_value)
    warnings.showwarning = _warned


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if isinstance(error, KeyboardInterrupt):
        return
    if isinstance(error, _SPEAKS):
        sys.stderr.write(f"{kind.__name__}: {error}\n")
        return
    _OUTSIDE.critical("the process crashed", exc_info=(kind, error, trace))


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: object = None,
) -> None:
    _OUTSIDE.warning("%s at %s:%s", category.__name__, _short(filename), lineno)
