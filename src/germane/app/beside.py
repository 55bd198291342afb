"""Background training beside an engine in memory, as a server would have it done by itself."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

from germane.app.cadence import Cadence
from germane.app.engine import Engine
from germane.app.trained import attach
from germane.app.training import collector_of, heads_of, learn_from, train_on
from germane.domain.record import Txn
from germane.domain.settings import TrainingSpec
from germane.storage.blobs import FolderBlobs


class Beside:
    """Collects what the engine folds, trains in the default cadence, and lets the engine rank with it."""

    def __init__(self, engine: Engine, spec: TrainingSpec | None = None) -> None:
        self._engine = engine
        self._spec = spec or TrainingSpec()
        self._cadence = Cadence(self._spec)
        self._collector = collector_of(engine.settings)
        self._folder = Path(tempfile.mkdtemp(prefix="germane-trained-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self.reports: list[dict[str, Any]] = []

    def folded(self, txn: Txn) -> None:
        """Lessons of what was just folded."""
        learn_from(self._collector, txn.records)

    def train(self, at_ms: int) -> dict[str, Any] | None:
        """Train if it is time (of the stream); what came of it."""
        engine = self._engine
        if not self._cadence.due(engine.model.lessons, at_ms / 1000):
            return None
        blobs = FolderBlobs(self._folder)
        report = train_on(
            engine.model,
            self._collector,
            blobs,
            self._spec,
            heads=heads_of(engine.settings),
            seq=engine.seq,
        )
        attach(engine.model, blobs)
        self.reports.append({"at_ms": at_ms} | report.as_dict())
        return self.reports[-1]
