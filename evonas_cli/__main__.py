"""Entry point of the `evonas` command.

Until `main` has moved the current folder to the end of `sys.path`, only modules that Python has loaded are imported.
"""

import os
import sys


def main() -> None:
    """Runs the command line and exits."""
    try:
        look_here_last()
        from evonas_cli.cli.stopping import leave_at_once

        leave_at_once()
    except KeyboardInterrupt:
        os.write(2, b"evonas: stopped by Ctrl-C while starting; nothing has changed\n")
        os._exit(130)
    from evonas_cli.cli.app import main as command

    command()


def look_here_last() -> None:
    """Moves the current folder to the end of `sys.path`, so that its modules take no other's place.

    The folder that evonas itself was imported from stays where it is.
    """
    home = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    try:
        here = os.path.realpath(os.curdir)
    except FileNotFoundError:  # the folder was deleted, so nothing can be imported from it
        return
    entries = [entry for entry in sys.path if os.path.realpath(entry) == here]
    if entries and here != home:
        sys.path[:] = [*(entry for entry in sys.path if entry not in entries), here]


if __name__ == "__main__":
    main()
