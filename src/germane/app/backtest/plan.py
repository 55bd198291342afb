"""What is to be predicted, and for whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from msgspec.structs import replace

from germane.app.backtest.intake import Intake
from germane.app.backtest.spool import Spool
from germane.domain.errors import GermaneError
from germane.domain.settings import Settings, SurfaceSpec, TrainingSpec

SIZE = 10
QUOTAS = (0.1, 0.15, 0.2)
ENOUGH_CHOICES = 10_000
"""Times to predict when nobody says for how many people: some minutes of work."""
QUOTA_SHARE = 3
"""One person of so many is also asked with each diversity quota."""
Already = Literal["auto", "show", "leave-out"]


class NothingToPredict(GermaneError):
    """The data hold nothing that a backtest could predict."""

    code = "backtest.nothing_to_predict"
    hint = "It needs events of people with items at different times: user, item and time."


@dataclass(frozen=True, slots=True)
class Plan:
    """How one backtest is run."""

    targets: frozenset[str]
    split_ms: int
    """From here on people's choices are predicted; before, they are only learned."""
    people: frozenset[int]
    """Who is predicted, as ``person_hash``."""
    people_all: int
    """How many could be."""
    occasions: int
    """How often somebody of them chose something, from the split on."""
    already: Already
    """Whether lists may hold what the person chose before; ``auto``: if people come back to things."""
    training: TrainingSpec
    later_share: float = 1.0
    """Share, in (0, 1], of the choices of people with 20 or more interactions that are predicted."""


def plan(
    spool: Spool,
    targets: frozenset[str],
    training: TrainingSpec,
    *,
    learn_first: float,
    sample: int | None,
    already: Already,
    later_share: float = 1.0,
) -> Plan:
    """Decide when to begin and whom to predict.

    Args:
        spool: All events.
        targets: Signals that count as a choice.
        training: When trees are trained.
        learn_first: Share of the events, the oldest, that are only learned, in [0, 1).
        sample: So many people, chosen by a hash; 0: all; ``None``: enough for a good answer.
        already: See ``Plan.already``.
        later_share: See ``Plan.later_share``.

    Raises:
        NothingToPredict: nobody chooses anything after the split.
    """
    at, people, chosen = spool.at_ms, spool.people, spool.chosen
    if not len(at) or not chosen.any():
        raise NothingToPredict("No event names an item that was chosen.")
    split_ms = int(np.sort(at)[min(int(learn_first * len(at)), len(at) - 1)])
    if split_ms == at.min():  # one time has more than that share of all events: begin behind it
        later = at[at > split_ms]
        split_ms = int(later.min()) if len(later) and learn_first > 0 else split_ms
    asked = (at >= split_ms) & (chosen > 0)
    if at.min() == at.max() or not asked.any():
        raise NothingToPredict("All events have the same time, or nothing is chosen later on.")
    pairs = np.unique(np.stack((people[asked], at[asked])), axis=1)
    who, counts = np.unique(pairs[0], return_counts=True)
    if sample is None:
        count = max(int(np.searchsorted(np.cumsum(counts), ENOUGH_CHOICES)) + 1, 1)
    else:
        count = sample or len(who)
    count = min(count, len(who))
    return Plan(
        targets=targets,
        split_ms=split_ms,
        people=frozenset(who[:count].tolist()),  # ordered by hash, so the first are a fair draw
        people_all=len(who),
        occasions=int(counts[:count].sum()),
        already=already,
        training=training,
        later_share=later_share,
    )


def surface_of(settings: Settings, name: str | None, intake: Intake) -> SurfaceSpec:
    """The surface whose rules hold: the one that is named, else the first grid."""
    if name is not None:
        found = settings.surfaces.get(name)
        if found is None:
            known = ", ".join(sorted(settings.surfaces)) or "none"
            raise GermaneError(
                f"There is no surface named {name!r}.", hint=f"Configured surfaces: {known}."
            )
        return found
    grids = [each for each in settings.surfaces.values() if each.kind == "grid"]
    types = tuple(dict.fromkeys(("product", *(item.type for item in intake.items.values()))))
    return grids[0] if grids else SurfaceSpec("list", item_types=types)


def variants(surface: SurfaceSpec) -> dict[str, SurfaceSpec]:
    """What is asked: relevance alone, with and without what was chosen before, and each quota."""
    plain = replace(
        surface,
        kind="grid",
        size=SIZE,
        in_stock_only=False,  # what is sold out today was not so then
        diversity_quota=0.0,
        exploration_share=0.0,
        holdout_share=0.0,
    )
    found = {}
    for ending, already in (("show", "allow"), ("leave-out", "exclude")):
        for quota in (0.0, *QUOTAS):
            name = f"{ending}/{round(100 * quota)}"
            found[name] = replace(
                plain,
                name=name,
                already_bought=already,
                diversity_quota=quota,
            )
    return found
