"""Which socket lives at which path."""

from django.urls import path

from chat.consumers.staff import StaffSocket
from chat.consumers.visitor import VisitorSocket

websocket_urlpatterns = [
    path("ws/v", VisitorSocket.as_asgi()),
    path("ws/s", StaffSocket.as_asgi()),
]
