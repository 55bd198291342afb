"""When background training is due."""

from __future__ import annotations

import logging

from germane.domain.settings import TrainingSpec
from germane.train import forest

_log = logging.getLogger(__name__)


class Cadence:
    """When to train: after so many new lessons, or fewer after some time. Never without the means."""

    def __init__(self, spec: TrainingSpec) -> None:
        self._spec = spec
        self._able = spec.enabled and forest.available()
        if spec.enabled and not self._able:
            _log.info("background training needs LightGBM: pip install 'germane[train]'")
        self._done = 0
        self._done_s: float | None = None

    @property
    def able(self) -> bool:
        """Whether it will ever be due."""
        return self._able

    def anew(self) -> None:
        """The log has lost some of what was learned from: training is due as soon as there is enough."""
        self._done = -self._spec.lessons_new

    def due(self, lessons: int, now_s: float) -> bool:
        """Whether it is time; if so, the next time is counted from here."""
        spec, new = self._spec, lessons - self._done
        if self._done_s is None:
            self._done_s = now_s
        late = now_s - self._done_s >= spec.every_s and new >= spec.lessons_new / 2
        due = self._able and lessons >= spec.lessons_min and (new >= spec.lessons_new or late)
        if due:
            self._done, self._done_s = lessons, now_s
        return due
