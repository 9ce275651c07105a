"""Believe where somebody comes from only if a proxy of the site says so, on both servers."""

import asyncio
import json
import secrets
from pathlib import Path

import pytest
import websockets

from config.env import BadEnvironment, read_env
from tests.support.servers import HavreServer, havre_environment, migrate_and_seed

HOUSEHOLD = 20
"""Beginnings from one network that are nothing special."""


async def begin(server: HavreServer, address: str) -> str:
    """Begin as a proxy passes it on, and return the kind of the first answer."""
    async with websockets.connect(
        server.base_url.replace("http", "ws") + "/ws/v",
        origin=server.base_url,  # type: ignore[arg-type]
        additional_headers={"X-Forwarded-For": address},
    ) as socket:
        token = secrets.token_urlsafe(32)
        hello = {"type": "hello", "version": 1, "token": token, "after": 0, "start": True, "language": "en"}
        await socket.send(json.dumps(hello))
        return str(json.loads(await socket.recv())["type"])


@pytest.mark.parametrize(
    ("server", "trusted", "last"),
    [
        ("uvicorn", "127.0.0.0/8", "proof_wanted"),
        ("daphne", "127.0.0.0/8", "proof_wanted"),
        ("uvicorn", "10.0.0.1", "welcome"),
        ("daphne", "", "welcome"),
    ],
)
def test_a_network_is_counted_when_a_trusted_proxy_names_it(
    tmp_path: Path, server: str, trusted: str, last: str
) -> None:
    settings = {"HAVRE_TRUSTED_PROXIES": trusted} if trusted else {}
    migrate_and_seed(havre_environment(tmp_path))
    with HavreServer(tmp_path, server=server, **settings) as one:  # type: ignore[arg-type]

        async def story() -> None:
            for _ in range(HOUSEHOLD):
                assert await begin(one, "8.8.8.8") == "welcome"
            assert await begin(one, "8.8.8.8") == last
            assert await begin(one, "9.9.9.9") == "welcome"

        asyncio.run(story())
        assert "8.8.8.8" not in one.log_text()
    assert b"8.8.8.8" not in (tmp_path / "havre.sqlite3").read_bytes()


@pytest.mark.parametrize("value", ["everybody", "10.0.0.1, *", "10.0.0.0/33", "300.1.1.1"])
def test_what_is_no_proxy_is_called_so(value: str) -> None:
    with pytest.raises(BadEnvironment, match="HAVRE_TRUSTED_PROXIES must be addresses"):
        read_env({"HAVRE_SECRET_KEY": "x" * 50, "HAVRE_TRUSTED_PROXIES": value})


@pytest.mark.parametrize("value", ["-1", "1e3", "fast", "1.23456"])
def test_what_is_no_pace_is_called_so(value: str) -> None:
    with pytest.raises(BadEnvironment, match="HAVRE_WRITES_PER_SECOND must be a number"):
        read_env({"HAVRE_SECRET_KEY": "x" * 50, "HAVRE_WRITES_PER_SECOND": value})
