"""The composition root: builds the steps, owns the transactions."""

from germane.app.engine import Engine
from germane.app.opening import advance_snapshot, open_engine, save_snapshot
from germane.app.rebuild import RebuildReport, rebuild, save_rebuilt
from germane.app.receipt import Receipt
from germane.app.world import AcceleratedWorld, SystemWorld

__all__ = [
    "AcceleratedWorld",
    "Engine",
    "RebuildReport",
    "Receipt",
    "SystemWorld",
    "advance_snapshot",
    "open_engine",
    "rebuild",
    "save_rebuilt",
    "save_snapshot",
]
