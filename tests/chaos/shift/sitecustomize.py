"""Shift Django's clock in a process that the tests started, by the seconds in a file; loaded by Python at its start."""

import os
from datetime import datetime, timedelta
from pathlib import Path

from django.utils import timezone

_file = Path(os.environ["HAVRE_TEST_CLOCK"])
_true = timezone.now


def _shifted() -> datetime:
    return _true() + timedelta(seconds=int(_file.read_text(encoding="ascii")))


timezone.now = _shifted
