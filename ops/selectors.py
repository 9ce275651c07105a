"""Reads that commands need about accounts."""

from staff.models import User


def account(username: str) -> tuple[int, str] | None:
    """Return id and work name of an account that is in use, None without one."""
    row = User.objects.filter(username=username, is_active=True).first()
    return (row.pk, row.work_name) if row else None


def account_of_anybody(username: str) -> int | None:
    """Return the id of an account, in use or not: a right is taken from either."""
    return User.objects.filter(username=username).values_list("pk", flat=True).first()


def work_names() -> dict[int, str]:
    """Return the work names of all accounts that are in use."""
    return dict(User.objects.filter(is_active=True).values_list("pk", "work_name"))
