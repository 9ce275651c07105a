"""A code word that ada and her advocate agree on: sealed, read with a line on the trail, and by nobody else."""

import pytest
from django.test import TestCase

from audit.models import AuditEvent
from chat import services
from chat.core.errors import ErrorCode, Refused
from chat.models import CodeWord, Event
from tests.support.people import NOON, ben, cleo, eve, held_by, new_token, recorded


class CodeWords(TestCase):
    def test_the_visitor_chooses_one_and_the_advocate_reads_it(self) -> None:
        pk, token = held_by(ben())
        services.agree_by_token(token=token, text=" plum jam ", now=NOON)
        assert b"plum" not in bytes(CodeWord.objects.get().sealed_text)
        read = services.read_code_word(actor=ben(), conversation_id=pk, now=NOON).result
        assert read is not None
        assert read.reveal() == "plum jam"
        assert AuditEvent.objects.filter(action="code_word.read", actor=str(ben())).count() == 1

    def test_the_advocate_notes_one_and_the_later_one_counts(self) -> None:
        pk, token = held_by(ben())
        services.agree_by_token(token=token, text="plum", now=NOON)
        services.agree(actor=ben(), conversation_id=pk, text="What did the cat eat? A sock.", now=NOON)
        read = services.read_code_word(actor=ben(), conversation_id=pk, now=NOON).result
        assert read is not None
        assert "sock" in read.reveal()
        codes = Event.objects.filter(conversation=pk).order_by("staff_seq").values_list("code", flat=True)
        assert list(codes)[-2:] == ["code_word_agreed", "code_word_agreed"]

    def test_strangers_neither_set_nor_read_it(self) -> None:
        pk, token = held_by(ben())
        services.agree_by_token(token=token, text="plum", now=NOON)
        for who in (cleo(), eve()):
            with pytest.raises(Refused):
                services.agree(actor=who, conversation_id=pk, text="pear", now=NOON)
            with pytest.raises(Refused):
                services.read_code_word(actor=who, conversation_id=pk, now=NOON)
        with pytest.raises(Refused):
            services.agree_by_token(token=new_token(), text="pear", now=NOON)

    def test_none_is_none_and_a_novel_is_too_long(self) -> None:
        pk, token = held_by(ben())
        assert services.read_code_word(actor=ben(), conversation_id=pk, now=NOON).result is None
        with pytest.raises(Refused) as caught:
            services.agree_by_token(token=token, text="plum " * 30, now=NOON)
        assert caught.value.code is ErrorCode.TEXT_TOO_LONG

    def test_it_goes_with_the_conversation(self) -> None:
        pk, token = held_by(ben())
        services.agree_by_token(token=token, text="plum", now=NOON)
        services.leave_quickly(token=token, now=NOON)
        assert CodeWord.objects.exists(), "it is needed when they come back"
        recorded(pk, NOON)
        assert not CodeWord.objects.exists()
