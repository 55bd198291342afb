"""Mails a second to a local mail server: `just bench mails`.

The server is a process of its own that speaks SMTP and throws everything away, so what is measured is
composing, signing and handing over. It is done without a DKIM signature, with Ed25519, and with RSA of
2,048 bits; the processor time per mail is told beside the wall time, which other work on the machine stretches.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from typing import Any

import uvloop
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from msgspec.structs import replace

from benchmarks.figures import machine, record, write_result
from germane.deliver.channels.dkim import DkimSigner
from germane.deliver.channels.email import EmailChannel, EmailSettings, compose
from germane.deliver.channels.smtp import SmtpServer
from germane.domain.sending import Outgoing, Sent

COMMAND = "just bench mails"
COUNT = 4_000
ROUNDS = 5
CONNECTIONS = 10
LETTER = Outgoing(
    message_id="m-0",
    person="u:ann",
    to="ann@people.example",
    to_name="Ann Änderson",
    subject="The shoe that you looked at is back – in your size",
    text="Hello Ann,\n\nthe shoe is back.\n\n"
    + "A line of an ordinary letter, some words long.\n" * 30,
    html="<html><body><p>Hello Ann, the shoe is back – in your size.</p>\n"
    + "<p>A line of an ordinary letter, some words long.</p>\n" * 60
    + "</body></html>",
    purpose="email_marketing",
    unsubscribe_url="https://go.shop.example/u/" + "t" * 150,
    unsubscribe_mailto="leave@shop.example",
    campaign_id="back-in-stock",
    decision_id="d" * 60,
    at_ms=1_700_000_000_000,
)


class Sink(asyncio.Protocol):
    """Speaks SMTP, with PIPELINING, and forgets what it gets."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._out: Any = transport
        self._buffer, self._within = b"", False
        self._out.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer each command, and each final dot."""
        self._buffer += data
        answers = []
        while True:
            end = b"\r\n.\r\n" if self._within else b"\r\n"
            place = self._buffer.find(end)
            if place < 0:
                break
            line, self._buffer = self._buffer[:place], self._buffer[place + len(end) :]
            answers.append(self._answer(line))
        self._out.write(b"".join(answers))

    def _answer(self, line: bytes) -> bytes:
        if self._within:
            self._within = False
            return b"250 2.0.0 taken\r\n"
        word = line[:4].upper()
        if word == b"EHLO":
            return b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 50000000\r\n"
        if word == b"DATA":
            self._within = True
            return b"354 go on\r\n"
        return b"221 bye\r\n" if word == b"QUIT" else b"250 2.1.0 fine\r\n"


async def sink() -> None:
    """Serve until killed; the port goes to standard output."""
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def signers() -> dict[str, tuple[DkimSigner, ...]]:
    """None, the fast one, the usual one."""

    def pem(key: Any) -> str:
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
        text: str = key.private_bytes(*form, serialization.NoEncryption()).decode()
        return text

    usual = rsa.generate_private_key(65537, 2048)
    fast = ed25519.Ed25519PrivateKey.generate()
    return {
        "none": (),
        "ed25519": (DkimSigner("shop.example", "s", pem(fast)),),
        "rsa2048": (DkimSigner("shop.example", "s", pem(usual)),),
    }


async def send(port: int, sign: tuple[DkimSigner, ...], count: int) -> tuple[float, float]:
    """Wall and processor seconds for so many mails."""
    server = SmtpServer(
        host="127.0.0.1", port=port, tls="none", connections=CONNECTIONS, hello="shop.example"
    )
    channel = EmailChannel(EmailSettings(sender="Shop <news@shop.example>"), server, sign)
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            result = await channel.send(replace(LETTER, message_id=f"m-{number}"))
            assert isinstance(result, Sent), result

    begun, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    wall_s, cpu_s = time.perf_counter() - begun, time.process_time() - used
    await channel.close()
    return wall_s, cpu_s


def main() -> None:
    """Measure and record the median of the rounds without a signature, and the others beside it."""
    if "--sink" in sys.argv:
        uvloop.run(sink())
        return
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.mails", "--sink"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        port = int(child.stdout.readline())
        found: dict[str, Any] = {}
        for name, sign in signers().items():
            count = COUNT if name != "rsa2048" else COUNT // 4
            uvloop.run(send(port, sign, 300))
            rounds = sorted(uvloop.run(send(port, sign, count)) for _ in range(ROUNDS))
            wall_s, _ = rounds[len(rounds) // 2]
            cpu_s = sorted(each[1] for each in rounds)[len(rounds) // 2]
            found[name] = {
                "mails": count,
                "rounds": ROUNDS,
                "mails_per_s": round(count / wall_s, 1),
                "best_mails_per_s": round(count / rounds[0][0], 1),
                "cpu_ms_per_mail": round(cpu_s / count * 1000, 4),
            }
            print(name, found[name])
    finally:
        child.kill()
        child.wait()
    found["bytes"] = len(compose(LETTER, EmailSettings(sender="news@shop.example")).data)
    write_result(
        "mails",
        {"command": COMMAND, "connections": CONNECTIONS, "found": found} | {"on": machine()},
    )
    record("send.mails_per_s", found["none"]["mails_per_s"], n=COUNT * ROUNDS, command=COMMAND)
    for name in ("ed25519", "rsa2048"):
        record(
            f"send.mails_per_s_{name}",
            found[name]["mails_per_s"],
            n=found[name]["mails"] * ROUNDS,
            command=COMMAND,
        )


if __name__ == "__main__":
    main()
