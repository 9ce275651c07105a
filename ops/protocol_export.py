"""Write what others need to know of the protocol: browser types, documents and one golden example of each frame."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec
import yaml
from msgspec import inspect

from chat import protocol as wire

ROOT = Path(__file__).resolve().parent.parent
UNIONS: dict[str, Any] = {
    "visitor_commands": wire.VisitorCommand,
    "visitor_events": wire.VisitorEvent,
    "staff_commands": wire.StaffCommand,
    "staff_events": wire.StaffEvent,
}
_NAMES = {
    "visitor_commands": "VisitorCommand",
    "visitor_events": "VisitorEvent",
    "staff_commands": "StaffCommand",
    "staff_events": "StaffEvent",
}
_SAMPLES: Mapping[str, Any] = {
    "token": "A" * 43,
    "client_id": "0123456789abcdef" * 2,
    "nonce": "0123456789abcdef" * 2,
    "salt": "fedcba9876543210" * 2,
    "key_prefix": "0123456789abcdef" * 2,
    "key_signature": "0123456789abcdef" * 4,
    "derived_key": "0123456789abcdef" * 4,
    "signature": "fedcba9876543210" * 4,
    "conversation": "6f1d2c3b-4a59-4e68-8d77-9c0b1a2f3e4d",
    "id": "6f1d2c3b-4a59-4e68-8d77-9c0b1a2f3e4d",
    "body": "Hello, bonjour",
    "name": "Ben",
    "handle": "Heron 417",
    "code": "joined",
    "at": "2026-11-23T12:00:00.000Z",
}


def frames_of(union: str) -> tuple[type[wire.Frame], ...]:
    """Return the frame types of one union, in the order of the file."""
    return get_args(UNIONS[union])


def outputs() -> dict[Path, str]:
    """Return every generated file with its text."""
    return {
        ROOT / "frontend/static/js/protocol.d.ts": typescript(),
        ROOT / "docs/protocol.md": markdown(),
        ROOT / "docs/asyncapi.yaml": asyncapi(),
        ROOT / "tests/golden/frames.json": golden(),
    }


def golden() -> str:
    """Return one example of each frame, checked by decoding it again."""
    examples = {
        union: {_tag(frame): json.loads(msgspec.json.encode(_example(frame))) for frame in frames_of(union)}
        for union in UNIONS
    }
    return json.dumps(examples, indent=2, ensure_ascii=False) + "\n"


def _example(frame: type[Any]) -> Any:
    info = inspect.type_info(frame)
    assert isinstance(info, inspect.StructType)  # noqa: S101 - frames are structs
    values = {field.name: _value(field.name, field.type) for field in info.fields}
    return msgspec.convert(values | ({"type": _tag(frame)} if _tag(frame) else {}), frame)


def _value(name: str, kind: inspect.Type) -> Any:
    if isinstance(kind, inspect.UnionType):
        return _value(name, next(one for one in kind.types if not isinstance(one, inspect.NoneType)))
    if isinstance(kind, inspect.LiteralType):
        return kind.values[0]
    if isinstance(kind, inspect.BoolType):
        return True
    if isinstance(kind, inspect.IntType):
        return max(1, kind.ge or 0)
    if isinstance(kind, inspect.StrType):
        return _SAMPLES.get(name, "2026-11-23T12:00:00.000Z" if name.endswith(("_at", "_since", "_until")) else "Ben")
    if isinstance(kind, inspect.DictType):
        return {_SAMPLES["id"]: 1}
    if isinstance(kind, inspect.VarTupleType):
        return [_value(name, kind.item_type)]
    if isinstance(kind, inspect.StructType):
        return msgspec.to_builtins(_example(kind.cls))
    raise TypeError(f"no example for {type(kind).__name__}")


def typescript() -> str:
    """Return the browser's types."""
    lines = ["// Written by `manage.py export_protocol` from chat/protocol/. Change that, not this file.", ""]
    plain: list[type[Any]] = [
        wire.ProofChallenge,
        wire.Proof,
        wire.WaitRange,
        wire.Person,
        wire.Returned,
        wire.ConversationSummary,
        wire.ExternalStanding,
        wire.EscalationSummary,
        wire.Overtaken,
        wire.WallEscalation,
        wire.Wall,
    ]
    for frame in [*plain, *(frame for union in UNIONS for frame in frames_of(union))]:
        lines += [f"/** {_summary(frame)} */", f"export interface {frame.__name__} {{"]
        if _tag(frame):
            lines.append(f'  type: "{_tag(frame)}";')
        info = inspect.type_info(frame)
        assert isinstance(info, inspect.StructType)  # noqa: S101 - frames are structs
        for field in info.fields:
            lines.append(f"  {field.name}{'' if field.required else '?'}: {_ts(field.type)};")
        lines += ["}", ""]
    for union, name in _NAMES.items():
        lines.append(f"export type {name} =")
        lines += [f"  | {frame.__name__}" for frame in frames_of(union)]
        lines[-1] += ";"
        lines.append("")
    return "\n".join(lines)


def _ts(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.UnionType):
        return " | ".join(_ts(one) for one in kind.types)
    if isinstance(kind, inspect.NoneType):
        return "null"
    if isinstance(kind, inspect.LiteralType):
        return " | ".join(json.dumps(value) for value in kind.values)
    if isinstance(kind, inspect.BoolType):
        return "boolean"
    if isinstance(kind, inspect.IntType):
        return "number"
    if isinstance(kind, inspect.StrType):
        return "string"
    if isinstance(kind, inspect.DictType):
        return f"Record<string, {_ts(kind.value_type)}>"
    if isinstance(kind, inspect.VarTupleType):
        return f"{_ts(kind.item_type)}[]"
    if isinstance(kind, inspect.StructType):
        return str(kind.cls.__name__)
    raise TypeError(f"no browser type for {type(kind).__name__}")


_PLAIN_REQUESTS = """## Without a socket

After three sockets in a row that did not open, a visitor's page goes on over plain requests with the same frames,
numbers and rules. Both take a POST of JSON from a page of ours (`Origin` is checked), without a cookie, never cached.

| request | body | answer |
| --- | --- | --- |
| `POST /poll` | `hello`: a hello; `mark`: that of the last answer, or empty | what the page misses, or what comes |
| `POST /send` | `token`: the page's; `frame`: one command | what the command's answer is on a socket |

Each answers `{"frames": [events], "mark": a word, "close": a close code or null}`. The mark says how the page was told
of what has no number (how things stand, how far staff have got): an answer that would tell nothing new waits instead,
25 s at most. With `close` the line has ended as a socket with that code would have. A newer poll of a conversation lets
the one before it answer at once. A process holds 500 waiting polls and answers the next with 4503: come back, to
another. What is no frame is answered with 400, a foreign page with 403, more than a frame holds with 413.

## Coming back by words

Three more requests of a visitor's page, with or without a socket. They take a POST of JSON from a page of ours and are
answered with JSON, status 200, never cached; a refusal is `{"error": code}`.

| request | body | answer |
| --- | --- | --- |
| `POST /words` | `token`: the page's | `words`: six of them; earlier ones lead nowhere any more |
| `POST /return` | `token`: a new one, made by the page; `words`: what somebody typed | `found`: true or false |
| `POST /code-word` | `token`; `text`: at most 80 characters | nothing |

After `found` the page says hello with its new token, and the token before opens nothing. The welcome says `hidden`
until the advocate accepts (`return_accepted`): nothing before the return is sent, and `older` is refused with
`forbidden`. An answer to `/return` takes whole seconds and does not tell why there is nothing; the fifth wrong try with
the same first two words ends the words. `slow_down` means that too many ask at once.

## A pause

While a conversation is paused, `post` is refused with `paused`, and the facts `paused` and `pause_over` stand in the
log. A page keeps what was refused and may send it again later, under the same `client_id`.

| request | body | answer |
| --- | --- | --- |
| `POST /pause?l=en` | `token`: the page's | `left`: milliseconds, 0 without a pause; `words`: what to say about it |
"""


def markdown() -> str:
    """Return the protocol as a page to read."""
    lines = [
        "# The protocol",
        "",
        "Written by `manage.py export_protocol` from `chat/protocol/`.",
        "",
        f"Version {wire.PROTOCOL_VERSION}. JSON text frames of at most {wire.MOST_FRAME_BYTES} bytes;"
        " `/ws/v` for visitors, `/ws/s` for staff.",
        "",
        "| close code | meaning |",
        "| --- | --- |",
        *(f"| {code} | {words} |" for code, words in wire.CLOSE_CODES.items()),
        "",
    ]
    examples = json.loads(golden())
    for union in UNIONS:
        lines += [f"## {union.replace('_', ' ').capitalize()}", ""]
        for frame in frames_of(union):
            example = json.dumps(examples[union][_tag(frame)], ensure_ascii=False)
            lines += [f"### {_tag(frame)}", "", _summary(frame), "", "```json", example, "```", ""]
    return "\n".join([*lines, _PLAIN_REQUESTS])


def asyncapi() -> str:
    """Return the protocol as an AsyncAPI 3 document."""
    types = [frame for union in UNIONS for frame in frames_of(union)]
    _, schemas = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    messages = {
        frame.__name__: {"summary": _summary(frame), "payload": {"$ref": f"#/components/schemas/{frame.__name__}"}}
        for frame in types
    }
    channels, operations = {}, {}
    for side, address in (("visitor", "/ws/v"), ("staff", "/ws/s")):
        both = [*frames_of(f"{side}_commands"), *frames_of(f"{side}_events")]
        channels[side] = {
            "address": address,
            "messages": {frame.__name__: {"$ref": f"#/components/messages/{frame.__name__}"} for frame in both},
        }
        for action, union in (("receive", f"{side}_commands"), ("send", f"{side}_events")):
            operations[f"{action}_{union}"] = {
                "action": action,
                "channel": {"$ref": f"#/channels/{side}"},
                "messages": [{"$ref": f"#/channels/{side}/messages/{frame.__name__}"} for frame in frames_of(union)],
            }
    document = {
        "asyncapi": "3.0.0",
        "info": {"title": "Havre", "version": str(wire.PROTOCOL_VERSION)},
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": schemas},
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def _tag(frame: type[Any]) -> str:
    tag = frame.__struct_config__.tag
    return "" if tag is None else str(tag)


def _summary(frame: type[Any]) -> str:
    return (frame.__doc__ or "").strip().split("\n")[0]
