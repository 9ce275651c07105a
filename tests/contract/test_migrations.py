"""While an update runs, processes of the old version still write: what a migration adds must not refuse their rows."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AddField
from django.db.models import NOT_PROVIDED, Field

BEFORE = {"audit": 3, "cases": 5, "chat": 13, "crisis": 6, "directory": 1, "encryption": 2, "staff": 3}
"""The last migration of each room from before this was a rule."""


def may_be_left_out(field: "Field[Any, Any]") -> bool:
    """Tell whether the database takes a row without this column."""
    return bool(field.null or field.many_to_many) or field.db_default is not NOT_PROVIDED


def refused_columns(before: dict[str, int]) -> Iterator[str]:
    """Yield the columns that a row of an older process would leave empty although they may not be."""
    ours = {config.label for config in apps.get_app_configs() if "site-packages" not in config.path}
    for (room, name), migration in MigrationLoader(None).disk_migrations.items():
        if room not in ours or int(name[:4]) <= before.get(room, 0):
            continue
        for one in migration.operations:
            if isinstance(one, AddField) and not may_be_left_out(one.field):
                yield f"{room}.{name}: {one.model_name}.{one.name}"


def test_a_column_that_is_added_can_be_left_out_by_a_process_of_before() -> None:
    assert list(refused_columns(BEFORE)) == []


def test_the_rule_finds_those_of_before_it() -> None:
    assert "chat.0005_marks" in "\n".join(refused_columns({}))
