"""Print the tests beyond tests/browser/exit that a promise of the page rests on, for `make exit`."""

import os

os.environ.setdefault("HAVRE_DEVELOPMENT", "1")

from frontend.truth import PROMISES

FOLDER = "tests/browser/exit/"


def elsewhere() -> list[str]:
    """Return the tests that promises name outside of the exit's own folder."""
    named = {test for promise in PROMISES.values() for test in promise.tests}
    return sorted(test for test in named if not test.startswith(FOLDER))


if __name__ == "__main__":
    print(*elsewhere())
