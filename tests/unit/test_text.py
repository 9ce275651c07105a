"""What may stand in a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.core.errors import ErrorCode, Refused
from chat.core.text import MOST_CHARACTERS, checked

RIGHT_TO_LEFT_MARK = "\u200f"
JOINER = "\u200d"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", ErrorCode.TEXT_EMPTY),
        (" \n\t ", ErrorCode.TEXT_EMPTY),
        (RIGHT_TO_LEFT_MARK + JOINER, ErrorCode.TEXT_EMPTY),
        ("a\x00b", ErrorCode.TEXT_CONTROL),
        ("a\x1b[2Jb", ErrorCode.TEXT_CONTROL),
        ("a\x85b", ErrorCode.TEXT_CONTROL),
        ("a\ud83d", ErrorCode.TEXT_UNPAIRED),
        ("a" * (MOST_CHARACTERS + 1), ErrorCode.TEXT_TOO_LONG),
    ],
    ids=["nothing", "blank", "marks alone", "nul", "escape", "next line", "half a pair", "too long"],
)
def test_each_bad_text_has_its_own_code(body: str, code: ErrorCode) -> None:
    with pytest.raises(Refused) as caught:
        checked(body)
    assert caught.value.code is code


def test_the_limit_counts_characters_after_the_blank_space_is_gone() -> None:
    longest = "é" * MOST_CHARACTERS
    assert checked(f"  {longest}\r\n") == longest


@pytest.mark.parametrize("ending", ["\r\n", "\r", "\u2028", "\u2029", "\n"])
def test_every_line_end_becomes_a_newline(ending: str) -> None:
    assert checked(f"one{ending}two") == "one\ntwo"


@pytest.mark.parametrize("body", [f"שלום{RIGHT_TO_LEFT_MARK}!", f"👩{JOINER}👧", "a\tb", "😀"])
def test_what_people_write_stays_as_it_is(body: str) -> None:
    assert checked(body) == body


@given(st.text(st.characters(), max_size=60))
def test_what_passed_once_passes_unchanged_again(body: str) -> None:
    try:
        stored = checked(body)
    except Refused:
        return
    assert checked(stored) == stored
    assert "\r" not in stored
    assert "\x00" not in stored
    stored.encode()
