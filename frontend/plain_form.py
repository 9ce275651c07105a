"""The form of a page without script, read as far as it may be long: what somebody wrote is never thrown away whole."""

import re

from django.conf import settings
from django.http import HttpRequest, QueryDict


def is_cut(request: HttpRequest) -> bool:
    """Tell whether more came than a form may hold."""
    length = request.headers.get("Content-Length", "")
    return length.isascii() and length.isdigit() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def read_what_fits(request: HttpRequest) -> None:
    """Let `request.POST` be the beginning of a form that is too long, where Django would refuse all of it.

    The fields that browsers do not let anybody write into stand first in our forms.
    """
    if is_cut(request):
        begun = request.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        # a letter may be several bytes, and each of them three signs: the last letter may lack some
        form = QueryDict(re.sub(rb"%[0-9A-Fa-f]?$", b"", begun), mutable=True)
        form["text"] = form.get("text", "").rstrip("\ufffd")
        request.POST = form  # type: ignore[assignment]
