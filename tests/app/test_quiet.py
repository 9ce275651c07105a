"""Nothing that anybody wrote reaches a log, an error page or standard error, whatever breaks and wherever."""

import asyncio
import io
import logging
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, TestCase

from chat import services
from chat.consumers.visitor import VisitorSocket
from config import logs
from config.checks import check_deploy
from encryption.text import Secret
from ops import worker
from ops.quiet_twisted import quiet_twisted
from tests.support.needs import ROOT
from tests.support.people import NOON, ben, held_by, new_token, open_site

CANARY = "the teal kettle sings at dusk"


class Broken(Exception):
    """Be an exception whose words hold what somebody wrote, as those of many libraries do."""


def breaks(*args: object, **kwargs: object) -> None:
    """Raise with the canary in a local, in the words, in the cause, in a group of causes and in a note."""
    body = CANARY
    group = ExceptionGroup(f"several: {body}", [ValueError(body), ExceptionGroup(body, [KeyError(body)])])
    try:
        raise group
    except ExceptionGroup as cause:
        error = Broken(f"could not store {body!r}")
        error.add_note(f"while storing {body}")
        raise error from cause


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Set up logging as a process of ours does, onto a page of paper."""
    paper = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level, [(name, logging.getLogger(name).level) for name in ("django.request",)]
    logs.configure()
    (handler,) = root.handlers
    assert isinstance(handler, logs.QuietHandler)
    handler.setStream(paper)
    yield paper
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    for name, level in before[2]:
        logging.getLogger(name).setLevel(level)


def alone() -> logging.Logger:
    """Return a logger with our handler only: pytest hangs its own on all others, which fail where ours do not."""
    logger = logging.Logger("chat.alone")
    logger.addHandler(logging.getLogger().handlers[0])
    return logger


def told(paper: io.StringIO, *wanted: str) -> str:
    """Return what was logged, once it says what happened and holds no word of the canary."""
    text = paper.getvalue()
    for word in wanted:
        assert word in text
    for word in CANARY.split():
        assert len(word) < 4 or word not in text, text
    return text


# lines and exceptions


def test_an_exception_is_told_by_types_and_places_through_causes_and_groups(log: io.StringIO) -> None:
    try:
        breaks()
    except Broken as error:
        logging.getLogger("chat.x").error("command failed", exc_info=error)
    text = told(log, "command failed", "Broken at app/test_quiet.py", "ExceptionGroup", "ValueError", "KeyError")
    assert text.count("ExceptionGroup at") == 2


def test_a_ring_of_causes_ends(log: io.StringIO) -> None:
    one, two = ValueError(CANARY), KeyError(CANARY)
    one.__cause__, two.__cause__ = two, one
    logging.getLogger("chat.x").error("command failed", exc_info=one)
    assert told(log).count("ValueError at") == told(log).count("KeyError at") == 1


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((CANARY,), "got <str>"),
        ((Secret(CANARY),), "got <Secret>"),
        ((ValueError(CANARY),), "got <ValueError>"),
        (([CANARY],), "got <list>"),
        ((CANARY.encode(),), "got <bytes>"),
        (("7",), "got 7"),
        ((7,), "got 7"),
        (("escalation.raised",), "got escalation.raised"),
        ((UUID(int=5),), "got 00000000-0000-0000-0000-000000000005"),
        ((NOON,), "got 2026-11-23 12:00:00+00:00"),
        ((CANARY, CANARY), "got %s"),
        ((), "got %s"),
    ],
)
def test_our_own_lines_show_ids_numbers_and_codes_only(
    log: io.StringIO, values: tuple[object, ...], shown: str
) -> None:
    alone().error("got %s", *values)
    assert shown in told(log)


def test_a_line_put_together_at_run_time_is_told_by_its_place(log: io.StringIO) -> None:
    body = CANARY
    logging.getLogger("chat.x").error(f"got {body}")
    logging.getLogger("chat.x").error(body)
    logging.getLogger("asyncio").error(f"Exception in callback tell({body!r})")
    logging.getLogger("chat.x").error(ValueError(body))
    assert told(log).count("at app/test_quiet.py:") == 4


@pytest.mark.parametrize("name", ["django.request", "urllib3.connectionpool", "hvac", "", "chatter"])
def test_lines_of_libraries_get_no_values(log: io.StringIO, name: str) -> None:
    logging.getLogger(name).error("got %s", "escalation")
    assert "got %s" in told(log)


def test_what_else_hangs_on_a_record_is_left_out(log: io.StringIO) -> None:
    def leave_a_trace(record: logging.LogRecord) -> bool:
        """Put the whole traceback on the record, as another handler's formatter does."""
        record.exc_text = CANARY
        return True

    line = alone()
    line.addFilter(leave_a_trace)
    line.error("command failed", extra={"body": CANARY, "frame": CANARY}, stack_info=True)
    assert told(log, "command failed").count("\n") == 1


def test_a_line_that_cannot_be_written_is_not_shown_elsewhere(
    log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    line = alone()
    with mock.patch.object(line.handlers[0], "format", side_effect=ValueError(CANARY)):
        line.error("got %s", CANARY)
    assert capsys.readouterr().err == "a log line of chat.alone could not be written\n"


# what Python and Twisted print on their own


def test_a_warning_is_told_by_its_kind_and_place(log: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        # pytest keeps warnings to itself in a test; this is what the interpreter would call
        warnings.showwarning = logs._warned
        warnings.warn(f"naive time in {CANARY}", RuntimeWarning, stacklevel=1)
        logging.captureWarnings(True)
        try:
            warnings.warn(f"naive time in {CANARY}", RuntimeWarning, stacklevel=1)
        finally:
            logging.captureWarnings(False)
    told(log, "RuntimeWarning at app/test_quiet.py", "WARNING py.warnings at")
    assert capsys.readouterr().err == ""


def test_a_crash_of_the_process_is_told_by_types_and_places(log: io.StringIO) -> None:
    try:
        breaks()
    except Broken:
        sys.excepthook(*sys.exc_info())
    told(log, "the process crashed", "Broken at app/test_quiet.py")


def test_a_wrong_setting_is_told_in_its_words(log: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    error = ImproperlyConfigured("the folder does not exist")
    error.__cause__ = ValueError(CANARY)
    sys.excepthook(ImproperlyConfigured, error, None)
    assert capsys.readouterr().err == "ImproperlyConfigured: the folder does not exist\n"


def test_a_crash_of_a_thread_is_told_by_types_and_places(log: io.StringIO) -> None:
    hook = threading.excepthook
    with mock.patch("threading.excepthook", hook):
        logs._quiet_python()
        thread = threading.Thread(target=breaks)
        thread.start()
        thread.join()
    told(log, "a thread crashed", "Broken")


def test_an_error_in_a_destructor_is_told_by_types_and_places(log: io.StringIO) -> None:
    class Dying:
        text = CANARY

        def __del__(self) -> None:
            breaks()

        def __repr__(self) -> str:
            return self.text

    with mock.patch("sys.unraisablehook", sys.unraisablehook):
        logs._quiet_python()
        Dying()
    told(log, "could not be raised", "Broken")


def test_an_error_inside_twisted_is_told_by_types_and_places(log: io.StringIO) -> None:
    from twisted.logger import Logger

    quiet_twisted()
    line = Logger(namespace="daphne")
    try:
        breaks()
    except Broken:
        line.failure(f"Unhandled {CANARY}")
    told(log, "unhandled in Twisted: daphne", "Broken")


def test_a_task_that_nobody_waited_for_is_told_without_its_words(log: io.StringIO) -> None:
    async def loses_a_task() -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(breaks, CANARY)
        lost = loop.create_task(sync_to_async(breaks)(), name=CANARY)
        # until it has ended, and nobody has asked how
        await asyncio.wait([lost])

    asyncio.run(loses_a_task())
    import gc

    gc.collect()
    assert told(log, "ERROR asyncio").count("Broken at") == 2


IN_DAPHNE = """
from unittest import mock
from daphne.server import Server
from ops.servers import serve_daphne
def run(server):
    from twisted.logger import Logger
    try:
        breaks()
    except ValueError:
        Logger(namespace="daphne").failure("Unhandled")
with mock.patch.object(Server, "run", run):
    serve_daphne("127.0.0.1", 1, lambda: None)
"""


@pytest.mark.parametrize(
    "how", ["breaks()", "asyncio.run(late())", "threading.Thread(target=breaks).start()", IN_DAPHNE]
)
def test_a_process_that_crashes_prints_no_words(how: str, tmp_path: Path) -> None:
    program = f"""
        import asyncio, os, threading
        os.environ |= {{"HAVRE_DEVELOPMENT": "1", "HAVRE_DATA_DIR": {str(tmp_path)!r}}}
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        import django
        django.setup()
        def breaks():
            raise ValueError("".join(map(chr, {list(map(ord, CANARY))})))
        async def late():
            asyncio.create_task(asyncio.to_thread(breaks))
            await asyncio.sleep(0.1)
            breaks()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program) + how], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert "ValueError at" in done.stderr
    assert "kettle" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


# each place where a text passes


@pytest.mark.usefixtures("log")
class Places(TestCase):
    @pytest.fixture(autouse=True)
    def _log(self, log: io.StringIO) -> None:
        self.paper = log

    def setUp(self) -> None:
        open_site()

    def test_a_service_that_breaks(self) -> None:
        pk, _ = held_by(ben())
        with (
            mock.patch("chat.log.sealer_for", side_effect=breaks),
            pytest.raises(Broken) as caught,
        ):
            services.write_note(actor=ben(), conversation_id=pk, client_id="a" * 32, body=CANARY, now=NOON)
        logging.getLogger("chat.services").error("command failed", exc_info=caught.value)
        told(self.paper, "Broken", "services/messages.py")

    async def test_a_socket_whose_command_breaks_and_whose_greeting_breaks(self) -> None:
        places = {
            "chat.writer.post_all": "command failed",
            "chat.selectors.glance.staffed": "socket ended by a defect",
        }
        for where, line in places.items():
            headers = [(b"origin", b"http://testserver"), (b"host", b"testserver")]
            wire = WebsocketCommunicator(VisitorSocket.as_asgi(), "/ws/v", headers=headers)
            hello = {"type": "hello", "version": 1, "token": new_token(), "after": 0, "start": True, "language": "en"}
            post = {"type": "post", "ref": 1, "client_id": "a" * 32, "body": CANARY}
            with mock.patch(where, side_effect=breaks):
                await wire.connect()
                await wire.send_json_to(hello)
                await wire.send_json_to(post)
                while (await wire.receive_output(timeout=15))["type"] != "websocket.close":
                    if line in self.paper.getvalue():
                        break
            told(self.paper, line, "Broken")
            await wire.disconnect()

    def test_a_view_that_breaks_answers_with_the_bland_page(self) -> None:
        client = Client(raise_request_exception=False)
        with mock.patch("frontend.views.visitor.site", side_effect=breaks):
            answer = client.get("/", {"l": "fr", "said": CANARY})
        assert answer.status_code == 500
        page = answer.content.decode()
        told(self.paper, "ERROR django.request", "Broken", "views/visitor.py")
        for word in ("kettle", "Broken", "Traceback", "test_quiet", "breaks"):
            assert word not in page

    async def test_a_step_of_the_worker_that_breaks(self) -> None:
        def broken_step(*, now: datetime) -> services.Done[int]:
            breaks(now)
            raise AssertionError

        with (
            mock.patch.object(worker, "STEPS", (broken_step,)),
            mock.patch.object(worker, "deliver_due", side_effect=breaks),
        ):
            await worker.run_shift(NOON)
            await worker.deliver(NOON)
        await worker._quietly(breaks, NOON)
        told(self.paper, "step broken_step failed", "delivery failed", "step breaks failed", "Broken")


def test_the_debug_page_would_have_shown_it(settings: Any) -> None:
    """The search of the test above is not blind: with DEBUG on, which nothing lets through, the canary is there."""
    settings.DEBUG = True
    client = Client(raise_request_exception=False)
    with mock.patch("frontend.views.visitor.site", side_effect=breaks):
        assert CANARY in client.get("/").content.decode()


def test_the_deploy_check_refuses_debug_pages(settings: Any) -> None:
    assert "havre.E013" not in {problem.id for problem in check_deploy(None)}
    settings.DEBUG = True
    assert "havre.E013" in {problem.id for problem in check_deploy(None)}


def test_a_site_whose_french_pages_would_be_in_english_does_not_go_live(settings: Any, tmp_path: Path) -> None:
    assert "havre.E016" not in {problem.id for problem in check_deploy(None)}
    settings.LOCALE_PATHS = [tmp_path]
    assert "havre.E016" in {problem.id for problem in check_deploy(None)}
