"""Where the program begins. Nothing is imported before Ctrl-C is handled: the imports below take most of a second."""

import sys


def main() -> None:
    try:
        from govcloud.cli.main import main as run
    except KeyboardInterrupt:
        sys.stderr.write("已中断，尚未开始。\nInterrupted before anything began.\n")
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
