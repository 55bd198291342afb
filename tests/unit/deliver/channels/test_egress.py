"""Requests go where they may, and nowhere else."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks import ssrf
from germane.deliver.channels.addresses import BadTarget, target, why_not_public
from germane.deliver.channels.egress import Answered, Egress, Failed, Forbidden
from tests.unit.deliver.channels.mailserver import certificate

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def test_none_of_300_urls_leads_inside() -> None:
    """Nothing is even tried; and the control is counted."""
    found = asyncio.run(ssrf.run())
    assert found["urls"] == 300
    assert (found["connections"], found["answered"], found["failed"]) == (0, 0, 0), found
    assert found["control"] == 1


@pytest.mark.parametrize(
    "address",
    ["93.184.215.14", "8.8.8.8", "1.1.1.1", "172.32.0.1", "100.63.255.255", "100.128.0.1", "169.253.1.1",
     "2606:4700:4700::1111", "2a00:1450:4001:800::200e"],
)  # fmt: skip
def test_public_addresses(address: str) -> None:
    import ipaddress

    assert why_not_public(ipaddress.ip_address(address)) == ""


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://hooks.example", "hooks.example", 443, "/"),
        ("https://HOOKS.example:8443/a?b=c", "hooks.example", 8443, "/a?b=c"),
        ("https://bücher.example/", "xn--bcher-kva.example", 443, "/"),
        ("https://93.184.215.14/x", "93.184.215.14", 443, "/x"),
        ("https://[2606:4700::1111]/", "2606:4700::1111", 443, "/"),
    ],
)
def test_good_urls(url: str, host: str, port: int, path: str) -> None:
    found = target(url)
    assert (found.scheme, found.host, found.port, found.path) == ("https", host, port, path)


@pytest.mark.parametrize(
    "url",
    ["http://hooks.example/", "https://hooks.example:25/", "https://hooks.example:22/", "hooks.example",
     "https://", "https:// x/", "https://a_b-.example/", "https://hooks.example/ü", "https://x.example:99999/",
     "https://" + "a" * 64 + ".example/", "https://hooks.example/#top", "https://a@hooks.example/", "javascript:x",
     "https://hooks.example/\r\nHost: x", "https://999.1.1.1/", "https://0x7f000001/", "https://1.2.3/"],
)  # fmt: skip
def test_bad_urls(url: str) -> None:
    with pytest.raises(BadTarget):
        target(url)


def asked(serve: Serve, path: str = "/hook", **more: Any) -> Answered:
    """One request to a server on this machine that is allowed by name."""

    async def go() -> Answered:
        ended = asyncio.Event()

        async def handled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await serve(reader, writer)
            finally:
                ended.set()

        server = await asyncio.start_server(handled, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        egress = Egress(
            allowed=frozenset([f"127.0.0.1:{port}"]), timeout_s=more.pop("timeout_s", 2)
        )
        try:
            return await egress.request(
                "POST", f"http://127.0.0.1:{port}{path}", body=b"{}", **more
            )
        finally:
            await asyncio.wait_for(ended.wait(), 5)
            server.close()
            await server.wait_closed()

    return asyncio.run(go())


def saying(answer: bytes, *, pause_s: float = 0) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10_000)
        await asyncio.sleep(pause_s)
        writer.write(answer)
        writer.close()

    return serve


def test_an_answer() -> None:
    found = asked(saying(b"HTTP/1.1 201 Made\r\nX-A: b\r\nContent-Length: 2\r\n\r\nok"))
    assert (found.status, found.headers["x-a"], found.body) == (201, "b", b"ok")


def test_a_redirect_is_not_followed() -> None:
    found = asked(
        saying(b"HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
    )
    assert found.status == 302


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"", "not HTTP"),
        (b"not http\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000, "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 300_000, "over"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "not HTTP"),
    ],
)
def test_answers_that_are_none(answer: bytes, says: str) -> None:
    with pytest.raises(Failed, match=says) as caught:
        asked(saying(answer))
    assert caught.value.sent


def test_a_server_that_takes_its_time() -> None:
    with pytest.raises(Failed, match=r"no answer in 0\.2 s"):
        asked(saying(b"HTTP/1.1 200 OK\r\n\r\n", pause_s=1), timeout_s=0.2)


def test_a_server_that_drips() -> None:
    """A byte now and then does not keep us for ever."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            for _ in range(100):
                writer.write(b"a")
                await writer.drain()
                await asyncio.sleep(0.05)
        except OSError:
            pass
        writer.close()

    with pytest.raises(Failed, match="no answer"):
        asked(serve, timeout_s=0.3)


def test_it_connects_to_the_address_that_was_checked(tmp_path: Path) -> None:
    """By TLS that speaks the name; a name that changes its mind gains nothing, as it is asked once."""
    context, cert_file = certificate(tmp_path, host="hooks.example")
    looks: list[str] = []
    hosts: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hosts.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No\r\n\r\n")
        await writer.drain()
        writer.close()

    async def resolve(host: str, port: int) -> Sequence[str]:
        looks.append(host)
        return ["127.0.0.1"] if len(looks) == 1 else ["127.0.0.2"]

    async def go() -> tuple[Answered, str]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        trusting = ssl.create_default_context(cafile=str(cert_file))
        url = f"https://hooks.example:{port}/a?b"
        good = Egress(allowed=frozenset(["hooks.example"]), resolve=resolve, tls=trusting)
        found = await good.request("POST", url)
        strange = Egress(
            allowed=frozenset(["other.example"]), resolve=resolve_to_here, tls=trusting
        )
        with pytest.raises(Failed, match="TLS") as caught:
            await strange.request("POST", f"https://other.example:{port}/")
        await asyncio.sleep(0.1)  # the server notices, too
        server.close()
        await server.wait_closed()
        return found, str(caught.value)

    async def resolve_to_here(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    found, _ = asyncio.run(go())
    assert found.status == 204
    assert looks == ["hooks.example"]
    assert b"POST /a?b HTTP/1.1" in hosts[0]
    assert b"host: hooks.example:" in hosts[0].lower()


def test_without_permission_the_same_is_refused() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["93.184.215.14", "10.0.0.1"]

    with pytest.raises(Forbidden, match=r"10\.0\.0\.1 is private"):
        asyncio.run(Egress(resolve=resolve).request("POST", "https://hooks.example/"))
