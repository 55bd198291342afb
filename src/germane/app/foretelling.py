"""What an import would do: it is done over the data folder, by the same steps, and nothing of it is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from germane.app.above import Above
from germane.app.engine import Engine
from germane.app.opening import decision_key
from germane.app.world import ReplayWorld
from germane.domain.decision import Decision
from germane.domain.event import Interaction
from germane.domain.item import Item
from germane.domain.moment import ActiveHour
from germane.domain.outcome import Observation, Reward, Trial
from germane.domain.ports import Store
from germane.domain.profile import Profile
from germane.domain.settings import Settings, SurfaceSpec
from germane.predict.model import SharedModel
from germane.storage.memory import MemoryStore


class Unlearned:
    """``domain.ports.Learner`` that learns nothing: whether an event can be used does not depend on it."""

    lessons = 0
    latest_ms = 0

    def observe(
        self,
        profile: Profile,
        interactions: Sequence[Interaction],
        *,
        at_ms: int,
        lesson: bool,
        ahead: bool = False,
        rewards: Sequence[tuple[Reward, Decision | None]] = (),
        shown: Sequence[str] = (),
        active: ActiveHour | None = None,
        trials: Sequence[Trial] = (),
    ) -> Observation:
        """Nothing."""
        return Observation(at_ms)

    def fold(self, seq: int, observation: Observation) -> None:
        """Nothing."""

    def put_item(self, seq: int, item: Item) -> None:
        """Nothing."""

    def remove_item(self, seq: int, item_id: str) -> None:
        """Nothing."""

    def put_surfaces(self, seq: int, prefix: str, surfaces: Sequence[SurfaceSpec]) -> None:
        """Nothing."""


@contextmanager
def foretelling(settings: Settings, store: Store | None, now_ms: int) -> Iterator[Engine]:
    """An engine whose imports tell what those of a data folder would.

    Args:
        settings: The declaration.
        store: Of the folder, which is only read; ``None``: there is none yet.
        now_ms: The time of the import, in milliseconds since 1970.
    """
    with closing(Above(store if store is not None else MemoryStore())) as above:
        key = decision_key(above, readonly=True)
        engine = Engine(settings, above, SharedModel(settings), ReplayWorld(now_ms), key=key)
        with engine.learning_by(Unlearned()):
            yield engine
