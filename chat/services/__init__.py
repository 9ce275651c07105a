"""What can be done to a conversation: one function a command, one transaction each, `now` passed in.

A service never publishes: it returns `Done` with the committed events, and the socket, view or worker that called it
hands them to `chat.broadcast`.
"""

from chat.services.base import Done
from chat.services.ending import close_conversation, end_conversation, leave_quickly
from chat.services.messages import mark_read, post_message, write_note
from chat.services.opening import Opened, note_visitor_gone, note_visitor_here, open_conversation
from chat.services.queue import decline, fade_waiting, lapse_offers, offer_waiting, rescue_stranded, take
from chat.services.reading import read_conversation

__all__ = [
    "Done",
    "Opened",
    "close_conversation",
    "decline",
    "end_conversation",
    "fade_waiting",
    "lapse_offers",
    "leave_quickly",
    "mark_read",
    "note_visitor_gone",
    "note_visitor_here",
    "offer_waiting",
    "open_conversation",
    "post_message",
    "read_conversation",
    "rescue_stranded",
    "take",
    "write_note",
]
