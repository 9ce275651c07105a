"""The rules by which this process screens: the newest version, built beside the loop and put in place once ready.

Every process looks at the number of the newest version once in some seconds. A version that cannot be built leaves in
force what was there, or the shipped rules alone; one whose examples fail, as after an update, is in force all the same,
since it is what the site wants. Either is counted, logged, and said on the pages until it is mended. What failed for a
reason of the machine's, as for want of memory, is built again once a minute.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from chat import measures
from chat.db import in_db
from crisis import rules as ours
from crisis.core.screening import Screener
from crisis.core.screening.site_rules import BadSiteRules, Flaw
from crisis.proving import aside, built, hear_examples
from crisis.selectors.rules import Newest, newest_rules, newest_version

logger = logging.getLogger(__name__)

EVERY = 3.0
"""Seconds between two looks."""
AGAIN = timedelta(minutes=1)
"""After how long a version is built again that failed for a reason of the machine's, as for want of memory."""


class NoRules(Exception):
    """Report that messages should be screened and no rules at all can be built."""


@dataclass(frozen=True, slots=True)
class Force:
    """Be what a process screens by: `version` is in force, `newest` should be, `flaw` is what is wrong with that."""

    on: bool
    screener: Screener | None
    version: int
    newest: Newest
    flaw: BadSiteRules | None = None


class InForce:
    """Hold what is in force in this process. It is put in place whole: whoever asks meanwhile gets the one before."""

    def __init__(self) -> None:
        self.force: Force | None = None
        self._built_at: datetime | None = None

    def screener(self) -> Screener | None:
        """Return what messages are screened by, None while the site does not screen. Raises `NoRules`."""
        force = self.force
        if force is None:
            # nobody has looked yet, as in a command
            return ours.shipped() if settings.SCREENING else None
        if force.on and force.screener is None:
            raise NoRules
        return force.screener

    def load(self) -> None:
        """Look, build and put in place, before a process lets anybody in."""
        try:
            newest = newest_rules()
        except (DatabaseError, InterfaceError):
            # it may be away for a moment only; until it is back the shipped rules do
            newest = Newest(0, None, "")
        self._built_at = None
        self._put(made(newest, self.force))

    async def look(self, now: datetime) -> None:
        """Put the newest version in force, if it is another one than that of the last look, or failed in passing."""
        before = self.force
        number, screens = await in_db(newest_version)
        same = before is not None and (before.newest.number, before.newest.screens) == (number, screens)
        if same and not self._is_tried_again(now):
            return
        self._built_at = now
        newest = await in_db(newest_rules)
        self._put(await aside(made, newest, before))

    def _is_tried_again(self, now: datetime) -> bool:
        flaw = self.force.flaw if self.force is not None else None
        if flaw is None or flaw.flaw is not Flaw.BROKEN or flaw.rule:
            # where a rule is named, it fails however often it is tried
            return False
        # a clock that was set back keeps nobody waiting
        return self._built_at is None or abs(now - self._built_at) >= AGAIN

    def _put(self, force: Force) -> None:
        self.force = force
        measures.rules_version.set(force.version)
        measures.rules_failed.set(force.flaw is not None)


def would_screen(screens: bool | None) -> bool:
    """Tell whether messages are screened, by what the newest version says of it."""
    return bool(settings.SCREENING) if screens is None else screens


def made(newest: Newest, before: Force | None) -> Force:
    """Return what is in force now that a version is the newest; whatever is wrong with it, something is."""
    if not would_screen(newest.screens):
        return Force(False, None, newest.number, newest)
    try:
        screener = built(newest.text)
    except Exception as error:
        flaw = _said(newest, error)
        if before is not None and before.screener is not None:
            return replace(before, on=True, newest=newest, flaw=flaw)
        return Force(True, _shipped(newest), 0, newest, flaw)
    force = Force(True, screener, newest.number, newest)
    try:
        # those of the shipped rules alone were tried as they were built
        if newest.text:
            hear_examples(screener)
    except Exception as error:
        return replace(force, flaw=_said(newest, error))
    return force


def _shipped(newest: Newest) -> Screener | None:
    try:
        return ours.shipped()
    except Exception as error:
        # each message that is not screened is counted by who asks
        _said(newest, error)
        return None


def _said(newest: Newest, error: Exception) -> BadSiteRules:
    flaw = error if isinstance(error, BadSiteRules) else BadSiteRules(Flaw.BROKEN, about=type(error).__name__)
    # which rule and which line; no example of it, in case that somebody put there what a visitor wrote
    logger.error("version %s of the screening rules has a flaw: %s", newest.number, flaw)
    return flaw


rules = InForce()
"""What is in force in this process."""
