"""`python -m monitor` is the command `monitor`: what is installed starts here, too."""

import signal
import sys


def main() -> int:
    """Run one command; returns its exit code, 130 for Ctrl-C and SIGTERM.

    Both may come at any moment, also while modules are still loaded. A command that does more for
    them than to end sets handlers of its own, as `monitor run` does, which drains.
    """
    try:
        if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:  # not what a parent has us ignore
            signal.signal(signal.SIGTERM, signal.default_int_handler)
        from monitor import cli

        return cli.main()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
