"""The other reference: a consumer as the Channels tutorial would write it, with one insert for each message.

Its settings are the good ones (WAL, synchronous FULL, kept connection); its shape is the tutorial's: a thread hop for
each insert and a group of the in-memory layer for each room. The body is sealed, so that rows hold the same.
"""

import json
import os
from typing import Any

import django
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

if not settings.configured:
    settings.configure(
        SECRET_KEY="bench",
        ALLOWED_HOSTS=["*"],
        INSTALLED_APPS=["channels"],
        CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": os.environ["BENCH_DATABASE"],
                "CONN_MAX_AGE": None,
                "OPTIONS": {
                    "transaction_mode": "IMMEDIATE",
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
                },
            }
        },
    )
django.setup()

from channels.db import database_sync_to_async  # noqa: E402 - Django must be set up first
from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.urls import re_path  # noqa: E402

KEY = AESGCM(os.urandom(32))


class Message(models.Model):
    """Be one message."""

    pair = models.CharField(max_length=32)
    client = models.CharField(max_length=32)
    body = models.BinaryField()

    class Meta:
        app_label = "tutorial"
        constraints = [models.UniqueConstraint(fields=["pair", "client"], name="once")]

    def __str__(self) -> str:
        return f"message {self.pk}"


class ChatConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Put everybody of a room into its group."""

    async def connect(self) -> None:
        """Join the room."""
        self.room = self.scope["url_route"]["kwargs"]["room"]
        self.group = f"chat_{self.room}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        """Leave the room."""
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Store what came, answer it, and tell the room."""
        post = json.loads(text_data or "")
        await self.store(post["client_id"], post["body"])
        await self.send(text_data=json.dumps({"type": "ok", "ref": post["ref"]}, separators=(",", ":")))
        event = {"type": "chat.message", "client_id": post["client_id"], "body": post["body"]}
        await self.channel_layer.group_send(self.group, event)

    async def chat_message(self, event: dict[str, Any]) -> None:
        """Hand a message of the room on."""
        shown = {"type": "message", "client_id": event["client_id"], "body": event["body"]}
        await self.send(text_data=json.dumps(shown, separators=(",", ":")))

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def store(self, client: str, body: str) -> None:
        """Insert one row."""
        nonce = os.urandom(12)
        sealed = nonce + KEY.encrypt(nonce, body.encode(), client.encode())
        Message._default_manager.create(pair=self.room, client=client, body=sealed)


def make_table() -> None:
    """Make the table, as a migration would."""
    with connection.schema_editor() as editor:
        editor.create_model(Message)


urlpatterns: list[Any] = []
settings.ROOT_URLCONF = __name__
application = ProtocolTypeRouter(
    {
        "http": get_asgi_application(),
        "websocket": URLRouter([re_path(r"^(?:v|s)/(?P<room>\w+)$", ChatConsumer.as_asgi())]),
    }
)

if __name__ == "__main__":
    make_table()
