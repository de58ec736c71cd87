"""`python -m monitor` is the command `monitor`: what is installed starts here, too."""

import sys


def main() -> int:
    """Run one command; returns its exit code, 130 for Ctrl-C and 143 for SIGTERM.

    Both may come at any moment, also while modules are still loaded.
    """
    try:
        from monitor import stopping

        stopping.prepare()
        stopping.leave_no_core()
        from monitor import cli

        return cli.main()
    except KeyboardInterrupt as error:
        from monitor import stopping

        return stopping.code(stopping.name(error))


if __name__ == "__main__":
    sys.exit(main())
