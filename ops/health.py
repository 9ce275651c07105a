"""Tell a supervisor of processes whether this one lives and whether it can serve."""

import asyncio
from datetime import datetime

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from chat.db import in_db
from encryption.providers import ProviderDown, epoch_of
from encryption.services import OPERATIONAL, provider

WITHIN = 3.0


async def alive(request: HttpRequest) -> JsonResponse:
    """Answer that the process runs."""
    return JsonResponse({"alive": True, "build": settings.BUILD})


async def ready(request: HttpRequest) -> JsonResponse:
    """Answer whether database, layer and keys can be reached; 503 when one of them cannot."""
    now = timezone.now()
    parts = {"database": await _database(), "layer": await _layer(), "keys": await _keys(now)}
    good = all(parts.values())
    return JsonResponse({"ready": good, **parts}, status=200 if good else 503)


async def _database() -> bool:
    def ask() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM chat_site LIMIT 1")
        return True

    try:
        return await asyncio.wait_for(in_db(ask), WITHIN)
    except Exception:
        return False


async def _layer() -> bool:
    """Send a word through the layer and hear it again: a layer that is only reachable may still be deaf."""
    try:
        layer = get_channel_layer()
        channel = await layer.new_channel("ready")
        await layer.send(channel, {"type": "ready"})
        heard = await asyncio.wait_for(layer.receive(channel), WITHIN)
        return bool(heard["type"] == "ready")
    except Exception:
        return False


async def _keys(now: datetime) -> bool:
    def ask() -> bool:
        epoch = epoch_of(OPERATIONAL, now)
        provider().create_epoch(epoch)
        return epoch in provider().list_epochs()

    try:
        return await in_db(ask)
    except ProviderDown:
        return False
