"""`python -m benchmarks.speed [NAME ...]`."""

from __future__ import annotations

import sys
from importlib import import_module

NAMES = ("ingest", "decide", "loop", "training", "start", "rebuild", "scale", "instructions")


def main() -> None:
    """Those that are named, or all."""
    wanted = sys.argv[1:] or NAMES
    for name in wanted:
        if name not in NAMES:
            sys.exit(f"There is no measurement {name!r}: choose among {', '.join(NAMES)}.")
        print(f"--- {name}")
        import_module(f"benchmarks.speed.{name}").main()


if __name__ == "__main__":
    main()
