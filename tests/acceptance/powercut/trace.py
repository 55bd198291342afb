"""What strace recorded, as operations on a disk and answers on connections."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.acceptance.powercut.disk import SHARED_MEMORY, Op

CHANGES = (
    "openat", "write", "pwrite64", "lseek", "ftruncate", "rename", "renameat", "renameat2", "unlink",
    "unlinkat", "mkdir", "mkdirat", "rmdir", "fsync", "fdatasync",
)  # fmt: skip
_BY_PATH = (
    "openat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "creat",
    "truncate", "link", "linkat", "symlink", "symlinkat",
)  # fmt: skip
FOREIGN = (
    "creat", "writev", "pwritev", "pwritev2", "truncate", "fallocate", "link", "linkat", "symlink", "symlinkat",
    "sync_file_range", "copy_file_range", "sendfile", "mmap",
)  # fmt: skip
"""Would change a disk, too, and are not in the model: a trace that has one of them is refused."""
STRACE = (
    "-D", "-f", "--seccomp-bpf", "-qq", "-xx", "-yy", "-ttt", "-s", str(1 << 26),
    "-e", "signal=none", "-e", f"trace={','.join((*CHANGES, *FOREIGN))}",
)  # fmt: skip
_LINE = re.compile(r"(\d+) +(\d+\.\d+) (.*)", re.DOTALL)
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)", re.DOTALL)
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+|\?)", re.DOTALL)
_OF_FD = re.compile(r"(\d+|AT_FDCWD)<((?:\\x[0-9a-f]{2})*)>(\(deleted\))?")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_PEER = re.compile(r"write\(\d+<TCP(?:v6)?:\[[^\]]*->[^\]]*:(\d+)\]>, \"((?:\\x[0-9a-f]{2}){9})")
_HTTP = b"HTTP/1.1 "
UNFINISHED = " <unfinished ...>"


class Answer(NamedTuple):
    """The beginning of an HTTP answer to the client on a port of its own."""

    port: int


class Line(NamedTuple):
    """A line of a trace."""

    at_s: float
    thread: int
    text: str


@dataclass(slots=True)
class Reader:
    """Turns lines into operations; ``place`` is the folder that is looked at."""

    place: str
    _hex: str = ""
    _begun: dict[int, str] = field(default_factory=dict)
    """Thread -> the call that it is in."""
    _syncing: dict[int, int] = field(default_factory=dict)
    _syncs: int = 0
    _positions: dict[tuple[str, str], int] = field(default_factory=dict)
    """(path, descriptor) -> where the next ``write`` goes; -1: to the end."""

    def __post_init__(self) -> None:
        self._hex = _hexed(self.place)

    def read(self, lines: Iterable[Line]) -> Iterator[Op | Answer]:
        """In order: a change counts when its call returns, an answer when its call begins."""
        for line in lines:
            text, resumed = line.text, _RESUMED.match(line.text)
            if resumed is not None:
                begun = self._begun.pop(line.thread, "")
                if begun:
                    yield from self._returned(begun + resumed[1], line.thread)
                continue
            if answer := _answer(text):
                yield answer
                continue
            if self._hex not in text:
                continue
            if text.endswith(UNFINISHED):
                self._begun[line.thread] = text.removesuffix(UNFINISHED)
                yield from self._sync_begins(text, line.thread)
                continue
            yield from self._sync_begins(text, line.thread)
            yield from self._returned(text, line.thread)
        open_still = [each[:300] for each in self._begun.values() if "sync(" not in each]
        assert not open_still, f"killed in the middle of a call: {open_still}"

    def _sync_begins(self, text: str, thread: int) -> Iterator[Op]:
        if text.startswith(("fsync(", "fdatasync(")) and self._meant("fsync", text):
            self._syncs += 1
            self._syncing[thread] = self._syncs
            yield Op("begin", self._of_fd(text)[1], self._syncs)

    def _returned(self, text: str, thread: int) -> Iterator[Op]:
        call = _CALL.match(text)
        assert call is not None, text[:500]
        name, arguments, result = call.groups()
        if not self._meant(name, arguments):
            return
        if result == "?" or int(result) < 0:
            failed = "sync" in name and result != "?"
            assert not failed, f"a sync that fails is not in the model: {text[:300]}"
            return
        match name:
            case "openat":
                yield from self._opened(arguments, result)
            case "write" | "pwrite64":
                yield from self._written(arguments, int(result))
            case "lseek":
                key = self._of_fd(arguments)
                if self._positions.get(key, -1) >= 0:
                    self._positions[key] = int(result)
            case "ftruncate":
                yield Op("resize", self._of_fd(arguments)[1], int(arguments.rpartition(", ")[2]))
            case "rename" | "renameat" | "renameat2":
                source, target = _paths(arguments)
                yield Op("rename", source, to=target)
            case "unlink" | "unlinkat" | "rmdir":
                yield Op("unname", _paths(arguments)[-1])
            case "mkdir" | "mkdirat":
                yield Op("name", _paths(arguments)[-1])
            case "fsync" | "fdatasync":
                yield Op("end", self._of_fd(arguments)[1], self._syncing.pop(thread))
            case _:
                _refuse_foreign(name, arguments, text)

    def _meant(self, name: str, arguments: str) -> bool:
        """Whether it is about something below the place."""
        if name in _BY_PATH:
            return any(self._below(each) for each in _paths(arguments))
        found = _OF_FD.search(arguments)
        return found is not None and self._below(_bytes(found[2]).decode())

    def _below(self, path: str) -> bool:
        return path == self.place or path.startswith(f"{self.place}/")

    def _opened(self, arguments: str, result: str) -> Iterator[Op]:
        path = _paths(arguments)[-1]
        self._positions[result, path] = -1 if "O_APPEND" in arguments else 0
        if "O_CREAT" in arguments:
            yield Op("create", path)
        if "O_TRUNC" in arguments:
            yield Op("resize", path, 0)

    def _written(self, arguments: str, count: int) -> Iterator[Op]:
        key = self._of_fd(arguments)
        if key[1].endswith(SHARED_MEMORY):
            return
        text = _TEXT.search(arguments)
        assert text is not None, arguments[-100:]
        assert not text[2], "the trace has only the beginning of a write"
        data = _bytes(text[1])[:count]
        at = re.fullmatch(r", \d+(?:, (\d+))?", arguments[text.end() :])
        assert at is not None, arguments[-100:]
        if at[1] is not None:
            yield Op("write", key[1], int(at[1]), data)
            return
        offset = self._positions[key]
        if offset >= 0:
            self._positions[key] += count
        yield Op("write", key[1], offset, data)

    def _of_fd(self, text: str) -> tuple[str, str]:
        found = _OF_FD.search(text)
        assert found is not None, text[:200]
        assert not found[3], f"a file without a name is not in the model: {text[:200]}"
        return found[1], _bytes(found[2]).decode()


def merged(traces: Iterable[Path]) -> list[Line]:
    """Lines of traces that were made at the same time, in order."""
    found = [line for each in traces for line in _lines(each)]
    return sorted(found, key=lambda line: line.at_s)


def _lines(trace: Path) -> Iterator[Line]:
    with trace.open(encoding="ascii") as file:
        for each in file:
            found = _LINE.match(each.rstrip("\n"))
            assert found is not None, each[:200]
            yield Line(float(found[2]), int(found[1]), found[3])


def _answer(text: str) -> Answer | None:
    peer = _PEER.match(text)
    return Answer(int(peer[1])) if peer is not None and _bytes(peer[2]) == _HTTP else None


def _paths(arguments: str) -> list[str]:
    """Paths among the arguments, made whole with the folder that stands before them."""
    found = []
    for each in _TEXT.finditer(arguments):
        path = _bytes(each[1]).decode()
        if not path.startswith("/"):
            folder = _OF_FD.findall(arguments[: each.start()])[-1]
            path = f"{_bytes(folder[1]).decode()}/{path}"
        found.append(path)
    return found


def _refuse_foreign(name: str, arguments: str, text: str) -> None:
    shared = "MAP_SHARED" in arguments and "PROT_WRITE" in arguments
    harmless = name == "mmap" and (not shared or _hexed(SHARED_MEMORY) in arguments)
    assert harmless, f"{name} is not in the model: {text[:300]}"


def _hexed(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
