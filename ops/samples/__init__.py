"""Sample people and settings for a demo, and the one password that they share on this machine."""

import os
import secrets
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chat.models import Site
from directory.services import seed_samples
from ops.samples import archive
from staff.models import User

PEOPLE = (
    ("ben", "Ben", "advocate", "en"),
    ("cleo", "Cléo", "advocate", "fr"),
    ("dana", "Dana", "supervisor", "en"),
    ("alix", "Alix", "administrator", "en"),
)


def seed() -> None:
    """Load the samples; what is there already stays as it is."""
    password = sample_password()
    with transaction.atomic():
        for username, work_name, role, language in PEOPLE:
            if not User.objects.filter(username=username).exists():
                User.objects.create_user(
                    username, password, work_name=work_name, role=role, language=language, sample=True
                )
        Site.objects.get_or_create(
            pk=1,
            defaults={
                "name": "Havre",
                "phone": "1-833-555-0100",
                "emergency": "911",
                "exit_url_en": "https://weather.gc.ca/",
                "exit_url_fr": "https://meteo.gc.ca/",
                "page_title_en": "Home",
                "page_title_fr": "Accueil",
            },
        )
    seed_samples(now=timezone.now())
    archive.seed(timezone.now())


def sample_password() -> str:
    """Return the samples' password, made on first use and kept beside the demo's data."""
    path: Path = settings.DATA_DIR / "sample-password"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"sample-{secrets.token_hex(6)}")
    return path.read_text(encoding="ascii").strip()


def sign_ins() -> list[str]:
    """Return a line for each sample account that is there, and the words that open the sample archive."""
    rows = User.objects.filter(sample=True).order_by("role", "username")
    lines = [f"{row.role:<11} {row.username:<6} password {sample_password()}" for row in rows]
    words = archive.sample_phrases().items()
    return [*lines, *(f"{'archive':<11} {name:<6} words    {phrase}" for name, phrase in sorted(words))]
