"""Tell a supervisor of processes whether this one lives and whether it can serve."""

import asyncio
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from chat.consumers.open import open_sockets
from chat.db import in_db
from chat.hub import hub
from crisis.in_force import rules
from encryption.services import archive, rounds, sealing

WITHIN = 3.0


async def alive(request: HttpRequest) -> JsonResponse:
    """Answer that the process runs."""
    return JsonResponse({"alive": True, "build": settings.BUILD})


async def ready(request: HttpRequest) -> JsonResponse:
    """Answer whether this process can serve: 503 when it ends, is deaf, or cannot reach database, layer or keys."""
    now = timezone.now()
    database, layer, keys, clock = await asyncio.gather(_database(), _layer(), _keys(now), _clock(now))
    parts = {"database": database, "layer": layer, "bus": not hub().deaf, "keys": keys}
    draining = open_sockets().draining
    good = all(parts.values()) and not draining
    # a doubtful clock keeps old keys alive, and rules with a flaw leave others in force: that is for an operator;
    # nobody who needs help is turned away for it
    force = rules.force
    more = {"draining": draining, "clock": clock, "rules": force is None or force.flaw is None}
    return JsonResponse({"ready": good, **parts, **more}, status=200 if good else 503)


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
    """Send a word through the layer and hear it again, over this process's one place on it."""
    return await hub().echoes(WITHIN)


async def _keys(now: datetime) -> bool:
    def ask() -> bool:
        # asked and never made: where the keys' disk is away, a key would come to lie on the bare one
        sealing.provider().list_epochs()
        # a swapped archive key lets nothing begin, so this process is not ready either
        archive.current_key(now)
        return True

    try:
        return await asyncio.wait_for(in_db(ask), WITHIN)
    except Exception:
        return False


async def _clock(now: datetime) -> bool:
    """Tell whether the clock is trusted to destroy keys."""
    try:
        return not await asyncio.wait_for(in_db(rounds.doubted, now), WITHIN)
    except Exception:
        return False
