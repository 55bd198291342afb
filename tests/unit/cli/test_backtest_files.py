"""What a backtest reads from files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from germane.app.backtest.intake import Intake
from germane.app.backtest.spool import Spool
from germane.cli.backtest import Wanted, read_files, run
from germane.domain.errors import WrongUse


def test_rejects_of_the_catalogue_are_no_rejects_of_events(tmp_path: Path) -> None:
    """Each is counted among its own rows."""
    orders, items = tmp_path / "o.csv", tmp_path / "c.csv"
    orders.write_text("user,item,time\nu,i,2024-01-01\nu,j,never\nu,j,2024-01-02\n")
    items.write_text("item_id,price\ni,1\nj,cheap\n,2\nk,3\n")
    wanted = Wanted(
        [orders], items, None, [], "", Path("none.toml"), None, True, None, [], None, 0.5, "auto",
        Path("out.html"), None, True,
    )  # fmt: skip
    with Spool() as spool:
        noticed = read_files(wanted, None, spool).noticed
    assert (noticed.rows, noticed.rejected.total()) == (3, 1)
    assert (noticed.item_rows, noticed.items_rejected) == (
        4,
        {"price is no number": 1, "no item id": 1},
    )


def test_nothing_but_a_report_is_written_over(tmp_path: Path) -> None:
    """Neither what is read, nor what somebody else made."""
    orders, items, notes = (tmp_path / name for name in ("o.csv", "c.csv", "notes.html"))
    orders.write_text(
        "user,item,time\n"
        + "".join(
            f"u{n % 3},i{n % 4},2024-01-{n + 1:02}\nu{n % 3},j{n},2024-02-{n + 1:02}\n"
            for n in range(28)
        )
    )
    items.write_text("item_id,price\ni1,1\n")
    notes.write_text("<title>Notes</title>")
    wanted = Wanted(
        [orders], items, None, [], "", Path("none.toml"), None, True, None, [], None, 0.5, "auto",
        tmp_path / "out.html", tmp_path / "out.json", True,
    )  # fmt: skip
    for wrong, said in (
        (replace(wanted, out=orders), "is read"),
        (replace(wanted, json_file=items), "is read"),
        (replace(wanted, out=notes), "is no report of a backtest"),
        (replace(wanted, json_file=wanted.out), "name one file"),
    ):
        before = [each.read_bytes() for each in (orders, items, notes)]
        with pytest.raises(WrongUse, match=said):
            run(wrong)
        assert [each.read_bytes() for each in (orders, items, notes)] == before
    for _ in range(2):
        run(wanted)
    assert b"<title>Would personalisation pay?" in wanted.out.read_bytes()


def test_stopped_while_it_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C says what was read, and that there is no report."""
    orders = tmp_path / "o.csv"
    orders.write_text("user,item,time\n" + "".join(f"u,i,2024-01-0{n}\n" for n in range(1, 9)))
    event, taken = Intake.event, []

    def third(self: Intake, *args: Any, **more: Any) -> None:
        taken.append(args)
        if len(taken) == 3:
            raise KeyboardInterrupt
        event(self, *args, **more)

    monkeypatch.setattr(Intake, "event", third)
    out = tmp_path / "out.html"
    wanted = Wanted(
        [orders], None, None, [], "", Path("none.toml"), None, True, None, [], None, 0.5, "auto",
        out, None, True,
    )  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        run(wanted)
    said = capsys.readouterr().err
    assert said.startswith(f"2 events read. There is no report yet, and {out} is as it was.")
    assert not out.exists()
