"""A disk that knows what a power cut may take from it.

The model, harsher than any one file system is:

* What a file holds is durable when an fsync or fdatasync of it, begun after the write, has returned. Of what
  was written since, each 512-byte sector is what it was at some moment since: the old bytes, the new ones, or
  those between two writes. Sectors are not torn in themselves.
* Its length changes in the order of the calls, and a part of the changes may be missing, whatever became
  of the sectors. Where it grew and no data came, there are zeros, or, in a quarter of the cuts, garbage.
* A name (create, rename, unlink, mkdir, rmdir) is durable when an fsync of its folder has returned; syncing
  the file does not help. Of the changes since, in half of the cuts the first ones are there (a journal), in the
  others any of them (no order). A rename happens as a whole or not at all. Folders are independent.
* Shared memory (``-shm``) is garbage.

Not in the model: sectors that change without being written, a drive that lies about a sync, a sync that fails.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import NamedTuple

SECTOR = 512
SHARED_MEMORY = "-shm"
SHARED_BYTES = 32_768
PARTS = (0.0, 0.1, 0.5, 0.9, 1.0)
"""Shares of what is not synced that come through; each cut draws one for each file and folder."""


class Change(NamedTuple):
    """To a file: bytes at an offset; without bytes the offset is its new length."""

    offset: int
    data: bytes | None


class Renaming(NamedTuple):
    """In a folder: a name gets a node, or loses it (``None``); another name is lost with it."""

    name: str
    node: Node | None
    before: str = ""


@dataclass(slots=True, eq=False)
class File:
    """What is durable, and what came since."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Change] = field(default_factory=list)
    flushed: int = 0
    """So many changes are durable."""
    size: int = 0
    """As running programs see it."""

    def change(self, offset: int, data: bytes | None) -> None:
        """Write, or set the length."""
        self.pending.append(Change(offset, data))
        self.size = offset if data is None else max(self.size, offset + len(data))

    def flush(self, count: int) -> None:
        """The first ``count`` changes are durable."""
        for offset, data in self.pending[:count]:
            if data is None:
                _resize(self.durable, offset)
            else:
                _resize(self.durable, max(len(self.durable), offset))
                self.durable[offset : offset + len(data)] = data
        del self.pending[:count]
        self.flushed += count

    def cut(self, chance: Random) -> bytes:
        """As a power cut may leave it."""
        if not self.pending:
            return bytes(self.durable)
        share, torn = chance.choice(PARTS), chance.random() < 0.5
        count, kept = len(self.pending), dict[int, int]()
        lengths = chance.randint(0, count)  # so many changes of the length came through

        def moment(sector: int) -> int:
            """A sector has what was written to it before this change."""
            if sector not in kept:
                through = chance.random() < share
                kept[sector] = 0 if not through else chance.randint(1, count) if torn else count
            return kept[sector]

        found, size = bytearray(self.durable), len(self.durable)
        garbage = chance.random() < 0.25
        for n, (offset, data) in enumerate(self.pending):
            if data is None:
                if n < lengths:
                    size = offset
                    del found[offset:]
                continue
            if n < lengths:
                size = max(size, offset + len(data))
            if (grown := offset + len(data) - len(found)) > 0:
                found += chance.randbytes(grown) if garbage else bytes(grown)
            for start, end in _sectors(offset, len(data)):
                if n < moment(start // SECTOR):
                    found[start:end] = data[start - offset : end - offset]
        _resize(found, size)
        return bytes(found)


@dataclass(slots=True, eq=False)
class Folder:
    """Names: durable, as running programs see them, and what changed since."""

    durable: dict[str, Node] = field(default_factory=dict)
    now: dict[str, Node] = field(default_factory=dict)
    pending: list[Renaming] = field(default_factory=list)
    flushed: int = 0

    def change(self, name: str, node: Node | None, before: str = "") -> None:
        """Give a name to a node, or take it; ``before``: the node's former name."""
        self.pending.append(Renaming(name, node, before))
        _renamed(self.now, self.pending[-1])

    def flush(self, count: int) -> None:
        """The first ``count`` changes are durable."""
        for each in self.pending[:count]:
            _renamed(self.durable, each)
        del self.pending[:count]
        self.flushed += count

    def cut(self, chance: Random) -> dict[str, Node]:
        """Names that a power cut may leave."""
        found = dict(self.durable)
        if chance.random() < 0.5:
            through = self.pending[: chance.randint(0, len(self.pending))]
        else:
            share = chance.choice(PARTS)
            through = [each for each in self.pending if chance.random() < share]
        for each in through:
            _renamed(found, each)
        return found


Node = File | Folder


class Op(NamedTuple):
    """What a program did to the disk. ``kind``: create, write, resize, name, unname, rename, begin, end."""

    kind: str
    path: str
    number: int = 0
    """The offset, the length, or which sync; an offset of -1 is the end of the file."""
    data: bytes = b""
    to: str = ""


class Disk:
    """A tree below one durable, empty folder."""

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/")
        self._tree = Folder()
        self._syncs: dict[int, tuple[Node, int]] = {}

    def apply(self, op: Op) -> None:
        """Take the next thing that a program did."""
        match op.kind:
            case "create":
                folder, name = self._place(op.path)
                if name not in folder.now:
                    folder.change(name, File())
            case "write":
                file = self._file(op.path)
                file.change(file.size if op.number < 0 else op.number, op.data)
            case "resize":
                self._file(op.path).change(op.number, None)
            case "name":
                folder, name = self._place(op.path)
                folder.change(name, Folder())
            case "unname":
                folder, name = self._place(op.path)
                folder.change(name, None)
            case "rename":
                folder, name = self._place(op.path)
                target, to = self._place(op.to)
                assert folder is target, f"{op.path} moves to another folder: not in the model"
                folder.change(to, folder.now[name], name)
            case "begin":
                node = self._node(op.path)
                self._syncs[op.number] = node, node.flushed + len(node.pending)
            case "end":
                node, upto = self._syncs.pop(op.number)
                node.flush(max(upto - node.flushed, 0))  # another sync may have been quicker
            case _:
                raise AssertionError(op.kind)

    def cut(self, chance: Random) -> dict[str, bytes | None]:
        """Path below the root -> content, as a power cut may leave it; ``None``: it is a folder."""
        found: dict[str, bytes | None] = {}
        _cut(self._tree, "", chance, found)
        return found

    def _node(self, path: str) -> Node:
        node: Node = self._tree
        for name in filter(None, path.removeprefix(self._root).split("/")):
            assert isinstance(node, Folder), path
            node = node.now[name]
        return node

    def _file(self, path: str) -> File:
        node = self._node(path)
        assert isinstance(node, File), path
        return node

    def _place(self, path: str) -> tuple[Folder, str]:
        folder, _, name = path.rpartition("/")
        node = self._node(folder)
        assert isinstance(node, Folder), path
        return node, name


def _cut(folder: Folder, place: str, chance: Random, found: dict[str, bytes | None]) -> None:
    for name, node in folder.cut(chance).items():
        path = f"{place}{name}"
        if isinstance(node, Folder):
            found[path] = None
            _cut(node, f"{path}/", chance, found)
        elif name.endswith(SHARED_MEMORY):
            found[path] = chance.randbytes(SHARED_BYTES)
        else:
            found[path] = node.cut(chance)


def _sectors(offset: int, length: int) -> list[tuple[int, int]]:
    """Where a piece of a file lies, sector by sector."""
    first = offset - offset % SECTOR
    edges = [offset, *range(first + SECTOR, offset + length, SECTOR), offset + length]
    return list(pairwise(edges)) if length else []


def _renamed(names: dict[str, Node], change: Renaming) -> None:
    if change.before:
        names.pop(change.before, None)
    if change.node is None:
        names.pop(change.name, None)
    else:
        names[change.name] = change.node


def _resize(data: bytearray, size: int) -> None:
    if size < len(data):
        del data[size:]
    else:
        data += bytes(size - len(data))
