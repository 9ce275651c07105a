"""Run one of Havre's management commands."""

import os
import sys

from config.process import begin_loading, harden


def main() -> None:
    """Run the command that is named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    harden()
    begin_loading()
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ValueError as error:
        # whoever forgot a variable is told which one, without a page of our own code
        if type(error).__name__ != "BadEnvironment":
            raise
        sys.exit(f"manage.py: {error}")


if __name__ == "__main__":
    main()
