"""The promises of the visitor's page, for its templates."""

from typing import Any

from django import template

from frontend.truth import SCRIPT, sentence

register = template.Library()


@register.simple_tag(takes_context=True)
def promise(context: dict[str, Any], code: str) -> str:
    """Return a promise as it holds for the `mode` of this page, or nothing while it is not proved."""
    return sentence(code, context.get("mode") or SCRIPT)
