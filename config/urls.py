"""All addresses of a site."""

from django.urls import include, path

from ops import health

urlpatterns = [
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("", include("frontend.urls")),
]
