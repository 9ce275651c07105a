"""The figures of the bench are only as good as its arithmetic and its client."""

import json
import os
from typing import Any, cast

import pytest

from bench import report
from bench.load import TEXTS, Json, Pair
from bench.machine import memory_kib, processor_seconds, spent, tree
from bench.report import Run
from bench.wire import CLOSE, PING, Frames, Socket, framed
from bench.wire import TEXT as TEXT_FRAME
from bench.xmpp import Xmpp

ID = b"0123456789abcdef0123456789abcdef"


def pair() -> Pair:
    """Return a pair without sockets."""
    nobody = cast(Socket, None)
    return Pair(nobody, nobody, peer=b"advocate1@localhost")


def from_server(payload: bytes, opcode: int = TEXT_FRAME, *, last: bool = True) -> bytes:
    """Return a frame as a server sends it: not masked."""
    first, size = (0x80 if last else 0) | opcode, len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65_536:
        return bytes((first, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


def run(cpu: float, acked: float, p99: float = 9.0, generator: float = 0.3, **extra: float) -> Run:
    """Return a round."""
    return Run(acked, cpu, {"p50": 1.0, "p95": 5.0, "p99": p99}, generator, extra)


def test_percentiles_are_values_that_were_seen() -> None:
    assert report.quantiles(range(1, 101)) == {"p50": 51, "p95": 96, "p99": 100}
    assert report.quantiles([7.0]) == {"p50": 7.0, "p95": 7.0, "p99": 7.0}


def test_no_deliveries_have_no_percentile() -> None:
    empty = report.quantiles([])
    assert empty["p50"] != empty["p50"]
    assert report.row_of("a", 1, "closed", [Run(1.0, 1.0, empty, 0.1)])["deliver_ms"]["p99"] is None


def test_a_row_holds_the_medians_of_the_rounds() -> None:
    row = report.row_of("havre", 50, "closed", [run(0.3, 900), run(0.9, 100), run(0.2, 1_000)])
    assert (row["cpu_s_per_1000"], row["acked_per_s"], row["rounds"]) == (0.3, 900, 3)
    assert row["idle_kib"] is None
    assert row["connect_per_s"] is None
    json.dumps(row)


def test_a_crowd_fills_its_columns_and_leaves_the_others_empty() -> None:
    row = report.row_of("havre", 2_000, "sockets", [Run(extra={"sockets": 2_000, "idle_kib": 39.5})])
    assert (row["idle_kib"], row["sockets"], row["acked_per_s"]) == (39.5, 2_000, None)
    assert row["deliver_ms"] == {"p50": None, "p95": None, "p99": None}


def test_a_ratio_is_taken_inside_each_round() -> None:
    # the machine was half as fast in the second round, for both
    mine, bare = [run(0.2, 1_000), run(0.4, 500)], [run(0.1, 4_000), run(0.2, 2_000)]
    found = report.ratios(mine, {"bare-sqlite": bare})
    assert found == {"cpu_ratio": {"bare-sqlite": 2.0}, "acked_ratio": {"bare-sqlite": 0.25}}


def test_without_a_reference_there_is_no_ratio() -> None:
    assert report.ratios([run(0.2, 1_000)], {}) == {"cpu_ratio": {}, "acked_ratio": {}}
    nothing = {"cpu_ratio": {"bare-sqlite": None}, "acked_ratio": {"bare-sqlite": None}}
    assert report.ratios([Run()], {"bare-sqlite": [run(0.1, 1)]}) == nothing


def test_the_table_puts_processor_time_first_and_marks_what_is_missing() -> None:
    rows = [
        report.row_of("havre-sqlite", 50, "closed", [run(0.2, 1_000)])
        | report.ratios([run(0.2, 1_000)], {"bare-sqlite": [run(0.1, 4_000)]}),
        report.row_of("prosody", 50, "closed", [run(1.0, 250)]),
    ]
    head, havre, prosody = report.table(rows, {"havre-sqlite": "bare-sqlite", "prosody": "bare-sqlite"}).splitlines()
    assert head.split()[:3] == ["target", "CPU", "s/1000"]
    assert havre.split() == ["havre-sqlite", "0.200", "2.0", "1000", "0.25", "1.0", "5.0", "9.0", "30", "%"]
    assert prosody.split()[2] == "-"


def test_a_generator_at_its_limit_is_said() -> None:
    rows = [
        report.row_of(name, 50, "closed", [run(0.1, 1, generator=share)]) for name, share in (("a", 0.91), ("b", 0.9))
    ]
    assert [line.split(":")[0] for line in report.warnings(rows)] == ["a"]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_a_client_frame_has_the_length_its_head_says(size: int) -> None:
    frame = framed(b"x" * size)
    assert frame[0] == 0x81
    assert frame[1] & 0x80  # masked, as a client must
    extended = {126: 2, 127: 8}.get(frame[1] & 0x7F, 0)
    said = int.from_bytes(frame[2 : 2 + extended], "big") if extended else frame[1] & 0x7F
    assert said == size
    assert frame[2 + extended :] == bytes(4) + b"x" * size


@pytest.mark.parametrize("step", [1, 2, 3, 7, 100_000])
def test_frames_are_cut_however_they_arrive(step: int) -> None:
    sent = [b"", b"one", b"y" * 200, b"z" * 70_000]
    stream = b"".join(from_server(payload) for payload in sent)
    frames = Frames()
    found = [one for at in range(0, len(stream), step) for one in frames.feed(stream[at : at + step])]
    assert found == [(TEXT_FRAME, payload) for payload in sent]


def test_a_message_in_parts_is_put_together_around_a_ping() -> None:
    stream = (
        from_server(b"half ", last=False)
        + from_server(b"!", PING)
        + from_server(b"and half", 0)
        + from_server(b"\x03\xe8", CLOSE)
    )
    assert Frames().feed(stream) == [(PING, b"!"), (TEXT_FRAME, b"half and half"), (CLOSE, b"\x03\xe8")]


def test_a_post_is_a_frame_of_the_protocol() -> None:
    from chat import codec

    command: Any = codec.decode_visitor(Json().post(pair(), ID)[8:].decode())
    assert (command.ref, command.client_id, command.body) == (1, ID.decode(), TEXTS[1].decode())


def test_answers_and_deliveries_are_told_apart() -> None:
    words = Json()
    message = b'{"type":"message","seq":1,"client_id":"' + ID + b'","body":"x"}'
    assert [words.answer(text) for text in (b'{"type":"ok","ref":1}', b'{"type":"error"}', message)] == [1, -1, 0]
    assert words.delivered(message) == ID
    assert words.delivered(b'{"type":"fact","client_id":"' + ID + b'"}') is None
    assert words.delivered(b'{"type":"message","client_id":null}') is None


def test_xmpp_answers_and_deliveries_are_told_apart() -> None:
    words = Xmpp()
    posted = words.post(pair(), ID)
    assert b"to='advocate1@localhost'" in posted
    message = b"<message xmlns='jabber:client' type=\"chat\" id='" + ID + b"'><stanza-id id='2'/></message>"
    assert words.delivered(message) == ID
    assert words.delivered(b"<message type='chat'><stanza-id id='" + ID + b"'/></message>") is None
    refusal = message.replace(b'type="chat"', b'type="error"')
    assert [words.answer(text) for text in (b"<a h='3'/>", refusal, message)] == [1, -1, 0]


def test_processor_time_counts_children_that_were_waited_for() -> None:
    fields = ["S", "1", *["0"] * 9, "5", "6", "7", "8", "20"]
    assert spent(fields) == 26


def test_this_process_is_in_its_own_tree() -> None:
    me = os.getpid()
    assert me in tree([me])
    assert processor_seconds([me]) > 0
    assert memory_kib([me]) is None or (memory_kib([me]) or 0) > 0
