"""Bulk import through the command line: idempotent, streaming, with every reject named."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from germane.app import open_engine
from germane.app.apart import Apart
from germane.cli.program import app
from germane.config import load
from germane.domain.event import Event
from germane.domain.record import Record
from tests.unit.cli.test_rights import RUN


def germane(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a project."""
    return subprocess.run(
        [sys.executable, "-m", "germane", *arguments],
        cwd=folder,
        text=True,
        capture_output=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project, made once."""
    folder = tmp_path_factory.mktemp("import")
    assert germane(folder, "init", "shop").returncode == 0
    return folder / "shop"


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    for name in ("germane.toml", "catalogue.csv", ".env"):
        (tmp_path / name).write_text((made / name).read_text())
    return tmp_path


def summary(project: Path, *arguments: str) -> dict[str, Any]:
    """`germane import ... --json`"""
    done = germane(project, "import", *arguments, "--json")
    assert done.stdout, done.stderr
    return {**json.loads(done.stdout), "code": done.returncode}


def test_csv_orders(project: Path) -> None:
    """Lines of one order are one event; running it again changes nothing."""
    (project / "orders.csv").write_text(
        "customer,when,sku,qty,unit_price,invoice\n"
        "c1,2026-10-01T10:00:00Z,tent-1,1,129,A1\n"
        "c1,2026-10-01T10:00:00Z,mat-1,2,59.5,A1\n"
        "c2,2026-10-02 11:00,lamp-1,1,39,A2\n"
    )
    arguments = ("events", "orders.csv", "--event", "purchase")
    first = summary(project, *arguments)
    assert (first["rows"], first["accepted"], first["duplicates"], first["rejected"]) == (
        3,
        2,
        0,
        0,
    )
    assert (first["people"], first["first"]) == (2, "2026-10-01T10:00:00.000Z")
    again = summary(project, *arguments)
    assert (again["accepted"], again["duplicates"]) == (0, 2)
    person = json.loads(germane(project, "person", "c1", "--json").stdout)
    assert person["readiness"]["evidence"] == 2
    assert {each["itemId"] for each in person["ownItems"]} == {"tent-1", "mat-1"}


def test_bad_rows_are_kept_with_their_reason(project: Path) -> None:
    """Each reject names its row and why; the rest is imported."""
    (project / "events.csv").write_text(
        "user_id,timestamp,item_id,price\n"
        'u1,2026-10-01,toy-1,"9,99"\n'
        "u1,soon,toy-1,1\n"
        ",2026-10-01,toy-1,1\n"
        "u1,2999-01-01,toy-1,1\n"
        "u1,2026-10-01,toy-1\n"
        "u1,2026-10-01,toy-2,5\n"
        "u1,2026-10-01,toy-3,-5\n"
    )
    found = summary(project, "events", "events.csv", "--event", "view")
    assert (found["accepted"], found["rejected"], found["code"]) == (1, 6, 4)
    rejects = [
        json.loads(x) for x in (project / "events.csv.rejects.jsonl").read_text().splitlines()
    ]
    reasons = {each["line"]: each["reason"] for each in rejects}
    assert "write decimals with a point" in reasons[2]
    assert "is no time" in reasons[3]
    assert "no user id" in reasons[4]
    assert "in the future" in reasons[5]
    assert "3 values for 4 columns" in reasons[6]
    assert "price is below 0" in reasons[8]


@pytest.mark.parametrize("more", [(), ("--dry-run",)], ids=["in earnest", "dry"])
@pytest.mark.parametrize(
    ("rows", "code", "status", "share", "last"),
    [
        (("a,1", "b,2"), 0, "complete", 0.0, ""),
        (("a,1", "b,dear", "c,3"), 4, "partial", 0.3333, "1 of 3 rows (33.3%) cannot be used"),
        (("a,1", "b,1e13", "c,1e12"), 4, "partial", 0.3333, "1 of 3 rows (33.3%) cannot be used"),
        (("a,cheap", "b,dear"), 1, "failed", 1.0, "2 of 2 rows (100.0%) cannot be used"),
        ((), 0, "complete", 0.0, ""),
    ],
    ids=["all", "a part", "one beyond the API's bound", "nothing", "no rows"],
)
def test_the_exit_code_tells_how_much_was_taken(
    project: Path,
    rows: tuple[str, ...],
    code: int,
    status: str,
    share: float,
    last: str,
    more: tuple[str, ...],
) -> None:
    """And so do the JSON and the last line."""
    (project / "c.csv").write_text("\n".join(("item_id,price", *rows)) + "\n")
    told = germane(project, "import", "catalogue", "c.csv", *more)
    found = summary(project, "catalogue", "c.csv", *more)  # again: what is known is no failure
    assert (told.returncode, found["code"]) == (code, code)
    assert (found["status"], found["rejectedShare"]) == (status, share)
    end = told.stdout.splitlines()[-1]
    assert end.startswith(last)
    assert (f"Exit code {code}." in end) == bool(code)


def test_items_that_the_catalogue_does_not_have_are_told(project: Path) -> None:
    """How many events speak of how many of them, the most frequent first; by a dry run, too."""
    names = [*(f"old-{n}" for n in range(6) for _ in range(7 - n)), "toy-1", "toy-1"]
    rows = [f"u1,{1_790_000_000 + n},view,{name}" for n, name in enumerate(names)]
    (project / "e.csv").write_text("\n".join(("user_id,timestamp,event,item_id", *rows)) + "\n")
    order = {"user_id": "u1", "timestamp": 1_790_100_000, "event": "purchase", "order_id": "A1"}
    lines = [json.dumps({**order, "item_id": each}) for each in ("old-0", "old-9", "toy-1")]
    (project / "o.jsonl").write_text("\n".join(lines) + "\n")
    files = ("events", "e.csv", "o.jsonl")
    bare = summary(project, *files, "--dry-run")["notInCatalogue"]
    assert (bare["events"], bare["items"]) == (30, 8)  # there is no data folder yet
    assert germane(project, "import", "catalogue", "catalogue.csv").returncode == 0
    first = [f"old-{n}" for n in range(5)]
    meant = {"events": 28, "items": 7, "examples": first}  # 7 + 6 + 5 + 4 + 3 + 2 views, one order
    assert summary(project, *files, "--dry-run")["notInCatalogue"] == meant
    assert summary(project, *files)["notInCatalogue"] == meant
    told = germane(project, "import", *files).stdout  # known already, and missing all the same
    assert (
        f"28 events speak of 7 items that the catalogue does not have ({', '.join(first)} and"
        in told
    )
    assert "germane import catalogue FILE" in told
    (project / "known.csv").write_text(
        "user_id,timestamp,event,item_id\nu2,1790000000,view,toy-1\n"
    )
    assert "catalogue" not in germane(project, "import", "events", "known.csv").stdout


def test_jsonl_gz_and_parquet(project: Path) -> None:
    """The same rows in other formats; typed times; people with their traits."""
    rows = [
        {"user": "g1", "ts": 1_790_000_000 + n, "product_id": f"toy-{n % 5 + 1}", "event": "view"}
        for n in range(20)
    ]
    with gzip.open(project / "a.jsonl.gz", "wt") as file:
        file.write("\n".join(map(json.dumps, rows)) + "\nnot json\n")
    found = summary(project, "events", "a.jsonl.gz")
    assert (found["accepted"], found["rejected"]) == (20, 1)
    half = {"user": "g2", "ts": 1_790_000_000, "event": "view", "note": "cut \ud83d"}
    (project / "half.jsonl").write_text(json.dumps(half) + "\n")
    assert summary(project, "events", "half.jsonl")["accepted"] == 1
    table = pa.table(
        {
            "user_id": ["p1", "p2"],
            "timestamp": pa.array([1_790_000_000_000] * 2, pa.timestamp("ms")),
            "interest": ["Outdoor", None],
        }
    )
    pq.write_table(table, project / "people.parquet")
    assert summary(project, "people", "people.parquet")["accepted"] == 2
    person = json.loads(germane(project, "person", "p1", "--json").stdout)
    assert person["traits"]["interest"]["value"] == "Outdoor"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.csv", "item_id;title;price\nx;Salt, fine;9.5\n"),
        ("c.csv", "item_id\ttitle\tprice\nx\tSalt, fine\t9.5\n"),
        ("c.tsv", "item_id\ttitle\tprice\nx\tSalt, fine\t9.5\n"),
        ("c.csv", "item_id|title|price\nx|Salt, fine|9.5\n"),
        ("c.csv", 'item_id;title;"price, net";price\nx;Salt, fine;8;9.5\n'),
        ("c.csv", "item_id;title;price;price, net, old\nx;Salt, fine;9.5;8\n"),
        ("c.csv", 'item_id,title,price,a;b\nx,"Salt, fine",9.5,8\n'),
    ],
)
def test_columns_may_be_separated_otherwise(project: Path, name: str, text: str) -> None:
    """By semicolons, as spreadsheets of half of Europe write them, by tabs, by bars."""
    (project / name).write_text(text)
    assert summary(project, "catalogue", name)["accepted"] == 1
    item = json.loads(germane(project, "export", "items", "-").stdout)
    assert (item["itemId"], item["title"], item["price"]) == ("x", "Salt, fine", 9.5)


def test_a_separator_that_cannot_be_told(project: Path) -> None:
    """Is named, with what to do."""
    (project / "c.csv").write_text("item_id;title,price\n1;2,3\n")
    done = germane(project, "import", "catalogue", "c.csv")
    assert (done.returncode, "',' or ';'" in done.stderr) == (1, True)
    assert "between quotes" in done.stderr


def test_what_cannot_be_folded_is_no_new_event(project: Path) -> None:
    """A number beyond 64 bits cannot go into the log: it is said, and where to look."""
    row = {"user": "h1", "ts": 1_790_000_000, "event": "view", "sku": "toy-1", "n": 10**30}
    (project / "h.jsonl").write_text(json.dumps(row) + "\n")
    found = summary(project, "events", "h.jsonl")
    assert (found["accepted"], found["duplicates"], found["deadLetters"]) == (0, 0, 1)
    told = germane(project, "import", "events", "h.jsonl")
    assert "germane dead-letters list" in told.stdout
    assert told.stderr == ""
    assert "event.fold_failed" in germane(project, "dead-letters", "list").stdout


def test_errors_of_the_whole(project: Path) -> None:
    """A missing column, a wrong encoding, an unknown format and kind are told with a remedy."""
    (project / "x.csv").write_text("a,b\n1,2\n")
    done = germane(project, "import", "events", "x.csv")
    assert done.returncode == 1
    assert "--map user_id=COLUMN" in done.stderr
    (project / "l.csv").write_bytes("item_id,title\n1,M\xfcsli\n".encode("latin-1"))
    assert "iconv" in germane(project, "import", "catalogue", "l.csv").stderr
    (project / "x.xlsx").write_text("")
    assert "no known format" in germane(project, "import", "catalogue", "x.xlsx").stderr
    assert "cannot be imported" in germane(project, "import", "orders", "x.csv").stderr
    done = germane(project, "import", "catalogue", "catalogue.csv", "--map", "item_id=skuu")
    assert "no column 'skuu'" in done.stderr
    assert "Traceback" not in done.stderr


def test_dry_run_changes_nothing(project: Path) -> None:
    """`--dry-run` reads and checks only."""
    found = summary(project, "catalogue", "catalogue.csv", "--dry-run")
    assert (found["rows"], found["accepted"]) == (64, 0)
    assert (
        json.loads(germane(project, "check", "--json").stdout)["findings"][1]["level"] == "warning"
    )


def test_export_and_dead_letters(project: Path) -> None:
    """What went in comes out; the list of dead letters says when there is none."""
    summary(project, "catalogue", "catalogue.csv")
    done = germane(project, "export", "items", "items.parquet")
    assert done.returncode == 0, done.stderr
    assert pq.read_table(project / "items.parquet").num_rows == 64
    assert "No dead letters" in germane(project, "dead-letters", "list").stdout


def test_check_names_what_is_wrong(project: Path) -> None:
    """A wrong key gives exit code 1, the key and a remedy, and no trace."""
    config = project / "germane.toml"
    config.write_text(config.read_text().replace("size = 12", "sice = 12"))
    done = germane(project, "check")
    assert done.returncode == 1
    assert "surfaces.home-grid.sice" in done.stderr
    assert "Did you mean 'size'" in done.stderr
    assert "Traceback" not in done.stderr


def test_init_does_not_overwrite(project: Path) -> None:
    """A second init says what is there; the keys are for nobody else to read."""
    done = germane(project, "init", ".")
    assert done.returncode == 1
    assert "--force" in done.stderr
    germane(project, "init", "fresh")
    assert (project / "fresh" / ".env").stat().st_mode & 0o777 == 0o600


NAMED = """
[imports.orders]
kind = "events"
event = "purchase"
[imports.orders.columns]
user_id = "wer"
timestamp = "wann"
item_id = "was"
"""


def test_a_named_mapping(project: Path) -> None:
    """`--as NAME` takes columns and event from the configuration; the command line goes first."""
    with (project / "germane.toml").open("a") as file:
        file.write(NAMED)
    (project / "o.csv").write_text("wer,wann,was,warum\nc1,2026-10-01,tent-1,toy-1\n")
    assert summary(project, "events", "o.csv", "--as", "orders")["accepted"] == 1
    told = ("--as", "orders", "--map", "item_id=warum", "--event", "view")
    assert summary(project, "events", "o.csv", *told)["accepted"] == 1  # another event
    person = json.loads(germane(project, "person", "c1", "--json").stdout)
    assert {each["itemId"] for each in person["ownItems"]} == {"tent-1"}
    (project / "p.csv").write_text("wer,wann,was,warum\nc2,2026-10-01,tent-1,toy-1\n")
    assert summary(project, "events", "p.csv", *told)["accepted"] == 1
    person = json.loads(germane(project, "person", "c2", "--json").stdout)
    assert [(each["itemId"], each["signal"]) for each in person["recent"]] == [("toy-1", "view")]


def test_errors_of_a_named_mapping(project: Path) -> None:
    """An unknown name lists the known ones; a mapping is for one kind of rows."""
    (project / "o.csv").write_text("wer,wann,was\nc1,2026-10-01,tent-1\n")
    none = germane(project, "import", "events", "o.csv", "--as", "orders")
    assert "None is declared: add [imports.orders]" in none.stderr
    with (project / "germane.toml").open("a") as file:
        file.write(NAMED + NAMED.replace("orders", "more"))
    wrong = germane(project, "import", "events", "o.csv", "--as", "ordrs")
    assert (wrong.returncode, "Declared: more, orders." in wrong.stderr) == (2, True)
    other = germane(project, "import", "catalogue", "o.csv", "--as", "orders")
    assert "is for events, not for catalogue" in other.stderr
    with (project / "germane.toml").open("a") as file:
        file.write('[imports.bad]\nkind = "evnts"\n')
    check = germane(project, "check")
    assert (check.returncode, "imports.bad.kind" in check.stderr) == (1, True)


def test_a_wrong_event_name_can_be_mended(project: Path) -> None:
    """It is refused by name, with what to do; with the right name the same rows are new events."""
    (project / "o.csv").write_text("user_id,timestamp,item_id\nc1,2026-10-01,tent-1\n")
    wrong = summary(project, "events", "o.csv", "--event", "Odrer Completed")
    assert (wrong["accepted"], wrong["refused"]) == (0, 1)
    assert wrong["undeclared"] == {"track Odrer Completed": 1}
    told = germane(project, "import", "events", "o.csv", "--event", "Odrer Completed").stdout
    assert "0 new events, 1 refused" in told
    assert "refused, nothing declares it" in told
    assert "Did you mean 'Order Completed'?" in " ".join(told.split())
    right = summary(project, "events", "o.csv", "--event", "Order Completed")
    assert (right["accepted"], right["duplicates"], right["undeclared"]) == (1, 0, {})
    again = summary(project, "events", "o.csv", "--event", "purchase")  # the same by its signal
    assert (again["accepted"], again["duplicates"]) == (0, 1)


def test_a_column_that_is_called_event_is_the_event(project: Path) -> None:
    """Whatever stands before it."""
    (project / "o.csv").write_text(
        "type,event,user_id,timestamp,item_id\ntrack,Product Viewed,c1,2026-10-01,tent-1\n"
    )
    found = summary(project, "events", "o.csv")
    assert (found["accepted"], found["undeclared"]) == (1, {})


def person(project: Path, who: str) -> dict[str, Any]:
    """`germane person WHO --json`"""
    found: dict[str, Any] = json.loads(germane(project, "person", who, "--json").stdout)
    return found


ROWS = (
    "who,other,at,colour,ref,what\n"
    "c1,x1,2026-10-01,red,tent-1,purchase\n"
    "c1,x1,2026-10-01,red,tent-1,purchase\n"
)
MAPPED = ("--map", "user_id=who", "--map", "timestamp=at", "--map", "event=what")


@pytest.mark.parametrize(
    ("wrong", "earlier"),
    [
        ((*MAPPED, "--map", "item_id=colour"), "item_id ← colour"),
        (MAPPED, "item_id ← no column"),
        ((*MAPPED, "--map", "item_id=ref", "--map", "user_id=other"), "user_id ← other"),
    ],
)
def test_a_wrong_mapping_can_be_mended(project: Path, wrong: tuple[str, ...], earlier: str) -> None:
    """Imported again by the right columns, the rows count for what they are; it is said what stays."""
    (project / "o.csv").write_text(ROWS)
    right = (*MAPPED, "--map", "item_id=ref")
    first = summary(project, "events", "o.csv", *wrong)
    assert (first["accepted"], first["remarks"]) == (2, [])
    second = summary(project, "events", "o.csv", *right)
    assert (second["accepted"], second["duplicates"]) == (2, 0)
    assert earlier in second["remarks"][0]
    assert "stays in the log" in second["remarks"][0]
    own = {each["itemId"]: each["count"] for each in person(project, "c1")["ownItems"]}
    assert own["tent-1"] == 2
    third = summary(project, "events", "o.csv", *right)
    assert (third["accepted"], third["duplicates"], third["remarks"]) == (0, 2, [])


def test_names_of_a_wrong_column_are_refused_and_nothing_stays(project: Path) -> None:
    """No signal is declared for what stands there: by the right column the rows are the first."""
    (project / "o.csv").write_text(ROWS)
    right = (*MAPPED, "--map", "item_id=ref")
    first = summary(project, "events", "o.csv", *right, "--map", "event=colour")
    assert (first["accepted"], first["refused"]) == (0, 2)
    assert all(name.startswith("track ") for name in first["undeclared"])
    second = summary(project, "events", "o.csv", *right)
    assert (second["accepted"], second["duplicates"], second["remarks"]) == (2, 0, [])


def test_another_column_of_times_counts_nothing_twice(project: Path) -> None:
    """The same event, person and item is the same event; what stays is said each time."""
    text = "user_id,item_id,ordered,delivered\nc1,tent-1,2026-09-01,2026-10-01\n"
    (project / "o.csv").write_text(text)
    arguments = ("events", "o.csv", "--event", "purchase", "--map")
    assert summary(project, *arguments, "timestamp=delivered")["accepted"] == 1
    for _ in range(2):
        again = summary(project, *arguments, "timestamp=ordered")
        assert (again["accepted"], again["duplicates"]) == (0, 1)
        assert "timestamp ← delivered" in again["remarks"][0]
    told = germane(project, "import", *arguments, "timestamp=ordered").stdout
    assert "keep what they meant" in told
    assert "empty data folder" in told


def test_people_under_another_mapping(project: Path) -> None:
    """They are told of anew, at the time that the right column says."""
    (project / "p.csv").write_text(
        "id,mail,interest,date,since\n7,a@x,Outdoor,2026-01-01,2026-09-01\n"
    )
    assert summary(project, "people", "p.csv", "--map", "user_id=mail")["accepted"] == 1
    right = ("people", "p.csv", "--map", "timestamp=since")
    found = summary(project, *right)
    assert (found["accepted"], "user_id ← mail" in found["remarks"][0]) == (1, True)
    assert person(project, "7")["traits"]["interest"]["declared"].startswith("2026-09-01")
    assert summary(project, *right)["duplicates"] == 1


def test_a_category_that_is_a_path(project: Path) -> None:
    """A list is a path from broad to narrow, not the text of a list."""
    (project / "c.jsonl").write_text('{"item_id": "x", "category": ["Garden", "Hoses"]}\n')
    assert summary(project, "catalogue", "c.jsonl")["accepted"] == 1
    (line,) = germane(project, "export", "items", "-").stdout.splitlines()
    item = json.loads(line)
    assert (item["category"], item["categories"]) == ("Hoses", ["Garden", "Hoses"])


def test_an_export_that_cannot_be_written(project: Path) -> None:
    """One line that says so."""
    assert germane(project, "import", "catalogue", "catalogue.csv").returncode == 0
    for name, said, code in (
        ("no/x.jsonl", "cannot be written", 1),
        ("x.csv", "no known form", 2),
    ):
        done = germane(project, "export", "items", name)
        assert done.returncode == code
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_an_export_of_an_unknown_person_is_not_everyones(project: Path) -> None:
    """A mistyped id is an error, whatever is exported, and leaves no file."""
    assert germane(project, "import", "catalogue", "catalogue.csv").returncode == 0
    assert germane(project, "decide", "ann", "home-grid", "--record").returncode == 0
    for kind in ("events", "decisions", "people"):
        for who in ("nobody", ""):
            done = germane(project, "export", kind, "x.jsonl", "--person", who)
            assert done.returncode == 1
            assert "Nothing is known about" in done.stderr
            assert not (project / "x.jsonl").exists()


def test_features_are_exported_as_base64(project: Path) -> None:
    """Not as what Python writes for bytes."""
    assert germane(project, "import", "catalogue", "catalogue.csv").returncode == 0
    assert germane(project, "decide", "ann", "home-grid", "--record").returncode == 0
    row = json.loads(germane(project, "export", "decisions", "-").stdout)
    assert len(b64decode(row["items"][0]["features"], validate=True)) % 2 == 0


def test_an_export_of_a_merged_person_is_whole(project: Path) -> None:
    """With what was done as a visitor, by whichever key is asked."""
    rows = [
        {"anonymous_id": "v1", "ts": 1_790_000_000, "event": "view", "sku": "toy-1"},
        {"anonymous_id": "v2", "ts": 1_790_000_001, "event": "view", "sku": "toy-2"},
        {"user": "ann", "ts": 1_790_000_002, "event": "view", "sku": "toy-3"},
    ]
    (project / "e.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert summary(project, "events", "e.jsonl")["accepted"] == 3
    loaded = load(project / "germane.toml", {})
    engine = open_engine(loaded.settings, project / "germane-data")
    engine.accept_now([Event("i", "identify", 1, user_id="ann", anonymous_id="v1")])
    engine.store.close()
    for who in ("ann", "u:ann", "v1", "a:v1"):
        done = germane(project, "export", "events", "-", "--person", who)
        found = [json.loads(each)["person"] for each in done.stdout.splitlines()]
        assert found == ["a:v1", "u:ann", "u:ann"]
    items = germane(project, "export", "items", "-", "--person", "ann")
    assert (items.returncode, "leave --person out" in items.stderr) == (2, True)


def test_what_cannot_be_folded_waits_once(project: Path) -> None:
    """However often its file is imported."""
    row = {"user": "h1", "ts": 1_790_000_000, "event": "view", "sku": "toy-1", "n": 10**30}
    (project / "h.jsonl").write_text(json.dumps(row) + "\n")
    found = [summary(project, "events", "h.jsonl") for _ in range(3)]
    assert [each["deadLetters"] for each in found] == [1, 0, 0]
    assert [each["deadLettersKnown"] for each in found] == [0, 1, 1]
    assert [each["code"] for each in found] == [1, 1, 1]
    assert "its dead letter waits already" in germane(project, "import", "events", "h.jsonl").stdout
    with closing(
        open_engine(load(project / "germane.toml", {}).settings, project / "germane-data").store
    ) as store:
        assert len(store.letters()) == 1


def test_many_events_are_learned_by_a_second_process(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a word of it in what is said, and with the same log and state in the end."""
    lines = [
        f"2026-01-{1 + n // 20:02d}T{n % 20:02d}:00:00Z,u{n % 7},i{n % 11},Product Viewed"
        for n in range(200)
    ]
    (project / "views.csv").write_text("\n".join(["timestamp,user_id,item_id,event", *lines]))
    config, said, kept = project / "germane.toml", [], []
    started = Counter[str]()
    for folder, least in (("one", 1_000), ("two", 100)):
        monkeypatch.setattr("germane.app.apart.APART_FROM", least)
        with monkeypatch.context() as patch:
            patch.setattr("germane.app.apart.Apart.send", _counting(started, folder))
            place = ["--config", str(config), "--data", str(project / folder), "--json"]
            done = RUN.invoke(app, ["import", "events", str(project / "views.csv"), *place])
        assert done.exit_code == 0, done.output
        said.append({**json.loads(done.stdout), "seconds": 0, "rowsPerSecond": 0})
        with closing(open_engine(load(config, {}).settings, project / folder).store) as store:
            kept.append((store.state_hash(), [_timeless(each) for each in store.read(0)]))
    assert started == {"two": 1}
    assert said[0] == said[1]
    assert kept[0] == kept[1]


def _counting(started: Counter[str], name: str) -> Callable[[Apart, Sequence[Record]], None]:
    send = Apart.send

    def counted(self: Apart, records: Sequence[Record]) -> None:
        started[name] += 1
        send(self, records)

    return counted


def _timeless(record: Record) -> Record:
    """But for when it came, and what an id that was made up is."""
    return replace(record, received_ms=0, message_id="", body=b"", derived=b"")
