"""A text that does not let itself be printed."""

from typing import NoReturn, final


@final
class Secret:
    """Hold a text that somebody wrote; it comes out through `reveal` only.

    It is not formatted, joined, encoded, copied or pickled: each raises `TypeError`, whose words do not hold the text.
    What shows locals of a frame calls `repr`, and sees `<secret>`.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text."""
        return self._text

    def __repr__(self) -> str:
        return "<secret>"

    def __str__(self) -> NoReturn:
        raise TypeError("a secret is not formatted; reveal() it where it is needed")

    def __format__(self, spec: str) -> NoReturn:
        raise TypeError("a secret is not formatted; reveal() it where it is needed")

    def __bytes__(self) -> NoReturn:
        raise TypeError("a secret is not encoded; reveal() it where it is needed")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a secret is not pickled or copied")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)
