"""All addresses of a site."""

from django.urls import include, path

from ops import health, metrics

urlpatterns = [
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("metrics", metrics.metrics),
    path("", include("frontend.urls")),
]
