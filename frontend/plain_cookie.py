"""The one cookie of a conversation without script, and the views that stand behind it.

Its value is the visitor's token (`docs/adr/0010-the-cookie-is-the-token.md`): neither the browser nor the server stores
anything else about the visitor. Django's own CSRF protection guards the forms; it takes its secret from this cookie, so
that there is no second one.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from frontend.plain_form import read_what_fits

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
FORM = "application/x-www-form-urlencoded"

View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]


def token_in(request: HttpRequest) -> str | None:
    """Return the token that the browser brought, if it is one."""
    token = request.COOKIES.get(settings.VISITOR_COOKIE_NAME, "")
    return token if TOKEN.fullmatch(token) else None


def keep(response: HttpResponse, token: str) -> HttpResponse:
    """Let the browser hold a token until it is closed."""
    response.set_cookie(
        settings.VISITOR_COOKIE_NAME,
        token,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )
    return response


def forget(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Take the cookie away, if the browser brought one: who has none is not told that there could be."""
    if settings.VISITOR_COOKIE_NAME in request.COOKIES:
        response.set_cookie(
            settings.VISITOR_COOKIE_NAME,
            max_age=0,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Strict",
        )
    return response


def behind_cookie(otherwise: Callable[[HttpRequest], HttpResponse]) -> Callable[[View], View]:
    """Let only a request with a token through, and a form only with a CSRF token that was made for it.

    `otherwise` answers who brings none: there is nothing that a form could do then.
    """

    def decorate(view: View) -> View:
        async def quietly(request: HttpRequest) -> HttpResponseBase:
            answer = await view(request)
            # Django would send the secret back as a cookie of its own each time that a form was made
            request.META["CSRF_COOKIE_NEEDS_UPDATE"] = False
            return answer

        protected = csrf_protect(quietly)

        # exempt from the middleware, which would ask for a cookie of its own; the same check is made in here
        @csrf_exempt
        @wraps(view)
        async def guarded(request: HttpRequest) -> HttpResponseBase:
            token = token_in(request)
            if request.method == "POST" and request.content_type == FORM:
                read_what_fits(request)
            if token is None or (request.method == "POST" and request.content_type != FORM):
                return forget(request, otherwise(request))
            request.COOKIES[settings.CSRF_COOKIE_NAME] = _csrf_secret(token)
            answer: HttpResponseBase = await protected(request)
            return answer

        return guarded

    return decorate


def from_our_own_form(request: HttpRequest) -> bool:
    """Tell whether a browser says that one of our own pages posts this; one that says nothing is not believed."""
    whence = request.headers.get("Sec-Fetch-Site")
    if whence is not None and whence != "same-origin":
        return False
    said = request.headers.get("Origin") or request.headers.get("Referer")
    if said is None:
        return whence is not None
    theirs = urlsplit(said)
    return (theirs.scheme, theirs.netloc) == (request.scheme, request.get_host())


def _csrf_secret(token: str) -> str:
    """Return 32 characters that only who holds the token can know, and that say nothing of it."""
    return hmac.digest(token.encode(), b"havre: csrf of the page without script", hashlib.sha256).hex()[:32]
