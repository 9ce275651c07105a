"""When somebody on call is paged, whom next, what a page says, and where it may go."""

import hashlib
import hmac
import ipaddress
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisis.core.ladder import SHIPPED, Pages, Rung, rung_for
from crisis.core.notice import (
    BadTarget,
    Notice,
    Way,
    body_of,
    checked_mail,
    checked_webhook,
    key_of,
    mail_of,
    may_go_to,
    shown_of,
    signature,
)
from crisis.core.paging import (
    LEASE,
    MOST_PAGES,
    MOST_TRIES,
    Kind,
    PagingState,
    Standing,
    Turn,
    begins_to_hold_back,
    calls_for_page,
    end_of,
    next_target,
    pause_after,
    standing,
    turn,
)
from crisis.transport import WITHIN
from ops.on_call import AGAIN, GIVES_UP, LATEST

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NOTICE = Notice(
    page="6f1d2c3b-4a59-4e68-8d77-9c0b1a2f3e4d",
    escalation="0b8f0c33-77a5-4a0e-9d0e-3b1b0f8e9a11",
    kind="escalation",
    level=3,
    at=NOON,
    site="Le Havre",
    board="https://chat.example.org/staff/board",
)


def test_level_3_pages_at_once_level_2_when_nobody_came_and_level_1_never() -> None:
    at_once = [level for level in SHIPPED if calls_for_page(SHIPPED[level], overdue=False)]
    overdue = [level for level in SHIPPED if calls_for_page(SHIPPED[level], overdue=True)]
    assert (at_once, overdue) == ([3], [2, 3])


@pytest.mark.parametrize(("aloud", "pages"), [(False, Pages.AT_ONCE), (True, Pages.NEVER), (False, Pages.NEVER)])
def test_level_3_is_never_silent(aloud: bool, pages: Pages) -> None:
    with pytest.raises(ValueError, match="never silent"):
        rung_for(3, timedelta(seconds=60), climbs=False, aloud=aloud, pages=pages)
    assert rung_for(2, timedelta(seconds=60), climbs=True, aloud=aloud, pages=pages) == Rung(
        timedelta(seconds=60), climbs=True, aloud=aloud, pages=pages
    )


@pytest.mark.parametrize("level", [1, 2])
def test_what_does_not_climb_pages_somebody(level: int) -> None:
    with pytest.raises(ValueError, match="does not climb pages"):
        rung_for(level, timedelta(seconds=60), climbs=False, aloud=True)
    for pages in (Pages.UNANSWERED, Pages.AT_ONCE):
        assert rung_for(level, timedelta(seconds=60), climbs=False, pages=pages).pages is pages


def test_each_target_has_its_turn_once_in_order() -> None:
    tried: list[str] = []
    while (target := next_target(["a", "b", "c"], tried)) is not None:
        tried.append(target)
    assert tried == ["a", "b", "c"]
    assert next_target(["new", *tried], tried) == "new"


def test_a_delivery_is_tried_a_few_times_in_less_than_a_lease() -> None:
    pauses = [pause_after(tries) for tries in range(1, MOST_TRIES + 1)]
    assert pauses[-1] is None
    waits = [pause for pause in pauses if pause is not None]
    assert waits == sorted(waits)
    assert sum(waits, timedelta()) < LEASE


def test_a_try_is_begun_given_up_and_noted_within_its_lease() -> None:
    assert WITHIN < GIVES_UP
    assert LEASE.total_seconds() >= LATEST + GIVES_UP + 5 * AGAIN


def test_a_key_is_of_one_page_to_one_target_and_the_same_in_each_try() -> None:
    key = key_of(NOTICE, [7, 9])
    assert key == key_of(NOTICE, [9, 7])
    others = [key_of(NOTICE, [7]), key_of(NOTICE, [79]), key_of(replace(NOTICE, more=1), [7, 9])]
    others.append(key_of(replace(NOTICE, page="another"), [7, 9]))
    assert len({key, *others}) == 5


@pytest.mark.parametrize(
    ("arrived", "calling", "said"),
    [
        (None, False, Standing.NONE),
        (None, True, Standing.CALLING),
        (True, True, Standing.REACHED),
        (True, False, Standing.REACHED),
        (False, False, Standing.UNREACHED),
        (False, True, Standing.UNREACHED),
    ],
)
def test_the_board_says_how_the_newest_paging_went(arrived: bool | None, calling: bool, said: Standing) -> None:
    assert standing(arrived, calling=calling) is said


def test_what_is_as_grave_waits_for_some_seconds_and_what_is_graver_for_nothing() -> None:
    left = [(NOON, 2)]
    moments = [NOON + timedelta(seconds=seconds) for seconds in (0, 14, 15)]
    assert [turn(left, 2, at) for at in moments] == [Turn.WAIT, Turn.WAIT, Turn.GO]
    assert [turn(left, 3, at) for at in moments] == [Turn.GO] * 3
    assert [turn(left, 1, at) for at in moments] == [Turn.WAIT, Turn.WAIT, Turn.GO]
    assert turn([], 1, NOON) is Turn.GO


def test_an_hour_takes_so_many_and_level_3_once_a_minute() -> None:
    left = [(NOON + timedelta(seconds=15 * number), 3) for number in range(MOST_PAGES)]
    last = left[-1][0]
    assert turn(left, 2, last + timedelta(minutes=5)) is Turn.HELD
    assert [turn(left, 3, last + timedelta(seconds=seconds)) for seconds in (59, 60)] == [Turn.WAIT, Turn.GO]
    assert turn(left, 2, NOON + timedelta(hours=1)) is Turn.GO, "the first one of them counts no more"
    assert [begins_to_hold_back(left[:number], last) for number in (0, MOST_PAGES - 2, MOST_PAGES - 1)] == [
        False,
        False,
        True,
    ]


@given(
    left=st.lists(st.tuples(st.integers(-7_200, 7_200), st.integers(1, 3)), max_size=40),
    level=st.sampled_from([1, 2, 3]),
)
def test_level_3_waits_a_minute_at_most_whatever_left_and_whatever_the_clock_did(
    left: list[tuple[int, int]], level: int
) -> None:
    pages = [(NOON + timedelta(seconds=second), of) for second, of in left]
    if level == 3:
        assert turn(pages, 3, NOON) is not Turn.HELD
    lately = [second for second, _ in left if second <= 0]
    if not lately or max(lately) <= -3_600:
        assert turn(pages, level, NOON) is Turn.GO
    if not lately or max(lately) <= -60:
        assert turn(pages, 3, NOON) is Turn.GO


def test_a_paging_without_answer_ends_by_whether_anything_arrived() -> None:
    assert end_of(Kind.ESCALATION, reached=False) is end_of(Kind.TEST, reached=False) is PagingState.UNREACHED
    assert end_of(Kind.ESCALATION, reached=True) is PagingState.UNANSWERED
    assert end_of(Kind.TEST, reached=True) is PagingState.DONE


# what it says


def test_a_page_says_these_things_and_nothing_else() -> None:
    assert json.loads(body_of(NOTICE)) == {
        "page": NOTICE.page,
        "escalation": NOTICE.escalation,
        "kind": "escalation",
        "level": 3,
        "time": "2026-11-23T12:00:00Z",
        "site": "Le Havre",
        "board": NOTICE.board,
        "more": 0,
        "held_back": False,
    }


def verify(secret: str, header: str, body: bytes, now: float) -> bool:
    """Be the sample of docs/operations.md."""
    parts = dict(part.split("=", 1) for part in header.split(","))
    if abs(now - int(parts["t"])) > 300:
        return False
    expected = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts["v1"])


@given(secret=st.text(min_size=1, max_size=60), other=st.binary(max_size=60))
def test_the_sample_of_the_handbook_takes_ours_and_no_other(secret: str, other: bytes) -> None:
    body = body_of(NOTICE)
    header = signature(secret, body, NOON)
    assert verify(secret, header, body, NOON.timestamp() + 299)
    assert not verify(secret, header, body, NOON.timestamp() + 301)
    assert not verify(secret + "x", header, body, NOON.timestamp())
    assert not verify(secret, header, body + b" " + other, NOON.timestamp())
    assert not verify(secret, header.replace(f"t={int(NOON.timestamp())}", "t=1764000001"), body, 1764000001)


def test_a_mail_says_it_in_both_languages_and_says_no_more() -> None:
    subject, text = mail_of(NOTICE)
    assert subject == "Le Havre: call for help, level 3 / appel à l’aide, niveau 3"
    assert "Please sign in" in text
    assert "Veuillez ouvrir une session" in text
    assert NOTICE.board in text
    assert NOTICE.escalation is not None
    assert NOTICE.escalation not in text


def test_a_mail_says_how_many_more_wait_and_when_pages_are_held_back() -> None:
    _, one = mail_of(replace(NOTICE, more=1))
    assert "level 3 waits on the board, and 1 more with it. Please sign in and acknowledge them." in one
    assert "et 1 autre avec lui." in one
    _, many = mail_of(replace(NOTICE, more=14, holds_back=True))
    assert "and 14 more with it." in many
    assert "et 14 autres avec lui." in many
    assert "The board has every call." in many
    assert "Le tableau les a tous." in many
    assert "held back" not in one


# where it may go


@pytest.mark.parametrize("address", ["https://pager.example.org/hook?token=a1", "https://10.1.2.3:8443/x"])
def test_a_webhook_is_an_https_address(address: str) -> None:
    assert checked_webhook(address, development=False) == address


@pytest.mark.parametrize(
    "address",
    [
        *("", "pager.example.org", "http://pager.example.org/", "ftp://pager.example.org/", "https://"),
        *("https://user:word@pager.example.org/", "https://pager.example.org/#x", "https://pager.example.org/a b"),
        *("https://pager.example.org/\r\nX: y", "https://pager.example.org:port/", "https://é.example.org/"),
        *("http://localhost:8000/", "https://pager.example.org/" + "a" * 500),
    ],
)
def test_everything_else_is_none(address: str) -> None:
    with pytest.raises(BadTarget) as bad:
        checked_webhook(address, development=False)
    assert address == "" or address not in str(bad.value)


def test_a_development_machine_may_page_itself_in_clear_and_nobody_else() -> None:
    assert checked_webhook("http://127.0.0.1:9000/x", development=True)
    with pytest.raises(BadTarget):
        checked_webhook("http://pager.example.org/", development=True)


@pytest.mark.parametrize(
    "address", ["", "nobody", "a@b", "a b@example.org", "a@example.org\nBcc: c@example.org", "@x.y"]
)
def test_what_is_no_mail_address_is_refused(address: str) -> None:
    assert checked_mail("night.shift+1@example.org")
    with pytest.raises(BadTarget):
        checked_mail(address)


def test_only_the_host_of_an_address_is_ever_shown() -> None:
    assert shown_of(Way.WEBHOOK, "https://pager.example.org/hook?token=a1") == "pager.example.org"
    assert shown_of(Way.MAIL, "dana.tremblay@example.org") == "…@example.org"


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_public_addresses_are_paged(address: str) -> None:
    assert may_go_to(ipaddress.ip_address(address), (), development=False)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.1",
            "240.0.0.1",
            "224.0.0.1",
        ),
        *("::1", "fe80::1", "fd00::1", "ff02::1", "::", "::ffff:10.1.2.3", "64:ff9b::a01:203", "2002:a01:203::1"),
        *("64:ff9b:1::a01:203", "::7f00:1", "::ffff:0:a01:203", "fec0::1", "5f00::1"),
    ],
)
def test_what_stands_beside_havre_is_not(address: str) -> None:
    assert not may_go_to(ipaddress.ip_address(address), (), development=False)


def test_the_operator_names_the_private_networks_that_are() -> None:
    inside = (ipaddress.ip_network("10.20.0.0/16"),)
    assert may_go_to(ipaddress.ip_address("10.20.3.4"), inside, development=False)
    assert may_go_to(ipaddress.ip_address("::ffff:10.20.3.4"), inside, development=False)
    assert not may_go_to(ipaddress.ip_address("10.21.3.4"), inside, development=False)
    assert may_go_to(ipaddress.ip_address("127.0.0.1"), (), development=True)
