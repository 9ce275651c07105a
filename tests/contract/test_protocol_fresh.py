"""What is generated from chat/protocol.py is as the file says today."""

import json

import pytest

from chat import codec
from ops.protocol_export import outputs


def test_generated_files_are_fresh() -> None:
    stale = [path.name for path, text in outputs().items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run make protocol"


@pytest.mark.parametrize("side", ["visitor", "staff"])
def test_golden_commands_are_understood(side: str) -> None:
    (path,) = (path for path in outputs() if path.name == "frames.json")
    decode = codec.decode_visitor if side == "visitor" else codec.decode_staff
    for tag, frame in json.loads(path.read_text(encoding="utf-8"))[f"{side}_commands"].items():
        assert decode(json.dumps(frame)).__struct_config__.tag == tag


def test_a_frame_of_the_other_side_is_refused() -> None:
    (path,) = (path for path in outputs() if path.name == "frames.json")
    note = json.loads(path.read_text(encoding="utf-8"))["staff_commands"]["note"]
    with pytest.raises(codec.Malformed) as caught:
        codec.decode_visitor(json.dumps(note))
    assert caught.value.code == "unknown_type"
