"""What clients sent and nothing declares: an operator who forgot a signal or a trait finds it here."""

from __future__ import annotations

from collections.abc import Iterable

from germane.config.finding import Finding

MOST = 20
"""Names that are told of; `germane privacy` tells all."""
_WHAT = {"track": "The event", "trait": "The trait", "account": "The trait of accounts"}


def audit_undeclared(refused: Iterable[tuple[str, int, str]]) -> list[Finding]:
    """A warning for each name: (name, how often it came, what to do)."""
    names = list(refused)
    found = [_finding(*each) for each in names[:MOST]]
    if len(names) > MOST:
        text = f"{len(names) - MOST} more names came that nothing declares."
        found.append(Finding("", "undeclared", "warning", text, "See them all: germane privacy."))
    return found


def _finding(name: str, count: int, remedy: str) -> Finding:
    kind, _, own = name.partition(" ")
    text = (
        f"{_WHAT[kind]} {own!r} came {count:,} times or more, and was refused: nothing declares it."
    )
    return Finding("", "undeclared", "warning", text, f"{remedy}; or nothing, if it is not needed.")
