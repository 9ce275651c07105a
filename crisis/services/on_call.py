"""Say who is paged and in which order: one command and one transaction each, every change on the trail."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from audit.services import first_of, record
from chat.core.errors import ErrorCode, Refused, Unseen
from chat.services import Done
from crisis.core.notice import BadTarget, Flaw, Way, checked_mail, checked_webhook, shown_of
from crisis.core.paging import LONGEST_WAIT, SHORTEST_WAIT
from crisis.models import OnCallTarget
from crisis.selectors.on_call import address_binding, secret_binding, target_subject, targets
from crisis.services.paging import begin_test
from encryption.services import Sealer, create_data_key, lifecycle, sealer_for
from encryption.text import Secret
from staff.core import Staff
from staff.permissions import Action, allowed_at_all

MOST_TARGETS = 10
_LONGEST_NAME = 40


def add_target(
    *, actor: Staff, target_id: UUID, name: str, way: str, address: str, wait_seconds: int, now: datetime
) -> Done[Secret | None]:
    """Add a target at the end and return the secret of a webhook, which is shown this once.

    `target_id` is made by the page that asks, so that a form sent twice adds one. Raises `BadTarget`,
    `Refused(FORBIDDEN)`, and `ProviderDown` when nothing seals.
    """
    _permit(actor, Action.SET_ON_CALL)
    chosen, waits, where = _named(name), _waiting(wait_seconds), _checked(way, address)
    try:
        with transaction.atomic():
            return Done(_added(actor, target_id, chosen, Way(way), where, waits, now))
    except IntegrityError:
        # the same form came twice in one moment, and the other one was quicker
        raise BadTarget(Flaw.AGAIN) from None


def change_target(
    *, actor: Staff, target_id: UUID, version: int, name: str, address: str, wait_seconds: int, now: datetime
) -> Done[None]:
    """Change a target; an empty address stays what it is. `version` is the one that its form showed.

    Raises as `add_target`, `BadTarget(CHANGED)` for another version, and `Unseen` for one that is gone.
    """
    _permit(actor, Action.SET_ON_CALL)
    with _target(target_id) as target:
        _count_on(target, version)
        target.name, target.wait_seconds = _named(name), _waiting(wait_seconds)
        if address:
            where = _checked(target.way, address)
            target.shown = shown_of(Way(target.way), where)
            target.sealed_address = _sealer(target).seal(address_binding(target_id), where)
        target.save()
        _tell("oncall.changed", actor, target_id, now)
    return Done(None)


def renew_secret(*, actor: Staff, target_id: UUID, version: int, now: datetime) -> Done[Secret]:
    """Give a webhook a new secret and return it, this once; the old one signs nothing more.

    Raises `Refused`: `WRONG_STATE` for a mail, `FORBIDDEN`; `BadTarget(CHANGED)`, since of two at once only one secret
    would sign; `Unseen`; what `sealer_for` raises.
    """
    _permit(actor, Action.SET_ON_CALL)
    secret = secrets.token_urlsafe(32)
    with _target(target_id) as target:
        if target.way != Way.WEBHOOK:
            raise Refused(ErrorCode.WRONG_STATE)
        _count_on(target, version)
        target.sealed_secret = _sealer(target).seal(secret_binding(target_id), secret)
        target.save(update_fields=["sealed_secret", "version"])
        _tell("oncall.secret", actor, target_id, now)
    return Done(Secret(secret))


def page_earlier(*, actor: Staff, target_id: UUID, now: datetime) -> Done[None]:
    """Let a target change places with the one before it; the first stays first.

    Raises `Refused(FORBIDDEN)`, `Unseen`.
    """
    _permit(actor, Action.SET_ON_CALL)
    with transaction.atomic():
        # all of them, in one order: of two who move neighbours each would wait for the other
        rows = {one.pk: one for one in OnCallTarget.objects.select_for_update(no_key=True).order_by("pk")}
        if target_id not in rows:
            raise Unseen
        order = sorted(rows, key=lambda pk: (rows[pk].place, pk))
        at = order.index(target_id)
        if at:
            order[at - 1 : at + 1] = target_id, order[at - 1]
            for place, pk in enumerate(order, start=1):
                OnCallTarget.objects.filter(pk=pk).exclude(place=place).update(place=place)
            _tell("oncall.moved", actor, target_id, now)
    return Done(None)


def remove_target(*, actor: Staff, target_id: UUID, now: datetime) -> Done[None]:
    """Page a target no more and destroy what opens its address. Raises `Refused(FORBIDDEN)`, `Unseen`."""
    _permit(actor, Action.SET_ON_CALL)
    with _target(target_id) as target:
        target.delete()
        lifecycle.shred(target_subject(target_id), actor=str(actor), records=2 if target.sealed_secret else 1, now=now)
        _tell("oncall.removed", actor, target_id, now)
    return Done(None)


def try_target(*, actor: Staff, target_id: UUID, now: datetime) -> Done[None]:
    """Page one target with a test, by the way that a real page takes. Raises `Refused(FORBIDDEN)`, `Unseen`."""
    _permit(actor, Action.TEST_ON_CALL)
    with _target(target_id) as target:
        begin_test(target, str(actor), now)
    return Done(None)


def _added(
    actor: Staff, target_id: UUID, name: str, way: Way, address: str, wait_seconds: int, now: datetime
) -> Secret | None:
    known = targets()
    # also for one that was removed since: its key was shredded, and must not seem to be there again
    if first_of("oncall.added", f"oncall:{target_id}") is not None:
        raise BadTarget(Flaw.AGAIN)
    if len(known) >= MOST_TARGETS:
        raise BadTarget(Flaw.TOO_MANY)
    sealer = create_data_key(target_subject(target_id), now)
    secret = secrets.token_urlsafe(32) if way is Way.WEBHOOK else None
    OnCallTarget.objects.create(
        pk=target_id,
        name=name,
        way=way,
        shown=shown_of(way, address),
        sealed_address=sealer.seal(address_binding(target_id), address),
        sealed_secret=secret and sealer.seal(secret_binding(target_id), secret),
        wait_seconds=wait_seconds,
        place=max((one.place for one in known), default=0) + 1,
    )
    _tell("oncall.added", actor, target_id, now)
    return Secret(secret) if secret else None


def _count_on(target: OnCallTarget, version: int) -> None:
    """Let this change be the next one after what its form showed, or raise `BadTarget`."""
    if target.version != version:
        raise BadTarget(Flaw.CHANGED)
    target.version += 1


def _permit(actor: Staff, action: Action) -> None:
    if not allowed_at_all(actor.role, action):
        raise Refused(ErrorCode.FORBIDDEN)


@contextmanager
def _target(target_id: UUID) -> Iterator[OnCallTarget]:
    """Give a target under its lock, inside one transaction. Raises `Unseen`."""
    with transaction.atomic():
        target = OnCallTarget.objects.select_for_update(no_key=True).filter(pk=target_id).first()
        if target is None:
            raise Unseen
        yield target


def _sealer(target: OnCallTarget) -> Sealer:
    return sealer_for(target_subject(target.pk))


def _named(name: str) -> str:
    name = name.strip()
    if not (1 <= len(name) <= _LONGEST_NAME and name.isprintable()):
        raise BadTarget(Flaw.NAME)
    return name


def _waiting(seconds: int) -> int:
    if not SHORTEST_WAIT.total_seconds() <= seconds <= LONGEST_WAIT.total_seconds():
        raise BadTarget(Flaw.WAIT)
    return seconds


def _checked(way: str, address: str) -> str:
    """Return an address to which a page may go. A mail needs a mail server: without one it would never leave."""
    if way not in list(Way):
        raise BadTarget(Flaw.ADDRESS)
    if way == Way.WEBHOOK:
        return checked_webhook(address.strip(), development=settings.DEVELOPMENT)
    if not settings.MAIL:
        raise BadTarget(Flaw.NO_MAIL)
    return checked_mail(address.strip())


def _tell(action: str, actor: Staff, target_id: UUID, now: datetime) -> None:
    record(actor=str(actor), action=action, subject=f"oncall:{target_id}", now=now)
