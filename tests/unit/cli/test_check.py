"""``germane check``: what is wrong with a surface is said with its remedy, and fails."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli.test_import import germane


def test_a_surface_without_a_default(tmp_path: Path) -> None:
    """An error in plain words, and exit code 1; the recipe itself has none."""
    assert germane(tmp_path, "init", "shop").returncode == 0
    project = tmp_path / "shop"
    done = germane(project, "check")
    assert (done.returncode, "NO DEFAULT" in done.stdout) == (0, False), done.stdout
    with (project / "germane.toml").open("a") as file:
        file.write('[surfaces.bare]\ndefault_source = "curated"\n')
    done = germane(project, "check")
    assert done.returncode == 1
    assert "NO DEFAULT" in done.stdout
    assert "Under [surfaces.bare] set default" in done.stdout
