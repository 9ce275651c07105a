"""Every state of the visitor's page by name, and how the page comes into it. Whoever makes a new one adds it here."""

from collections.abc import Callable

from django.utils import translation
from playwright.sync_api import expect

from frontend.pause_words import pause_words
from tests.support.stage import WAITING, Stage

State = Callable[[Stage], object]

HIDE = (
    "Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true});"
    "document.dispatchEvent(new Event('visibilitychange'))"
)


def _connecting(stage: Stage) -> Stage:
    stage.far.silent = True
    return stage.land().press("#start").shows("#news")


def _for_work(stage: Stage) -> None:
    stage.land().page.check("input[name=door][value=professional]")
    stage.press("#start").shows("#stage #work")


def _calm(stage: Stage) -> None:
    stage.begin().press("#calm summary").press("#breathe")


def _unsent(stage: Stage, seconds: int, shown: str) -> None:
    stage.talk().far.silent = True
    stage.say("Are you still there?").later(seconds).shows(shown)


def _refused_text(stage: Stage) -> None:
    stage.talk().far.refusal = {"code": "text_control", "wait_ms": None}
    stage.page.fill("#text", "This one does not pass")
    stage.press("#send").shows("#problem")


def _slow_down(stage: Stage) -> None:
    stage.talk().far.refusal = {"code": "slow_down", "wait_ms": 60_000}
    stage.say("I write very fast").later(6)
    expect(stage.page.locator("li.own .way").last).not_to_be_empty()


def _lost(stage: Stage) -> Stage:
    return stage.greets().loses(1001).later(2).shows("#line")


def _paused(stage: Stage) -> None:
    # the real texts, for a chat that only the stage knows
    with translation.override("fr" if stage.language == "fr" else "en"):
        words = dict(pause_words())
    _answers(stage, "/pause?*", {"left": 900_000, "words": words})
    stage.talk().page.fill("#text", "half a sentence")
    stage.hears("fact", code="paused", name=None).shows("#paused")


def _too_long(stage: Stage) -> None:
    stage.talk().page.fill("#text", "I want to say all of it. " * 170)
    stage.press("#send").shows("#parts")


def _proof(stage: Stage, wanted: dict[str, object], shown: str) -> None:
    stage.far.wants_proof = wanted
    stage.land().press("#start").shows(shown)


def _ending(stage: Stage) -> Stage:
    return stage.talk().press("#end").shows("#confirm")


def _ended(stage: Stage) -> Stage:
    return _ending(stage).press("#end-yes").shows("#ended")


def _ended_by_them(stage: Stage) -> Stage:
    stage.talk().page.fill("#text", "half a sentence")
    stage.far.tell("fact", code="ended_by_advocate", name="Sam")
    return stage.shows("#over")


def _erased(stage: Stage, status: int) -> None:
    stage.page.route("**/erase", lambda route: route.fulfill(status=status) if status else route.abort())
    _ended(stage)
    news = stage.page.locator("[data-erase-news]").inner_text()
    stage.page.click("[data-erase=ended]")
    expect(stage.page.locator("[data-erase-news]")).not_to_have_text(news)


def _turned_away(stage: Stage, code: str, shown: str) -> None:
    stage.far.silent = True
    stage.land().press("#start").shows("#news").greets()
    stage.hears("error", ref=None, code=code, wait_ms=None).loses(4403).shows(shown)


def _private(stage: Stage) -> None:
    stage.talk().press("#private summary").shows("#private ul")


def _covered(stage: Stage) -> None:
    stage.talk().page.evaluate(HIDE)
    stage.shows("#uncover")


SIX = ["window", "river", "orange", "ladder", "music", "paper"]


def _answers(stage: Stage, path: str, answer: dict[str, object]) -> Stage:
    stage.page.route(f"**{path}", lambda route: route.fulfill(json=answer))
    return stage


def _offered_words(stage: Stage) -> Stage:
    return _answers(stage, "/words", {"words": SIX}).talk().press("#get-words").shows("#return-words .main")


def _come_back(stage: Stage, *, found: bool) -> Stage:
    stage.far.welcome = {"hidden": found}
    _answers(stage, "/return", {"found": found}).land().press("#have-words").shows("#six-typed")
    stage.page.fill("#six-typed", " ".join(SIX))
    return stage.press("#return-words .main").shows("#hidden-note" if found else "#six-news:not(:empty)")


def _asked(stage: Stage) -> Stage:
    """Let the site's own questions come, with a ticket for a chat that only the stage knows."""
    stage.page.route(
        "**/survey/questions", lambda route: route.fulfill(json=route.fetch().json() | {"ticket": "a ticket"})
    )
    return stage


def _survey(stage: Stage) -> Stage:
    return _ended(_asked(stage)).shows("#survey h2")


def _survey_sent(stage: Stage) -> Stage:
    stage.page.route("**/survey", lambda route: route.fulfill(status=204))
    _survey(stage).page.locator("#survey input").first.check()
    stage.page.locator("#survey button").last.click()
    expect(stage.page.locator("#survey h2")).to_have_count(0)
    return stage


def _part_fails(stage: Stage) -> Stage:
    stage.page.route("**/back*.js", lambda route: route.abort())
    return stage.talk().press("#get-words").shows("#ending .if-failed")


STATES: dict[str, State] = {
    "landing": lambda stage: stage.land(),
    "connecting": _connecting,
    "cannot-connect": lambda stage: _lost(_connecting(stage)),
    "proof": lambda stage: _proof(stage, {"cost": 50_000_000}, "#call"),
    "proof-failed": lambda stage: _proof(stage, {"nonce": None}, "#retry"),
    "waiting": lambda stage: stage.begin(),
    "waiting-wrote": lambda stage: stage.begin().say("Can I talk to you here?"),
    "waiting-nobody": lambda stage: stage.begin(staffed=False, wait=None),
    "waiting-unread": lambda stage: stage.begin(language_read=False).shows("#unread"),
    "waiting-5": lambda stage: stage.begin().later(310).shows("#long"),
    "waiting-10": lambda stage: stage.begin().later(610).shows("#long"),
    "waiting-calm": _calm,
    "waiting-work": _for_work,
    "waiting-lost": lambda stage: _lost(stage.begin()),
    "back-in-line": lambda stage: stage.talk().hears("fact", code="returned_to_queue", name="Sam").shows("#waited"),
    "chat": lambda stage: stage.talk(),
    "chat-typing": lambda stage: stage.talk().sees_typing(),
    "chat-unsent": lambda stage: _unsent(stage, 6, "li.own .way:not(:empty)"),
    "chat-stuck": lambda stage: _unsent(stage, 16, "li.own .way button"),
    "chat-refused": _refused_text,
    "chat-slow-down": _slow_down,
    "chat-too-long": _too_long,
    "chat-paused": _paused,
    "chat-lost": lambda stage: _lost(stage.talk()),
    "chat-earlier": lambda stage: stage.begin(
        **WAITING | {"state": "active", "advocate": "Sam", "head": 40, "after": 20, "older": True}
    ).shows("#earlier"),
    "chat-private": _private,
    "chat-covered": _covered,
    "words-offered": _offered_words,
    "words-shown": lambda stage: _offered_words(stage).press("#return-words .main").shows(".six li"),
    "words-failed": _part_fails,
    "return-form": lambda stage: stage.land().press("#have-words").shows("#six-typed"),
    "return-not-found": lambda stage: _come_back(stage, found=False),
    "return-hidden": lambda stage: _come_back(stage, found=True),
    "feel": lambda stage: _asked(stage).begin().shows("#feel select"),
    "survey": _survey,
    "survey-sent": _survey_sent,
    "out-of-date": lambda stage: stage.begin().loses(4400).shows("#line"),
    "end-question": _ending,
    "end-question-waiting": lambda stage: stage.begin().press("#end").shows("#confirm"),
    "ended": _ended,
    "ended-by-advocate": _ended_by_them,
    "ended-gone": lambda stage: stage.talk().loses(4410).shows("#over"),
    "ended-cleared": lambda stage: _ended_by_them(stage).press("#clear").shows("#ended"),
    "erase-asked": lambda stage: _erased(stage, 204),
    "erase-kept": lambda stage: _erased(stage, 409),
    "erase-failed": lambda stage: _erased(stage, 0),
    "refused": lambda stage: _turned_away(stage, "refused", "#refused"),
    "full": lambda stage: _turned_away(stage, "full", "#full"),
}
"""The states that a page can be put into alone; what the site says before anything begins is in the tests."""
