"""What is generated from chat/protocol/ is as the file says today."""

import ast
import json
from pathlib import Path

import msgspec
import pytest

from chat import codec
from chat.protocol import CLOSE_CODES
from ops.protocol_export import outputs

ROOT = Path(__file__).resolve().parents[2]

SENT_BY_OTHERS = {1012}
"""Documented and understood by the browser, but not sent by our own code: uvicorn sends 1012 when it stops."""


def test_generated_files_are_fresh() -> None:
    stale = [path.name for path, text in outputs().items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run make protocol"


@pytest.mark.parametrize("side", ["visitor", "staff"])
def test_golden_commands_are_understood_and_written_again_the_same(side: str) -> None:
    (path,) = (path for path in outputs() if path.name == "frames.json")
    decode = codec.decode_visitor if side == "visitor" else codec.decode_staff
    tags = codec.VISITOR_COMMANDS if side == "visitor" else codec.STAFF_COMMANDS
    golden = json.loads(path.read_text(encoding="utf-8"))[f"{side}_commands"]
    assert golden.keys() == tags
    for tag, frame in golden.items():
        command = decode(json.dumps(frame))
        assert command.__struct_config__.tag == tag
        assert json.loads(msgspec.json.encode(command)) == frame


def test_a_frame_of_the_other_side_is_refused() -> None:
    (path,) = (path for path in outputs() if path.name == "frames.json")
    note = json.loads(path.read_text(encoding="utf-8"))["staff_commands"]["note"]
    with pytest.raises(codec.Malformed) as caught:
        codec.decode_visitor(json.dumps(note))
    assert caught.value.code == "unknown_type"


def test_every_close_code_that_is_sent_is_documented_and_the_other_way_round() -> None:
    sent = {
        node.value
        for path in (*(ROOT / "chat/consumers").glob("*.py"), ROOT / "config/asgi.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and type(node.value) is int and (4400 <= node.value < 4600)
    }
    assert sent == CLOSE_CODES.keys() - SENT_BY_OTHERS
