"""Take over what Twisted would print, which Daphne brings in."""

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

logger = logging.getLogger(__name__)


@cache
def quiet_twisted() -> None:
    """Tell what Twisted tells as all else is told (`config/logs.py`), from now on.

    Until somebody does, it writes whole tracebacks to standard error, with what the error says.
    """
    from twisted.logger import ILogObserver, globalLogBeginner

    observer = cast(ILogObserver, _told)
    globalLogBeginner.beginLoggingTo([observer], discardBuffer=True, redirectStandardIO=False)


def _told(event: Mapping[str, Any]) -> None:
    failure = event.get("log_failure")
    if failure is not None:
        logger.error("unhandled in Twisted: %s", event.get("log_namespace"), exc_info=failure.value)
