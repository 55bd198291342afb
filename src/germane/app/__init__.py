"""The composition root: builds the steps, owns the transactions."""

from germane.app.engine import Engine
from germane.app.opening import advance_snapshot, open_engine, save_snapshot
from germane.app.rebuild import RebuildReport, rebuild, save_rebuilt
from germane.app.receipt import Receipt
from germane.app.records import records_of
from germane.app.trained import attach
from germane.app.training import TrainingReport, train
from germane.app.world import AcceleratedWorld, SystemWorld

__all__ = [
    "AcceleratedWorld",
    "Engine",
    "RebuildReport",
    "Receipt",
    "SystemWorld",
    "TrainingReport",
    "advance_snapshot",
    "attach",
    "open_engine",
    "rebuild",
    "records_of",
    "save_rebuilt",
    "save_snapshot",
    "train",
]
