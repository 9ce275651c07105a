"""Check the container files against the code: no engine runs on a developer's machine, a parser does.

Each rule is a function that names what is wrong, so that the last test can show it a broken file.
"""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

from config.env import SECRETS, VARIABLES

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")

EXPECTED = {"proxy", "web", "worker", "migrate", "postgres", "redis"}
KNOWN_VARIABLES = set(VARIABLES) | {f"{name}_FILE" for name in SECRETS}
PROGRAMS = {"havre-app": "python", "havre-proxy": "caddy", "postgres": "postgres", "redis": "redis-server"}
"""The program that starts each image's service, by the image's name."""
MAY_BE_SWAPPED = {"postgres"}
"""Holds what is sealed and no key to it, the same as on its disk."""
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

Problems = Iterator[str]


def unknown_variables(compose: dict[str, Any]) -> Problems:
    """Name each setting of Havre that `config/env.py` does not read."""
    for name, service in compose["services"].items():
        for variable in service.get("environment", {}):
            ours = variable.startswith(("HAVRE_", "DATABASE_URL", "REDIS_URL"))
            if ours and variable not in KNOWN_VARIABLES:
                yield f"{name}: {variable} is not a variable of Havre"


def missing_commands(compose: dict[str, Any]) -> Problems:
    """Name each service that does not start the program of its image, or a command that Django does not have."""
    commands = get_commands()
    for name, service in compose["services"].items():
        words = service.get("command", [])
        image = service["image"].split(":")[0]
        if not words or words[0] != PROGRAMS.get(image):
            yield f"{name}: {words[:1]} does not start {image}"
        if words[:1] == ["python"] and (words[1] != "manage.py" or words[2] not in commands):
            yield f"{name}: manage.py {words[2]} does not exist"


def undeclared_names(compose: dict[str, Any]) -> Problems:
    """Name each volume, secret or network that is used and not declared, or declared and not used."""
    used: dict[str, set[str]] = {"volumes": set(), "secrets": set(), "networks": set()}
    for service in compose["services"].values():
        for kind in used:
            used[kind] |= {entry.split(":")[0] for entry in service.get(kind, []) if isinstance(entry, str)}
    for kind, names in used.items():
        for name in names ^ set(compose.get(kind, {})):
            yield f"{kind}: {name} is used or declared, not both"


def unreadable_secrets(compose: dict[str, Any]) -> Problems:
    """Name each `_FILE` variable or path that points at a secret which the service was not given."""
    for name, service in compose["services"].items():
        words = [*service.get("environment", {}).values(), *service.get("command", [])]
        for secret in re.findall(r"/run/secrets/(\w+)", " ".join(map(str, words))):
            if secret not in service.get("secrets", []):
                yield f"{name}: reads the secret {secret} and is not given it"


def plain_secrets(compose: dict[str, Any]) -> Problems:
    """Name each secret that stands in the file instead of a file of its own."""
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            secret = variable in SECRETS or re.search(r"PASSWORD|SECRET|TOKEN", variable)
            if secret and not (variable.endswith("_FILE") and str(value).startswith("/run/secrets/")):
                yield f"{name}: {variable} stands in the file"
    for text in _texts(compose):
        if re.search(r"://[^/\s]*:[^/\s]*@|requirepass", text):
            yield f"a password stands in {text!r}"
    for secret, declared in compose.get("secrets", {}).items():
        if set(declared) != {"file"}:
            yield f"secret {secret} does not come from a file"


def unwatched_services(compose: dict[str, Any]) -> Problems:
    """Name each lasting service without a health check, and each dependency that does not wait for one."""
    for name, service in compose["services"].items():
        once = service.get("restart") == "no"
        if not once and not service.get("healthcheck", {}).get("test"):
            yield f"{name}: no health check"
        for other, rule in service.get("depends_on", {}).items():
            ends = compose["services"].get(other, {}).get("restart") == "no"
            expected = "service_completed_successfully" if ends else "service_healthy"
            if rule["condition"] != expected:
                yield f"{name}: does not wait for {other} to be {expected}"


def lasting_redis(compose: dict[str, Any]) -> Problems:
    """Say how Redis would write to disk."""
    redis = compose["services"]["redis"]
    command = " ".join(word or '""' for word in redis["command"])
    if '--save ""' not in command or "--appendonly no" not in command:
        yield "redis: keeps snapshots or a log"
    if "--slowlog-log-slower-than -1" not in command:
        yield "redis: keeps arguments of slow commands"
    if redis.get("volumes") or "/data" not in redis.get("tmpfs", []):
        yield "redis: has a lasting folder"


def leaking_memory(compose: dict[str, Any]) -> Problems:
    """Name each service whose memory could reach a disk."""
    for name, service in compose["services"].items():
        if service.get("ulimits", {}).get("core") != 0:
            yield f"{name}: may leave a core dump"
        limit = service.get("mem_limit")
        if name not in MAY_BE_SWAPPED and (limit is None or limit != service.get("memswap_limit")):
            yield f"{name}: may be swapped out"


def misplaced_keys(compose: dict[str, Any]) -> Problems:
    """Say when the key folder is not a volume of its own, for our own processes only."""
    if "HAVRE_KEYS_DIR=/srv/keys" not in DOCKERFILE:
        yield "Dockerfile: HAVRE_KEYS_DIR is not /srv/keys"
    for name, service in compose["services"].items():
        has_keys = "keys:/srv/keys" in service.get("volumes", [])
        if has_keys != (service["image"] == "havre-app"):
            yield f"{name}: the key folder is in the wrong place"


def lost_heads(compose: dict[str, Any]) -> Problems:
    """Say when the signed heads of the audit trail would be written nowhere, or into what ends with the container."""
    for name, service in compose["services"].items():
        folder = service.get("environment", {}).get("HAVRE_AUDIT_DIR")
        mounts = [mount for mount in service.get("volumes", []) if isinstance(mount, dict)]
        lasting = [m for m in mounts if m["target"] == folder and m["type"] == "bind"]
        if (name == "worker") != (folder is not None):
            yield f"{name}: the signed heads are in the wrong place"
        if folder is not None and not lasting:
            yield f"{name}: the signed heads end with the container"
        for mount in lasting:
            if mount.get("bind", {}).get("create_host_path") is not False:
                yield f"{name}: the engine would make {mount['source']} for root"
            if f"install --directory --mode 0700 --owner 10001 --group 10001 {mount['source']}`" not in OPERATIONS:
                yield f"{name}: nobody is told to make {mount['source']}"


RULES: tuple[Callable[[dict[str, Any]], Problems], ...] = (
    unknown_variables,
    missing_commands,
    undeclared_names,
    unreadable_secrets,
    plain_secrets,
    unwatched_services,
    lasting_redis,
    leaking_memory,
    misplaced_keys,
    lost_heads,
)

BREAKS: tuple[tuple[str, str, Any, str], ...] = (
    ("services.web.environment.HAVRE_DEBUG", "set", "1", "HAVRE_DEBUG is not a variable"),
    ("services.worker.command", "set", ["python", "manage.py", "wroker"], "manage.py wroker does not exist"),
    ("services.proxy.command", "set", ["nginx"], "does not start havre-proxy"),
    ("volumes.keys", "drop", None, "volumes: keys"),
    ("secrets.redis_auth", "drop", None, "secrets: redis_auth"),
    ("networks.inside", "drop", None, "networks: inside"),
    ("services.postgres.secrets", "drop", None, "is not given it"),
    ("services.web.environment.REDIS_URL", "set", "redis://:x@redis:6379/0", "REDIS_URL stands in the file"),
    ("services.redis.command", "set", ["redis-server", "--requirepass", "x"], "a password stands in"),
    ("services.web.healthcheck", "drop", None, "web: no health check"),
    ("services.web.depends_on.redis.condition", "set", "service_started", "does not wait for redis"),
    ("services.redis.command", "set", ["redis-server", "--appendonly", "yes"], "keeps snapshots or a log"),
    ("services.redis.command", "set", ["redis-server", "--save", "", "--appendonly", "no"], "slow commands"),
    ("services.redis.volumes", "set", ["database:/data"], "has a lasting folder"),
    ("services.worker.ulimits", "drop", None, "worker: may leave a core dump"),
    ("services.migrate.ulimits.core", "set", -1, "migrate: may leave a core dump"),
    ("services.redis.ulimits", "drop", None, "redis: may leave a core dump"),
    ("services.proxy.ulimits", "drop", None, "proxy: may leave a core dump"),
    ("services.web.memswap_limit", "set", "2g", "web: may be swapped out"),
    ("services.worker.memswap_limit", "set", -1, "worker: may be swapped out"),
    ("services.migrate.mem_limit", "drop", None, "migrate: may be swapped out"),
    ("services.redis.memswap_limit", "drop", None, "redis: may be swapped out"),
    ("services.proxy.memswap_limit", "drop", None, "proxy: may be swapped out"),
    ("services.postgres.volumes", "set", ["database:/d", "keys:/srv/keys"], "key folder is in the wrong place"),
    ("services.worker.environment.HAVRE_AUDIT_DIR", "drop", None, "signed heads are in the wrong place"),
    ("services.web.environment.HAVRE_AUDIT_DIR", "set", "/srv/audit", "web: the signed heads are in the wrong place"),
    ("services.worker.volumes", "set", ["keys:/srv/keys"], "the signed heads end with the container"),
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_compose_file_keeps_the_rule(rule: Callable[[dict[str, Any]], Problems]) -> None:
    assert list(rule(COMPOSE)) == []


@pytest.mark.parametrize(("place", "how", "value", "expected"), BREAKS)
def test_broken_compose_file_is_noticed(place: str, how: str, value: Any, expected: str) -> None:
    broken = deepcopy(COMPOSE)
    *path, last = place.split(".")
    target = broken
    for step in path:
        target = target[step]
    if how == "drop":
        del target[last]
    else:
        target[last] = value
    assert expected in "\n".join(problem for rule in RULES for problem in rule(broken))


def test_each_recipe_marks_the_folder_of_the_keys_before_anybody_is_served() -> None:
    assert OPERATIONS.count("archive make-key-folder") >= 3
    containers = OPERATIONS[: OPERATIONS.index("## With systemd")]
    assert containers.index("archive make-key-folder") < containers.index("docker compose up --detach")


def test_all_services_are_there() -> None:
    assert set(COMPOSE["services"]) >= EXPECTED


def test_dockerfile_copies_what_exists_and_every_room() -> None:
    copied = [line.split()[1:-1] for line in DOCKERFILE.splitlines() if line.startswith("COPY")]
    sources = {source for words in copied if not words[0].startswith("--from") for source in words}
    rooms = {f"{app}/" for app in settings.INSTALLED_APPS if (ROOT / app).is_dir()}
    assert sorted(source for source in sources if not (ROOT / source).exists()) == []
    assert rooms - sources == set()
    allowed = {line[1:] for line in _lines(".dockerignore") if line.startswith("!")}
    assert sources == allowed


def test_proxy_writes_no_address_and_knows_the_web_processes() -> None:
    caddyfile = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
    # The only `log` block is the one that takes the "http" kind out of the general log.
    assert re.findall(r"^\s*log\b.*\{\s*(.*)\s*\}", caddyfile, re.MULTILINE) == ["exclude http"]
    assert re.search(r"max_size 64KB", caddyfile)
    assert re.search(r"dynamic a web 8000", caddyfile)
    assert "8000" in COMPOSE["services"]["web"]["command"]


@pytest.mark.parametrize("name", ["havre-web.service", "havre-worker.service"])
def test_units_start_existing_commands_with_known_variables(name: str) -> None:
    lines = _lines(f"deploy/{name}")
    started = [line.split("manage.py ")[1].split()[0] for line in lines if line.startswith("ExecStart")]
    assert started
    assert set(started) - set(get_commands()) == set()
    variables = {line.split("=")[1] for line in lines if line.startswith("Environment=")}
    assert variables - KNOWN_VARIABLES == set()
    for hardening in ("LimitCORE=0", "MemorySwapMax=0", "NoNewPrivileges=yes", "ProtectSystem=strict"):
        assert [line for line in lines if line.startswith(hardening.split("=")[0])] == [hardening]
    # with a check that asks Redis before the start, a short outage would otherwise end the unit for good
    assert lines.index("StartLimitIntervalSec=0") < lines.index("[Service]")


def redis_users(text: str) -> list[dict[str, str]]:
    """Return what each recipe for Redis gives to its users, by name."""
    users: list[dict[str, str]] = []
    for name, rest in re.findall(r"^[ ]*(?:echo \")?user (\w+) ([^\"\n]*)", text, re.MULTILINE):
        if name == "default" or not users:
            users.append({})
        users[-1][name] = rest.strip()
    return users


def loose_users(text: str) -> Problems:
    """Say where a recipe for Redis lets somebody in without a password, or Havre do what it does not need."""
    recipes = redis_users(text)
    if len(recipes) != 2:
        yield f"{len(recipes)} recipes rather than one for containers and one for systemd"
    for users in recipes:
        if users.get("default") != "off":
            yield "the user without a password may sign in"
        words = users.get("havre", "").split()
        if words[:1] != ["on"] or not any(re.fullmatch(r">\S{5,}", word) for word in words) or "nopass" in words:
            yield "Havre's own user has no password"
        granted = words[words.index("+@all") + 1 :] if "+@all" in words else []
        if granted != ["-@admin", "-@dangerous", "+info"]:
            yield "Havre may do more than it needs"


def test_recipes_for_redis_let_havre_do_no_more_than_it_needs() -> None:
    assert list(loose_users(OPERATIONS)) == []
    assert 'save ""\nappendonly no\nslowlog-log-slower-than -1\n' in OPERATIONS
    assert "LimitCORE=0\nMemorySwapMax=0\n" in OPERATIONS


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("user default off", "user default on nopass"),
        (">$redis ", "nopass "),
        (" -@admin", ""),
        (" -@dangerous", ""),
        ("+info", "+info +monitor"),
        ("+info", "+info +config|get"),
        ("user default off", "requirepass $redis"),
    ],
)
def test_a_loose_recipe_for_redis_is_noticed(good: str, bad: str) -> None:
    assert list(loose_users(OPERATIONS.replace(good, bad, 1))) != []


def _lines(path: str) -> list[str]:
    return (ROOT / path).read_text(encoding="utf-8").splitlines()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif value is not None:
        yield str(value)
