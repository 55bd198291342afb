"""One byte is another one: a sample of what `just bench bitflips` tries."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

from tests.acceptance.bitflips import Found, Trial, base, flips
from tests.acceptance.conftest import Server, germane

PEOPLE = 4


def test_a_flip_is_harmless_or_told(tmp_path: Path) -> None:
    """In every kind of file, over the whole of each; and most of them are noticed at all."""
    pristine = base(tmp_path / "pristine", PEOPLE)
    trial = Trial(pristine, tmp_path / "flipped", PEOPLE)
    fates: Counter[str] = Counter()
    bad: dict[str, Found] = {}
    for flip in flips(pristine, 120):
        found = trial.tried(flip)
        fates[found.fate] += 1
        if found.fate in ("wrong", "crashed"):
            bad[str(flip)] = found
    assert bad == {}
    assert fates["detected"] > 80


def test_what_no_read_meets_is_found_by_a_deep_check(server: Server, tmp_path: Path) -> None:
    """In the database, in a model; and an intact folder has nothing."""
    assert server.stop() == 0
    where = ("--config", str(server.config), "--data", str(server.data_dir))
    good = germane("check", "--deep", "--json", *where)
    assert good.returncode == 0, good.stdout
    pristine = shutil.copytree(server.data_dir, tmp_path / "pristine")
    database = pristine / "germane.db"
    (model,) = (pristine / "models" / "shared").glob("*/data.bin")
    for path, place in ((database, database.stat().st_size // 2 + 99), (model, 77)):
        shutil.rmtree(server.data_dir)
        shutil.copytree(pristine, server.data_dir)
        damaged = server.data_dir / path.relative_to(pristine)
        data = bytearray(damaged.read_bytes())
        data[place] ^= 4
        damaged.write_bytes(data)
        found = germane("check", "--deep", "--json", *where)
        assert found.returncode == 1
        (told,) = (x for x in json.loads(found.stdout)["findings"] if x["check"] == "data")
        assert told["level"] == "error"
        assert path.relative_to(pristine).parts[0] in told["text"]
