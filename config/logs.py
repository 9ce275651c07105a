"""Keep what people write out of the logs.

A log line holds time, level, logger and a message that we wrote. Of an exception it holds the types and the places in
the code, never its words: libraries put values into them. Uvicorn's and Daphne's access lines hold client addresses
and are off.
"""

import logging
import traceback
from types import TracebackType

SILENT = ("uvicorn.access", "daphne.http_protocol", "daphne.ws_protocol", "django.server")
"""Loggers that write addresses or paths of visitors."""

_THEIRS = ("django", "daphne", "uvicorn", "channels", "asyncio", "twisted", "websockets", "redis", "psycopg")


class QuietFormatter(logging.Formatter):
    """Format a record without the words of an exception and without arguments of other libraries' messages."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, and the places of an error below it."""
        # of a library: its template without the values, and one line of it, since asyncio appends whole reprs
        theirs = record.name.split(".")[0] in _THEIRS
        text = str(record.msg).split("\n")[0][:200] if theirs else record.getMessage()
        line = f"{self.formatTime(record)} {record.levelname} {record.name} {text}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line

    def formatException(self, ei: object) -> str:
        """Return the exception's types and places."""
        error = ei[1] if isinstance(ei, tuple) else None
        return places(error) if isinstance(error, BaseException) else ""

    def formatStack(self, stack_info: str) -> str:
        """Return nothing: a stack is printed with source lines that we do not choose."""
        return ""


def places(error: BaseException) -> str:
    """Return where an exception was raised, without its words: `ValueError at chat/log.py:12 < ...`."""
    parts: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(parts) < 5:
        parts.append(f"{type(seen).__name__} at {_trail(seen.__traceback__)}")
        seen = seen.__cause__ or seen.__context__
    return "  " + "\n  ".join(parts)


def _trail(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace, limit=-6)
    return " < ".join(f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno}" for frame in reversed(frames))


def configure() -> None:
    """Send everything from INFO up to standard error through the quiet formatter."""
    handler = logging.StreamHandler()
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
