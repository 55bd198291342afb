"""What became of a call that wrote."""

from __future__ import annotations

from dataclasses import dataclass

from germane.domain.outcome import Verdict


@dataclass(frozen=True, slots=True)
class Receipt:
    """Counts of one call, and the log offset that a decision has now seen at least.

    Each thing is one of the three: what is accepted is in the log, what is rejected in the dead letters.
    """

    accepted: int
    duplicates: int
    rejected: int
    seq: int
    verdicts: tuple[Verdict, ...] = ()
    """Of reported outcomes: what became of each."""
