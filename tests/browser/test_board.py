"""The supervisor's board and the screen on a wall: in sight and heard once, by eye, ear and keyboard, and smooth."""

import os

import pytest
from playwright.sync_api import expect

from tests.support import looks
from tests.support.axe import problems
from tests.support.board_states import BOARD, SCREENS, WALL, twelve
from tests.support.browsers import comes
from tests.support.desk import COLLEAGUE, Desks, Opens, ago, conversation, escalation, made_link, meter
from tests.support.journeys import shot
from tests.support.shift import listen, told

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

EVERYTHING = bool(os.environ.get("HAVRE_TEST_SCREENS"))
MOST_LIST_MS = 100
"""For a list of 200, which comes once a second at most: a tenth of the time, and no key waits longer than that."""
SMALLEST = """() => Math.min(...[...document.querySelectorAll("#wall *")]
  .filter((one) => one.checkVisibility())
  .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ""))
  .map((one) => parseFloat(getComputedStyle(one).fontSize)))"""
FITS = "document.documentElement.scrollHeight <= innerHeight && document.documentElement.scrollWidth <= innerWidth"
LEVELS = """[...document.querySelectorAll(".level")].filter((one) => one.checkVisibility()).map((one) =>
  [...[...one.children].map((part) => part.textContent), parseFloat(getComputedStyle(one).borderTopWidth)])"""


@pytest.mark.timeout(600 if EVERYTHING else 300)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_state_of_the_board_has_a_barrier(opens: Opens, language: str) -> None:
    """`make test` looks at the two hardest by turns, `make barriers` at each in both languages at both sizes."""
    chosen = list(BOARD) if EVERYTHING else ["board-twelve" if language == "en" else "board-stale"]
    found: list[str] = []
    desk = opens("/staff/board", language, lambda page: page.clock.install())
    for name in chosen:
        BOARD[name](desk, language)
        found += problems(desk.page, f"{name}-{language}")
        found += looks.in_forced_colours(desk.page, f"{name}-{language}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_duties_of_each_province_are_read_without_a_barrier(site: Desks, language: str) -> None:
    found: list[str] = []
    for name in ("duty", "duty/ON"):
        page = site.page("alix", "/staff/duty", language)
        page.goto(f"{site.url}/staff/{name}")
        found += problems(page, f"{name.replace('/', '-')}-{language}")
    assert found == []


@pytest.mark.timeout(600 if EVERYTHING else 300)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_screen_on_a_wall_is_read_from_across_the_room(site: Desks, language: str) -> None:
    """Nobody can scroll it: what does not fit is counted, at either size and with the longest words."""
    chosen = list(WALL) if EVERYTHING else ["wall-stale" if language == "fr" else "wall-twelve"]
    found: list[str] = []
    screen = site.wall(made_link(site.page("dana", "/staff/displays", language)))
    expect(screen.locator("#tile-ready")).to_have_text("0")
    for name in chosen:
        WALL[name](screen, language)
        for size, shape in SCREENS.items():
            screen.set_viewport_size(shape)  # type: ignore[arg-type]
            screen.clock.run_for(1_100)
            assert comes(screen, lambda: screen.evaluate(SMALLEST) >= 24)
            assert comes(screen, lambda: bool(screen.evaluate(FITS))), f"{name}-{language}-{size} does not fit"
            shot(screen, f"{name}-{language}-{size}")
        found += problems(screen, f"{name}-{language}", ["desk"])
    assert not found, "\n".join(found)


def test_a_level_is_told_by_word_and_shape_in_anybodys_colours(opens: Opens) -> None:
    desk = opens("/staff/board")
    desk.page.emulate_media(forced_colors="active")
    twelve(desk, "en")
    expect(desk.page.locator("#escalations > li")).to_have_count(12)
    seen = {(shape, word) for shape, word, edge in desk.page.evaluate(LEVELS) if edge >= 1}
    assert {("◆", "consult"), ("▲", "urgent"), ("■", "imminent"), ("✚", "external help")} <= seen


def test_an_alarm_is_announced_once_and_sounds_only_after_a_click(opens: Opens) -> None:
    desk = opens("/staff/board", "en", listen)
    page = desk.page
    desk.call(escalation(1, climbs=0))
    expect(page.locator("#escalations > li")).to_have_count(1)
    for seconds in (1, 2, 3):
        desk.call(escalation(1, climbs=0, raised_at=ago(90 + seconds), due_at=ago(seconds - 30)))
    page.wait_for_timeout(1_100)
    assert told(page) == ["New escalation: Heron 1, imminent."]
    assert page.evaluate("window.sounds") == 0
    expect(page.locator("#sound")).to_have_text("Alarms are silent — turn sound on")
    # each sound is two tones: one to hear that it works, and one when it calls again
    page.click("#sound")
    assert page.evaluate("window.sounds") == 2
    desk.call(escalation(1, climbs=1))
    expect(page.locator("#alarm-news")).to_have_text("Nobody answered: Heron 1, imminent.")
    desk.call(escalation(1, climbs=1, due_at=ago(-20)))
    page.wait_for_timeout(200)
    assert page.evaluate("window.sounds") == 4
    desk.call(escalation(1, climbs=1, state="acknowledged", acknowledged_by="Dana", due_at=None))
    expect(page.locator("#alarm")).to_be_empty()
    assert len(told(page)) == 2


def test_a_note_that_was_not_saved_is_found_when_its_conversation_is_gone(opens: Opens) -> None:
    desk = opens("/staff/board")
    page = desk.page
    desk.list(conversation(1, advocate_id=COLLEAGUE), conversation(2, advocate_id=COLLEAGUE))
    page.get_by_role("button", name="Watch Heron 1").click()
    page.fill("#watch-note textarea", "he has her passport")
    page.get_by_role("button", name="Watch Heron 2").click()
    expect(page.locator("#left")).to_be_hidden()
    desk.list(conversation(2, advocate_id=COLLEAGUE))
    expect(page.locator("#left").get_by_label("Note about Heron 1")).to_have_value("he has her passport")
    assert problems(page, "left notes") == []
    page.click("#left .choices button")
    page.click("#ask-yes")
    expect(page.locator("#left")).to_be_hidden()


def test_a_board_of_two_hundred_is_smooth_and_its_oldest_escalation_comes_first(opens: Opens) -> None:
    desk = opens("/staff/board")
    page = desk.page
    runs = [conversation(number, advocate_id=COLLEAGUE, advocate="Cleo") for number in range(1, 151)]
    waits = [
        conversation(number, state="waiting", advocate_id=None, advocate=None, waiting_since=ago(number))
        for number in range(151, 201)
    ]
    older, newer = escalation(1, level=1, raised_at=ago(90)), escalation(2, level=3, raised_at=ago(20))
    seen = escalation(3, level=2, raised_at=ago(900), state="acknowledged", acknowledged_by="Dana")
    desk.raised = [newer, older, seen]
    desk.list(*runs, *waits)
    expect(page.locator("#running > li")).to_have_count(150)
    assert [text.split()[1] for text in page.locator("#escalations .handle").all_text_contents()] == ["1", "2", "3"]
    expect(page.locator("#alarm")).to_have_text(
        "2 escalations are not acknowledged. First: Heron 1, consult. Gravest: Heron 2, imminent."
    )
    expect(page.locator("#escalations > li").first).to_contain_text("1 minute ago")
    page.click("#alarm")
    expect(page.get_by_role("button", name="Acknowledge: Heron 1", exact=True)).to_be_focused()
    shot(page, "board-200-desk")
    work = meter(page)
    elements, began = page.locator("*").count(), work()
    for turn in range(20):
        runs[turn] = runs[turn] | {"last_visitor_at": ago(), "answered": False}
        desk.list(*runs, *waits)
        page.wait_for_timeout(20)
    each = (work() - began) / 20
    print(f"a list of 200: {each:.1f} ms")
    assert each <= MOST_LIST_MS
    assert page.locator("*").count() == elements


def test_a_supervisor_takes_who_is_in_danger_whoever_is_asked(opens: Opens) -> None:
    desk = opens("/staff/board")
    page = desk.page
    about = {"state": "offered", "advocate_id": COLLEAGUE, "advocate": "Ben", "offer_until": ago(-30)}
    calm, drill = conversation(2, level=1, **about), conversation(3, level=3, drill=True, **about)
    desk.list(conversation(1, level=3, **about), calm, drill)
    take = page.get_by_role("button", name="Take Heron")
    expect(take).to_have_accessible_name("Take Heron 1")
    expect(page.locator("#waiting > li")).to_have_count(3)
    assert problems(page, "board-take") == []
    shot(page, "board-take")
    desk.refuses = {"take": "not_available"}
    take.press("Enter")
    refused = "Your console is not open, or you are away. Open it, and choose “Ready” or “Busy” there."
    expect(page.locator("#status")).to_have_text(refused)
    expect(take).to_be_focused()
    desk.refuses = {}
    take.press("Enter")
    expect(page.locator("#status")).to_have_text("You have taken Heron 1. Write to them in the console.")
    expect(page.locator("#waiting-heading")).to_be_focused()
    assert [frame["conversation"] for frame in desk.heard if frame["type"] == "take"] == [conversation(1)["id"]] * 2
    assert [frame["page"] for frame in desk.heard if frame["type"] == "hello"] == ["board"], "no sign of a console"


def test_the_board_says_aloud_that_nobody_on_call_was_reached(opens: Opens) -> None:
    desk = opens("/staff/board")
    page = desk.page
    line, row = page.locator("#alarm"), page.locator("#escalations li")
    desk.call(escalation(1, paged="calling"))
    expect(row).to_contain_text("Who is on call is being paged.")
    page.locator("#alarm-news").evaluate("element => element.replaceChildren()")
    desk.call(escalation(1, paged="unreached"))
    expect(line).to_contain_text("Not acknowledged: Heron 1, imminent. Nobody on call was reached.")
    expect(page.locator("#alarm-news")).to_contain_text("Nobody on call was reached.")
    expect(row.locator(".warn")).to_have_text("Nobody on call was reached.")
    desk.call(escalation(1, paged="reached"))
    expect(line).not_to_contain_text("Nobody on call")
    expect(row).to_contain_text("A page reached who is on call.")


def test_what_comes_without_sound_stands_in_the_list_and_is_not_called_out(opens: Opens) -> None:
    desk = opens("/staff/board")
    desk.call(escalation(1, level=1, climbs=0, aloud=False))
    expect(desk.page.locator("#alarm")).to_contain_text("Not acknowledged: Heron 1, consult.")
    expect(desk.page.locator("#alarm-news")).to_be_empty()
    desk.call(escalation(1, level=2, climbs=1))
    expect(desk.page.locator("#alarm-news")).to_contain_text("Nobody answered: Heron 1, urgent.")


def test_a_screen_on_a_wall_opens_once_says_what_is_worst_and_goes_dark(site: Desks) -> None:
    boss = site.page("dana", "/staff/displays")
    link = made_link(boss)
    assert problems(boss, "displays") == []
    screen = site.wall(link)
    expect(screen.locator("#tile-ready")).to_have_text("0")
    assert screen.url == f"{site.url}/wall"
    spent = site.wall(link)
    expect(spent.locator("[data-stage=spent]").first).to_be_visible()
    WALL["wall-stale"](screen, "en")
    expect(screen.locator("#stale")).to_contain_text("STALE: this is from")
    expect(screen.locator("#alarm")).to_contain_text("New: ")
    expect(screen.locator("#escalations > li").first).to_contain_text("nobody on call was reached")
    expect(screen.locator("#escalations-more")).to_have_text("and 6 more")
    expect(screen.locator("#escalations-next")).to_have_text("Go to the board: the oldest comes first.")
    boss.goto(f"{site.url}/staff/displays")
    boss.get_by_role("button", name="End it: the screen that Dana made").first.click()
    screen.unroute("**/wall/now")
    screen.clock.run_for(4_000)
    expect(screen.locator("#over")).to_be_visible()
    assert "Heron" not in screen.content()
