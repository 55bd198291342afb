"""Puts trees into a data folder whose manifest names somebody: they stand for what was learned from them."""

from __future__ import annotations

import sys
from pathlib import Path

from germane.app.trained import TREES, encode
from germane.domain.forest import Trained
from germane.storage.blobs import FolderBlobs


def main(name: str, data: Path) -> None:
    """As the end of a training does."""
    blobs = FolderBlobs(data / "models")
    blobs.put(TREES, f"{1:016d}", encode(Trained(f"{TREES}-1", {})), {"left": "", "of": name})
    blobs.prune(TREES, 10)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[sys.argv.index("--data") + 1]))
