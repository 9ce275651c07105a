"""The door of every staff page: who is signed in, and may they be here at all."""

import hashlib
import logging
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, cast

from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation

from encryption.core.envelope import fields
from encryption.halves import HalvesDown
from encryption.services import unlock
from encryption.services.unlock import Holder
from staff.core import Staff
from staff.models import User
from staff.permissions import Action, allowed_at_all
from staff.services import sign_off

logger = logging.getLogger(__name__)

API = "/staff/api/"


class StaffRequest(HttpRequest):
    """Be a request that passed the door."""

    actor: Staff
    person: User


def staff_of(user: User) -> Staff:
    """Return what services know of a signed-in user."""
    return Staff(id=user.pk, role=user.role, name=user.work_name, language=user.language)


def holder_of(request: StaffRequest) -> Holder:
    """Return whom an unlocked key is bound to: this person in this session, with this role and this password."""
    user = request.person
    rights = (request.session.session_key or "", str(user.pk), user.role, user.get_session_auth_hash())
    return Holder(user.pk, hashlib.sha256(fields(*(one.encode() for one in rights))).digest())


View = Callable[..., Coroutine[Any, Any, HttpResponse]]


def staff_view(action: Action | None = None) -> Callable[[View], View]:
    """Let only signed-in staff through, and only a role that may do `action` to something.

    Pages send a stranger to the sign-in; addresses under /staff/api/ answer 401 or 403 as JSON. What may be done to
    which object is decided by the doorways behind.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        async def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            user = await request.auser()
            api = request.path.startswith(API)
            if not isinstance(user, User) or not user.is_active:
                if api:
                    return JsonResponse({"error": "sign_in_again"}, status=401)
                return HttpResponseRedirect(reverse("sign_in"))
            translation.activate(user.language)
            request.LANGUAGE_CODE = user.language
            if action is not None and not allowed_at_all(user.role, action):
                if api:
                    return JsonResponse({"error": "forbidden"}, status=403)
                return render(request, "frontend/staff/forbidden.html", status=403)
            passed = cast(StaffRequest, request)
            passed.person, passed.actor = user, staff_of(user)
            try:
                return await view(passed, *args, **kwargs)
            except Http404:
                if api:
                    raise
                return render(request, "frontend/staff/not_found.html", status=404)

        return guarded

    return decorate


def sign_out(request: HttpRequest) -> int | None:
    """End the session and take the person off the shift; return whose it was, for their sockets to be closed."""
    user = request.user
    logout(request)
    if not isinstance(user, User):
        return None
    sign_off(user_id=user.pk, now=timezone.now())
    try:
        unlock.lock(user.pk)
    except HalvesDown:
        # it opens nothing any more all the same: the session that it is bound to has ended
        logger.warning("unlocked key not dropped at sign-out")
    return user.pk
