"""An import that cannot use everything, or is stopped: what is said, where, and how to go on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from germane.cli.summary import Summary, report
from tests.unit.cli.test_import import germane, made, project, summary
from tests.unit.cli.test_trouble import without_powers

__all__ = ["made", "project"]

HEAD = "user_id,timestamp,order_id,sku,qty,note\n"
PURCHASE = ("--event", "Order Completed")


def rejects(path: Path) -> list[dict[str, Any]]:
    """The lines of a file of rejects."""
    return [json.loads(each) for each in path.read_text().splitlines()]


def test_the_rejects_cannot_be_written(project: Path) -> None:
    """It is found out before anything is imported."""
    done = germane(project, "import", "catalogue", "catalogue.csv", "--rejects", "/nowhere/x")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "/nowhere/x, for the rows that cannot be used, cannot be written" in done.stderr
    assert "--rejects FILE" in done.stderr
    assert germane(project, "export", "items", "-").stdout == ""


def test_a_source_where_nothing_may_be_written(project: Path) -> None:
    """Rejects go into the current folder; with none there is no file."""
    (project / "in").mkdir()
    (project / "in" / "c.csv").write_text("item_id,price\na,1\nb,dear\n")
    (project / "in" / "good.csv").write_text("item_id,price\nc,1\n")
    (project / "in").chmod(0o500)
    done = without_powers(project, "import", "catalogue", "in/c.csv", "in/good.csv")
    (project / "in").chmod(0o700)
    assert (done.returncode, done.stderr) == (
        4,
        "Rows that could not be used: c.csv.rejects.jsonl\n",
    )
    assert [each["line"] for each in rejects(project / "c.csv.rejects.jsonl")] == [3]
    assert not (project / "good.csv.rejects.jsonl").exists()


def test_events_that_could_not_be_folded_are_no_whole_import(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Though every row could be read."""
    report(
        Summary(rows=3, accepted=2, letters=1, unfolded=1), "events", as_json=False, dry_run=False
    )
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("Imported a part of 3 rows")
    assert told[-1] == "1 event could not be used. Exit code 4."


def test_one_file_of_rejects_for_several_sources(project: Path) -> None:
    """It names the source of each row; the second source does not wipe out what the first left."""
    (project / "a.csv").write_text("item_id,price\na,dear\n")
    pq.write_table(
        pa.table({"item_id": ["b", "c"], "price": ["1", "cheap"]}), project / "b.parquet"
    )
    summary(project, "catalogue", "a.csv", "b.parquet", "--rejects", "bad.jsonl")
    found = rejects(project / "bad.jsonl")
    assert [(x["file"], x.get("line"), x.get("row")) for x in found] == [
        ("a.csv", 2, None),
        ("b.parquet", None, 2),
    ]


def test_all_files_are_looked_at_first(project: Path) -> None:
    """A second file that cannot be used stops the import before the first."""
    done = germane(project, "import", "catalogue", "catalogue.csv", "nowhere.csv")
    assert (done.returncode, "There is no file nowhere.csv" in done.stderr) == (1, True)
    assert not (project / "germane-data").exists()


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("item_id,price,price", "columns 2 and 3 are both named 'price'"),
        ("item_id,,", "2 and 3 have"),
    ],
)
def test_two_columns_of_one_name(project: Path, header: str, said: str) -> None:
    """One of them would be lost without a word."""
    (project / "c.csv").write_text(f"{header}\na,1,2\n")
    done = germane(project, "import", "catalogue", "c.csv")
    assert (done.returncode, said in done.stderr) == (1, True)


def test_the_line_at_fault_of_an_order(project: Path) -> None:
    """Each line of an order that cannot be used says whether it is its own fault."""
    (project / "o.csv").write_text(
        HEAD
        + "c1,2026-10-01,A1,tent-1,1,\n"
        + "c1,2026-10-01,A1,mat-1,two,\n"
        + "c1,2026-10-01,A1,lamp-1,-1,\n"
        + "c2,2026-10-01,A2,lamp-1,1,\n"
    )
    found = summary(project, "events", "o.csv", *PURCHASE)
    assert (found["accepted"], found["rejected"]) == (1, 3)
    reasons = {x["line"]: x["reason"] for x in rejects(project / "o.csv.rejects.jsonl")}
    assert "another line of the same order" in reasons[2]
    assert "line 3, quantity is no number: 'two'" in reasons[2]
    assert reasons[3].startswith("quantity is no number: 'two'")
    assert reasons[4].startswith("quantity is below 0")
    assert found["reasons"]["another line of the same order cannot be used"] == 1


def test_a_broken_line_does_not_part_an_order(project: Path) -> None:
    """If it names the order, the order is not used; if it says nothing, the order is whole without it."""
    (project / "o.csv").write_text(
        HEAD
        + "c1,2026-10-01,A1,tent-1,1,\n"
        + "c1,2026-10-01,A1,mat-1,1\n"
        + "c1,2026-10-01,A1,lamp-1,1,\n"
        + "c2,2026-10-01,A2,tent-1,1,\n"
        + "???\n"
        + "c2,2026-10-01,A2,lamp-1,1,\n"
    )
    found = summary(project, "events", "o.csv", *PURCHASE)
    assert (found["accepted"], found["rejected"]) == (1, 4)
    assert [x["line"] for x in rejects(project / "o.csv.rejects.jsonl")] == [2, 3, 4, 6]
    (row,) = map(json.loads, germane(project, "export", "events", "-").stdout.splitlines())
    assert len(row["properties"]["products"]) == 2


def test_lines_are_those_of_an_editor(project: Path) -> None:
    """Also behind a field with line breaks, and behind empty lines."""
    (project / "c.csv").write_text(
        'item_id,title,price\n1,"two\nlines",1\n\n2,x,dear\n3,"three\r\nmore\nlines",dear\n4,x,dear\n'
    )
    summary(project, "catalogue", "c.csv")
    assert [x["line"] for x in rejects(project / "c.csv.rejects.jsonl")] == [5, 6, 9]


def test_stopped_by_hand(project: Path) -> None:
    """Ctrl-C says what is done; the same command goes on."""
    row = '{{"user": "c{0}", "ts": {1}, "event": "view", "sku": "toy-1"}}\n'
    lines = (row.format(n % 50, 1_790_000_000 + n) for n in range(60_000))
    (project / "e.jsonl").write_text("".join(lines))
    importing = subprocess.Popen(
        [sys.executable, "-m", "germane", "import", "events", "e.jsonl"],
        cwd=project,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # whoever runs the tests in the background of a shell lets them ignore Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    wal = project / "germane-data" / "germane.db-wal"
    ends = time.monotonic() + 60
    while time.monotonic() < ends and not (wal.exists() and wal.stat().st_size > 1_000_000):
        time.sleep(0.02)
    importing.send_signal(signal.SIGINT)
    _, said = importing.communicate(timeout=60)
    assert (importing.returncode, "Traceback" in said) == (130, False), said
    assert "Run the same command again to go on" in said
    stored = int(said.partition("rows; ")[2].partition(" new record")[0].replace(",", ""))
    written = germane(project, "export", "events", "-").stdout.count("\n")
    assert 0 < stored == written < 60_000


def test_what_is_no_file_of_rows(project: Path) -> None:
    """A folder, an array over the whole file: each is told as what it is."""
    (project / "dir.csv").mkdir()
    done = germane(project, "import", "catalogue", "dir.csv")
    assert (done.returncode, "dir.csv is a folder" in done.stderr) == (1, True)
    (project / "array.jsonl").write_text('[{"item_id": "a"}]')
    done = germane(project, "import", "catalogue", "array.jsonl")
    assert (done.returncode, "one object a line" in done.stderr) == (1, True)


def test_an_id_that_is_no_text(project: Path) -> None:
    """It was taken for the text of a list."""
    (project / "c.jsonl").write_text('{"item_id": ["a"]}\n{"item_id": {"b": 1}}\n{"item_id": 7}\n')
    found = summary(project, "catalogue", "c.jsonl")
    assert (found["accepted"], found["reasons"]) == (1, {"item_id is no text and no number": 2})


def test_marks_in_names_are_shown_as_they_are(project: Path) -> None:
    """Square brackets mean something to the terminal's printer, and nothing here."""
    (project / "[red]c.csv").write_text("item_id,[bold]price\na,1\n")
    told = germane(project, "import", "catalogue", "[red]c.csv").stdout
    assert "[red]c.csv: item_id ← item_id; kept: [bold]price" in told
    assert "Imported 1 row in" in told
    assert "1 item new or changed" in told
