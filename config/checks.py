"""Refuse unsafe mixes of settings: `manage.py check --deploy` runs these."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from config.devkeys import PREFIX


def register_all() -> None:
    """Register the deploy checks with Django."""
    register(Tags.security, deploy=True)(check_deploy)
    register(Tags.security, deploy=True)(check_redis)


def check_deploy(app_configs: Any, **kwargs: Any) -> Iterable[CheckMessage]:
    """Yield an error for each thing that must not go live."""
    database = settings.DATABASES["default"]["ENGINE"]
    sqlite = database.endswith("sqlite3")
    rules = [
        (settings.DEVELOPMENT, "HAVRE_DEVELOPMENT is on", "havre.E001"),
        (settings.SECRET_KEY.startswith(PREFIX), "the signing key was generated for development", "havre.E002"),
        (len(settings.SECRET_KEY) < 50, "the signing key is shorter than 50 characters", "havre.E003"),
        (not settings.ALLOWED_HOSTS, "HAVRE_ALLOWED_HOSTS is empty", "havre.E004"),
        ("*" in settings.ALLOWED_HOSTS, "HAVRE_ALLOWED_HOSTS allows every host", "havre.E005"),
        (not settings.SESSION_COOKIE_SECURE, "cookies travel over plain http", "havre.E006"),
        (sqlite and settings.PROCESSES > 1, "SQLite serves one process only", "havre.E007"),
        (settings.EMBEDDED and settings.PROCESSES > 1, "several processes need REDIS_URL", "havre.E008"),
        (_development_keys(), "the key folder holds keys that were generated for development", "havre.E009"),
        (settings.VAULT_URL.startswith("http://"), "Vault is reached over plain http", "havre.E011"),
        (bool(settings.VAULT_URL) and not settings.VAULT_TOKEN, "HAVRE_VAULT_TOKEN is missing", "havre.E012"),
        (_cleartext_redis(), "Redis is reached without a password", "havre.E010"),
        (_no_french(), "the French texts are not compiled: make setup", "havre.E016"),
        (settings.DEBUG, "DEBUG is on: its error pages show what people wrote", "havre.E013"),
    ]
    return [Error(words, id=code) for broken, words, code in rules if broken]


def _development_keys() -> bool:
    return (settings.KEYS_DIR / "DEVELOPMENT").exists()


def _no_french() -> bool:
    # a French page would be in English otherwise, and say of itself that it is French
    return not all((folder / "fr/LC_MESSAGES/django.mo").exists() for folder in settings.LOCALE_PATHS)


def _cleartext_redis() -> bool:
    url = settings.ENV.redis_url
    return bool(url) and not urlsplit(url).password


def check_redis(app_configs: Any, **kwargs: Any) -> Iterable[CheckMessage]:
    """Ask the Redis of this site whether it writes to disk; refuse one that does, and one that gives no answer."""
    if not settings.ENV.redis_url:
        return []
    # its client takes a while to load, which a command without Redis need not wait for
    from config.redis_check import writes_to_disk

    return writes_to_disk(settings.ENV.redis_url)
