"""Keep the memory of this process from files and from its neighbours.

Imports no Django: `manage.py` calls this before the settings, and with them the first secret, are read.
"""

import ctypes
import gc
import resource
import sys

_PR_SET_DUMPABLE = 4
"""From <sys/prctl.h>; Python has no name for it."""


def harden() -> None:
    """Leave no core dump, and on Linux let no other process of the same account read this one's memory.

    Both hold for this process and what it forks; a program that it executes starts out readable again, without a core.
    Raises `OSError` when the kernel refuses: a process that cannot be closed must not go on to hold texts.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return
    # not dumpable: /proc/<pid>/mem and environ, a debugger and a core pattern that pipes all find a closed door
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "this process could not be closed to others")


def begin_loading() -> None:
    """Look for no garbage until `loaded`: what a program consists of is none, and looking took a third of its start."""
    gc.disable()


def loaded() -> None:
    """Look for garbage again where that was put off, and never again through what was loaded, not even at the end."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
