"""What each variant brought, as numbers: rates with intervals, and the writer against people."""

from __future__ import annotations

from typing import Any, Literal, get_args

import msgspec
import numpy as np
import numpy.typing as npt

from germane.app.outcomes import words
from germane.app.outcomes.answered import WINDOW_MS, Answered, SlotRows
from germane.app.outcomes.made import VARIANTS
from germane.domain.content import Author
from germane.measure import versus
from germane.measure.ope import Logged
from germane.measure.versus import Difference, Rate

Measure = Literal["clicked", "goal", "opened", "left"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
"""What people may do after a message; ``left``: they unsubscribed or complained. Choices are rewarded with
``clicked``."""
ROUNDING = 1e-9
"""A group with less than this chance could not be chosen: its sum is only rounding."""
Mask = npt.NDArray[np.bool_]


class Answers(msgspec.Struct, frozen=True, rename="camel"):
    """How many messages of a variant were answered in one way."""

    count: int
    rate: Rate | None
    """Of those counted; ``None``: there are none."""
    for_all: Rate | None
    """What it would be if everybody had got this variant who could have; ``None``: that cannot be told."""


class VariantOutcomes(msgspec.Struct, frozen=True, rename="camel"):
    """One variant."""

    variant: str
    author: Author
    offered: bool
    """Whether it may be chosen now."""
    chosen: int
    sent: int
    """Of those, what went out as it was written."""
    edited: int
    """Of those, what a person changed before it went out, or would have: it counts for no variant."""
    waiting: int
    """Of those that were sent, how many may still be answered."""
    counted: int
    """Sent, and their windows over: what the rates are of."""
    answers: dict[Measure, Answers]
    """By measure."""


class Comparison(msgspec.Struct, frozen=True, rename="camel"):
    """The writer's texts (one) against people's (two), by one measure."""

    difference: Difference
    text: str


class SlotOutcomes(msgspec.Struct, frozen=True, rename="camel"):
    """One slot that varies, or did."""

    slot: str
    variants: list[VariantOutcomes]
    writer_against_person: dict[Measure, Comparison]
    """By measure; empty: nothing of one of them was ever chosen."""
    answer: str
    notes: list[str]


class ContentOutcomes(msgspec.Struct, frozen=True, rename="camel"):
    """All of one content item."""

    content: str
    window_s: int
    """An answer counts so long after its message went out."""
    people: float
    """Share of people that was looked at, in (0, 1]."""
    slots: list[SlotOutcomes]
    notes: list[str]

    def view(self) -> dict[str, Any]:
        """As it is answered."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


def figures(found: Answered) -> ContentOutcomes:
    """Everything that is told of what was read. Takes a while where there is much: pure arithmetic."""
    measures = [each for each in MEASURES if each != "goal" or found.with_goal]
    slots = [_slot(_Slot(each, found), measures) for each in found.slots]
    return ContentOutcomes(
        found.content.content_id,
        WINDOW_MS // 1000,
        found.share,
        slots,
        words.general(found.share, found.unread, varies=bool(slots)),
    )


class _Slot:
    """Rows of a slot, with what is asked of them again and again."""

    def __init__(self, rows: SlotRows, found: Answered) -> None:
        self.rows = rows
        slot = found.content.slot(rows.name)
        self.open = {each.id for each in slot.open} if slot is not None else set()
        self.person = np.unique(rows.person, return_inverse=True)[1].astype(np.int64)
        self.sent: Mask = (rows.sent_ms > 0) & ~rows.edited
        self.counted: Mask = self.sent & (rows.sent_ms + WINDOW_MS <= found.now_ms)
        self.taught: Mask = self.counted & (rows.writer >= 0)

    def hits(self, measure: Measure) -> npt.NDArray[np.float64]:
        """1 where a message was answered so inside its window, else 0."""
        rows = self.rows
        at_ms = {
            "clicked": rows.clicked_ms,
            "goal": rows.goal_ms,
            "opened": rows.opened_ms,
            "left": rows.left_ms,
        }[measure]
        return ((at_ms > 0) & (at_ms <= rows.sent_ms + WINDOW_MS)).astype(np.float64)

    def among(self, measure: Measure, mask: Mask) -> Mask:
        """Rows of which the measure can be told: of a goal, those whose campaign has one."""
        return mask & (self.rows.campaign >= 0) if measure == "goal" else mask


def _slot(slot: _Slot, measures: list[Measure]) -> SlotOutcomes:
    variants = [
        _variant(slot, name, number, measures) for number, name in enumerate(slot.rows.variants)
    ]
    variants = [each for each in variants if each.chosen or each.offered]
    compared = {each: _compared(slot, each) for each in measures} if _both(variants) else {}
    return SlotOutcomes(
        slot.rows.name,
        sorted(variants, key=lambda each: (each.author, -each.chosen, each.variant)),
        compared,
        compared["clicked"].text if compared else words.nothing_to_compare(slot.rows.name),
        words.of_slot([(each.variant, each.edited) for each in variants]),
    )


def _both(variants: list[VariantOutcomes]) -> bool:
    return {each.author for each in variants if each.chosen} == {"person", "writer"}


def _variant(slot: _Slot, name: str, number: int, measures: list[Measure]) -> VariantOutcomes:
    rows, mine = slot.rows, slot.rows.variant == number
    counted = mine & slot.counted
    return VariantOutcomes(
        name,
        rows.authors[number],
        name in slot.open,
        int(mine.sum()),
        int((mine & slot.sent).sum()),
        int((mine & rows.edited).sum()),
        int((mine & slot.sent).sum() - counted.sum()),
        int(counted.sum()),
        {each: _answers(slot, each, number, counted) for each in measures},
    )


def _answers(slot: _Slot, measure: Measure, number: int, counted: Mask) -> Answers:
    kept = slot.among(measure, counted)
    hits = slot.hits(measure)
    rate = versus.rate(hits[kept], _anew(slot.person[kept])) if kept.any() else None
    for_all = None
    if number < VARIANTS:
        bit = (slot.rows.allowed >> np.uint64(number)) & np.uint64(1)
        could = slot.among(measure, slot.taught) & (bit > 0)
        mine = (slot.rows.variant[could] == number).astype(np.float64)
        if mine.any():
            log = _logged(slot, could, slot.rows.variant, slot.rows.propensity, hits)
            for_all = versus.weighted_rate(log, mine)
    return Answers(int(hits[kept].sum()), rate, for_all)


def _compared(slot: _Slot, measure: Measure) -> Comparison:
    rows = slot.rows
    chance = np.where(rows.drafted, rows.writer, 1.0 - rows.writer)
    either = (
        slot.among(measure, slot.taught) & (rows.writer > ROUNDING) & (rows.writer < 1 - ROUNDING)
    )
    log = _logged(slot, either, rows.drafted.astype(np.int64), chance, slot.hits(measure))
    found = versus.difference(log)
    return Comparison(found, words.compared(measure, found))


def _logged(
    slot: _Slot,
    among: Mask,
    action: npt.NDArray[np.int64],
    propensity: npt.NDArray[np.float64],
    hits: npt.NDArray[np.float64],
) -> Logged:
    return Logged(action[among], hits[among], propensity[among], _anew(slot.person[among]))


def _anew(person: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """People numbered from 0 without gaps."""
    return np.unique(person, return_inverse=True)[1].astype(np.int64)
