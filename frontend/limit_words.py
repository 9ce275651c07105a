"""What staff read about setting limits, the pause and a changed voice; `staff_words` puts it with the rest."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from frontend.limit_lines import limit_lines

Words = Mapping[str, str | Mapping[str, str]]


def limits() -> Words:
    """Return the words around the five steps, and the lines themselves."""
    return {
        **limit_lines(),
        "limits_open": _("Set limits with {name}"),
        "limits_why": _(
            "One step at a time, and only as far as it takes. A button puts the line into your reply: read it, change "
            "it, send it yourself. "
            "Somebody who was hurt may write harshly, or tell of sexual violence: that is no misuse."
        ),
        "limits_step_name": _("1. Name it"),
        "limits_step_fine": _("2. Say what is all right"),
        "limits_step_follows": _("3. Say what follows"),
        "limits_step_chance": _("4. Give a chance"),
        "limits_step_through": _("5. Follow through, then pause"),
        "limits_put": _("Put into the reply"),
        "limits_put_about": _("Put into the reply: {step}"),
        "limits_done": _("The line is in your reply. It is not sent."),
        "voice_mark": _("The voice has changed"),
        "voice_hint": _("Consults a supervisor at once: somebody else may be writing, or be beside them."),
        "voice_done": _("A supervisor is asked about {name}."),
    }


def pausing() -> Words:
    """Return what console and board say about a pause."""
    return {
        "limits_track": _("What is it about?"),
        "limits_abuse": _("insults or threats to us"),
        "limits_sexual": _("the line is used for arousal"),
        "pause_length": _("For how long?"),
        "pause_minutes": {"one": _("{n} minute"), "other": _("{n} minutes")},
        "pause_hours": {"one": _("{n} hour"), "other": _("{n} hours")},
        "pause_set": _("Pause this chat"),
        "pause_hint": _(
            "The visitor can read, end and leave, and sees until when, with the numbers to call. It ends by itself. It "
            "is about this chat only: nobody’s address is kept."
        ),
        "pause_title": _("Pause the chat with {name}?"),
        "pause_text": _(
            "Until {at} the visitor can write nothing. Danger comes first: if you are unsure, ask a supervisor."
        ),
        "pause_done": _("The chat with {name} is paused."),
        "pause_until": _("Paused until {at}"),
        "pause_lift": _("Let them write again"),
        "pause_lifted": _("{name} can write again."),
        "paused_short": _("paused until {at}"),
    }
