"""The line that asks a visitor whether there is anything else, before an advocate ends a chat."""

from django.utils import translation
from django.utils.translation import gettext as _


def closing_line(language: str) -> str:
    """Return the line in the visitor's language, whatever the advocate's is."""
    with translation.override(language):
        return _("Is there anything else before we stop? Take your time. You can also come back another day.")
