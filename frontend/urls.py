"""Every address of Havre's pages and of the JSON commands behind them."""

from django.urls import path

from frontend.views import api, staff, visitor
from frontend.views.bye import bye

CONVERSATION = "staff/api/conversations/<uuid:pk>"
ESCALATION = "staff/api/escalations/<uuid:pk>"

urlpatterns = [
    path("", visitor.home, name="home"),
    path("bye", bye, name="bye"),
    path("staff/sign-in", staff.sign_in, name="sign_in"),
    path("staff/sign-out", staff.leave, name="sign_out"),
    path("staff/language", staff.language, name="staff_language"),
    path("staff/", staff.home, name="staff_home"),
    path("staff/console", staff.console, name="console"),
    path("staff/board", staff.board, name="board"),
    path("staff/cases", staff.cases, name="cases"),
    path("staff/cases/<uuid:pk>", staff.case, name="case"),
    path(f"{CONVERSATION}/flag", api.raise_flag, name="raise_flag"),
    path(f"{CONVERSATION}/end", api.end_conversation, name="end_conversation"),
    path(f"{CONVERSATION}/contact", api.record_contact, name="record_contact"),
    path(f"{ESCALATION}/acknowledge", api.acknowledge, name="acknowledge"),
    path(f"{ESCALATION}/start", api.start_work, name="start_work"),
    path(f"{ESCALATION}/resolve", api.resolve, name="resolve"),
    path(f"{ESCALATION}/stand-down", api.stand_down, name="stand_down"),
    path(f"{ESCALATION}/reason", api.read_reason, name="read_reason"),
]
