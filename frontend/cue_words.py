"""What staff read of cues that nobody wrote, and of a pause in the log; `staff_words` puts it with the rest."""

from collections.abc import Mapping

from django.utils.translation import gettext as _


def cue_facts() -> Mapping[str, str]:
    """Return in words what the log tells of them; without a level, which a closed conversation's line lacks."""
    return {
        "fact_cue_voice": _("{name} finds the voice changed, and asks a supervisor."),
        "fact_cue_left": _("Help was called: the visitor left quickly after a sign of danger."),
        "fact_cue_silence": _("Help was called: the visitor fell silent after a sign of danger."),
        "fact_cue_returned": _("A supervisor is asked: somebody came back by words."),
        "fact_paused": _("{name} paused the chat for a while."),
        "fact_pause_over": _("{name} let the visitor write again."),
        "fact_pause_over_alone": _("The pause is over."),
    }


def sources() -> Mapping[str, str]:
    """Return in words what an escalation was raised by, where that is no person's own reason."""
    return {
        "source_voice": _("The voice has changed."),
        "source_screening": _("A message sounds like danger."),
        "source_left": _("Left quickly after a sign of danger."),
        "source_silence": _("Silent after a sign of danger."),
        "source_returned": _("Came back by words."),
    }
