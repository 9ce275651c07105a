"""What the console says about who came back by words; `staff_words` puts it with the rest."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

Words = Mapping[str, str | Mapping[str, str]]


def returning() -> Words:
    """Return the words of the return, of its cues and of the code word."""
    return {
        "returned": _("Came back by words: not known again yet."),
        "returned_more": _("They see nothing of the earlier messages until you accept."),
        "returned_short": _("came back by words — is it the same person?"),
        "returned_again": _("Somebody came back {n} times, and none was accepted yet: two people may have the words."),
        "returned_again_more": _(
            "What you checked before may have been about somebody else. Check again, by what they write from now on; "
            "if you are unsure, raise an escalation."
        ),
        "return_cues": _("How to tell whether it is the same person"),
        "cue_voice": _(
            "Compare with the earlier messages: length, spelling, language, how they greet. A changed voice is a sign."
        ),
        "cue_ask": _(
            "Ask for the code word, or for something small that only the two of you wrote about. Let them tell it."
        ),
        "cue_nothing": _("Tell nothing from before: no name, place, plan, or that there was a plan."),
        "cue_unsure": _(
            "Someone may be beside them. If you are unsure, do not accept yet: raise an escalation and ask."
        ),
        "return_accept": _("Accept: show them the earlier messages"),
        "return_accept_done": _("{name} can see the earlier messages again."),
        "return_changed": _(
            "Nothing was decided: somebody came back once more, or the conversation moved on. Look again who is here."
        ),
        "return_not_them": _("Not them"),
        "return_not_them_title": _("Not the same person?"),
        "return_not_them_text": _(
            "The conversation ends and the six words lead nowhere any more. Whoever it is reads only that you ended "
            "it, and never sees the earlier messages."
        ),
        "return_not_them_yes": _("Not them: end it"),
        "return_not_them_done": _("Ended. Tell a supervisor: the person you know may be in danger."),
        "code_open": _("Code word to know them again by"),
        "code_label": _("Code word, or a question and its answer"),
        "code_hint": _("Agree on it in the chat. It is kept sealed, and a new one takes the place of the old."),
        "code_save": _("Keep it"),
        "code_saved": _("The code word is kept."),
        "code_show": _("Show the code word"),
        "code_hide": _("Hide the code word"),
        "code_none": _("None was agreed on."),
        "code_is": _("Code word: {text}"),
        "tell_returned": _("{name} came back by words. Look whether it is the same person."),
        "tell_returned_again": _(
            "{name}: somebody came back by words once more, {n} times now. Two people may have the words. Check again."
        ),
    }
