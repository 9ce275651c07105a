"""What carries a page to its far end, and what may come back."""

import socket
import ssl
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from django.core import mail
from django.test import TestCase, override_settings

from crisis import transport
from crisis.core.notice import Notice, Way
from crisis.transport import Errand, Outcome, carry
from encryption.text import Secret
from tests.support.pagers import OK, certificate, far_end
from tests.support.paging import HOOK
from tests.support.people import NOON


def errand(address: str, *, way: Way = Way.WEBHOOK) -> Errand:
    notice = Notice("p", None, "test", 0, NOON, "Havre", "https://x.example/staff/board")
    return Errand(1, 1, way, Secret(address), Secret("s") if way is Way.WEBHOOK else None, notice, key="k1")


class Transport(TestCase):
    """What comes back is a status or a code, and nothing that the far end said."""

    def test_a_redirect_is_not_followed(self) -> None:
        with far_end(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n") as far:
            assert carry(errand(far.address), NOON) == Outcome(False, "302")

    def test_a_far_end_that_drips_has_no_more_time_than_one_that_is_silent(self) -> None:
        def drips(line: socket.socket) -> None:
            line.settimeout(0.02)
            with suppress(ConnectionError):
                for _ in range(100):
                    line.sendall(b"H")
                    with suppress(TimeoutError):
                        if not line.recv(1):
                            return

        with mock.patch.object(transport, "WITHIN", 0.2), far_end(drips) as far:
            assert carry(errand(far.address), NOON) == Outcome(False, "timeout")

    def test_what_is_no_web_server_and_what_is_not_there(self) -> None:
        with far_end(b"220 mail.example.org ESMTP\r\n") as far:
            assert carry(errand(far.address), NOON) == Outcome(False, "not_http")
        assert carry(errand(far.address), NOON) == Outcome(False, "no_connection")

    def test_only_a_certificate_that_is_trusted_for_that_name_gets_the_page(self) -> None:
        with TemporaryDirectory() as folder:
            context, alone = certificate("localhost", Path(folder))
            trusting = mock.patch("ssl.create_default_context", return_value=ssl.create_default_context(cafile=alone))
            with far_end(OK, name="localhost", tls=context) as far:
                assert carry(errand(far.address), NOON) == Outcome(False, "tls")
            assert far.heard == []
            with far_end(OK, tls=context) as far, trusting:
                assert carry(errand(far.address), NOON) == Outcome(False, "tls")
            assert far.heard == []
            with far_end(OK, name="localhost", tls=context) as far, trusting:
                assert carry(errand(far.address), NOON) == Outcome(True, "204")
        assert far.head("Host") == far.address.split("/")[2]

    @override_settings(DEVELOPMENT=False)
    def test_nothing_is_sent_to_what_stands_beside_havre(self) -> None:
        with far_end() as far:
            assert carry(errand(far.address), NOON) == Outcome(False, "not_allowed")
        with override_settings(PAGING_NETWORKS=("127.0.0.0/8",)), far_end(OK) as far:
            assert carry(errand(far.address), NOON) == Outcome(True, "204")

    def test_a_mail_goes_over_the_sites_server_and_a_site_without_one_says_so(self) -> None:
        assert carry(errand("night@example.org", way=Way.MAIL), NOON) == Outcome(False, "no_mail")
        with override_settings(MAIL=True, DEFAULT_FROM_EMAIL="havre@example.org"):
            assert carry(errand("night@example.org", way=Way.MAIL), NOON) == Outcome(True, "mail_taken")
        (sent,) = mail.outbox
        assert (sent.to, sent.from_email) == (["night@example.org"], "havre@example.org")
        assert sent.extra_headers["Message-ID"] == "<k1@example.org>"

    def test_whatever_a_library_raises_is_a_code(self) -> None:
        with mock.patch("socket.getaddrinfo", side_effect=UnicodeError("teal kettle")):
            assert carry(errand(HOOK), NOON) == Outcome(False, "failed")
