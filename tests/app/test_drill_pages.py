"""What the pages of a drill say: nobody outside is called, nobody is judged for what they never had."""

from uuid import UUID

from django.test import TestCase
from django.utils import timezone

from chat import services as chat
from chat.core.drills import Drill as Mark
from drills import services
from staff.models import User
from staff.services import set_availability
from tests.support.people import NOON, ben, cleo, dana, open_site, waiting


class PageStories(TestCase):
    """Have two advocates on shift by the clock on the wall, by which pages go, and Dana who starts drills."""

    def setUp(self) -> None:
        open_site()
        for person in (ben(), cleo()):
            set_availability(user_id=person.id, state="ready", now=timezone.now())
        self.client.force_login(User.objects.get(pk=dana().id))

    def begin(self) -> UUID:
        done = services.start_drill(
            actor=dana(), language="en", name="motel", trainee_id=ben().id, mark=Mark.DRILL, now=timezone.now()
        )
        return done.result

    def read(self, path: str) -> str:
        return self.client.get(path).content.decode()

    def test_a_drill_that_nobody_took_is_not_judged(self) -> None:
        pk = self.begin()
        answer = self.client.post(f"/staff/drills/{pk}/end", follow=True).content.decode()
        assert "It was not taken, so nothing is judged." in answer
        assert "not reached" not in answer
        assert "First answer" not in answer
        rows = self.read("/staff/drills")
        assert "not judged" in rows
        assert "0 of" not in rows

    def test_one_that_was_taken_is_judged(self) -> None:
        pk = self.begin()
        chat.take(actor=ben(), conversation_id=pk, now=timezone.now())
        self.client.post(f"/staff/drills/{pk}/end")
        page = self.read(f"/staff/drills/{pk}")
        assert "not reached" in page
        assert "not judged" not in page

    def test_whoever_tells_police_in_a_drill_is_not_told_to_call_and_with_a_visitor_is(self) -> None:
        drill, (real, _) = self.begin(), waiting()
        for pk, person in ((drill, ben()), (real, cleo())):
            chat.take(actor=person, conversation_id=pk, now=NOON)
        practice, earnest = (self.read(f"/staff/outside/new/{pk}") for pk in (drill, real))
        assert "call nobody outside" in practice
        assert "Call first" not in practice
        assert "Propose it (drill)" in practice
        assert "Call first" in earnest
        assert "Propose it and call the supervisors" in earnest

    def test_what_was_chosen_is_still_chosen_after_an_error(self) -> None:
        chosen = {"script": "en/none", "kind": "drill", "people": [ben().id], "pages": "1"}
        page = self.client.post("/staff/drills", chosen)
        assert page.status_code == 422
        self.assertContains(page, f'value="{ben().id}" checked', status_code=422)
        self.assertNotContains(page, f'value="{cleo().id}" checked', status_code=422)
        self.assertContains(page, 'value="1" checked', status_code=422)

    def test_provinces_are_in_order_whatever_their_accents(self) -> None:
        real, _ = waiting()
        User.objects.filter(pk=dana().id).update(language="fr")
        page = self.read(f"/staff/outside/new/{real}")
        assert page.index("Colombie-Britannique") < page.index("Île-du-Prince-Édouard") < page.index("Manitoba")
