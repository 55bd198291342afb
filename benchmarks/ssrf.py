"""Webhooks that would lead inside: `just bench ssrf`.

300 URLs for addresses that no webhook may reach: written plainly and in disguise, and behind names that resolve to
them, some of them only at the second look. Every connection that this process tries to open is counted by an audit
hook of the interpreter, and every one that reaches a listening socket on all addresses of this machine by that
socket. A control shows that both do count.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import random
import socket
import sys
from collections.abc import Sequence
from typing import Any

from benchmarks.figures import record
from germane.deliver.channels.egress import Egress, Failed, Forbidden

COMMAND = "just bench ssrf"
COUNT = 300
NETWORKS = (
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10",
    "0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32", "168.63.129.16/32", "169.254.169.254/32",
    "100.100.100.200/32",
)  # fmt: skip
NETWORKS_6 = (
    "::1/128", "::/128", "fe80::/10", "fc00::/7", "fd00:ec2::254/128", "ff02::/16", "2001:db8::/32",
    "2001::/32", "fec0::/10", "100::/64", "64:ff9b:1::/48",
)  # fmt: skip
TRICKS = (
    "https://user@127.0.0.1:{port}/", "https://public.example@127.0.0.1:{port}/", "https://127.0.0.1:{port}#x",
    "https://127.0.0.1:{port}\\@public.example/", "https://127.1:{port}/", "https://0:{port}/",
    "https://127.0.1:{port}/", "https://①②⑦.⓪.⓪.①:{port}/", "https://127。0。0。1:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/", "https://[::127.0.0.1]:{port}/", "https://[fe80::1%25eth0]:{port}/",
    "https://localhost:{port}/", "https://LOCALHOST.:{port}/", "https://127.0.0.1.:{port}/",
    "https://0x7f.0x0.0x0.0x1:{port}/", "https://0177.0.0.01:{port}/", "https://00000000000000000177.0.0.1:{port}/",
    "http://127.0.0.1:{port}/", "ftp://127.0.0.1:{port}/", "file:///etc/passwd", "gopher://127.0.0.1:{port}/",
    "//127.0.0.1:{port}/", "https:///127.0.0.1:{port}/", "https://127.0.0.1\t:{port}/", "https://127.0.0.1\n:{port}/",
    "https://[64:ff9b::7f00:1]:{port}/", "https://[2002:7f00:1::]:{port}/", "https://[::ffff:0:127.0.0.1]:{port}/",
    "https://[fe80::5efe:127.0.0.1]:{port}/",
)  # fmt: skip


def inner(chance: random.Random) -> str:
    """An address that is not public."""
    network = ipaddress.ip_network(chance.choice(NETWORKS + NETWORKS_6))
    return str(network[chance.randrange(min(network.num_addresses, 2**60))])


def disguised(address: str, chance: random.Random) -> str:
    """An address as a host of a URL, in one of the ways that some program understands."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        return f"[{chance.choice((str(found), found.exploded))}]"
    number, parts = int(found), address.split(".")
    high, low = number >> 16, number & 0xFFFF
    return chance.choice(
        (
            address,
            str(number),
            hex(number),
            ".".join(hex(int(x)) for x in parts),
            ".".join(f"0{int(x):o}" for x in parts),
            f"{parts[0]}.{number & 0xFFFFFF}",
            f"[::ffff:{address}]",
            f"[::{high:x}:{low:x}]",
            f"[64:ff9b::{high:x}:{low:x}]",
            f"[2002:{high:x}:{low:x}::1]",
        )
    )


def urls(port: int) -> tuple[list[str], dict[str, list[list[str]]]]:
    """The URLs, and what the names among them resolve to, look by look."""
    chance = random.Random(20_26)
    found = [each.format(port=port) for each in TRICKS]
    names: dict[str, list[list[str]]] = {}
    while len(found) < COUNT:
        address = inner(chance)
        way = chance.random()
        if way < 0.5:
            found.append(f"https://{disguised(address, chance)}:{port}/hook")
            continue
        name = f"n{len(found)}.example"
        found.append(f"https://{name}:{port}/hook")
        if way < 0.7:
            names[name] = [[address]]
        elif way < 0.85:  # one good address beside it
            names[name] = [["93.184.215.14", address]]
        else:  # rebinding: whoever looks twice meets it at the second look
            names[name] = [[address], ["93.184.215.14"]]
    return found, names


class Counter:
    """Connections that were tried, and connections that arrived."""

    def __init__(self) -> None:
        self.tried: list[Any] = []
        self.arrived = 0
        self.on = False
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.on and event == "socket.connect":
            self.tried.append(arguments[1])


async def run() -> dict[str, int]:
    """Ask them all; the numbers."""
    counter = Counter()

    async def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        counter.arrived += 1
        writer.close()

    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(arrived, "0.0.0.0", 0)
    port = server.sockets[0].getsockname()[1]
    six = None
    with contextlib.suppress(OSError):
        six = await asyncio.start_server(arrived, "::", port)
    asked, names = urls(port)
    looks: dict[str, int] = {}

    async def resolve(host: str, at: int) -> Sequence[str]:
        if host in names:
            looks[host] = looks.get(host, -1) + 1
            return names[host][min(looks[host], len(names[host]) - 1)]
        rows = await loop.getaddrinfo(host, at, type=socket.SOCK_STREAM)
        return [str(row[4][0]) for row in rows]

    egress = Egress(timeout_s=3, resolve=resolve)
    outcomes = {"refused": 0, "failed": 0, "answered": 0}
    counter.on = True
    for url in asked:
        try:
            await egress.request("POST", url, body=b"{}")
            outcomes["answered"] += 1
        except Forbidden:
            outcomes["refused"] += 1
        except Failed:
            outcomes["failed"] += 1
    tried, came = len(counter.tried), counter.arrived
    allowed = Egress(timeout_s=3, allowed=frozenset([f"127.0.0.1:{port}"]))
    with contextlib.suppress(Failed):
        await allowed.request("POST", f"http://127.0.0.1:{port}/", body=b"{}")
    await asyncio.sleep(0.05)
    counter.on = False
    control = min(len(counter.tried) - tried, counter.arrived - came)
    for each in (server, six):
        if each is not None:
            each.close()
            await each.wait_closed()
    return {"urls": len(asked), "connections": tried + came, "control": control} | outcomes


def main() -> None:
    """Measure and record."""
    found = asyncio.run(run())
    print(found)
    assert found["control"] >= 1, "connections are not counted"
    record("send.ssrf_connections", found["connections"], n=found["urls"], command=COMMAND)


if __name__ == "__main__":
    main()
