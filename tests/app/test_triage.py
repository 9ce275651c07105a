"""The command that screens lines: one answer a line, whatever comes."""

import io
import json
from types import SimpleNamespace

import pytest
from django.core.management import call_command


def _answers(monkeypatch: pytest.MonkeyPatch, given: bytes) -> list[dict[str, object]]:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(given)))
    call_command("triage", stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_each_line_gets_level_categories_and_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = _answers(monkeypatch, b"he has a gun\nhello\n")
    assert first["level"] == 3
    assert first["categories"] == ["weapon"]
    assert "weapon.at_hand" in str(first["rules"])
    assert second == {"level": 0, "categories": [], "rules": []}


def test_whatever_comes_gets_one_answer_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    given = b"\n\xff\xfe\n" + b"a" * 300_000 + b"\r\n" + b"il va me tuer" + b"\n\nau secours"
    assert [row["level"] for row in _answers(monkeypatch, given)] == [0, 0, 0, 3, 0, 3]
    assert _answers(monkeypatch, b"") == []
