"""What a backtest reads from files."""

from __future__ import annotations

from pathlib import Path

from germane.app.backtest.spool import Spool
from germane.cli.backtest import Wanted, read_files


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
