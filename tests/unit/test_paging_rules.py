"""When somebody on call is paged, whom next, what a page says, and where it may go."""

import hashlib
import hmac
import ipaddress
import json
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
    mail_of,
    may_go_to,
    shown_of,
    signature,
)
from crisis.core.paging import (
    LEASE,
    MOST_TRIES,
    Kind,
    PagingState,
    Standing,
    calls_for_page,
    end_of,
    next_target,
    pause_after,
    standing,
)

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


@pytest.mark.parametrize(
    ("pagings", "said"),
    [
        ([], Standing.NONE),
        ([(PagingState.CALLING, False)], Standing.CALLING),
        ([(PagingState.CALLING, True)], Standing.REACHED),
        ([(PagingState.UNANSWERED, True)], Standing.REACHED),
        ([(PagingState.UNREACHED, False)], Standing.UNREACHED),
        ([(PagingState.CALLING, False), (PagingState.UNREACHED, False)], Standing.UNREACHED),
        ([(PagingState.CALLING, True), (PagingState.UNREACHED, False)], Standing.REACHED),
        ([(PagingState.UNREACHED, False), (PagingState.UNANSWERED, True)], Standing.UNREACHED),
    ],
)
def test_the_board_says_how_the_newest_paging_went(pagings: list[tuple[PagingState, bool]], said: Standing) -> None:
    assert standing(pagings) is said


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
