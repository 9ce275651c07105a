"""Which socket lives at which path."""

from chat.consumers.staff import StaffSocket
from chat.consumers.visitor import VisitorSocket

sockets = {"/ws/v": VisitorSocket.as_asgi(), "/ws/s": StaffSocket.as_asgi()}
