"""What a program that calls us can tell from the exit code: 1 it failed, 2 it was called wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from germane import __version__
from germane.cli.errors import INTERRUPTED, guarded
from tests.unit.cli.test_import import germane, made, project

__all__ = ["made", "project"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("zork",), "No such command"),
        (("import",), "Missing argument"),
        (("import", "events"), "Missing argument"),
        (("import", "foo", "catalogue.csv"), "One of: events, people, catalogue, consents."),
        (("import", "catalogue", "catalogue.csv", "--map", "garbage"), "is not FIELD=COLUMN"),
        (("import", "catalogue", "catalogue.csv", "--map", "zork=title"), "no field 'zork'"),
        (("import", "catalogue", "catalogue.csv", "--map", "title=titel"), "Did you mean 'title'"),
        (("import", "catalogue", "catalogue.csv", "--as", "zork"), "no mapping named 'zork'"),
        (("import", "catalogue", "catalogue.csv", "--as", "my shop"), 'add [imports."my shop"]'),
        (("init", "new", "--recipe", "zork"), "Known: shop."),
        (("serve", "--port", "abc"), "'--port'"),
        (("serve", "--port", "99999"), "65535"),
        (
            ("export", "zork", "-"),
            "One of: events, decisions, impressions, outcomes, people, items.",
        ),
        (("export", "items", "x.csv"), ".jsonl or .parquet"),
        (("backtest", "--derive"), "--derive needs files"),
        (("backtest", "--already-chosen", "zork"), "none of"),
        (("demo", "shop", "--until", "zork"), "One of: import, replay, never."),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, tuple) else "",
)
def test_wrong_use(project: Path, command: tuple[str, ...], said: str) -> None:
    """Is 2, with what is meant, and nothing is made."""
    before = sorted(project.iterdir())
    done = germane(project, *command)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert sorted(x for x in project.iterdir() if x.name != "germane-data") == before


@pytest.mark.parametrize(
    "command",
    [
        ("import", "events", "nowhere.csv"),
        ("person", "nobody"),
        ("dead-letters", "show", "7"),
        ("models", "rollback"),
        ("rebuild", "--data", "nowhere"),
        ("seal", "--data", "nowhere"),
    ],
    ids=" ".join,
)
def test_failures(project: Path, command: tuple[str, ...]) -> None:
    """Are 1: the command is well, and what it names is not there."""
    done = germane(project, *command)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert not (project / "nowhere").exists()


def test_the_version(tmp_path: Path) -> None:
    """By the command, and by the option that every program has."""
    said = {germane(tmp_path, word).stdout for word in ("version", "--version")}
    assert said == {f"{__version__}\n"}


def test_ctrl_c_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever command it ends; it is 130."""
    app = typer.Typer()

    @app.command()
    def waits() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.argv", ["germane"])
    assert guarded(app) == INTERRUPTED
    assert capsys.readouterr().err.strip() == "Stopped."
