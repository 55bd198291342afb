"""What a backtest reads from files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from germane.app.backtest.health import reasons
from germane.app.backtest.intake import Intake, Noticed
from germane.app.backtest.spool import Spool
from germane.cli.backtest import Wanted, read_files, run
from germane.config import load
from germane.domain.errors import GermaneError, WrongUse


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
        {"price is no number (write digits alone)": 1, "no item id": 1},
    )


def reading(tmp_path: Path, text: str, **more: Any) -> tuple[Noticed, int]:
    """What is noticed in a file of events, and how many there are."""
    orders = tmp_path / more.pop("name", "o.csv")
    orders.write_text(text)
    wanted = Wanted(
        [orders], None, None, [], "", Path("none.toml"), None, True, None, [], None, 0.5, "auto",
        Path("out.html"), None, True,
    )  # fmt: skip
    with Spool() as spool:
        return read_files(replace(wanted, **more), None, spool).noticed, len(spool)


@pytest.mark.parametrize("inner", ["product_id", "sku"])
@pytest.mark.parametrize("event", [{}, {"event": "Order Completed"}])
def test_rows_that_list_their_products(tmp_path: Path, inner: str, event: dict[str, str]) -> None:
    """Each of them is chosen, whatever its id is called, with an event and without."""
    rows = [
        {"user": f"u{n}", "time": n, "order_id": n, "products": [{inner: "a"}, {inner: "b"}]}
        for n in range(1, 6)
    ]
    text = "".join(json.dumps(each | event) + "\n" for each in rows)
    noticed, events = reading(tmp_path, text, name="o.jsonl")
    assert (events, noticed.choices, noticed.rejected) == (5, 10, {})


def test_rows_that_are_messages_of_the_tracking_api(tmp_path: Path) -> None:
    """An export of Segment: views and orders have their items inside, pages and traits none."""
    who = {"userId": "u", "timestamp": "2024-01-01T10:00:00Z"}
    rows: list[dict[str, Any]] = [
        {"type": "page", "name": "Home"},
        {"type": "track", "event": "Product Viewed", "properties": {"product_id": "a"}},
        {
            "type": "track",
            "event": "Order Completed",
            "properties": {"products": [{"product_id": "a", "price": 2}, {"product_id": "b"}]},
        },
        {"type": "identify", "traits": {"plan": "x"}},
    ]
    text = "".join(json.dumps(who | each) + "\n" for each in rows)
    noticed, events = reading(tmp_path, text, name="s.jsonl")
    assert (events, noticed.interactions, noticed.choices) == (4, 3, 2)
    assert (noticed.priced, noticed.unused, noticed.rejected) == (1, {}, {})


def test_what_cannot_be_used_is_told_with_its_place(tmp_path: Path) -> None:
    """The first row of each reason, by file and line; a file without any rows is that."""
    text = "user,item,time\nu,i,2024-01-01\nu,i,never\nu,i,never\n,i,2024-01-01\n"
    noticed, _ = reading(tmp_path, text)
    assert sorted(noticed.first.values()) == ["o.csv, line 3", "o.csv, line 5"]
    assert "2 × timestamp is no time" in reasons(noticed.rejected, noticed.first)
    assert ", first in o.csv, line 3; 1 × no user id" in reasons(noticed.rejected, noticed.first)
    with pytest.raises(GermaneError, match=r"No row of the files can be used: 1 × .* line 2"):
        reading(tmp_path, "user,item,time\nu,i,never\n")
    with pytest.raises(GermaneError, match=r"There are no rows in .*o\.csv"):
        reading(tmp_path, "user,item,time\n")


@pytest.mark.parametrize(
    ("row", "config", "why", "remedy"),
    [
        ("u,i,2024-01-01,refund", "", "take something back", "--target SIGNAL"),
        ("u,,2024-01-01,buy", "", "no row of 'buy' names an item", "--map item_id=COLUMN"),
        (
            "u,i,2024-01-01,bye",
            '[signals.buy]\nevent = "buy"\nitem = "properties.product_id"\nweight = 5\n',
            "no signal is declared for 'bye'",
            "or add --derive.",
        ),
    ],
)
def test_where_nothing_is_chosen(
    tmp_path: Path, row: str, config: str, why: str, remedy: str
) -> None:
    """Why it is so, and what to do about that."""
    loaded = None
    if config:
        (tmp_path / "germane.toml").write_text(config)
        loaded = load(tmp_path / "germane.toml", {})
    orders = tmp_path / "o.csv"
    orders.write_text(f"user,item,time,event\n{row}\n")
    wanted = Wanted(
        [orders], None, None, [], "", Path("none.toml"), None, True, None, [], None, 0.5, "auto",
        Path("out.html"), None, True,
    )  # fmt: skip
    with Spool() as spool, pytest.raises(GermaneError, match=why) as caught:
        read_files(wanted, loaded, spool)
    assert remedy in caught.value.hint


@pytest.mark.parametrize(
    ("kind", "says"),
    [("items", "--map items.item_id=COLUMN"), ("people", "--map people.user_id=COLUMN")],
)
def test_a_column_that_is_missing(tmp_path: Path, kind: str, says: str) -> None:
    """Of which file, and how to say which is meant."""
    other = tmp_path / "other.csv"
    other.write_text("what\nx\n")
    with pytest.raises(GermaneError, match=r"No column of .*other\.csv holds") as caught:
        reading(tmp_path, "user,item,time\nu,i,2024-01-01\n", **{kind: other})
    assert says in caught.value.hint


def test_a_mapping_for_a_file_that_is_not_given(tmp_path: Path) -> None:
    """It is not passed over."""
    text = "user,item,time\nu,i,2024-01-01\n"
    with pytest.raises(WrongUse, match=r"'items\.category=group': there is no file of items"):
        reading(tmp_path, text, mapping=["items.category=group"])


def test_an_item_twice_in_the_catalogue(tmp_path: Path) -> None:
    """The last row counts, and that is told."""
    items = tmp_path / "c.csv"
    items.write_text("item_id,title\ni,a\ni,b\nj,c\n")
    noticed, _ = reading(tmp_path, "user,item,time\nu,i,2024-01-01\n", items=items)
    assert (noticed.item_rows, noticed.items_again) == (3, 1)


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
