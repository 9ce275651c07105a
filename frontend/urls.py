"""Every address of Havre's pages and of the JSON commands behind them."""

from django.urls import path

from frontend.views import (
    api,
    archive,
    archived,
    holds,
    plain,
    plain_log,
    plain_words,
    plain_write,
    returning,
    staff,
    visitor,
)
from frontend.views.bye import bye, erase
from frontend.views.leave import leave
from frontend.views.poll import poll, send
from frontend.views.survey import questions, survey

CONVERSATION = "staff/api/conversations/<uuid:pk>"
ESCALATION = "staff/api/escalations/<uuid:pk>"
ARCHIVED = "staff/archive/<uuid:pk>"

urlpatterns = [
    path("", visitor.home, name="home"),
    path("bye", bye, name="bye"),
    path("leave", leave, name="leave"),
    path("erase", erase, name="erase"),
    path("words", returning.words, name="words"),
    path("return", returning.come_back, name="return"),
    path("return/texts", returning.texts, name="return_texts"),
    path("code-word", returning.code_word, name="code_word"),
    path("survey", survey, name="survey"),
    path("survey/questions", questions, name="survey_questions"),
    path("poll", poll, name="poll"),
    path("send", send, name="send"),
    path("plain", plain.chat, name="plain"),
    path("plain/begin", plain.begin, name="plain_begin"),
    path("plain/send", plain_write.send, name="plain_send"),
    path("plain/write", plain_write.write, name="plain_write"),
    path("plain/door", plain.door, name="plain_door"),
    path("plain/end", plain.end, name="plain_end"),
    path("plain/back", plain_words.back, name="plain_back"),
    path("plain/return", plain_words.come_back, name="plain_return"),
    path("plain/words", plain_words.words, name="plain_words"),
    path("plain/code-word", plain_words.code_word, name="plain_code_word"),
    path("plain/log", plain_log.log, name="plain_log"),
    path("plain/here", plain_log.here, name="plain_here"),
    path("staff/sign-in", staff.sign_in, name="sign_in"),
    path("staff/sign-out", staff.leave, name="sign_out"),
    path("staff/language", staff.language, name="staff_language"),
    path("staff/", staff.home, name="staff_home"),
    path("staff/console", staff.console, name="console"),
    path("staff/board", staff.board, name="board"),
    path("staff/cases", staff.cases, name="cases"),
    path("staff/cases/<uuid:pk>", staff.case, name="case"),
    path("staff/archive", archive.archive, name="archive"),
    path("staff/archive/join", archive.become_reader, name="become_reader"),
    path("staff/archive/unlock", archive.open_up, name="unlock"),
    path("staff/archive/lock", archive.lock, name="lock"),
    path("staff/archive/renew", archive.renew, name="renew"),
    path("staff/archive/passkey/remove", archive.remove_passkey, name="remove_passkey"),
    path("staff/api/archive/passkey", archive.add_passkey, name="add_passkey"),
    path("staff/api/archive/unlock", archive.open_with_passkey, name="unlock_with_passkey"),
    path("staff/api/archive/stay", archive.stay, name="stay_unlocked"),
    path(ARCHIVED, archived.archived, name="archived"),
    path(f"{ARCHIVED}/hold", holds.ask_hold, name="ask_hold"),
    path(f"{ARCHIVED}/hold/<uuid:hold>/confirm", holds.confirm_hold, name="confirm_hold"),
    path(f"{ARCHIVED}/hold/<uuid:hold>/withdraw", holds.withdraw_hold, name="withdraw_hold"),
    path(f"{ARCHIVED}/hold/<uuid:hold>/end", holds.ask_hold_end, name="ask_hold_end"),
    path(f"{ARCHIVED}/end/<uuid:end>/confirm", holds.confirm_hold_end, name="confirm_hold_end"),
    path(f"{ARCHIVED}/end/<uuid:end>/withdraw", holds.withdraw_hold_end, name="withdraw_hold_end"),
    path(f"{ARCHIVED}/erase", archived.erase, name="erase_archived"),
    path(f"{CONVERSATION}/flag", api.raise_flag, name="raise_flag"),
    path(f"{CONVERSATION}/accept", api.accept_return, name="accept_return"),
    path(f"{CONVERSATION}/not-them", api.refuse_return, name="refuse_return"),
    path(f"{CONVERSATION}/code-word", api.agree, name="agree"),
    path(f"{CONVERSATION}/code-word/read", api.read_code_word, name="read_code_word"),
    path(f"{CONVERSATION}/end", api.end_conversation, name="end_conversation"),
    path(f"{CONVERSATION}/contact", api.record_contact, name="record_contact"),
    path(f"{ESCALATION}/acknowledge", api.acknowledge, name="acknowledge"),
    path(f"{ESCALATION}/start", api.start_work, name="start_work"),
    path(f"{ESCALATION}/resolve", api.resolve, name="resolve"),
    path(f"{ESCALATION}/stand-down", api.stand_down, name="stand_down"),
    path(f"{ESCALATION}/reason", api.read_reason, name="read_reason"),
]
