"""What is found, in plain words. A winner is named only where there is one."""

from __future__ import annotations

from collections.abc import Sequence

from germane.measure.versus import Difference

NOUNS = {
    "clicked": "clicks",
    "goal": "goals",
    "opened": "opens",
    "left": "unsubscriptions and complaints",
}


def compared(measure: str, found: Difference) -> str:
    """The writer's texts against people's, in one or two sentences."""
    what, digits = NOUNS[measure], _digits(found)
    span = f"{_points(found.low, digits)} to {_points(found.high, digits)}"
    by = f"{100 * found.value:+.{digits}f} points ({span}), n = {found.n:,}"
    if found.verdict == "more":
        return f"The writer's texts bring more {what}: {by}."
    if found.verdict == "less":
        return f"The writer's texts bring fewer {what} than a person's: {by}."
    if found.verdict == "alike":
        return f"The writer's texts bring about as many {what} as a person's: {by}."
    so_far = f"{span} points, n = {found.n:,}" if found.enough else f"n = {found.n:,}"
    if found.needed is None:
        return f"Not known yet ({so_far}): too little has come back to tell how many messages are needed."
    least = f"{100 * found.matters:.{digits}f}"
    more = "1 more message is" if found.needed == 1 else f"{found.needed:,} more messages are"
    return f"Not known yet ({so_far}): about {more} needed to tell a difference of {least} points."


def nothing_to_compare(slot: str) -> str:
    """Where only one of them wrote."""
    return f"Nothing to compare: what was chosen for {slot} was all written by a person, or all by the writer."


def of_slot(edited: Sequence[tuple[str, int]]) -> list[str]:
    """What somebody who reads the figures of a slot should know."""
    changed = [f"{count:,} of {name}" for name, count in edited if count]
    if not changed:
        return []
    note = (
        f"Changed by a person before they went out: {', '.join(changed)}. They count for no variant; the "
        "figures are of messages that were left as they were written."
    )
    return [note]


def general(share: float, unread: Sequence[str], *, varies: bool) -> list[str]:
    """The same, of the whole content item."""
    notes = []
    if not varies:
        notes.append("No slot was ever a choice: give one a second variant, or have it drafted.")
    if share < 1:
        notes.append(
            f"There is much: every figure is of {share:.2%} of the people, drawn by chance."
        )
    if unread:
        notes.append(
            f"The goal of {', '.join(unread)} is not counted: it asks for more than the event itself."
        )
    return notes


def _digits(found: Difference) -> int:
    """So many that what matters has two, at most three."""
    return 1 if found.matters >= 0.002 or not found.matters else 2 if found.matters >= 0.0002 else 3


def _points(share: float, digits: int) -> str:
    return f"{100 * share:.{digits}f}"
