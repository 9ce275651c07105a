"""The people of every story: ada the visitor, ben and cleo the advocates, dana the supervisor, alix the administrator,
eve the stranger."""

import secrets
from datetime import UTC, datetime
from uuid import UUID

from cases import services as cases
from cases.delivery import deliver_due
from chat import services
from chat.core.actors import Staff
from chat.models import Conversation, Site
from staff.models import User
from staff.services import set_availability
from staff.web import staff_of

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def _person(username: str, role: str) -> Staff:
    user = User.objects.filter(username=username).first()
    if user is None:
        user = User.objects.create(username=username, work_name=username.capitalize(), role=role, password="!")
    return staff_of(user)


def ben() -> Staff:
    """Return the first advocate."""
    return _person("ben", "advocate")


def cleo() -> Staff:
    """Return the second advocate."""
    return _person("cleo", "advocate")


def dana() -> Staff:
    """Return the supervisor."""
    return _person("dana", "supervisor")


def alix() -> Staff:
    """Return the administrator, who sets things and reads no content."""
    return _person("alix", "administrator")


def eve() -> Staff:
    """Return the stranger: signed in, with a role that reads no content."""
    return _person("eve", "analyst")


def open_site() -> None:
    """Open the site for visitors."""
    Site.objects.get_or_create(
        pk=1,
        defaults={
            "name": "Havre",
            "phone": "1-833-555-0100",
            "emergency": "911",
            "exit_url_en": "https://example.org/",
            "exit_url_fr": "https://example.org/fr",
            "page_title_en": "Home",
            "page_title_fr": "Accueil",
        },
    )


def new_token() -> str:
    """Return a token as a visitor's page makes it."""
    return secrets.token_urlsafe(32)


def waiting(now: datetime = NOON, language: str = "en") -> tuple[UUID, str]:
    """Return ada's waiting conversation and her token."""
    open_site()
    token = new_token()
    done = services.open_conversation(token=token, language=language, door="help", now=now)
    return done.result.conversation, token


def held_by(advocate: Staff, now: datetime = NOON) -> tuple[UUID, str]:
    """Return ada's conversation, taken by an advocate, and her token."""
    pk, token = waiting(now)
    set_availability(user_id=advocate.id, state="ready", now=now)
    services.take(actor=advocate, conversation_id=pk, now=now)
    return pk, token


def conversation(pk: UUID) -> Conversation:
    """Return the row as it is now."""
    return Conversation.objects.get(pk=pk)


def recorded(pk: UUID, now: datetime) -> None:
    """Write Ben's record of a conversation that is over, and let everything it sets off arrive."""
    cases.record_contact(
        actor=ben(),
        conversation_id=pk,
        contact_type="victim_survivor",
        disposition="support_given",
        case_identified=False,
        summary="",
        now=now,
    )
    deliver_due(now=now)
