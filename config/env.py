"""Read the process environment once, typed and loud.

Imports no Django. Every variable that Havre reads is a field of `Env`; nothing else in the project reads
`os.environ`. A secret may come as `NAME` or as `NAME_FILE` (a path), never as both.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent


class BadEnvironment(ValueError):
    """Say which variable cannot be used and why; never echo its value."""


@dataclass(frozen=True, slots=True)
class Mail:
    """Say over which server mail leaves, and from which address. `tls` begins with it, `starttls` asks for it."""

    host: str
    port: int
    user: str
    password: str
    tls: bool
    starttls: bool
    sender: str

    def __repr__(self) -> str:
        return "<mail>"


@dataclass(frozen=True, slots=True)
class Env:
    """Hold the settings of one process; `docs/settings.md` explains each."""

    development: bool
    secret_key: str
    data_dir: Path
    keys_dir: Path
    audit_dir: Path
    archive_roots: tuple[str, ...]
    vault_url: str
    vault_token: str
    vault_mount: str
    vault_ca: str
    database_url: str
    redis_url: str
    allowed_hosts: tuple[str, ...]
    secure_cookies: bool
    inline_worker: bool
    processes: int
    writes_per_second: float
    trusted_proxies: tuple[str, ...]
    screening: bool
    paging_networks: tuple[str, ...]
    drill_scripts: Path | None
    mail: Mail | None
    build: str

    @property
    def embedded(self) -> bool:
        """Tell whether this process is the whole system: no Redis joins it to another."""
        return not self.redis_url


VARIABLES: dict[str, str] = {
    "HAVRE_DEVELOPMENT": "1 allows generated keys, plain http cookies and loopback hosts. Refused by check --deploy.",
    "HAVRE_SECRET_KEY": "Django's signing key, 50 characters or more. Secret: may come as HAVRE_SECRET_KEY_FILE.",
    "HAVRE_DATA_DIR": "Folder for the SQLite file and development secrets. Default: var/ in the checkout.",
    "HAVRE_KEYS_DIR": "Folder of the file key provider, outside of every backup. Default: keys/ in the data folder.",
    "HAVRE_AUDIT_DIR": "Folder of the audit trail's signed heads. Default: audit/ in the data folder.",
    "HAVRE_ARCHIVE_ROOT": "Public half of the offline key that signs archive keys, 64 hexadecimal digits; earlier "
    "ones, which only open, behind it after commas.",
    "HAVRE_VAULT_URL": "Address of Vault or OpenBao; empty means the file key provider.",
    "HAVRE_VAULT_TOKEN": "Token for its Transit engine. Secret: may come as HAVRE_VAULT_TOKEN_FILE.",
    "HAVRE_VAULT_MOUNT": "Where its Transit engine is mounted. Default: transit.",
    "HAVRE_VAULT_CA": "File of the certificate authority of that server; empty means the system's.",
    "HAVRE_ALLOWED_HOSTS": "Comma-separated host names that this site answers to.",
    "HAVRE_SECURE_COOKIES": "0 lets staff sign in, and visitors without script chat, over plain http. Default: 1, and "
    "0 in development.",
    "HAVRE_INLINE_WORKER": "1 runs the worker loop inside the web process. Default: 1 without Redis, else 0.",
    "HAVRE_PROCESSES": "How many web processes serve this site; check --deploy needs it. Default: 1.",
    "HAVRE_WRITES_PER_SECOND": "Texts a second that one sender may write on in one conversation, after a burst of ten; "
    "0 sets no pace at all, for benchmarks. Default: 1.",
    "HAVRE_TRUSTED_PROXIES": "Addresses or networks of proxies whose X-Forwarded-For is believed, or *. Default: none.",
    "HAVRE_SCREENING": "1 lets the screening rules raise escalations, until an administrator has switched that in the "
    "app; docs/screening.md says how often they are wrong. "
    "Default: 0.",
    "HAVRE_PAGING_NETWORKS": "Private networks to which pages for who is on call may go; public addresses always may. "
    "Default: none.",
    "HAVRE_DRILL_SCRIPTS": "Folder with the site's own scripts for drills, en/*.toml and fr/*.toml. Default: none.",
    "HAVRE_MAIL_URL": "Mail server for pages, smtps://user:password@host:465 or smtp://...:587 (STARTTLS); empty means "
    "no mail. Secret: may come as HAVRE_MAIL_URL_FILE.",
    "HAVRE_MAIL_FROM": "Address from which mail comes; needed with HAVRE_MAIL_URL.",
    "HAVRE_BUILD": "Build id shown in /healthz. Default: dev.",
    "DATABASE_URL": "postgres://... ; empty means SQLite in the data folder. Secret: may come as DATABASE_URL_FILE.",
    "REDIS_URL": "redis://... ; empty means one process with an in-memory layer. May come as REDIS_URL_FILE.",
}
"""Every variable by name, with its meaning; the documentation and the compose file are checked against it."""

SECRETS = frozenset({"HAVRE_SECRET_KEY", "HAVRE_VAULT_TOKEN", "HAVRE_MAIL_URL", "DATABASE_URL", "REDIS_URL"})
"""Variables that may also be given as a file, by the name with `_FILE` behind it."""


def read_env(environ: Mapping[str, str]) -> Env:
    """Return the typed settings, or raise `BadEnvironment` for an unknown, missing or malformed variable."""
    _refuse_unknown(environ)
    development = _flag(environ, "HAVRE_DEVELOPMENT", default=False)
    data_dir = Path(environ.get("HAVRE_DATA_DIR") or ROOT / "var").resolve()
    redis_url = _secret(environ, "REDIS_URL")
    secret_key = _secret(environ, "HAVRE_SECRET_KEY")
    archive_roots = _keys(environ, "HAVRE_ARCHIVE_ROOT")
    if development:
        from config.devkeys import development_archive_root, development_secret

        secret_key = secret_key or development_secret(data_dir)
        archive_roots = archive_roots or (development_archive_root(data_dir),)
    if not secret_key:
        raise BadEnvironment("HAVRE_SECRET_KEY is missing; set it, or HAVRE_SECRET_KEY_FILE")
    hosts = tuple(host.strip() for host in environ.get("HAVRE_ALLOWED_HOSTS", "").split(",") if host.strip())
    return Env(
        development=development,
        secret_key=secret_key,
        data_dir=data_dir,
        keys_dir=Path(environ.get("HAVRE_KEYS_DIR") or data_dir / "keys").resolve(),
        audit_dir=Path(environ.get("HAVRE_AUDIT_DIR") or data_dir / "audit").resolve(),
        archive_roots=archive_roots,
        vault_url=environ.get("HAVRE_VAULT_URL", ""),
        vault_token=_secret(environ, "HAVRE_VAULT_TOKEN"),
        vault_mount=environ.get("HAVRE_VAULT_MOUNT") or "transit",
        vault_ca=environ.get("HAVRE_VAULT_CA", ""),
        database_url=_secret(environ, "DATABASE_URL"),
        redis_url=redis_url,
        allowed_hosts=hosts or (("localhost", "127.0.0.1", "[::1]") if development else ()),
        secure_cookies=_flag(environ, "HAVRE_SECURE_COOKIES", default=not development),
        inline_worker=_flag(environ, "HAVRE_INLINE_WORKER", default=not redis_url),
        processes=_count(environ, "HAVRE_PROCESSES", default=1),
        writes_per_second=_rate(environ, "HAVRE_WRITES_PER_SECOND", default=1.0),
        trusted_proxies=_networks(environ, "HAVRE_TRUSTED_PROXIES"),
        screening=_flag(environ, "HAVRE_SCREENING", default=False),
        paging_networks=_networks(environ, "HAVRE_PAGING_NETWORKS", everybody=False),
        drill_scripts=_folder(environ, "HAVRE_DRILL_SCRIPTS"),
        mail=_mail(environ),
        build=environ.get("HAVRE_BUILD", "dev"),
    )


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = set(VARIABLES) | {f"{name}_FILE" for name in SECRETS}
    for name in environ:
        if name.startswith("HAVRE_") and not name.startswith("HAVRE_TEST_") and name not in known:
            raise BadEnvironment(f"{name} is not a variable of Havre; docs/settings.md lists them")


def _secret(environ: Mapping[str, str], name: str) -> str:
    value, path = environ.get(name, ""), environ.get(f"{name}_FILE", "")
    if value and path:
        raise BadEnvironment(f"{name} and {name}_FILE are both set; keep one")
    if not path:
        return value
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadEnvironment(f"{name}_FILE cannot be read: {error.strerror}") from None


def _folder(environ: Mapping[str, str], name: str) -> Path | None:
    value = environ.get(name, "")
    if not value:
        return None
    path = Path(value).resolve()
    if not path.is_dir():
        raise BadEnvironment(f"{name} must be a folder that is there")
    return path


def _flag(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = environ.get(name, "")
    if value not in {"", "0", "1"}:
        raise BadEnvironment(f"{name} must be 0 or 1")
    return default if value == "" else value == "1"


def _keys(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    values = tuple(value.strip().lower() for value in environ.get(name, "").split(",") if value.strip())
    if any(len(value) != 64 or set(value) - set("0123456789abcdef") for value in values):
        raise BadEnvironment(f"{name} must be 64 hexadecimal digits, or several of that with commas between")
    return values


def _count(environ: Mapping[str, str], name: str, *, default: int) -> int:
    value = environ.get(name, "")
    if value and not (value.isascii() and value.isdigit() and 1 <= int(value) <= 1024):
        raise BadEnvironment(f"{name} must be a whole number from 1 to 1024")
    return int(value) if value else default


def _rate(environ: Mapping[str, str], name: str, *, default: float) -> float:
    value = environ.get(name, "")
    if value and not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", value):
        raise BadEnvironment(f"{name} must be a number from 0 to 9999, with at most three decimals")
    return float(value) if value else default


def _networks(environ: Mapping[str, str], name: str, *, everybody: bool = True) -> tuple[str, ...]:
    values = tuple(value.strip() for value in environ.get(name, "").split(",") if value.strip())
    if everybody and values == ("*",):
        return values
    try:
        for value in values:
            ipaddress.ip_network(value)
    except ValueError:
        more = ", or *" if everybody else ""
        raise BadEnvironment(f"{name} must be addresses or networks with commas between{more}") from None
    return values


def _mail(environ: Mapping[str, str]) -> Mail | None:
    url, sender = _secret(environ, "HAVRE_MAIL_URL"), environ.get("HAVRE_MAIL_FROM", "")
    if not url:
        return None
    if not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", sender):
        raise BadEnvironment("HAVRE_MAIL_FROM must be an e-mail address when HAVRE_MAIL_URL is set")
    try:
        parts = urlsplit(url)
        port = {"smtp": 587, "smtps": 465}[parts.scheme]
        port = parts.port or port
    except (ValueError, KeyError):
        raise BadEnvironment("HAVRE_MAIL_URL must be smtps://user:password@host:465, or smtp://...:587") from None
    # a relay on this machine takes mail without a password and passes it on by its own rules
    here = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if not parts.hostname or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise BadEnvironment("HAVRE_MAIL_URL holds more, or less, than a scheme, a user, a password, a host and a port")
    return Mail(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=parts.scheme == "smtps",
        starttls=parts.scheme == "smtp" and not here,
        sender=sender,
    )
