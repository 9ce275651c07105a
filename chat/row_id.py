"""The number of a row that many are added to."""

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class RowId(models.BigAutoField):  # type: ignore[type-arg]
    """Number rows as `BigAutoField` does, without SQLite's AUTOINCREMENT.

    That keeps the highest number ever given in a table of its own, a page more that every text writes. Without it the
    number of the newest row may be given again once that row is gone, so nothing outside the database may hold one.
    """

    def db_type_suffix(self, connection: BaseDatabaseWrapper) -> str | None:
        """Return what makes the database count."""
        kept: str | None = super().db_type_suffix(connection)  # type: ignore[misc]
        return None if connection.vendor == "sqlite" else kept
