"""Check that no thread waits for another's database connection: there is one for each, and some for pages."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

from staff.signing_in import AT_ONCE

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("audit", "cases", "chat", "crisis", "directory", "drills", "encryption", "frontend", "ops", "staff")
COUNT = """
import gc, json, django
from concurrent.futures import ThreadPoolExecutor
django.setup()
import config.asgi, config.urls
from django.conf import settings
threads = {one._thread_name_prefix: one._max_workers for one in gc.get_objects() if isinstance(one, ThreadPoolExecutor)}
print(json.dumps([settings.DATABASES["default"]["OPTIONS"]["pool"]["max_size"], threads]))
"""


def counted() -> tuple[int, dict[str, int]]:
    """Return how many connections a web process on PostgreSQL may have, and how many threads each pool."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("HAVRE_", "DATABASE_", "REDIS_"))}
    env |= {"HAVRE_DEVELOPMENT": "1", "DJANGO_SETTINGS_MODULE": "config.settings"}
    env |= {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
    command = [sys.executable, "-c", COUNT]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=100, check=True)
    most, threads = json.loads(done.stdout)
    return most, threads


def named_in_the_source() -> set[str]:
    """Return the names of all threads that live as long as the process."""
    names = set()
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "ThreadPoolExecutor":
                    names |= {ast.literal_eval(one.value) for one in call.keywords if one.arg == "thread_name_prefix"}
    return names


def test_there_is_a_connection_for_each_thread_and_some_for_pages() -> None:
    most, threads = counted()
    ours = {name: count for name, count in threads.items() if name.startswith("havre-")}  # the other is asgiref's
    assert set(ours) == named_in_the_source(), "a pool of threads is not counted"
    for_pages = AT_ONCE + 8  # who waits to sign in holds none (tests/app/test_signing_in.py)
    assert most >= sum(ours.values()) + for_pages, ours


def test_the_operator_reads_how_many_postgresql_must_allow() -> None:
    most, _ = counted()
    for page in ("operations.md", "settings.md"):
        assert f"up to {most} connections" in (ROOT / "docs" / page).read_text(encoding="utf-8")
