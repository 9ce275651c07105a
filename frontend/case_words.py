"""What staff read about contacts and cases: who wrote, what came of it, and what stands on a timeline."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from cases.core.contact import CONTACT_TYPES, DISPOSITIONS


def contact_words() -> Mapping[str, str]:
    """Return what the console says where a contact is recorded."""
    return {
        "choose": _("Choose…"),
        "contact_title": _("Record the contact with {name}"),
        "contact_type": _("Who wrote"),
        "contact_disposition": _("How it came out"),
        "contact_case": _("There is a situation to follow up (a case)"),
        "contact_summary": _("In a few words"),
        "contact_hint": _("Your own words, no quotes, no names."),
        "contact_missing": _("Please choose who wrote and how it came out."),
        "contact_save": _("Record and close"),
        "contact_practice": _("This is practice and counted nowhere. Left alone, it closes by itself after a day."),
        "contact_save_drill": _("Record and close (drill)"),
        "contact_later": _("Record it later: to the list"),
        "contact_done": _("The contact with {name} is recorded and closed."),
    }


def contact_choices() -> Mapping[str, list[tuple[str, str]]]:
    """Return what the form for the contact offers, as value and word."""
    types, dispositions = contact_type_names(), disposition_names()
    return {
        "types": [(str(kind), types.get(str(kind), str(kind))) for kind in CONTACT_TYPES],
        "dispositions": [(str(outcome), dispositions.get(str(outcome), str(outcome))) for outcome in DISPOSITIONS],
    }


def contact_type_names() -> Mapping[str, str]:
    """Return in words who may have written."""
    return {
        "victim_survivor": _("the person concerned"),
        "family_friend": _("family or friend"),
        "service_provider": _("service provider"),
        "police": _("police or other authority"),
        "public": _("member of the public"),
        "other_professional": _("another professional"),
        "unknown": _("not said"),
    }


def disposition_names() -> Mapping[str, str]:
    """Return in words what may come of a conversation."""
    return {
        "support_given": _("listened to and supported"),
        "information_given": _("information given"),
        "referral_made": _("referred to a service"),
        "reported": _("reported to an authority"),
        "no_reply": _("no reply came"),
        "left_quickly": _("left before an outcome"),
        "not_for_us": _("not for this line"),
        "abusive": _("misuse of the line"),
        "test": _("test"),
    }


def case_status_names() -> Mapping[str, str]:
    """Return the states of a case in words."""
    return {
        "Active": _("open"),
        "FollowUp": _("follow-up"),
        "Closed": _("closed"),
        "ClosedReferred": _("closed, referred elsewhere"),
    }


def timeline_words() -> Mapping[str, str]:
    """Return what can stand on a case's timeline; `{name}` is who did it."""
    return {
        "opened": _("The case was opened."),
        "escalation_raised": _("{name} raised an escalation."),
        "escalation_climbed": _("The escalation climbed: nobody had acknowledged it in time."),
        "escalation_repeated": _("Nobody had acknowledged the escalation in time: it alerted again."),
        "escalation_paged": _("A page reached who is on call."),
        "escalation_unreached": _("Nobody on call was reached."),
        "escalation_acknowledged": _("{name} acknowledged the escalation."),
        "escalation_started": _("{name} began to work on the escalation."),
        "escalation_external_proposed": _("{name} proposed to tell somebody outside."),
        "escalation_external_confirmed": _("{name} confirmed it as the second person."),
        "escalation_external_told": _("{name} wrote down who was told."),
        "escalation_external_contact": _("{name} confirmed that contact was made."),
        "escalation_resolved": _("{name} resolved the escalation."),
        "escalation_stood_down": _("{name} stood the escalation down."),
        "left_quickly": _("The visitor left quickly. Do not try to reach them."),
        "came_back": _("Somebody came back with the visitor’s six words."),
        "contact_began": _("The contact began."),
        "ended_by_visitor": _("The visitor ended the conversation."),
        "ended_by_advocate": _("{name} ended the conversation."),
        "faded": _("The visitor was not seen for half an hour while waiting."),
        "contact_closed": _("{name} recorded the contact."),
        "erased": _("What was written in the conversation was erased."),
    }
