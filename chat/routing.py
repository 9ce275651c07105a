"""Which socket lives at which path."""

from django.urls import path

from chat.consumers.staff import StaffSocket
from chat.consumers.visitor import VisitorSocket

# Channels puts ASGI applications where the stubs expect views
websocket_urlpatterns = [
    path("ws/v", VisitorSocket.as_asgi()),  # type: ignore[arg-type]
    path("ws/s", StaffSocket.as_asgi()),  # type: ignore[arg-type]
]
