"""Reading what strace wrote."""

from __future__ import annotations

import pytest

from tests.acceptance.powercut.disk import Op
from tests.acceptance.powercut.trace import Answer, Line, Reader


def hexed(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def read(*texts: str | tuple[int, str]) -> list[Op | Answer]:
    """Lines of thread 1, or of another one."""
    lines = [(1, each) if isinstance(each, str) else each for each in texts]
    found = [Line(float(n), thread, text) for n, (thread, text) in enumerate(lines)]
    return list(Reader("/place").read(found))


FILE = f"3<{hexed('/place/f')}>"
WRITTEN = f'pwrite64({FILE}, "{hexed("data")}", 4, 8) = 4'


def test_writes_and_where_they_go() -> None:
    """``write`` goes on where the last one ended, or to the end of a file that is open for that."""
    opened = (
        f'openat(AT_FDCWD<{hexed("/home")}>, "{hexed("/place/f")}", O_RDWR|O_CREAT, 0644) = {FILE}'
    )
    written = f'write({FILE}, "{hexed("ab")}", 2) = 2'
    assert read(opened, written, written, WRITTEN) == [
        Op("create", "/place/f"),
        Op("write", "/place/f", 0, b"ab"),
        Op("write", "/place/f", 2, b"ab"),
        Op("write", "/place/f", 8, b"data"),
    ]
    to_the_end = opened.replace("O_RDWR", "O_RDWR|O_APPEND")
    assert read(to_the_end, written)[1] == Op("write", "/place/f", -1, b"ab")


def test_a_short_write_counts_as_far_as_it_came() -> None:
    assert read(WRITTEN.replace("= 4", "= 1")) == [Op("write", "/place/f", 8, b"d")]


def test_names() -> None:
    """Relative ones, too."""
    folder = f"5<{hexed('/place/d')}>"
    assert read(
        f'mkdir("{hexed("/place/d")}", 0777) = 0',
        f'unlinkat({folder}, "{hexed("f")}", 0) = 0',
        f'rename("{hexed("/place/a")}", "{hexed("/place/b")}") = 0',
        f'unlink("{hexed("/place/none")}") = -1 ENOENT (No such file or directory)',
    ) == [
        Op("name", "/place/d"),
        Op("unname", "/place/d/f"),
        Op("rename", "/place/a", to="/place/b"),
    ]


def test_a_sync_covers_what_was_written_before_it_began() -> None:
    """Another thread writes while it goes on."""
    found = read(f"fdatasync({FILE} <unfinished ...>", (2, WRITTEN), "<... fdatasync resumed>) = 0")
    assert [(each.kind, each.number) for each in found if isinstance(each, Op)] == [
        ("begin", 1),
        ("write", 8),
        ("end", 1),
    ]


def test_a_sync_that_a_kill_breaks_off_never_ends() -> None:
    """Whatever strace says of it."""
    for said in (f"fsync({FILE} <unfinished ...>", f"fsync({FILE}) = ?"):
        assert read(said) == [Op("begin", "/place/f", 1)]


def test_an_answer_counts_when_it_begins() -> None:
    socket = "7<TCP:[127.0.0.1:80->127.0.0.1:4321]>"
    first = f'write({socket}, "{hexed("HTTP/1.1 200 OK")}", 15) = 15'
    body = f'write({socket}, "{hexed("{}       rest")}", 13) = 13'
    assert read(first, body) == [Answer(4321)]


def test_other_places_are_not_looked_at() -> None:
    """Though what is written there may tell of this one."""
    elsewhere = f"3<{hexed('/home/log')}>"
    assert read(f'write({elsewhere}, "{hexed("opened /place/f")}", 15) = 15') == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"fallocate({FILE}, 0, 0, 4096) = 0", "fallocate is not in the model"),
        (f"mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, {FILE}, 0) = 0x7f", "mmap is not"),
        (f"fsync({FILE}) = -1 EIO (Input/output error)", "a sync that fails"),
        (f'write({FILE}(deleted), "{hexed("ab")}", 2) = 2', "a file without a name"),
        (WRITTEN.replace('", 4', '"..., 4'), "only the beginning"),
        (WRITTEN.replace(") = 4", " <unfinished ...>"), "in the middle of a call"),
    ],
)
def test_what_is_not_in_the_model_is_refused(text: str, why: str) -> None:
    """Rather than passed over."""
    with pytest.raises(AssertionError, match=why):
        read(text)
