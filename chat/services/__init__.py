"""What can be done to a conversation: one function a command, one transaction each, `now` passed in.

A service never publishes: it returns `Done` with the committed events, and the socket, view or worker that called it
hands them to `chat.broadcast`.
"""

from chat.services.archive import Transcript, open_archived
from chat.services.base import Done
from chat.services.clock import mend_pauses, mend_set_back
from chat.services.code_word import agree, agree_by_token, read_code_word
from chat.services.drills import offer_drills, shelve_drills
from chat.services.ending import close_conversation, end_conversation, leave_quickly
from chat.services.erasing import ask_erasure, ask_erasure_by_token, read_erasure_reason
from chat.services.hold_ends import ask_hold_end, confirm_hold_end, read_hold_end_reason, withdraw_hold_end
from chat.services.holds import ask_hold, confirm_hold, read_hold_reason, withdraw_hold
from chat.services.keys import retire_closed, tend_keys
from chat.services.marks import mark_read, mark_seen
from chat.services.messages import post_message, write_note
from chat.services.opening import Opened, note_visitors, open_conversation, open_drill
from chat.services.pausing import end_pause_for, end_pauses, lift_pause, pause
from chat.services.queue import (
    clear_offers,
    decline,
    fade_waiting,
    hand_back_all,
    lapse_offers,
    offer_waiting,
    rescue_stranded,
    take,
)
from chat.services.reading import note_forged, read_conversation, read_older
from chat.services.returning import accept_return, forget_words, give_words, refuse_return, return_by_words
from chat.services.survey import answer_survey, survey_ticket
from chat.services.turning import change_door, change_language

__all__ = [
    "Done",
    "Opened",
    "Transcript",
    "accept_return",
    "agree",
    "agree_by_token",
    "answer_survey",
    "ask_erasure",
    "ask_erasure_by_token",
    "ask_hold",
    "ask_hold_end",
    "change_door",
    "change_language",
    "clear_offers",
    "close_conversation",
    "confirm_hold",
    "confirm_hold_end",
    "decline",
    "end_conversation",
    "end_pause_for",
    "end_pauses",
    "fade_waiting",
    "forget_words",
    "give_words",
    "hand_back_all",
    "lapse_offers",
    "leave_quickly",
    "lift_pause",
    "mark_read",
    "mark_seen",
    "mend_pauses",
    "mend_set_back",
    "note_forged",
    "note_visitors",
    "offer_drills",
    "offer_waiting",
    "open_archived",
    "open_conversation",
    "open_drill",
    "pause",
    "post_message",
    "read_code_word",
    "read_conversation",
    "read_erasure_reason",
    "read_hold_end_reason",
    "read_hold_reason",
    "read_older",
    "refuse_return",
    "rescue_stranded",
    "retire_closed",
    "return_by_words",
    "shelve_drills",
    "survey_ticket",
    "take",
    "tend_keys",
    "withdraw_hold",
    "withdraw_hold_end",
    "write_note",
]
