"""An import that ends before its end says what is stored by then, and how to go on."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from germane.cli import stopped
from germane.cli.summary import Summary
from germane.domain.errors import ImportFailed, StorageFailed
from tests.unit.cli.test_rights import place, typed

__all__ = ["place"]
KNOWN = "Then run the same command again: what is stored is known and counts once."


def views(place: Path, name: str, count: int) -> Path:
    """A file of views of one person, packed."""
    path = place / name
    rows = (
        {"user": name, "ts": 1_790_000_000 + n, "event": "view", "sku": "a"} for n in range(count)
    )
    path.write_bytes(gzip.compress("".join(json.dumps(each) + "\n" for each in rows).encode(), 0))
    return path


def cut(path: Path) -> Path:
    """Of which the end is missing."""
    path.write_bytes(path.read_bytes()[:-2_000])
    return path


def imported(place: Path, *files: Path, kind: str = "events") -> dict[str, Any]:
    """What an import of files says."""
    return dict(json.loads(typed(place, "import", kind, *map(str, files), "--json")))


def test_a_second_file_that_cannot_be_read_to_its_end(place: Path) -> None:
    """What is stored of the first one is said; the same command goes on when the file is mended."""
    first, second = views(place, "a.jsonl.gz", 120), cut(views(place, "b.jsonl.gz", 300))
    with pytest.raises(ImportFailed, match=r"b\.jsonl\.gz cannot be read") as caught:
        imported(place, first, second)
    remedy, read, again = caught.value.hint.splitlines()
    assert remedy == "Copy or export it again."
    assert read.startswith("Read ")
    assert read.endswith(" rows (all of a.jsonl.gz); 120 new records stored.")
    assert again == KNOWN
    found = imported(place, first, views(place, "b.jsonl.gz", 300))
    assert (found["accepted"], found["duplicates"]) == (300, 120)


def test_nothing_is_stored_by_a_dry_run(place: Path) -> None:
    """Then there is nothing to go on with."""
    files = views(place, "a.jsonl.gz", 120), cut(views(place, "b.jsonl.gz", 300))
    with pytest.raises(ImportFailed) as caught:
        typed(place, "import", "events", *map(str, files), "--dry-run")
    _, read = caught.value.hint.splitlines()
    assert read.endswith(" rows (all of a.jsonl.gz); nothing was to be stored.")


def test_of_consent_nothing_is_stored_before_all_is_read(place: Path) -> None:
    """And that is said."""
    rows = "".join(f"p{n},email_marketing,yes,2024-01-01,{'x' * 50}\n" for n in range(300)).encode()
    head = b"person,purpose,granted,at,page\n"
    first, second = place / "a.csv", place / "b.csv.gz"
    first.write_bytes(head + rows)
    second.write_bytes(gzip.compress(head + rows, 0)[:-2_000])
    with pytest.raises(ImportFailed) as caught:
        imported(place, first, second, kind="consents")
    assert " rows (all of a.csv); 0 new records stored." in caught.value.hint


def test_what_the_error_says_stays(capsys: pytest.CaptureFixture[str]) -> None:
    """Its own remedy comes first. A bug is no error, and Ctrl-C has no hint."""
    summary = Summary(rows=3)
    with pytest.raises(StorageFailed) as caught, stopped.told(summary, lambda: 2):
        raise StorageFailed("No.", hint="Look.")
    assert caught.value.hint == f"Look.\nRead 3 rows; 2 new records stored.\n{KNOWN}"
    with pytest.raises(ZeroDivisionError), stopped.told(summary, lambda: 2):
        1 / 0  # noqa: B018
    with pytest.raises(KeyboardInterrupt), stopped.told(summary, lambda: 2):
        raise KeyboardInterrupt
    assert capsys.readouterr().err == (
        "Read 3 rows; 2 new records stored.\nRun the same command again to go on: what is stored is "
        "known and counts once.\n"
    )


@pytest.mark.parametrize(
    ("read", "dry", "says"),
    [
        ([], False, "Nothing is imported yet"),
        (["a.csv"], False, "Nothing is imported yet"),
        (["a.csv", "b.csv"], False, "read and stored. Run the same command again"),
        (["a.csv", "b.csv"], True, "nothing was to be stored"),
    ],
)
def test_before_the_first_row_and_after_the_last(
    capsys: pytest.CaptureFixture[str], read: list[str], dry: bool, says: str
) -> None:
    """While files are looked at, and while the data folder is closed: said as well, and once."""
    summary = Summary(read=read)
    with pytest.raises(KeyboardInterrupt), stopped.around(summary, 2, dry_run=dry):
        raise KeyboardInterrupt
    assert says in capsys.readouterr().err
    with (
        pytest.raises(KeyboardInterrupt),
        stopped.around(summary, 2, dry_run=dry),
        stopped.told(summary, None),
    ):
        raise KeyboardInterrupt
    assert capsys.readouterr().err.startswith("Read 0 rows")
    with pytest.raises(ZeroDivisionError), stopped.around(summary, 2, dry_run=dry):
        1 / 0  # noqa: B018
    assert not capsys.readouterr().err
