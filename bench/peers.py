"""Prosody and ejabberd, from Debian's packages, with the archive on and everything else as it comes."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.load import Pair
from bench.references import listening
from bench.targets import Running, Target
from bench.wire import Socket
from bench.xmpp import Xmpp, archived, counted, signed_in
from tests.support.daemon import Daemon
from tests.support.servers import clean_environment, free_port

PROSODY = """
run_as_root = true
daemonize = false
data_path = {data}
interfaces = {{ "127.0.0.1" }}
http_interfaces = {{ "127.0.0.1" }}
http_ports = {{ {port} }}
https_ports = {{ }}
c2s_ports = {{ }}
modules_enabled = {{ "roster", "saslauth", "disco", "websocket", "mam", "smacks", "register_ibr" }}
modules_disabled = {{ "s2s" }}
allow_registration = true
consider_websocket_secure = true
default_archive_policy = true
archive_expires_after = "never"
log = {{ warn = "*console" }}
VirtualHost "localhost"
"""

EJABBERD = """
hosts: [localhost]
loglevel: warning
listen:
  - {{port: {port}, ip: "127.0.0.1", module: ejabberd_http, request_handlers: {{/websocket: ejabberd_http_ws}}}}
registration_timeout: infinity
access_rules: {{anybody: {{allow: all}}}}
modules:
  mod_disco: {{}}
  mod_mam: {{default: always}}
  mod_register: {{ip_access: all, access: anybody, access_from: anybody}}
  mod_roster: {{}}
  mod_stream_mgmt: {{}}
"""


class Peer(Daemon):
    """Run one XMPP server with its data in a folder."""

    path: str

    def __init__(self, name: str, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        super().__init__(name, folder / "log", environ=clean_environment(os.environ))

    def answers(self) -> bool:
        """Tell whether it listens."""
        return listening(self.port)


class Prosody(Peer):
    """Run Prosody; its archive is in files of its own, which it does not sync."""

    path = "/xmpp-websocket"

    def command(self) -> list[str]:
        """Write the settings and return the command line."""
        settings = self.folder / "prosody.cfg.lua"
        settings.write_text(PROSODY.format(port=self.port, data=json.dumps(str(self.folder))), encoding="utf-8")
        return ["prosody", "-F", "--config", str(settings)]


class Ejabberd(Peer):
    """Run ejabberd without a node name, so that it starts no port mapper; its archive is in Mnesia."""

    path = "/websocket"

    def command(self) -> list[str]:
        """Write the settings and return the command line."""
        settings = self.folder / "ejabberd.yml"
        settings.write_text(EJABBERD.format(port=self.port), encoding="utf-8")
        library = next(Path("/usr/lib").glob("*/ejabberd-*/ebin")).parents[1]
        self.environ |= {"ERL_LIBS": str(library), "EJABBERD_LOG_PATH": str(self.folder / "ejabberd.log")}
        self.environ |= {"EJABBERD_CONFIG_PATH": str(settings), "HOME": str(self.folder)}
        return [
            "erl",
            "-noinput",
            "+K",
            "true",
            "-mnesia",
            "dir",
            json.dumps(str(self.folder / "mnesia")),
            "-s",
            "ejabberd",
        ]


class RunningPeer(Running):
    """Be an XMPP server while it runs."""

    dialect = Xmpp()

    def __init__(self, peer: Peer) -> None:
        super().__init__([peer])
        self._port, self._path = peer.port, peer.path
        self._visitors: list[str] = []
        self._idle: set[int] = set()

    async def pairs(self, count: int) -> list[Pair]:
        """Make two accounts for each pair."""
        found = []
        for number in range(count):
            visitor = await self._person(f"visitor{number}", register=True)
            advocate = await self._person(f"advocate{number}", register=True)
            await counted(visitor)
            self._visitors.append(f"visitor{number}")
            found.append(Pair(visitor, advocate, peer=f"advocate{number}@localhost".encode()))
        # presence is on its way
        await asyncio.sleep(0.5)
        return found

    async def arrive(self, kind: str, number: int) -> Socket:
        """Make an account, unless it was made before, and sign it in."""
        new = number not in self._idle
        self._idle.add(number)
        return await self._person(f"idle{number}", register=new)

    async def return_of(self, kind: str, number: int) -> Socket:
        """Sign it in again."""
        return await self._person(f"idle{number}", register=False)

    async def stored(self) -> int:
        """Return how many messages the senders' archives hold."""
        return sum([await archived(self._port, self._path, name) for name in self._visitors])

    async def _person(self, name: str, *, register: bool) -> Socket:
        return await signed_in(self._port, self._path, name, register=register)


class XmppServer(Target):
    """Start one of the peers."""

    can_crash = False

    def __init__(self, name: str, peer: type[Peer], program: str) -> None:
        super().__init__(name, "bare-sqlite")
        self._peer, self._program = peer, program

    def missing(self) -> str:
        """Return why this machine cannot run it, or nothing."""
        return "" if shutil.which(self._program) else f"{self._program} is not installed (ARGS='--install' does it)"

    @contextmanager
    def running(self, folder: Path, conversations: int) -> Iterator[Running]:
        """Start it."""
        with self._peer(self.name, folder) as peer:
            yield RunningPeer(peer)


def install() -> None:
    """Install both from Debian's packages, without starting them as services."""
    if shutil.which("prosody") and shutil.which("ejabberdctl"):
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise SystemExit("--install needs apt-get and root")
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    subprocess.run(["apt-get", "update", "-qq"], check=True, env=environ)
    words = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "prosody", "ejabberd"]
    subprocess.run(words, check=True, env=environ, stdin=subprocess.DEVNULL)
