"""The Django application of the pages."""

from django.apps import AppConfig


class FrontendConfig(AppConfig):
    """Hold templates, views and browser code."""

    name = "frontend"
