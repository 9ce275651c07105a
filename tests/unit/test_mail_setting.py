"""Over which server mail leaves is read once, in full, or the process does not start."""

import pytest

from config.env import BadEnvironment, Mail, read_env

BASE = {"HAVRE_SECRET_KEY": "x" * 50, "HAVRE_MAIL_FROM": "havre@example.org"}


def read(url: str, **more: str) -> Mail | None:
    return read_env(BASE | {"HAVRE_MAIL_URL": url} | more).mail


def test_nothing_is_set_without_an_address() -> None:
    assert read("") is None


@pytest.mark.parametrize(
    ("url", "port", "tls", "starttls"),
    [
        ("smtps://night:p%40ss@mail.example.org", 465, True, False),
        ("smtp://night:p%40ss@mail.example.org:2525", 2525, False, True),
        ("smtp://night:p%40ss@localhost:25", 25, False, False),
    ],
)
def test_it_leaves_in_clear_over_this_machine_only(url: str, port: int, tls: bool, starttls: bool) -> None:
    mail = read(url)
    assert mail is not None
    assert (mail.port, mail.tls, mail.starttls) == (port, tls, starttls)
    assert (mail.user, mail.password, mail.sender) == ("night", "p@ss", "havre@example.org")
    assert "p@ss" not in repr(mail)


@pytest.mark.parametrize(
    "url", ["mail.example.org", "http://x:canary@h", "smtp://", "smtps://h:port", "smtps://h/canary"]
)
def test_what_cannot_be_used_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(BadEnvironment, match="HAVRE_MAIL_URL") as bad:
        read(url)
    assert "canary" not in str(bad.value)
    with pytest.raises(BadEnvironment, match="HAVRE_MAIL_FROM"):
        read("smtps://mail.example.org", HAVRE_MAIL_FROM="nobody")


def test_not_everybody_is_a_network_for_pages() -> None:
    assert read_env(BASE | {"HAVRE_PAGING_NETWORKS": "10.20.0.0/16, fd00::/8"}).paging_networks
    with pytest.raises(BadEnvironment, match="HAVRE_PAGING_NETWORKS"):
        read_env(BASE | {"HAVRE_PAGING_NETWORKS": "*"})
