"""The story of each level of danger, told once in English and once in French, with what each person sees of it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.support import browsers, looks
from tests.support.axe import problems
from tests.support.journeys import answer, hold_all, open_row, raise_flag
from tests.support.servers import HavreServer, havre_environment, migrate_and_seed
from tests.support.shift import Shift, Visitor, leave_list, told, webhook, word

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

SAYS = {
    "en": {
        "hello": "Hi. Do you have time for a question?",
        "reply": "Yes. Take your time.",
        "ask": "She says that she is seventeen. What do I owe?",
        "advice": "Ask how safe she is first. I read along.",
        "thanks": "Nothing is owed yet, we go on talking.",
        "bea": "Hello, is somebody there?",
        "threat": "he says he will kill me if I leave",
        "attack": "he has a knife and he is hitting me right now",
        "calm": "It was a film that she wrote about.",
        "safe": "She is at the neighbour's.",
        "outside": "He is on his way to her.",
    },
    "fr": {
        "hello": "Bonjour. Avez-vous le temps pour une question?",
        "reply": "Oui. Prenez votre temps.",
        "ask": "Elle dit avoir dix-sept ans. Qu’est-ce que je dois faire?",
        "advice": "Demande d’abord si elle est en sécurité. Je lis avec toi.",
        "thanks": "Rien à signaler pour l’instant, on continue.",
        "bea": "Bonjour, il y a quelqu’un?",
        "threat": "il dit qu'il va me tuer si je pars",
        "attack": "il a un couteau et il me frappe en ce moment",
        "calm": "Elle parlait d’un film.",
        "safe": "Elle est chez la voisine.",
        "outside": "Il est en route vers chez elle.",
    },
}


@pytest.fixture(scope="module")
def shift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shift]:
    data = tmp_path_factory.mktemp("levels")
    migrate_and_seed(havre_environment(data))
    with (
        HavreServer(data, HAVRE_SCREENING="1") as server,
        sync_playwright() as playwright,
        browsers.chromium(playwright) as chrome,
        webhook() as far,
    ):
        one = Shift(chrome, server.base_url, data, far)
        one.begin()
        yield one


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_each_person_sees_of_each_level(shift: Shift, language: str) -> None:
    says = SAYS[language]
    shift.speak(language)
    ada = ordinary(shift, says)
    consult(shift, ada, says)
    bea, carol = urgent(shift, says)
    imminent(shift, bea, says)
    outside(shift, ada, says)
    for visitor in (ada, bea, carol):
        visitor.sees_nothing_of_it()
        visitor.ends()
    for console in (shift.ben, shift.cleo):
        shift.close(console)


def ordinary(shift: Shift, says: dict[str, str]) -> Visitor:
    """Level 0: a talk like most, which calls for nobody."""
    ada = shift.visitor(says["hello"])
    shift.ben.check("input[name=availability][value=ready]")
    hold_all(shift.ben, 1)
    # whoever comes next is not offered to Ben, and waits
    shift.ben.check("input[name=availability][value=busy]")
    open_row(shift.ben, says["hello"])
    answer(shift.ben, says["reply"])
    expect(ada.page.locator("#log")).to_contain_text(says["reply"])
    expect(shift.board.locator("#running .level")).to_have_attribute("data-level", "0")
    expect(shift.board.locator("#escalations-empty")).to_be_visible()
    assert told(shift.board) == []
    expect(shift.ben.locator(".raised:visible li")).to_have_count(0)
    return ada


def consult(shift: Shift, ada: Visitor, says: dict[str, str]) -> None:
    """Level 1: the advocate asks, the supervisor sees it, reads why, and answers."""
    calm = ada.page.locator("#news").inner_text()
    raise_flag(shift.ben, "1", says["ask"])
    row, board, raised = shift.row(), shift.board, shift.ben.locator(".raised:visible li")
    expect(row.locator(".level")).to_have_attribute("data-level", "1")
    level = row.locator(".level .word").text_content()
    assert told(board) == [word(board, "alarm", name=shift.name(), level=level)]
    expect(row.locator(".what")).to_contain_text(word(board, "raised_by", name="Ben"))
    row.locator(".show-reason").click()
    expect(row.locator(".reason")).to_have_text(says["ask"])
    shift.step("acknowledge")
    expect(raised).to_contain_text(word(shift.ben, "raised_acknowledged", name="Dana"))
    row.locator(".watch").click()
    board.fill("#watch-note textarea", says["advice"])
    board.click("#watch-note .save-note")
    expect(shift.ben.locator(".conversation:visible [role=log]")).to_contain_text(says["advice"])
    board.click("#watch-close")
    shift.settle("resolve", says["thanks"])
    expect(raised).to_have_count(0)
    # said once, and not again while it was seen to
    assert len(told(board)) == 1
    assert ada.page.locator("#news").inner_text() == calm
    expect(ada.page.locator("#log")).not_to_contain_text(says["advice"])
    ada.sees_nothing_of_it()
    shift.cleo_hears_of_none()


def outside(shift: Shift, ada: Visitor, says: dict[str, str]) -> None:
    """Level 4: the card goes before the question who she is, two people decide, and a task stays until contact."""
    ben, board = shift.ben, shift.board
    duties = ben.locator(".duties:visible")
    expect(duties.locator(".first")).to_have_text(word(ben, "duty_first"))
    duties.locator("details.duty summary").click()
    duties.locator(".send-card").click()
    expect(duties.locator(".first")).to_have_text(word(ben, "duty_sent"))
    card = (duties.locator(".card").text_content() or "").splitlines()[0]
    expect(ada.page.locator("#log")).to_contain_text(card)
    record = opened(ben, "a.outside:visible")
    assert problems(record, f"external-new-{shift.language}") == []
    record.check("#agency-police")
    record.fill("#reason", says["outside"])
    record.click("button.main")
    # who proposed it cannot be the second person
    expect(record.locator("form[action$='/told']")).to_be_visible()
    expect(record.locator("form[action$='/confirm']")).to_have_count(0)
    external = shift.row().locator(".external")
    expect(external).to_contain_text(word(board, "external_second"))
    if shift.language == "en":
        # what is refused has no language
        strangers_see_nothing(shift, record.url)
    second = opened(board, "#escalations .record")
    assert problems(second, f"external-{shift.language}") == []
    second.locator("form[action$='/confirm'] button").click()
    expect(external).to_contain_text(word(board, "external_call"))
    expect(shift.row().locator(".level")).to_have_attribute("data-level", "4")
    expect(shift.row().locator(".due")).to_be_empty()
    record.fill("#told", "911")
    record.locator("form[action$='/told'] button").click()
    expect(external).to_contain_text(word(board, "external_ask"))
    shift.step("resolve", says["safe"])
    expect(board.locator("#status")).to_have_text(word(board, "error_contact_open"))
    second.goto(second.url)
    second.locator("form[action$='/contact'] button").click()
    expect(external).to_contain_text(word(board, "external_contact"))
    shift.settle("resolve", says["safe"])
    for page in (record, second):
        page.close()
    ada.sees_nothing_of_it()
    shift.cleo_hears_of_none()


def opened(page: Page, link: str) -> Page:
    """Return the tab that a link opens."""
    with page.context.expect_page() as tab:
        page.locator(link).click()
    return tab.value


def strangers_see_nothing(shift: Shift, record: str) -> None:
    """Neither who reads no content nor who is not signed in is shown a board or a record."""
    for where in (record, f"{shift.url}/staff/board"):
        answered = shift.pages["alix"].goto(where)
        assert answered is not None
        assert answered.status in (403, 404)
    eve = browsers.desk(shift.chrome).new_page()
    for where in (record, f"{shift.url}/staff/board"):
        eve.goto(where)
        assert "/staff/sign-in" in eve.url
    eve.goto(f"{shift.url}/wall")
    expect(eve.locator("#escalations")).to_have_count(0)
    eve.context.close()


def urgent(shift: Shift, says: dict[str, str]) -> tuple[Visitor, Visitor]:
    """Level 2: who waits and writes of danger goes ahead of who came before, and takes all of an advocate's seats."""
    bea, carol = shift.visitor(says["bea"]), shift.visitor(says["hello"])
    calm, before = carol.page.locator("#news").inner_text(), len(told(shift.board))
    carol.says(says["threat"])
    row, board, cleo = shift.row(), shift.board, shift.cleo
    expect(row.locator(".what")).to_contain_text(word(board, "source_screening"))
    for page in (board, shift.ben, cleo):
        expect(page.locator("#waiting .level").first).to_have_attribute("data-level", "2")
        expect(page.locator("#waiting .level").last).to_have_attribute("data-level", "0")
    cleo.check("input[name=availability][value=ready]")
    expect(cleo.locator("#offer-level .level")).to_have_attribute("data-level", "2")
    cleo.locator("#offer-accept:enabled").click()
    expect(cleo.locator("#mine > li")).to_have_count(1)
    cleo.check("input[name=availability][value=busy]")
    # one seat of two is empty, and she may not fill it
    expect(cleo.locator("#take-why")).to_have_text(word(cleo, "take_urgent"))
    expect(cleo.locator("#waiting .take")).to_be_disabled()
    expect(shift.ben.locator("#mine > li")).to_have_count(1)
    name = shift.name()
    shift.step("acknowledge")
    shift.step("start")
    expect(row.locator(".what")).to_contain_text(word(board, "escalation_in_progress", name="Dana"))
    shift.settle("stand-down", says["calm"])
    expect(board.locator("#status")).to_have_text(word(board, "done_stand-down", name=name))
    expect(cleo.locator("#take-why")).to_be_empty()
    assert len(told(board)) == before + 1
    # until Cleo came the page said what it had said before
    assert calm == bea.page.locator("#news").inner_text()
    shift.lists.clear()
    return bea, carol


def imminent(shift: Shift, bea: Visitor, says: dict[str, str]) -> None:
    """Level 3: a message of danger calls at once and says why; nobody comes, so it calls again; then it stops."""
    board, before, paged = shift.board, len(told(shift.board)), len(shift.far.heard)
    calm = bea.page.locator("#news").inner_text()
    bea.says(says["attack"])
    row = shift.row()
    expect(row.locator(".level")).to_have_attribute("data-level", "3", timeout=2_000)
    name, level = shift.name(), row.locator(".level .word").text_content()
    assert told(board)[before:] == [word(board, "alarm", name=name, level=level)]
    row.locator(".show-reason").click()
    expect(row.locator(".reason")).to_contain_text(word(board, "because_it_says"))
    expect(row.locator(".reason")).to_contain_text("“")
    expect(row.locator(".reason")).not_to_contain_text("[")
    expect(row.locator(".reason a").first).to_be_visible()
    expect(row.locator(".what")).to_contain_text(word(board, "paged_reached"), timeout=20_000)
    assert len(shift.far.heard) == paged + 1
    assert not [text for text in (name, says["attack"]) if text.encode() in shift.far.heard[-1]]
    shift.let_clocks_run_out()
    expect(row.locator(".what")).to_contain_text(board.evaluate(ONCE))
    assert told(board)[before + 1 :] == [word(board, "alarm_climbed", name=name, level=level)]
    shift.step("acknowledge")
    expect(row.locator(".due")).to_be_empty()
    expect(board.locator("#alarm")).to_be_empty()
    assert shift.clocks() == 0
    assert bea.page.locator("#news").inner_text() == calm
    expect(shift.ben.locator("#waiting .level")).to_have_attribute("data-level", "3")
    shift.settle("resolve", says["safe"])
    assert len(told(board)) == before + 2
    shift.cleo_hears_of_none()


ONCE = "JSON.parse(document.getElementById('words').textContent).climbed.one"


def test_a_keyboard_alone_signs_in_answers_an_alarm_and_settles_it(shift: Shift) -> None:
    shift.speak("en")
    bea = shift.visitor(SAYS["en"]["threat"])
    page = browsers.desk(shift.chrome).new_page()
    page.goto(f"{shift.url}/staff/sign-in")
    tab_to(page, "#username")
    page.keyboard.type("dana")
    tab_to(page, "#password")
    page.keyboard.type((shift.data / "sample-password").read_text().strip())
    page.keyboard.press("Enter")
    expect(page.locator("#alarm")).to_contain_text("Not acknowledged:")
    tab_to(page, "#alarm")
    for button in ("acknowledge", "start", "resolve"):
        page.keyboard.press("Enter")
        expect(page.locator(f".step-{button}")).to_be_focused()
    expect(page.locator("#escalations .what")).to_contain_text("Dana is working on it.")
    tab_to(page, ".step-stand-down")
    page.keyboard.press("Enter")
    expect(page.locator("#ask-reason")).to_be_focused()
    page.keyboard.type(SAYS["en"]["calm"])
    tab_to(page, "#ask-yes")
    page.keyboard.press("Enter")
    expect(page.locator("#escalations-heading")).to_be_focused()
    leave_list(page)
    expect(page.locator("#escalations > li")).to_have_count(0)
    page.context.close()
    bea.ends()


def tab_to(page: Page, what: str, most: int = 60) -> None:
    """Go on with Tab until something has the focus; whatever has it on the way must show it."""
    for _ in range(most):
        if page.evaluate("what => document.activeElement.matches(what)", what):
            return
        page.keyboard.press("Tab")
        assert looks.ask(page, "focused") == []
    raise AssertionError(f"Tab does not come to {what}")
