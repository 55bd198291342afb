"""What a server has done beside it, by child processes of low priority: snapshots, and training."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from structlog.contextvars import bind_contextvars

if TYPE_CHECKING:
    from concurrent.futures import Future

    from germane.app import Engine
    from germane.domain.settings import TrainingSpec

LOOK_S = 10.0
SNAPSHOT_RECORDS = 50_000
_log = logging.getLogger(__name__)


class Chores(threading.Thread):
    """While serving: looks now and then whether enough has happened for one of them.

    A snapshot close to the log makes a start after a crash fold a short tail, however long the server
    ran before. What a training promotes ranks from the next question on, without a pause.
    """

    def __init__(
        self, engine: Engine, config: Path, folder: Path, spec: TrainingSpec, project: str = ""
    ) -> None:
        """``project``: its name, for the log, where there are several."""
        super().__init__(name="germane-chores", daemon=True)
        from germane.app.cadence import Cadence
        from germane.storage.blobs import FolderBlobs

        self._engine, self._config, self._folder = engine, config, folder
        self._ended = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._snapshot_seq = engine.seq
        self._training = Cadence(spec)
        self._project = project
        self._blobs = FolderBlobs(folder / "models")

    def run(self) -> None:
        """Until closed."""
        if self._project:
            bind_contextvars(project=self._project)
        while not self._ended.wait(LOOK_S):
            try:
                self._look()
            except OSError as error:  # there is no room for another process, say
                _log.warning("a chore could not be started, and is tried again: %s", error)

    def _look(self) -> None:
        if self._engine.stale:  # nothing else is to be made of what is in the log no more
            self.relearn()
            return
        seq = self._engine.seq
        if seq - self._snapshot_seq >= SNAPSHOT_RECORDS:
            self._run("snapshot")
            self._snapshot_seq = seq
        if self._training.due(self._engine.model.lessons, time.monotonic()):
            self._run("train")
        try:
            self._attach()
        except (OSError, ValueError) as error:  # what ranks goes on, and so do the other chores
            _log.warning("what was trained cannot be used: %s", error)

    def close(self) -> None:
        """End, with the child if there is one."""
        self._ended.set()
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
        self.join()

    def relearn(self) -> None:
        """Have the log that is left folded, and let the server go on with that."""
        from germane.app.relearning import relearn, snapshot_of
        from germane.app.trained import TREES
        from germane.domain.errors import GermaneError

        engine, forgotten = self._engine, self._engine.forgotten
        self._run("snapshot")
        try:
            found = snapshot_of(engine)
            if found is None or engine.loop is None:
                return
            done = asyncio.run_coroutine_threadsafe(relearn(engine, found, forgotten), engine.loop)
            if self._waited(done):
                self._training.anew()
                if not self._training.able:  # nothing will take the place of what learned too much
                    self._blobs.prune(TREES, 0)
                _log.info("what is shared was learned anew from the log that is left")
        except (GermaneError, OSError, ValueError) as error:  # tried again soon
            _log.warning("what is shared could not be learned anew: %s", error)

    def _waited(self, done: Future[bool]) -> bool:
        """What comes of it; ``False`` where the server ends first."""
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                return done.result(timeout=1.0)
        return False

    def _attach(self) -> None:
        """Rank with the newest that is not retired, whoever trained or retired it."""
        from germane.app import attach

        before = self._engine.model.policy
        after = attach(self._engine.model, self._blobs)
        if after != before:
            _log.info("trained: decisions are made by %s from now on (before: %s)", after, before)

    def _run(self, command: str) -> None:
        """Run one of our own commands to its end."""
        place = ["--config", str(self._config), "--data", str(self._folder)]
        whole = [sys.executable, "-m", "germane", command, *place]
        self._child = subprocess.Popen(  # noqa: S603 - our own program
            ["nice", "-n", "19", *whole] if shutil.which("nice") else whole,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        if self._ended.is_set():  # closed while it was being started
            self._child.terminate()
        _, said = self._child.communicate()
        if self._child.returncode and not self._ended.is_set():
            _log.warning("%s did not succeed: %s", command, said.decode()[-500:])
