"""Read the command line of the offline machine."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from encryption.core.papers import BadPaper
from encryption.core.slots import LISTS
from encryption.offline import steps
from encryption.offline.console import Console


def parser() -> ArgumentParser:
    """Return what understands the command line."""
    whole = ArgumentParser(prog="python -m encryption.offline", description="The key ceremony's offline half.")
    step = whole.add_subparsers(metavar="STEP", required=True)
    root = step.add_parser("root", help="make the site's root; its line for the server goes to OUT.public")
    root.add_argument("--language", choices=sorted(LISTS), default="en", help="language of the phrase")
    root.set_defaults(step=steps.make_root)
    recovery = step.add_parser("recovery", help="make the recovery key and its three shares")
    recovery.set_defaults(step=steps.make_recovery)
    sign = step.add_parser("sign", help="sign the keys of readers")
    sign.add_argument("request", type=Path, help="file of `archive export-readers`")
    sign.set_defaults(step=steps.sign)
    months = step.add_parser("months", help="make archive keys")
    months.add_argument("--readers", type=Path, required=True, help="file of the step sign")
    months.add_argument("--recovery", type=Path, required=True, help="file of the step recovery")
    which = months.add_mutually_exclusive_group(required=True)
    which.add_argument("--from", dest="first", metavar="MONTH", help="first month, such as 2026-12 or 2026-12.2")
    which.add_argument("--name", help="one key only, such as 2026-12.2")
    months.add_argument("--count", type=int, default=13, help="how many months; default 13")
    months.set_defaults(step=steps.make_months)
    drill = step.add_parser("drill", help="prove that two shares open everything")
    drill.set_defaults(step=steps.drill)
    recover = step.add_parser("recover", help="give the archive to new readers with two shares")
    recover.add_argument("--readers", type=Path, required=True, help="file of the step sign")
    recover.set_defaults(step=steps.recover)
    for one in (recovery, sign, months, recover):
        one.add_argument("--root", type=Path, required=True, help="file of the step root")
    for one in (drill, recover):
        one.add_argument("drill", type=Path, help="file of `archive export-drill`")
    for one in (root, recovery, sign, months, recover):
        one.add_argument("out", type=Path, help="file to write; it must not be there yet")
    return whole


def main(arguments: Sequence[str], console: Console) -> int:
    """Do one step; 1 and a plain sentence when it could not be done."""
    given = parser().parse_args(arguments)
    try:
        given.step(console, given)
    except BadPaper as bad:
        print(f"\n{bad}", file=sys.stderr)
        return 1
    except (EOFError, KeyboardInterrupt):
        print("\nStopped. Nothing was written.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Console()))
