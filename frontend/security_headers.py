"""Put on every response what a browser must know to keep this site's pages to themselves.

Once the project runs on Django 6 the policy moves to `SECURE_CSP` and Django's own middleware.
"""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

POLICY: dict[str, tuple[str, ...]] = {
    "default-src": ("'none'",),
    "script-src": ("'self'",),
    "style-src": ("'self'",),
    "img-src": ("'self'",),
    "connect-src": ("'self'",),
    "frame-src": ("'self'",),
    "form-action": ("'self'",),
    "base-uri": ("'none'",),
    "frame-ancestors": ("'none'",),
    "require-trusted-types-for": ("'script'",),
    "trusted-types": ("'none'",),
}

_OFF = (
    "accelerometer",
    "autoplay",
    "browsing-topics",
    "camera",
    "clipboard-read",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "screen-wake-lock",
    "serial",
    "storage-access",
    "usb",
    "window-management",
    "xr-spatial-tracking",
)
"""Abilities of a browser that no page of ours uses; passkeys of staff stay possible."""


def _written(policy: dict[str, tuple[str, ...]]) -> str:
    return "; ".join(" ".join((name, *sources)) for name, sources in policy.items())


HEADERS: dict[str, str] = {
    "Content-Security-Policy": _written(POLICY),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in _OFF),
    # not no-referrer: with that, browsers send `Origin: null` with forms, and the CSRF check refuses them
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

FRAMED: dict[str, str] = {
    "Content-Security-Policy": _written(POLICY | {"frame-ancestors": ("'self'",)}),
    "X-Frame-Options": "SAMEORIGIN",
}
"""For a view that says by `xframe_options_sameorigin` that it fills a frame of ours."""

Response = HttpResponseBase | Awaitable[HttpResponseBase]


class SecurityHeaders:
    """Stand outermost, so that static files, redirects and error pages are covered as well."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Response]) -> None:
        self._get_response = get_response
        self._async = iscoroutinefunction(get_response)
        if self._async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Response:
        """Pass the request on and put the headers on its answer."""
        answer = self._get_response(request)
        if isinstance(answer, HttpResponseBase):
            return _covered(request, answer)
        return self._later(request, answer)

    async def _later(self, request: HttpRequest, answer: Awaitable[HttpResponseBase]) -> HttpResponseBase:
        return _covered(request, await answer)


def _covered(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    framed = response.headers.get("X-Frame-Options") == "SAMEORIGIN"
    for name, value in (HEADERS | (FRAMED if framed else {})).items():
        response.headers[name] = value
    if not request.path.startswith(settings.STATIC_URL):
        # also what has no content of its own: the address of a page says that somebody was here
        response.headers["Cache-Control"] = "no-store"
    return response
