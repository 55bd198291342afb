"""``campaign watch``: how far the messages of a campaign are."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from germane.cli import common
from germane.cli.campaigns import counted
from germane.cli.desk import NO_SERVER, Desk, writing
from germane.cli.progress import progress
from germane.domain.errors import WrongUse

EVERY_S = 0.5
STILL_S = 4.0
"""Nothing is made for so long: it is through with those who are in."""


def watch(
    name: str,
    config: Path,
    data: Path | None,
    *,
    as_json: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """A bar until everybody who is meant has a message in the outbox, then how they stand.

    Raises:
        WrongUse: no server has the data folder: nothing moves that could be watched.
    """
    with writing(config, data) as desk:
        if not desk.served:
            raise WrongUse(NO_SERVER, hint="Start it, then watch.")
        found = _watched(desk, name, quiet=as_json, sleep=sleep)
    if as_json:
        common.print_json(found)
        return
    common.console().print(f"[bold]{name}[/]  {counted(found['messages'], 'message')}")


def _watched(
    desk: Desk, name: str, *, quiet: bool, sleep: Callable[[float], None]
) -> dict[str, Any]:
    """The campaign when nothing of it is made any more."""
    found = desk.get("campaigns", name)
    coming = desk.get("campaigns", name, "audience")["counts"]["reached"]
    scheduled = found["entersBy"] in ("schedule", "audience")
    asked = sum(found["messages"].values())
    total = asked
    if scheduled and found["status"] == "live":
        total = asked + coming
    elif (
        scheduled and found["status"] == "dry"
    ):  # who is in it dry would come in when it is live, too
        total = max(asked, coming)
    done = still_s = 0.0
    with progress(total or None, f"{name}: messages made", quiet=quiet) as advance:
        while still_s < STILL_S:
            made = _made(found)
            advance(int(made - done))
            if found["messages"].get("making", 0) == 0 and (made == done or made >= total):
                still_s += EVERY_S if made < total else STILL_S
            else:
                still_s = 0.0
            done = made
            if still_s < STILL_S:
                sleep(EVERY_S)
                found = desk.get("campaigns", name)
    return found


def _made(found: dict[str, Any]) -> int:
    return sum(n for status, n in found["messages"].items() if status != "making")
