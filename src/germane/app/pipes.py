"""Messages over a pipe to a process of our own and back: the length, then the bytes."""

from __future__ import annotations

import struct
from typing import BinaryIO

_LENGTH = struct.Struct("<Q")


def put(pipe: BinaryIO, data: bytes) -> None:
    """Send a message."""
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def get(pipe: BinaryIO) -> bytes:
    """Receive a message.

    Raises:
        EOFError: the other side has ended.
    """
    size = pipe.read(_LENGTH.size)
    if len(size) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(size)
    data = pipe.read(length)
    if len(data) < length:
        raise EOFError
    return data


def there(pipe: object) -> BinaryIO:
    """A pipe that was asked for when the process was started."""
    assert pipe is not None, "it was asked for"
    return pipe  # type: ignore[return-value]
