"""Map the typed environment to Django's settings; the only settings file."""

import os
from typing import Any

import dj_database_url

from config.env import ROOT, Env, read_env

ENV: Env = read_env(os.environ)

SECRET_KEY = ENV.secret_key
DEBUG = False  # never on: its error pages show frame locals, and with them what people wrote
ALLOWED_HOSTS = list(ENV.allowed_hosts)
BUILD = ENV.build
DEVELOPMENT = ENV.development
EMBEDDED = ENV.embedded
INLINE_WORKER = ENV.inline_worker
PROCESSES = ENV.processes
WRITES_PER_SECOND = ENV.writes_per_second
TRUSTED_PROXIES = ENV.trusted_proxies
SCREENING = ENV.screening
PAGING_NETWORKS = ENV.paging_networks
DRILL_SCRIPTS = ENV.drill_scripts
REDIS_URL = ENV.redis_url
DATA_DIR = ENV.data_dir
KEYS_DIR = ENV.keys_dir
AUDIT_DIR = ENV.audit_dir
ARCHIVE_ROOT = ENV.archive_roots[0] if ENV.archive_roots else ""
EARLIER_ARCHIVE_ROOTS = ENV.archive_roots[1:]
VAULT_URL, VAULT_TOKEN = ENV.vault_url, ENV.vault_token
VAULT_MOUNT, VAULT_CA = ENV.vault_mount, ENV.vault_ca

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "config",
    "audit",
    "encryption",
    "staff",
    "chat",
    "directory",
    "crisis",
    "cases",
    "drills",
    "ops",
    "frontend",
]

MIDDLEWARE = [
    "frontend.security_headers.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "frontend.static_files.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]


_LIMITS = "-c lock_timeout=3s -c idle_in_transaction_session_timeout=30s"


def _database() -> dict[str, Any]:
    if ENV.database_url:
        database: dict[str, Any] = dict(dj_database_url.parse(ENV.database_url))
        given = database.get("OPTIONS", {})
        database["OPTIONS"] = {
            "connect_timeout": 5,
            # a machine that vanished is noticed while something is on its way to it, not after many minutes
            "tcp_user_timeout": 10_000,
            # and where only its answer is waited for: the system itself would ask after two hours
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            **given,
            # One lock that somebody holds stops only who needs that row, and for 3 s; a session that died in a
            # transaction lets go. What the address itself asks for comes last and counts.
            "options": f"{_LIMITS} {given.get('options', '')}".strip(),
            # One pool per process. Each bounded thread (chat/db.py, chat/writer.py, frontend/unlocking.py) may keep a
            # connection for ever: 22 of them, and 10 for pages, whose threads live for a request. A smaller pool once
            # left one for all pages, and a page that waits for such a thread needs two. tests/contract counts them.
            "pool": {"min_size": 1, "max_size": 32, "timeout": 10},
        }
        database["CONN_MAX_AGE"] = 0
        # one that died while it lay in the pool is made anew instead of failing who is given it
        database["CONN_HEALTH_CHECKS"] = True
        return database
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ENV.data_dir / "havre.sqlite3",
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL: an acknowledged message survives a power cut, not only a crash of ours.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
            # a page that changes in many commits is copied to the database file once in 16 MB instead of 4
            " PRAGMA foreign_keys=ON; PRAGMA wal_autocheckpoint=4000;",
        },
    }


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 10_000}}
    if ENV.embedded
    else {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [ENV.redis_url], "symmetric_encryption_keys": [ENV.secret_key]},
    }
}

AUTH_USER_MODEL = "staff.User"
PASSWORD_HASHERS = ["staff.signing_in.OneLane"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/staff/sign-in"

# where a page for who is on call leads to; a name that allows every one below it has a dot before it
SITE_URL = f"{'https' if ENV.secure_cookies else 'http'}://{(ALLOWED_HOSTS or ['localhost'])[0].lstrip('.')}"
MAIL = ENV.mail is not None
if ENV.mail is not None:
    EMAIL_HOST, EMAIL_PORT = ENV.mail.host, ENV.mail.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = ENV.mail.user, ENV.mail.password
    EMAIL_USE_SSL, EMAIL_USE_TLS = ENV.mail.tls, ENV.mail.starttls
    DEFAULT_FROM_EMAIL = ENV.mail.sender
EMAIL_TIMEOUT = 10

_PREFIX = "__Host-" if ENV.secure_cookies else ""
SESSION_COOKIE_NAME = f"{_PREFIX}session"
SESSION_COOKIE_SECURE = ENV.secure_cookies
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_NAME = f"{_PREFIX}csrf"
CSRF_COOKIE_SECURE = ENV.secure_cookies
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
# of a visitor without script, and of nobody else; it says nothing about where it comes from
VISITOR_COOKIE_NAME = f"{_PREFIX}page"
SECURE_HSTS_SECONDS = 63_072_000 if ENV.secure_cookies else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = ENV.secure_cookies
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.secure_cookies else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 65_536
# no file and no body comes to lie on a disk: a longer one is refused before anything reads it (ops/bodies.py)
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_048_576

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "Français")]
LOCALE_PATHS = [ROOT / "locale"]
LANGUAGE_COOKIE_NAME = f"{_PREFIX}lang"
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
# a development machine serves the files from where they are written
STATIC_ROOT = None if ENV.development else ENV.data_dir / "static"
# once collected they stand packed beside the plain ones, for a line on which each kilobyte takes a fiftieth of a second
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = STATIC_ROOT is None or not STATIC_ROOT.is_dir()
WHITENOISE_AUTOREFRESH = False

# No handler sees a request, a body or a frame local: type and place of an error only (ops/logs.py says how).
LOGGING_CONFIG = None
