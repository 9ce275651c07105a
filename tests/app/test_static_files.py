"""Static files come whole, with the same heads as before, and make Django warn of nothing."""

import warnings

from django.test import AsyncClient, SimpleTestCase

from tests.support.needs import ROOT

FILE = "css/visitor.css"
WRITTEN = (ROOT / "frontend/static" / FILE).read_bytes()


class StaticStories(SimpleTestCase):
    async def test_a_file_comes_whole_and_without_a_warning(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            answer = await AsyncClient().get(f"/static/{FILE}")
        assert (answer.status_code, answer.streaming, answer.content) == (200, False, WRITTEN)
        assert answer["Content-Type"].startswith("text/css")
        assert answer["Content-Length"] == str(len(WRITTEN))
        assert "Content-Disposition" not in answer

    async def test_what_a_browser_has_already_is_not_sent_again(self) -> None:
        first = await AsyncClient().get(f"/static/{FILE}")
        again = await AsyncClient().get(f"/static/{FILE}", headers={"if-modified-since": first["Last-Modified"]})
        assert (again.status_code, again.content) == (304, b"")

    async def test_a_part_a_head_and_what_may_not_be_done(self) -> None:
        part = await AsyncClient().get(f"/static/{FILE}", headers={"range": "bytes=2-5"})
        assert (part.status_code, part.content) == (206, WRITTEN[2:6])
        head = await AsyncClient().head(f"/static/{FILE}")
        assert (head.status_code, head.content, head["Content-Length"]) == (200, b"", str(len(WRITTEN)))
        assert (await AsyncClient().post(f"/static/{FILE}")).status_code == 405
        assert (await AsyncClient().get("/static/css/nothing.css")).status_code == 404
