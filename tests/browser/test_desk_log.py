"""The log of staff keeps its end in sight while its height changes."""

import pytest
from playwright.sync_api import expect

from tests.support.browsers import UNHEARD
from tests.support.desk import Opens, console

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
