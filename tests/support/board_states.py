"""Each state of the supervisor's board and of a screen on a wall, for `make screens` and `make barriers`.

The far end is a stand-in (`tests/support/desk.py`): a shift with twelve escalations of mixed levels and ages takes no
server an hour to come by.
"""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from chat.core.handles import BIRDS, spoken
from tests.support.desk import COLLEAGUE, Desk, Frame, ago, conversation, escalation

STALE_AFTER_MS = 12_000
MOST_ROWS = 6
PEOPLE = ("Ben", "Cléo", "Noor", "Sam")


def bird(number: int, language: str) -> str:
    """Return how staff speak of a conversation."""
    key = BIRDS[number % len(BIRDS)][0]
    return spoken(f"{key}-{100 + number * 37 % 900}", language)


def conversations(language: str, running: int, waiting: int, levels: dict[int, int]) -> list[Frame]:
    """Return what runs, then who waits."""
    shown = []
    for number in range(1, running + waiting + 1):
        waits = number > running
        about: Frame = {"handle": bird(number, language), "language": "fr" if number % 3 == 0 else "en"}
        about |= {"level": levels.get(number, 0), "last_visitor_at": ago(number * 47), "answered": number % 4 != 0}
        if waits:
            about |= {"state": "waiting", "advocate_id": None, "advocate": None, "waiting_since": ago(number * 23)}
        else:
            about |= {
                "advocate_id": COLLEAGUE,
                "advocate": PEOPLE[number % len(PEOPLE)],
                "opened_at": ago(number * 300),
            }
        shown.append(conversation(number, **about))
    return shown


def one_raised(language: str) -> list[Frame]:
    """Return a single escalation, a few seconds old."""
    return [
        escalation(2, handle=bird(2, language), level=2, raised_at=ago(14), climbs=0, due_at=ago(-106), source="person")
    ]


def twelve_raised(language: str) -> list[Frame]:
    """Return twelve, of all levels and ages, in each state that an escalation can be in."""
    clock = {"source": "screening", "raised_by": None}
    told = {"agency": "police", "proposed_by": "Ben", "confirmed": True, "told": True, "contact": False}
    proposed = told | {"agency": "child_protection", "proposed_by": "Cléo", "confirmed": False, "told": False}
    about: list[Frame] = [
        {"level": 3, "raised_at": ago(412), "climbs": 6, "due_at": ago(-18), "paged": "unreached", **clock},
        {"level": 3, "raised_at": ago(255), "climbs": 2, "due_at": ago(-41), "paged": "reached"},
        {"level": 2, "raised_at": ago(74), "climbs": 0, "due_at": ago(-46), **clock},
        {"level": 3, "raised_at": ago(38), "climbs": 0, "due_at": ago(-22), "paged": "calling", "external": proposed},
        {"level": 1, "raised_at": ago(12), "climbs": 0, "due_at": ago(-288)},
        {"level": 2, "raised_at": ago(4), "climbs": 0, "due_at": ago(-116), "source": "left", "raised_by": None},
        {"level": 4, "raised_at": ago(5_400), "state": "acknowledged", "acknowledged_by": "Dana", "external": told},
        {"level": 3, "raised_at": ago(2_900), "state": "in_progress", "acknowledged_by": "Dana"},
        {"level": 2, "raised_at": ago(1_700), "state": "in_progress", "acknowledged_by": "Marie-Ève"},
        {"level": 2, "raised_at": ago(840), "state": "acknowledged", "acknowledged_by": "Dana", **clock},
        {"level": 1, "raised_at": ago(700), "state": "acknowledged", "acknowledged_by": "Marie-Ève"},
        {"level": 1, "raised_at": ago(330), "state": "in_progress", "acknowledged_by": "Dana", "source": "returned"},
    ]
    plain: Frame = {"source": "person", "raised_by": "Ben", "external": None}
    rows = []
    for number, one in enumerate(about, start=1):
        seen: Frame = {} if one.get("state", "raised") == "raised" else {"due_at": None, "climbs": 0}
        rows.append(escalation(number, handle=bird(number, language), **(plain | seen | one)))
    return rows


def empty(desk: Desk, language: str) -> None:
    """Nothing is open, two talk."""
    desk.call()
    desk.list(*conversations(language, 2, 0, {}))


def one(desk: Desk, language: str) -> None:
    """One is raised."""
    desk.raised = one_raised(language)
    desk.list(*conversations(language, 4, 2, {2: 2}))


def twelve(desk: Desk, language: str) -> None:
    """Twelve are open, of all levels and ages."""
    desk.raised = twelve_raised(language)
    levels = {number: int(one["level"]) for number, one in enumerate(desk.raised, start=1)}
    desk.list(*conversations(language, 14, 5, levels))


def watching(desk: Desk, language: str) -> None:
    """One of them is read along."""
    twelve(desk, language)
    desk.write(2, {"en": "He is still in the hallway.", "fr": "Il est encore dans le couloir."}[language])
    desk.page.locator("#escalations .watch").nth(1).click()
    expect(desk.page.locator("#watch-log .theirs")).to_have_count(1)


def stale(desk: Desk, language: str) -> None:
    """The server has said nothing for more than ten seconds."""
    twelve(desk, language)
    expect(desk.page.locator("#escalations > li")).to_have_count(12)
    desk.page.clock.fast_forward(STALE_AFTER_MS)
    expect(desk.page.locator("#stale")).to_be_visible()


BOARD: dict[str, Callable[[Desk, str], None]] = {
    "board-empty": empty,
    "board-one": one,
    "board-twelve": twelve,
    "board-watching": watching,
    "board-stale": stale,
}


def on_wall(rows: list[Frame], waiting: int) -> Frame:
    """Return what a screen is sent."""
    kept = ("handle", "level", "state", "raised_at", "climbs", "aloud")
    cut = [{name: row[name] for name in kept} | {"unreached": row["paged"] == "unreached"} for row in rows]
    since = ago(200) if waiting else None
    shown = {"waiting": waiting, "waiting_since": since, "running": 14, "ready": 9, "free": 2}
    return {"at": ago(), **shown, "escalations": cut}


def show(screen: Page, sent: Frame) -> None:
    """Let a screen hear this with its next look, and wait until it shows it and not what it heard before."""
    screen.unroute("**/wall/now")
    screen.route("**/wall/now", lambda route: route.fulfill(json=sent | {"at": ago()}))
    with screen.expect_response("**/wall/now"):
        screen.clock.run_for(3_500)
    rows = len(sent["escalations"])
    expect(screen.locator("#escalations > li")).to_have_count(min(MOST_ROWS, rows), timeout=30_000)
    if rows > MOST_ROWS:
        expect(screen.locator("#escalations-more")).to_contain_text(str(rows - MOST_ROWS), timeout=30_000)


def wall_empty(screen: Page, language: str) -> None:
    """Nothing is open."""
    show(screen, on_wall([], 0))


def wall_one(screen: Page, language: str) -> None:
    """One has just been raised."""
    show(screen, on_wall([], 2))
    show(screen, on_wall(one_raised(language), 2))


def wall_twelve(screen: Page, language: str) -> None:
    """Twelve are open, and one has just climbed."""
    rows = twelve_raised(language)
    show(screen, on_wall([*rows[:2], *rows[3:]], 5))
    show(screen, on_wall(rows, 5))


def wall_stale(screen: Page, language: str) -> None:
    """The server has said nothing for more than ten seconds."""
    wall_twelve(screen, language)
    screen.unroute("**/wall/now")
    screen.route("**/wall/now", lambda route: route.abort())
    screen.clock.run_for(STALE_AFTER_MS + 2_000)
    expect(screen.locator("#stale")).to_be_visible()


WALL: dict[str, Callable[[Page, str], None]] = {
    "wall-empty": wall_empty,
    "wall-one": wall_one,
    "wall-twelve": wall_twelve,
    "wall-stale": wall_stale,
}
SCREENS = {"hd": {"width": 1920, "height": 1080}, "small": {"width": 1280, "height": 800}}
"""How large screens on walls are."""
