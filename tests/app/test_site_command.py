"""The site's row begins closed, opens when nothing is missing, and takes no value that a visitor would stumble over."""

import io

from django.core.management import CommandError, call_command
from django.test import TestCase

from audit.models import AuditEvent
from audit.services import find_breaks
from chat.models import Site
from chat.selectors import keep_for, site
from chat.services.site import NAMES

CLOSED = '<h1 id="landing-title">The chat is closed right now.</h1>'
WHOLE = (
    "name=The Lantern",
    "phone=1-833-555-0100",
    "exit_url_en=https://weather.example/",
    "exit_url_fr=https://meteo.example/",
)


class SiteCommand(TestCase):
    def site(self, *arguments: str, fails: bool = False) -> str:
        """Run a step; return what it printed or refused."""
        out, refusal = io.StringIO(), ""
        try:
            call_command("site", *arguments, stdout=out, stderr=out)
        except CommandError as error:
            refusal = str(error)
        said = out.getvalue() + refusal
        assert bool(refusal) is fails, said
        return said

    def told(self) -> list[tuple[str, dict[str, int]]]:
        """Return what the trail says was set."""
        events = AuditEvent.objects.filter(action__startswith="site.", actor="command", subject="site").order_by("pk")
        return list(events.values_list("action", "data"))

    def test_a_site_begins_closed_and_a_visitor_is_let_in_after_open_only(self) -> None:
        said = self.site("show")
        assert "Missing before it may open: name, phone, exit_url_en, exit_url_fr." in said
        assert not Site.objects.exists()
        assert "site set open=yes" in self.site("set", *WHOLE)
        assert not site().open
        assert CLOSED in self.page()
        assert "The chat is open." in self.site("set", "open=yes")
        assert site().open
        assert CLOSED not in self.page()
        assert "The Lantern" in self.site("show")
        assert len(self.told()) == len(NAMES) + 1, "each setting as it began, and the opening"
        assert ("site.exit_url_fr", {}) in self.told()
        assert self.told()[-2:] == [("site.open", {"to": 0}), ("site.open", {"to": 1})]
        assert not find_breaks()

    def page(self) -> str:
        """Return what a visitor is shown."""
        return self.client.get("/", headers={"accept-language": "en"}, follow=True).content.decode()

    def test_nothing_half_is_begun_and_what_is_missing_is_named(self) -> None:
        for given, missing in (
            (WHOLE[:1], "phone, exit_url_en, exit_url_fr."),
            ((*WHOLE[:3], "open=yes"), "missing: exit_url_fr."),
            (("open=yes",), "name, phone, exit_url_en, exit_url_fr."),
        ):
            assert missing in self.site("set", *given, fails=True)
        assert not Site.objects.exists()
        assert self.told() == []
        self.site("set", *WHOLE, "open=yes")
        assert site().open

    def test_a_row_that_lacks_something_is_not_opened(self) -> None:
        self.site("set", *WHOLE)
        Site.objects.update(exit_url_en="")
        assert "missing: exit_url_en." in self.site("set", "open=yes", fails=True)
        assert "! The chat is closed" in self.site("show")
        assert not site().open

    def test_each_setting_arrives(self) -> None:
        changes = ("emergency=112", "page_title_en=Weather", "page_title_fr=Météo", "keep_hours=24")
        self.site("set", *WHOLE, *changes, "visitor_may_erase=no")
        row = Site.objects.get()
        assert (row.emergency, row.page_title_en, row.page_title_fr) == ("112", "Weather", "Météo")
        assert (keep_for().total_seconds(), row.visitor_may_erase) == (24 * 3600, False)
        self.site(
            "set",
            "most_waiting=20",
            "interpreters_phone=1-833-555-0199",
            "for_work_en=Hello.\nGuide | https://a.example/b",
        )
        assert site().interpreters_phone == "1-833-555-0199"
        assert site().for_work_en.splitlines() == ["Hello.", "Guide | https://a.example/b"]
        self.site("set", "most_waiting=500", "interpreters_phone=", "for_work_en=")
        assert (site().interpreters_phone, site().for_work_en) == ("", "")
        assert "That was set already." in self.site("set", "keep_hours=24")
        assert ("site.keep_hours", {"to": 24}) in self.told()
        assert len(self.told()) == len(NAMES) + 6, "the repeat is no event"

    def test_what_is_wrong_is_refused_in_a_sentence_and_changes_nothing(self) -> None:
        self.site("set", *WHOLE)
        before = Site.objects.values().get()
        for bad, words in (
            ("colour=red", "no setting 'colour'"),
            ("pk=2", "no setting 'pk'"),
            ("name", "not NAME=VALUE"),
            ("name=", "1 to 80"),
            ("name=Hav\u202ere", "1 to 80"),
            (f"name={'x' * 81}", "1 to 80"),
            ("phone=call us", "can be called"),
            ("phone=1", "can be called"),
            ("emergency=none", "can be called"),
            ("exit_url_en=http://weather.example/", "https://"),
            ("exit_url_en=javascript:alert(1)", "https://"),
            ("exit_url_fr=weather.example", "https://"),
            ("exit_url_fr=https://a:b@weather.example/", "without a name"),
            (f"exit_url_fr=https://weather.example/{'x' * 200}", "at most 200"),
            ("exit_url_en=https://weather.example/?from=chat", "no ?"),
            ("exit_url_fr=https://weather.example/#havre", "no #"),
            ("keep_hours=48", "0, 24, 72, 720"),
            ("keep_hours=-0", "0, 24, 72, 720"),
            ("open=true", "yes or no"),
            ("most_waiting=0", "from 1 to"),
            ("most_waiting=many", "from 1 to"),
            ("interpreters_phone=call us", "can be called"),
            ("for_work_en=Guide | http://a.example/", "https://"),
            ("for_work_fr=Guide | javascript:alert(1)", "https://"),
            ("for_work_fr= | https://a.example/", "words | https://"),
            (f"for_work_en={'x' * 301}", "at most 300 signs"),
            ("visitor_may_erase=1", "yes or no"),
        ):
            assert words in self.site("set", "page_title_en=Weather", bad, fails=True), bad
        assert "given twice" in self.site("set", "open=no", "open=yes", fails=True)
        assert Site.objects.values().get() == before
        assert len(self.told()) == len(NAMES)
