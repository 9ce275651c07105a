"""Vocabularies of a contact and a case. HTCDS 2.0 names where it has them."""

from enum import StrEnum

from chat.core.errors import ErrorCode, Refused


class ContactType(StrEnum):
    """Who wrote; HTCDS has no such field, the list is the hotline's own yearly table."""

    VICTIM_SURVIVOR = "victim_survivor"
    FAMILY_FRIEND = "family_friend"
    SERVICE_PROVIDER = "service_provider"
    POLICE = "police"
    PUBLIC = "public"
    OTHER_PROFESSIONAL = "other_professional"
    UNKNOWN = "unknown"


class Disposition(StrEnum):
    """What came of it."""

    SUPPORT_GIVEN = "support_given"
    INFORMATION_GIVEN = "information_given"
    REFERRAL_MADE = "referral_made"
    REPORTED = "reported"
    NO_REPLY = "no_reply"
    LEFT_QUICKLY = "left_quickly"
    NOT_FOR_US = "not_for_us"
    ABUSIVE = "abusive"
    TEST = "test"


class CaseStatus(StrEnum):
    """Where a case stands: HTCDS `cas_Status`."""

    ACTIVE = "Active"
    FOLLOW_UP = "FollowUp"
    CLOSED = "Closed"
    CLOSED_REFERRED = "ClosedReferred"


CONTACT_TYPES: tuple[ContactType, ...] = tuple(ContactType)
DISPOSITIONS: tuple[Disposition, ...] = tuple(Disposition)


def check_outcome(contact_type: str, disposition: str) -> None:
    """Raise `Refused(BAD_FRAME)` unless both values are known."""
    if contact_type not in CONTACT_TYPES or disposition not in DISPOSITIONS:
        raise Refused(ErrorCode.BAD_FRAME)
