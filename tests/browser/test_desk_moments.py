"""A console from moment to moment: its log keeps its end in sight, and seconds pass there as a test lets them."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsers import UNHEARD, comes
from tests.support.desk import Opens, ago, console, conversation, reply, row, time_stands_still

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

AT_THE_END = "log => log.scrollHeight - log.scrollTop - log.clientHeight < 2"


def test_who_scrolls_to_the_end_while_the_log_gets_another_height_stays_there(opens: Opens) -> None:
    desk = console(opens, 1)
    for number in range(60):
        desk.write(1, f"the teal kettle sang {number} times")
    log = desk.page.locator(".scroller:visible")
    expect(log).to_contain_text("sang 59 times")
    log.evaluate("log => new Promise((seen) => { log.onscroll = seen; log.scrollTop = 0; })")
    # both before the page hears of either: the line's sign, or the writing box, takes some of the height
    log.evaluate("log => { log.scrollTop = log.scrollHeight; log.style.maxBlockSize = '150px'; }")
    desk.write(1, "the copper answer")
    expect(log).to_contain_text("the copper answer")
    desk.page.wait_for_function(f"() => ({AT_THE_END})([...document.querySelectorAll('.scroller')].at(0))")


def test_a_log_that_grows_and_shrinks_before_it_is_drawn_once_still_shows_its_end(opens: Opens) -> None:
    desk = console(opens, 1)
    for number in range(40):
        desk.write(1, f"the grey heron stood {number} times")
    log = desk.page.locator(".scroller:visible")
    expect(log).to_contain_text("stood 39 times")
    log.evaluate(
        "log => new Promise((seen) => { log.onscroll = seen; log.scrollTop = 0; log.style.maxBlockSize = '150px'; })"
    )
    desk.write(1, "the amber gate")
    below = desk.page.locator(".new-below:visible button")
    expect(below).to_be_visible()
    log.evaluate(
        """log => {
          log.style.maxBlockSize = "";
          log.nextElementSibling.querySelector("button").click();
          log.style.maxBlockSize = "150px";
        }"""
    )
    expect(below).to_be_hidden()
    desk.page.wait_for_function(f"() => ({AT_THE_END})([...document.querySelectorAll('.scroller')].at(0))")


def test_who_has_scrolled_to_the_end_before_the_page_heard_of_it_sees_what_comes(opens: Opens) -> None:
    desk = console(opens, 1)
    for number in range(40):
        desk.write(1, f"the grey heron stood {number} times")
    log = desk.page.locator(".scroller:visible")
    expect(log).to_contain_text("stood 39 times")
    log.evaluate("log => new Promise((seen) => { log.onscroll = seen; log.scrollTop = 0; })")
    log.evaluate(UNHEARD)
    desk.write(1, "the amber gate\n" * 9)
    expect(log).to_contain_text("the amber gate")
    desk.page.evaluate("hears()")
    desk.page.wait_for_function(f"() => ({AT_THE_END})([...document.querySelectorAll('.scroller')].at(0))")
    expect(desk.page.locator(".new-below:visible")).to_have_count(0)


def answered(page: Page, text: str) -> None:
    """Let time run, more slowly than it does, until the page has said something to its person's own doing."""

    def said() -> bool:
        page.clock.run_for(10)
        return page.locator("#status").inner_text() == text

    assert comes(page, said), page.locator("#status").inner_text()


def test_news_that_waited_and_is_true_no_more_is_not_told(opens: Opens) -> None:
    desk = console(opens, 1, time_stands_still)
    page = desk.page
    offer = conversation(3, state="offered", offer_until=ago(-30))
    desk.list(conversation(1), conversation(2, state="waiting"), offer)
    page.get_by_role("button", name="Take Heron 2").click()
    answered(page, "You have taken Heron 2.")
    # she is taken, a colleague took the other one, and both were news until now
    desk.list(conversation(1, state="wrap_up", ended_by="visitor"), conversation(2))
    expect(row(page, "Heron 2")).to_be_visible()
    page.clock.run_for(4_000)
    expect(page.locator("#status")).not_to_contain_text("You have taken")
    said = page.locator("#status").inner_text()
    assert "Heron 1" in said
    assert "waits" not in said
    assert "Heron 3" not in said


def test_that_a_danger_is_imminent_waits_for_no_answer_to_be_read(opens: Opens) -> None:
    desk = console(opens, 1, time_stands_still)
    page = desk.page
    desk.list(conversation(1), conversation(2, state="waiting"))
    page.get_by_role("button", name="Take Heron 2").click()
    answered(page, "You have taken Heron 2.")
    desk.list(conversation(1, level=3), conversation(2))
    expect(row(page, "Heron 2")).to_be_visible()
    page.clock.run_for(2_000)
    # both are read: the answer was there for less time than it takes
    expect(page.locator("#status")).to_have_text(re.compile(r"^You have taken Heron 2\. .*Heron 1.*imminent", re.I))


def test_an_answer_that_a_busy_page_shows_late_stands_as_long_as_others(opens: Opens) -> None:
    desk = console(opens, 1, time_stands_still)
    page, status = desk.page, desk.page.locator("#status")
    second, third = (conversation(number, state="waiting") for number in (2, 3))
    desk.list(conversation(1), second, third)
    page.get_by_role("button", name="Take Heron 2").click()
    answered(page, "You have taken Heron 2.")
    desk.list(conversation(1), conversation(2), third)
    page.get_by_role("button", name="Take Heron 3").click()
    expect(status).to_be_empty()
    page.clock.fast_forward(1_000)
    expect(status).to_have_text("You have taken Heron 3.")
    desk.list(conversation(1, state="wrap_up", ended_by="visitor"), conversation(2), conversation(3))
    expect(row(page, "Heron 3")).to_be_visible()
    page.clock.run_for(3_900)
    expect(status).to_have_text("You have taken Heron 3.")
    page.clock.run_for(2_000)
    expect(status).to_contain_text("Heron 1")


def test_who_goes_on_writing_after_a_take_keeps_their_conversation(opens: Opens) -> None:
    desk = console(opens, 1, time_stands_still)
    page = desk.page
    offer = conversation(2, state="offered", offer_until=ago(-30))
    desk.list(conversation(1), offer)
    reply(page, "Heron 1").fill("Are you ")
    desk.holds = {"take"}
    expect(page.locator("#offer-accept")).to_be_visible()
    page.clock.run_for(700)
    page.locator("#offer-accept:enabled").click()
    reply(page, "Heron 1").click()
    page.keyboard.press("End")
    page.keyboard.type("safe")
    desk.answer()
    desk.list(conversation(1), conversation(2))
    answered(page, "You have taken Heron 2: it is in your list.")
    expect(row(page, "Heron 2")).to_contain_text("just taken")
    page.keyboard.type(" now?")
    expect(reply(page, "Heron 1")).to_have_value("Are you safe now?")
    row(page, "Heron 2").click()
    expect(reply(page, "Heron 2")).to_be_focused()
    expect(reply(page, "Heron 2")).to_have_value("")
    expect(row(page, "Heron 2")).not_to_contain_text("just taken")


def test_what_was_taken_opens_by_itself_for_hands_that_are_still(opens: Opens) -> None:
    desk = console(opens, 1, time_stands_still)
    page = desk.page
    desk.list(conversation(1), conversation(2, state="waiting", advocate_id=None, waiting_since=ago(5)))
    page.get_by_role("button", name="Take Heron 2").click()
    desk.list(conversation(1), conversation(2))
    expect(reply(page, "Heron 2")).to_be_focused()


def test_a_row_that_goes_leaves_no_other_under_the_hand(opens: Opens) -> None:
    desk = console(opens, 2, time_stands_still)
    page = desk.page
    page.locator("#mine .row").first.hover()
    page.mouse.move(*centre(page, "#mine .row"))
    desk.list(conversation(2))
    expect(row(page, "Heron 1")).to_be_disabled()
    page.mouse.down()
    page.mouse.up()
    expect(reply(page, "Heron 2")).to_have_count(0)


def centre(page: Page, what: str) -> tuple[float, float]:
    box = page.locator(what).first.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
