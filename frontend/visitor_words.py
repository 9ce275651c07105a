"""Every text that the scripts of the visitor's page show; `views/plain_log.py` says some of them without script."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from chat.core.text import MOST_CHARACTERS
from chat.selectors import SiteView

Words = Mapping[str, str]


def words(site: SiteView) -> Words:
    """Return every text that the page's script shows."""
    return {**_line_and_wait(site), **_talk(), **_own_messages(), "most": str(MOST_CHARACTERS)}


def _line_and_wait(site: SiteView) -> Words:
    return {
        "connecting": _("One moment."),
        "write_now": _("You can already write."),
        "cannot_connect": _("We cannot connect yet. We keep trying."),
        "proof": _("Very many people are coming at once."),
        "proof_more": _("Your device does a small task to let you in. It takes a few seconds.")
        + (" " + _("You can also call.") if site.phone else ""),
        "proof_failed": _("We could not let you in yet."),
        "proof_failed_more": _("Very many people are coming at once. Please try again in a minute.")
        + (" " + _("You can also call.") if site.phone else ""),
        "line_lost": _("The line dropped."),
        "line_lost_queue": _("We kept your place. We keep trying."),
        "line_lost_chat": _("We keep trying. You can go on writing."),
        "line_back": _("The line is back."),
        "out_of_date": _("This page is too old. Please load it again."),
        "waiting": _("We are getting someone for you."),
        "waiting_more": _("You can already write.") + " " + _("You can also get six words to come back with."),
        "nobody": _("You can already write."),
        "nobody_more": _("Nobody is on shift right now. We do not know how long it takes."),
        "wait_between": _("From now it may take {from} to {to} minutes. We cannot promise it."),
        "wait_under": _("From now it may take less than {to} minutes. We cannot promise it."),
        "wait_over": _("From now it may take more than {from} minutes. We cannot promise it."),
        "wait_unknown": _("We cannot say how long it takes."),
        "waited_moment": _("Waiting for less than a minute."),
        "waited_one": _("Waiting for one minute."),
        "waited_many": _("Waiting for {n} minutes."),
        "waited_hour": _("Waiting for more than an hour."),
        "long_5": _("Five minutes is a long wait. We are sorry. You keep your place."),
        "long_10": _("You have waited ten minutes. We are sorry. You keep your place.")
        + (" " + _("A call may be faster.") if site.phone else ""),
    }


def _talk() -> Words:
    return {
        "with": _("{name} is with you."),
        "with_someone": _("An advocate is with you."),
        "typing": _("{name} is writing…"),
        "typing_someone": _("The advocate is writing…"),
        "you": _("You"),
        "advocate": _("Advocate"),
        "fact_joined": _("{name} is here."),
        "fact_joined_someone": _("An advocate is here."),
        "fact_returned_to_queue": _("The person with you had to go. We are getting someone else. You keep your place."),
        "fact_came_back": _("This chat was opened again with the six words."),
        "fact_return_accepted": _("Your earlier messages can be shown again."),
        "fact_words_ended": _("Someone tried wrong words five times. Your six words do not work any more."),
        "fact_paused": _("This chat is paused for a while."),
        "fact_pause_over": _("The pause is over. You can write again."),
        "fact_ended_by_advocate": _("{name} has ended this chat."),
        "fact_ended_by_advocate_someone": _("The advocate ended the chat."),
        "fact_ended_by_visitor": _("You ended the chat."),
        "fact_erased": _("What was written here has been erased."),
        "fact_unreadable": _("A message that stood here cannot be shown. The problem is on our side."),
        "fact_gone": _("The line was away for too long. This chat was closed."),
        "fact_moved": _("This page can no longer show your chat."),
    }


def _own_messages() -> Words:
    return {
        "sending": _("Sending"),
        "sent": _("Sent"),
        "delivered": _("Delivered"),
        "seen": _("Seen"),
        "link": _("A link opens a new tab. Your browser’s history keeps it."),
        "unsent": _("Not sent yet"),
        "refused": _("Not sent"),
        "try_again": _("Try again"),
        "put_back": _("Put it back in the box"),
        "left_one": _("One character left"),
        "left_many": _("{n} characters left"),
        "over_one": _("One too many"),
        "over_many": _("{n} too many"),
        "error_empty": _("There is nothing to send yet."),
        "error_long": _("This message is too long. You can send it in parts."),
        "error_signs": _("Some signs in this text cannot be sent. Take them out and try again."),
        "error_closed": _("This chat is closed. The message was not sent."),
        "error_ours": _("This was not sent. The problem is on our side. Please try again."),
        "erasing": _("One moment."),
        "erase_asked": _("What is written in this chat is erased within a few minutes."),
        "erase_urgent": _("If someone is helping with something urgent, it is erased when they are done."),
        "erase_kept": _("It was not erased. We have to keep it for now. Nobody reads it without a reason."),
        "erase_failed": _("This did not reach us. The line may be down. Please try again."),
        "confirm_unsent": _("Your last message is not sent yet."),
        "turn_failed": _("The other language did not come. The line may be down. Please try again."),
        "uncovered": _("There is a new message."),
    }
