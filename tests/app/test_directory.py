"""The directory: who sees which entry, and what a search finds."""

from django.test import TestCase

from directory.models import Organization, Service
from directory.selectors import visible_services
from directory.services import seed_samples
from tests.support.people import NOON, ben, dana, eve


class Directory(TestCase):
    def setUp(self) -> None:
        seed_samples(now=NOON)

    def test_samples_are_invented_and_say_so(self) -> None:
        for service in Service.objects.select_related("organization"):
            assert "555" in service.phone
            assert service.email.endswith("@example.org")
            assert service.organization.sample
            assert "Invented" in service.description_en
            assert "inventée" in service.description_fr

    def test_seeding_twice_changes_nothing(self) -> None:
        before = Service.objects.count()
        assert seed_samples(now=NOON) == before
        assert (Service.objects.count(), Organization.objects.count()) == (before, 1)

    def test_each_sees_what_is_for_them_and_the_stranger_nothing(self) -> None:
        Service.objects.filter(name__startswith="Sample health").update(visibility="never")
        seen = {person.name: {one.visibility for one in visible_services(person)} for person in (ben(), dana(), eve())}
        assert list(seen.values()) == [{"public", "staff"}, {"public", "staff", "supervisor"}, set()]

    def test_a_search_forgives_accents_and_looks_in_both_languages(self) -> None:
        assert [one.areas for one in visible_services(ben(), "PAPIERS confisques")] == [("QC",)]
        assert visible_services(ben(), "papiers zebra") == ()

    def test_what_is_gone_is_not_offered(self) -> None:
        Service.objects.filter(areas=["BC"]).update(status="defunct")
        assert ("BC",) not in [one.areas for one in visible_services(ben())]

    def test_the_description_is_in_the_language_of_the_reader(self) -> None:
        assert all("Invented" in one.description for one in visible_services(ben()))
