"""Words that the staff pages' scripts show, in the language of the person at the screen.

The scripts hold no text of their own: a page carries these as a JSON data block. `{name}` marks are filled in the
browser; an entry with `one` and `other` is chosen by the number `{n}`.
"""

from collections.abc import Mapping
from datetime import timedelta

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from chat.core.errors import ErrorCode
from chat.core.routing import NOT_AGAIN_WITHIN
from frontend.board_words import rows_of_the_board, settling
from frontend.case_words import contact_words
from frontend.closing_line import closing_line
from frontend.cue_words import cue_facts, sources
from frontend.duty_words import duty_words
from frontend.limit_words import limits, pausing
from frontend.return_staff_words import returning

Words = Mapping[str, str | Mapping[str, str]]

LEVEL_SHAPES = ("○", "◆", "▲", "■", "✚")
"""A shape for each level from 0, since colour alone tells nothing; `staff/level.js` draws the same."""


def console_words() -> Words:
    """Return what the console says."""
    return {
        **_shared(),
        **_list_words(),
        **_offer_words(),
        **_chat_words(),
        **_context_words(),
        **_flag_words(),
        **contact_words(),
        **limits(),
        **duty_words(),
    }


def board_words() -> Words:
    """Return what the board says."""
    return {**_shared(), **_list_words(), **rows_of_the_board(), **settling(), **_chat_words()}


def _shared() -> Words:
    language = "fr" if get_language() == "fr" else "en"
    return {
        "language": language,
        "locale": f"{language}-CA",
        **ages(),
        **_names(),
        **fact_words(),
        **error_words(),
        **_line_words(),
        **returning(),
        **sources(),
        **pausing(),
    }


def ages() -> Words:
    """Return how long something has lasted, in words."""
    return {
        "age_now": _("a few seconds"),
        "age_moment": _("less than a minute"),
        "age_seconds": {"one": _("{n} second"), "other": _("{n} seconds")},
        "age_minutes": {"one": _("{n} minute"), "other": _("{n} minutes")},
        "age_hours": {"one": _("{n} hour"), "other": _("{n} hours")},
        "age_days": {"one": _("{n} day"), "other": _("{n} days")},
        "ago": _("{age} ago"),
        "wrote_ago": _("wrote {age} ago"),
        "not_written": _("has not written yet"),
        "waits": _("waiting for {age}"),
    }


def _names() -> Words:
    return {
        "visitor": _("Visitor"),
        "you": _("You"),
        "somebody": _("a colleague"),
        **{f"level_{level}": word for level, word in enumerate(level_names())},
        **{f"door_{key}": word for key, word in door_names().items()},
        "in_en": _("in English"),
        "in_fr": _("in French"),
        "language_en": _("English"),
        "language_fr": _("French"),
        "left_quickly": _("left quickly — do not try to reach them"),
        "line_lost": _("line lost — they may come back"),
        "here": _("connected"),
    }


def level_names() -> tuple[str, ...]:
    """Return the levels of danger in words, from 0."""
    return (_("ordinary"), _("consult"), _("urgent"), _("imminent"), _("external help"))


def door_names() -> Mapping[str, str]:
    """Return in words, as staff say them, through which door somebody came."""
    return {
        "help": _("needs help"),
        "worried": _("worried about someone"),
        "professional": _("professional"),
        "report": _("reports something"),
        "not_said": _("not said"),
    }


def fact_words() -> dict[str, str]:
    """Return in words what a conversation's log tells beside its texts."""
    return {**_course(), **_calls(), **cue_facts(), **_changes()}


def _course() -> dict[str, str]:
    return {
        "fact_opened": _("The conversation began."),
        "fact_joined": _("{name} joined."),
        "fact_offered": _("It was offered to an advocate."),
        "fact_returned_to_queue": _("It went back to the queue."),
        "fact_ended_by_visitor": _("The visitor ended the conversation."),
        "fact_ended_by_advocate": _("{name} ended the conversation."),
        "fact_left_quickly": _("The visitor left quickly. Do not try to reach them."),
        "fact_words_given": _(
            "The visitor asked for six words to come back with. After a quick exit they may come back for 30 minutes, "
            "if it is not recorded before."
        ),
        "fact_words_ended": _(
            "Five wrong tries: the visitor’s six words lead nowhere any more. Ask how safe they are."
        ),
        "fact_code_word_agreed": _("{name} noted a code word."),
        "fact_code_word_agreed_alone": _("The visitor chose a code word."),
        "fact_came_back": _("Somebody came back with the visitor’s six words. They see nothing of what stands above."),
        "fact_return_accepted": _("{name} knew them again: they may see the earlier messages."),
        "fact_return_refused": _("{name} said that it is not the same person."),
        "fact_faded": _("The visitor was not seen for a long time."),
        "fact_recorded": _("{name} recorded the contact."),
        "fact_drill": _("This is a drill: the visitor is a script. It is counted nowhere."),
        "drill_ended_by_visitor": _("The conversation ended, and the drill with it."),
    }


def _calls() -> dict[str, str]:
    return {
        "fact_flag_raised": _("{name} raised an escalation: {level}."),
        "fact_flag_raised_alone": _("An escalation was raised: {level}."),
        "fact_flag_climbed": _("Nobody acknowledged the escalation in time. It is now: {level}."),
        "fact_flag_acknowledged": _("{name} acknowledged the escalation."),
        "fact_flag_resolved": _("{name} resolved the escalation."),
        "fact_flag_stood_down": _("{name} stood the escalation down."),
        "fact_external_proposed": _("{name} proposed to tell somebody outside. A second person has to confirm it."),
        "fact_external_confirmed": _("{name} confirmed that somebody outside is told."),
        "fact_external_told": _("{name} wrote down who was told."),
        "fact_external_contact": _("{name} confirmed that contact was made."),
        "fact_duty_card_sent": _("{name} sent the card about what we may have to report."),
    }


def _changes() -> dict[str, str]:
    return {
        "fact_unreadable": _("Something that stood here cannot be opened. Tell the technical person."),
        "fact_erase_asked": _("{name} asked that the conversation be erased."),
        "fact_erase_done": _("What was written here was erased."),
        "fact_erase_asked_alone": _("The visitor asked that the conversation be erased."),
        "fact_erased": _("A text was erased."),
        "fact_door_help": _("The visitor now says: I need help."),
        "fact_door_worried": _("The visitor now says: I am worried about someone."),
        "fact_door_professional": _("The visitor now says: I help people in my work."),
        "fact_door_report": _("The visitor now says: I want to report something."),
        "fact_language_en": _("The visitor reads the page in English now."),
        "fact_language_fr": _("The visitor reads the page in French now."),
    }


def error_words() -> dict[str, str]:
    """Return why something was refused, by `error_` and the code."""
    known = {
        ErrorCode.SIGN_IN_AGAIN: _("You are signed out. Sign in again."),
        ErrorCode.FORBIDDEN: _("You may not do this."),
        ErrorCode.NOT_FOUND: _("It is no longer there, or not yours."),
        ErrorCode.SLOW_DOWN: _("Too much at once. Wait a moment."),
        ErrorCode.TEXT_EMPTY: _("There is nothing to read in this text."),
        ErrorCode.TEXT_TOO_LONG: _("The text is longer than 4,000 characters."),
        ErrorCode.TEXT_CONTROL: _("The text holds characters that cannot be shown. Copy it as plain text."),
        ErrorCode.TEXT_UNPAIRED: _("The text holds half of a character. Copy it again."),
        ErrorCode.WRONG_STATE: _("This is no longer possible: the conversation has moved on."),
        ErrorCode.ALREADY_TAKEN: _("A colleague has already taken it."),
        ErrorCode.BEING_ASKED: _("It is offered to a colleague just now."),
        ErrorCode.FOR_ANOTHER: _("This is a drill, and it is for somebody else."),
        ErrorCode.AT_CAPACITY: _("You hold as many conversations as you can."),
        ErrorCode.NOT_AVAILABLE: _("You are away. Choose “Ready” or “Busy” first."),
        ErrorCode.ID_REUSED: _("This was already sent with another text."),
        ErrorCode.REASON_MISSING: _("Please write a reason."),
        ErrorCode.LEVEL_UNKNOWN: _("Please choose a level."),
        ErrorCode.LENGTH_UNKNOWN: _("Please choose for how long."),
        ErrorCode.DANGER_OPEN: _("A danger is open: only a supervisor may pause this chat."),
        ErrorCode.PAUSED: _("The chat is paused."),
        ErrorCode.ALREADY_SETTLED: _("It is already settled."),
        ErrorCode.CONTACT_OPEN: _("Somebody outside was told. First confirm that contact was made, or stand it down."),
        ErrorCode.TOO_LARGE: _("The text is longer than 4,000 characters."),
        ErrorCode.ARCHIVED: _("It is closed now. A reader can open it in the archive."),
        ErrorCode.LOCKED: _("The archive is locked. Unlock it and try again."),
        ErrorCode.GONE: _("Nobody can open it any more."),
        ErrorCode.NOT_GRANTED: _("Your key was not given that month’s. Another reader may open it."),
        ErrorCode.TAMPERED: _(
            "Something in it was changed or is missing, so it is not shown. Tell your supervisor and the technical "
            "person. The audit trail has it."
        ),
        ErrorCode.ON_HOLD: _("It is kept for the law, or somebody asked for that."),
        ErrorCode.SECOND_PERSON: _("You asked for this. Somebody else has to confirm it."),
        ErrorCode.FIRST_PERSON: _("Only who asked for it can take it back. Unconfirmed, it lapses after 24 hours."),
        ErrorCode.END_ASKED: _("A colleague has already asked for that. It waits for a second person."),
        ErrorCode.BAD_DATE: _("Choose a day after today, and within two years."),
    }
    ours = _("Something went wrong on our side. Try again.")
    words = {f"error_{code.value}": known.get(code, ours) for code in ErrorCode}
    return {**words, "error_unreachable": _("The server could not be reached. Try again.")}


def _line_words() -> Words:
    return {
        "line_connecting": _("Connecting…"),
        "line_dropped": _("The line dropped. Trying again. You can go on writing: it is sent when the line is back."),
        "line_signed_out": _("You are signed out, so nothing new comes in. Copy what you have not sent."),
        "line_stopped": _("This page no longer fits the server. Load it again."),
        "sound_on": _("Sound is on — turn off"),
        "sound_off": _("Alarms are silent — turn sound on"),
    }


def _list_words() -> Words:
    return {
        "state_active": _("in conversation"),
        "state_unanswered": _("waits for an answer"),
        "state_wrap_up": _("ended, to be recorded"),
        "state_waiting": _("waiting"),
        "state_offered": _("offered"),
        "state_gone": _("no longer on the list"),
        "state_kept": _("no longer with you, something is not sent"),
        "just_taken": _("just taken"),
        "offered_to": _("offered to {name}"),
        "offered_to_you": _("offered to you"),
        "unread": {"one": _("1 new"), "other": _("{n} new")},
        "held_of": _("{held} of {most}"),
        "held_offered": {"one": _("{held} of {most}, {n} offered"), "other": _("{held} of {most}, {n} are offered")},
        "new_below": _("New message below"),
        "take": _("Take"),
        "take_name": _("Take {name}"),
        "take_full": _("You hold as many conversations as you can ({most})."),
        "take_offer": _("An offer waits for your answer. Decline it to take somebody else."),
        "take_record": _("{name} is over: record it to free its place."),
        "take_urgent": _("You hold an urgent conversation. It needs you alone."),
        "take_away": _("You are away. Choose “Ready” or “Busy” to take a conversation."),
    }


def _offer_words() -> Words:
    return {
        "offer": _("{name} is offered to you"),
        "offer_left": {"one": _("{n} second left"), "other": _("{n} seconds left")},
        "offer_more": {"one": _("and 1 more"), "other": _("and {n} more")},
        "tell_offer": _("{name} is offered to you."),
        "tell_waiting": {"one": _("{n} visitor waits."), "other": _("{n} visitors wait.")},
        "tell_wrote": _("{name} wrote."),
        "tell_left": _("{name} left quickly. Do not try to reach them."),
        "tell_ended": _("{name} ended the conversation."),
        "tell_drill_over": _("{name}: the drill is over."),
        "tell_level": _("{name} is now at the level: {level}."),
        "tell_gone": _("{name} is no longer with you."),
        "tell_kept": _(
            "{name} is no longer with you. What you wrote was not sent: it stays in your list to be copied."
        ),
        "take_done": _("You have taken {name}."),
        "take_listed": _("You have taken {name}: it is in your list."),
        "tell_back": _(
            "{name} waits for somebody again. It is not offered to you for {minutes} minutes; you can still take it."
        ).replace("{minutes}", str(NOT_AGAIN_WITHIN // timedelta(minutes=1))),
        "tell_back_soon": _(
            "{name} waits for somebody again. It is offered to you again soon if nobody else is free; you can still "
            "take it."
        ),
        "tell_gave_way": _("{name} waits for somebody else: a danger comes first."),
        "tell_overtaken": _("A colleague has taken {name}. There is nothing for you to do."),
        "nobody_unanswered": _("Nobody waits for your answer."),
        "no_such_chat": _("You have no conversation number {n}."),
    }


def _chat_words() -> Words:
    return {
        "log_of": _("Conversation with {name}"),
        "show_earlier": _("Show earlier messages"),
        "reached_page": _("On the visitor’s page"),
        "reached_read": _("Seen by the visitor"),
        "unsent": _("On its way"),
        "reply_to": _("Reply to {name}"),
        "send_to_visitor": _("Send to visitor"),
        "send_drill": _("Send (drill)"),
        "send_key": _("Ctrl+Enter sends. Enter makes a new line."),
        "save_key": _("Ctrl+Enter saves. Enter makes a new line."),
        "left": {"one": _("{n} character left"), "other": _("{n} characters left")},
        "too_long": {"one": _("{n} character too many"), "other": _("{n} characters too many")},
        "standing_active": _("The visitor is connected."),
        "standing_wrap_up": _("The conversation has ended. Please record the contact."),
        "standing_drill_over": _("The drill is over."),
        "drill_goals": _("See its goals"),
        "cannot_write_ended": _("The conversation has ended. You can no longer write to the visitor."),
        "not_yours": _("This conversation is no longer with you."),
        "kept_copy": _("Something here was not sent. Copy what you still need."),
        "discard": _("Throw it away"),
        "discard_title": _("Throw away what you wrote to or about {name}?"),
        "discard_text": _("It was not sent or saved. Nobody can bring it back."),
        "discard_yes": _("Throw it away"),
        "note_by_you": _("Your note, only staff see this"),
        "note_by": _("Note by {name}, only staff see this"),
        "way_sending": _("Sending…"),
        "way_waiting": _("Not sent yet. It goes out when the line is back."),
        "way_waiting_yours": _("Not sent yet. It goes out when the line is back, if the conversation is still yours."),
        "way_sent": _("Sent"),
        "way_refused": _("Not sent. {why}"),
        "try_again": _("Try again"),
        "take_back": _("Back to the box"),
        "note_about": _("Note about {name} — only staff see this"),
        "save_note": _("Save note for staff"),
    }


def _context_words() -> Words:
    return {
        "about": _("About {name}"),
        "about_level": _("Level"),
        "about_door": _("Came as"),
        "about_language": _("Writes in"),
        "about_visitor": _("Visitor"),
        "about_opened": _("Began"),
        "ended_visitor": _("ended the conversation"),
        "ended_advocate": _("you ended the conversation"),
        "ended_left_quickly": _("left quickly — do not try to reach them"),
        "ended_faded": _("was not seen for a long time"),
        "hint_en": _("This visitor writes in English: answer in English."),
        "hint_fr": _("This visitor writes in French: answer in French."),
        "end_with": _("End the conversation with {name}"),
        "closing_label": _("Ask {name} whether there is anything else"),
        "closing_why": _("A sudden end can hurt. The visitor gets this line as a message from you. You can change it."),
        "closing_send": _("Send it to the visitor"),
        "closing_asked": _("I have asked: go on to the end"),
        "closing_later": _("Not yet"),
        "closing_sent": _("Your question is on its way. Give them time to answer."),
        "closing_answered": _("The visitor has written. Read it before you end."),
        "closing_end": _("End the conversation now"),
        "closing_go_on": _("Go on talking"),
        "closing_en": closing_line("en"),
        "closing_fr": closing_line("fr"),
        "end_title": _("End the conversation with {name}?"),
        "end_text": _("The visitor sees that it has ended and can no longer write."),
        "end_yes": _("End it"),
        "end_done": _("The conversation with {name} has ended. Please record the contact."),
    }


def _flag_words() -> Words:
    return {
        "raise_open": _("Raise an escalation for {name}"),
        "raise_level": _("How urgent is it?"),
        "raise_reason": _("Why? Only staff see this."),
        "raise": _("Alert a supervisor"),
        "raise_done": _("Sent to the supervisors: {name}, {level}."),
        "level_1_means": _("I am unsure, or a minor is mentioned"),
        "level_2_means": _("a threat, a trafficker near, thoughts of suicide"),
        "level_3_means": _("it happens now, or someone is at the door"),
        "raised_raised": _("raised {age} ago, not acknowledged yet"),
        "raised_acknowledged": _("{name} has seen it"),
        "raised_in_progress": _("{name} is working on it"),
    }
