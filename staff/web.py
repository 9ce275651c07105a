"""The door of every staff page: who is signed in, and may they be here at all."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, cast

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation

from staff.core import Staff
from staff.models import User
from staff.permissions import Action, allowed_at_all
from staff.services import sign_off

API = "/staff/api/"


class StaffRequest(HttpRequest):
    """Be a request that passed the door."""

    actor: Staff
    person: User


def staff_of(user: User) -> Staff:
    """Return what services know of a signed-in user."""
    return Staff(id=user.pk, role=user.role, name=user.work_name, language=user.language)


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
            return await view(passed, *args, **kwargs)

        return guarded

    return decorate


def sign_out(request: HttpRequest) -> int | None:
    """End the session and take the person off the shift; return whose it was, for their sockets to be closed."""
    user = request.user
    logout(request)
    if not isinstance(user, User):
        return None
    sign_off(user_id=user.pk, now=timezone.now())
    return user.pk
