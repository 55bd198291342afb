"""A real mail server, well-behaved and not: what each answer and each broken connection means."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
import uvloop

from germane.deliver.channels.email import EmailChannel
from germane.deliver.channels.smtp import SmtpServer
from germane.domain.sending import Ambiguous, Outgoing, Refused, Result, Retry, Sent
from tests.unit.deliver.channels.letters import SETTINGS, a_letter
from tests.unit.deliver.channels.mailserver import Script, Server, certificate, login, mailserver


def sent(port: int, *letters: Outgoing, at_once: bool = False, **more: Any) -> list[Result]:
    """Their results, over one channel."""
    said: dict[str, Any] = {
        "host": "127.0.0.1",
        "tls": "none",
        "timeout_s": 5,
        "hello": "shop.example",
    }
    server = SmtpServer(port=port, **(said | more))

    async def go() -> list[Result]:
        channel = EmailChannel(SETTINGS, server)
        try:
            async with asyncio.timeout(20):
                if at_once:
                    return list(await asyncio.gather(*map(channel.send, letters)))
                return [await channel.send(each) for each in letters]
        finally:
            await channel.close()

    return asyncio.run(go())


@pytest.mark.parametrize("pipelining", [False, True])
def test_a_message_arrives_as_it_was_written(pipelining: bool) -> None:
    """Envelope, headers and both parts; lines that begin with a dot, too."""
    letter = a_letter(text="Hello,\n.\n..two\n.one\n")
    with mailserver(Script(pipelining=pipelining)) as (port, script):
        (result,) = sent(port, letter)
    assert isinstance(result, Sent), result
    (got,) = script.got
    assert (got.mail_from, got.rcpt_tos) == ("news@shop.example", ["ann@people.example"])
    assert isinstance(got.content, bytes)
    assert b"\r\nHello,\r\n.\r\n..two\r\n.one\r\n" in got.content
    assert b"Message-ID: <m-1@shop.example>\r\n" in got.content


def test_connections_are_used_again() -> None:
    """Ten messages one after the other take one connection; twenty at once no more than allowed."""
    letters = [a_letter(message_id=f"m-{n}") for n in range(10)]
    with mailserver() as (port, script):
        assert all(isinstance(x, Sent) for x in sent(port, *letters))
        assert len(script.sessions) == 1
    with mailserver() as (port, script):
        assert all(
            isinstance(x, Sent) for x in sent(port, *letters, *letters, at_once=True, connections=4)
        )
        assert len(script.sessions) == 4
        assert len(script.got) == 20


def test_a_connection_is_given_up_after_so_many_messages() -> None:
    letters = [a_letter(message_id=f"m-{n}") for n in range(7)]
    with mailserver() as (port, script):
        assert all(isinstance(x, Sent) for x in sent(port, *letters, per_connection=3))
        assert len(script.sessions) == 3


ANSWERS: list[tuple[str, str, type, str, bool]] = [
    ("mail", "451 4.3.0 later", Retry, "smtp.deferred:4.3.0", False),
    ("mail", "421 4.3.2 closing", Retry, "smtp.deferred:4.3.2", False),
    ("mail", "550 5.7.1 sender blocked", Refused, "smtp.sender:5.7.1", False),
    ("mail", "550 5.1.8 bad sender", Refused, "smtp.sender:5.1.8", False),
    ("mail", "530 5.7.0 Must issue STARTTLS first", Retry, "smtp.not_taken", False),
    ("rcpt", "450 4.2.0 Greylisted, try again", Retry, "smtp.deferred:4.2.0", False),
    ("rcpt", "452 4.2.2 mailbox full", Retry, "smtp.deferred:4.2.2", False),
    ("rcpt", "550 5.1.1 user unknown", Refused, "smtp.unknown_address:5.1.1", True),
    ("rcpt", "552 5.2.2 mailbox full", Refused, "smtp.refused:5.2.2", False),
    ("rcpt", "550 5.7.1 blocked by policy", Refused, "smtp.refused:5.7.1", False),
    ("rcpt", "550 No such user here", Refused, "smtp.unknown_address", True),
    ("rcpt", "what?", Retry, "smtp.garbled", False),
    ("data", "451 4.7.1 later", Retry, "smtp.deferred:4.7.1", False),
    ("data", "554 5.5.1 no valid recipients", Refused, "smtp.refused:5.5.1", False),
    ("end", "451 4.3.0 later", Retry, "smtp.deferred:4.3.0", False),
    ("end", "554 5.7.1 looks like spam", Refused, "smtp.refused:5.7.1", False),
    ("end", "552 5.3.4 too big", Refused, "smtp.refused:5.3.4", False),
    ("end", "550 5.1.1 nobody", Refused, "smtp.unknown_address:5.1.1", True),
]


@pytest.mark.parametrize("pipelining", [False, True])
@pytest.mark.parametrize(("stage", "said", "kind", "code", "suppress"), ANSWERS)
def test_each_answer_at_each_stage(
    stage: str, said: str, kind: type, code: str, suppress: bool, pipelining: bool
) -> None:
    """And the next message goes out all the same."""
    script = Script(pipelining=pipelining, **{stage: [said]})
    with mailserver(script) as (port, _):
        first, second = sent(port, a_letter(), a_letter(message_id="m-2"))
    assert isinstance(first, kind), first
    assert isinstance(first, Retry | Refused)
    assert first.code == code
    assert getattr(first, "suppress", False) == suppress
    assert isinstance(second, Sent), second
    assert len(script.got) == 1


@pytest.mark.parametrize("pipelining", [False, True])
@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
def test_a_connection_lost_before_the_final_dot_is_tried_again(
    stage: str, pipelining: bool
) -> None:
    script: dict[str, Any] = {stage: ["drop"]}
    with mailserver(Script(pipelining=pipelining, **script)) as (port, made):
        (result,) = sent(port, a_letter())
    assert isinstance(result, Retry), result
    assert made.got == []


@pytest.mark.parametrize("how", ["drop", "keep-then-drop", "slow"])
def test_no_answer_after_the_final_dot_is_ambiguous(how: str) -> None:
    """Whether it was taken or not."""
    with mailserver(Script(end=[how])) as (port, script):
        (result,) = sent(port, a_letter(), final_timeout_s=0.4)
    assert isinstance(result, Ambiguous), result
    assert len(script.got) == (how != "drop")


@pytest.mark.parametrize(("stage", "doubt"), [("mail", False), ("data", False), ("end", True)])
def test_broken_off_by_a_stop(stage: str, doubt: bool) -> None:
    """Before the final dot nobody has it; after it nobody knows."""
    answers: dict[str, Any] = {stage: ["silent"]}
    with mailserver(Script(**answers)) as (port, script):
        server = SmtpServer(host="127.0.0.1", port=port, tls="none", hello="shop.example")

        async def go() -> Result | None:
            channel = EmailChannel(SETTINGS, server)
            sending = asyncio.create_task(channel.send(a_letter()))
            assert await asyncio.to_thread(script.stuck.wait, 10)
            sending.cancel()
            try:
                return await sending
            except asyncio.CancelledError:
                return None
            finally:
                await channel.close()

        result = asyncio.run(go())
    assert isinstance(result, Ambiguous) if doubt else result is None


def test_an_answer_that_makes_no_sense_after_the_dot_is_ambiguous() -> None:
    with mailserver(Script(end=["299 well"])) as (port, _):
        assert isinstance(sent(port, a_letter())[0], Sent)
    with mailserver(Script(end=["354 go on"])) as (port, _):
        assert isinstance(sent(port, a_letter())[0], Ambiguous)


def test_an_idle_connection_that_the_server_closed_costs_nothing() -> None:
    """The message goes out over a new one."""
    script = Script()
    with mailserver(script) as (port, _):
        server = SmtpServer(host="127.0.0.1", port=port, tls="none", hello="shop.example")

        async def go() -> list[Result]:
            channel = EmailChannel(SETTINGS, server)
            first = await channel.send(a_letter())
            script.mail.append("drop")
            second = await channel.send(a_letter(message_id="m-2"))
            script.mail.append("421 4.4.2 idle for too long")
            third = await channel.send(a_letter(message_id="m-3"))
            await channel.close()
            return [first, second, third]

        assert [type(x) for x in asyncio.run(go())] == [Sent, Sent, Sent]
    assert len(script.sessions) == 3


def test_starttls_with_a_certificate_that_is_checked(tmp_path: Path) -> None:
    """Encrypted and logged in; a certificate that nobody vouches for is refused."""
    context, cert_file = certificate(tmp_path)
    script = Script()
    more = {
        "tls_context": context,
        "require_starttls": True,
        "authenticator": login("shop", "secret", script),
        "auth_required": True,
    }
    way: dict[str, Any] = {
        "host": "localhost",
        "tls": "starttls",
        "username": "shop",
        "password": "secret",
    }
    with mailserver(script, **more) as (port, _):
        (result,) = sent(port, a_letter(), ca_file=str(cert_file), **way)
        assert isinstance(result, Sent), result
        assert script.logins
        (result,) = sent(port, a_letter(), **way)
        assert isinstance(result, Retry)
        assert result.code == "smtp.tls", result
        (result,) = sent(
            port, a_letter(), ca_file=str(cert_file), timeout_s=20, **(way | {"password": "other"})
        )
        assert isinstance(result, Retry)
        assert result.code == "smtp.login", result
        assert "secret" not in result.reason
    assert len(script.got) == 1


def test_a_certificate_of_another_host_is_refused(tmp_path: Path) -> None:
    context, cert_file = certificate(tmp_path, host="other.example")
    with mailserver(tls_context=context) as (port, script):
        (result,) = sent(port, a_letter(), host="localhost", tls="starttls", ca_file=str(cert_file))
    assert isinstance(result, Retry)
    assert result.code == "smtp.tls"
    assert script.got == []


def test_tls_at_once(tmp_path: Path) -> None:
    context, cert_file = certificate(tmp_path)
    with mailserver(ssl_context=context) as (port, script):
        way = {"host": "localhost", "tls": "implicit"}
        (result,) = sent(port, a_letter(), ca_file=str(cert_file), **way)
        assert isinstance(result, Sent), result
        (result,) = sent(port, a_letter(), **way)
        assert isinstance(result, Retry)
    assert len(script.got) == 1


def test_a_server_without_starttls_gets_nothing() -> None:
    """No password and no message in the open, where encryption is configured."""
    with mailserver() as (port, script):
        (result,) = sent(
            port, a_letter(), host="localhost", tls="starttls", username="a", password="b"
        )
    assert isinstance(result, Retry)
    assert result.code == "smtp.tls"
    assert script.got == []


def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        (result,) = sent(taken.getsockname()[1], a_letter())
    assert isinstance(result, Retry)
    assert result.code == "smtp.connection"


def test_a_server_that_does_not_want_us_is_tried_again() -> None:
    with mailserver(Script(banner="554 5.7.1 go away")) as (port, _):
        (result,) = sent(port, a_letter())
    assert isinstance(result, Retry)
    assert result.code == "smtp.not_taken"
    assert result.after_s > 0


def test_a_server_that_says_nothing() -> None:
    """It accepts connections, and that is all."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        (result,) = sent(listener.getsockname()[1], a_letter(), timeout_s=0.3)
    assert isinstance(result, Retry)


def test_a_message_that_is_too_large_for_the_server() -> None:
    with mailserver(data_size_limit=2_000) as (port, script):
        (result,) = sent(port, a_letter(text="x\n" * 5_000))
    assert isinstance(result, Refused)
    assert (result.code, result.suppress) == ("smtp.too_large", False)
    assert script.got == []


def test_letters_in_front_of_the_at() -> None:
    """SMTPUTF8 where the server has it; the domain always in ASCII."""
    with mailserver() as (port, script):
        (result,) = sent(port, a_letter(to="änn@bücher.example"))
    assert isinstance(result, Sent), result
    assert script.got[0].rcpt_tos == ["änn@xn--bcher-kva.example"]


@pytest.mark.parametrize(
    "answers",
    [
        b"250 fine\r\n550 5.1.1 nobody\r\n",
        b"250 fine\r\n550 5.1.1 nobody\r\n421 bye\r\n",
        b"250 fine\r\n550 5.1.1 nobody\r\n503 no\r\n",
        b"250 fine\r\n550 5.1.1 nobody\r\n354 go on\r\n",
    ],
)
def test_a_refusal_stays_one_when_they_hang_up(answers: bytes) -> None:
    """And no empty message is sent to a server that waits for one all the same."""
    listener = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"220 hi\r\n")
            for answer in (b"250-hi\r\n250 PIPELINING\r\n", answers):
                connection.recv(4096)
                connection.sendall(answer)
            connection.settimeout(2)
            if answers.endswith(b"354 go on\r\n"):
                with contextlib.suppress(OSError):
                    heard.append(connection.recv(4096))

    thread = threading.Thread(target=serve)
    thread.start()
    (result,) = sent(listener.getsockname()[1], a_letter())
    thread.join()
    listener.close()
    assert isinstance(result, Refused), result
    assert result.suppress
    assert b"." not in b"".join(heard)


def test_a_body_that_is_not_read_to_its_end_is_no_ambiguity() -> None:
    """The server stops reading in the middle of a large message, and closes: the dot never left."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"220 hi\r\n")
            for answer in (b"250-hi\r\n250 PIPELINING\r\n", b"250 a\r\n250 b\r\n354 c\r\n"):
                connection.recv(4096)
                connection.sendall(answer)
            connection.recv(100_000)

    thread = threading.Thread(target=serve)
    thread.start()
    (result,) = sent(listener.getsockname()[1], a_letter(html="<p>" + "y" * 8_000_000))
    thread.join()
    listener.close()
    assert isinstance(result, Retry), result


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_server_that_hung_up_needs_no_goodbye(loop: Any) -> None:
    """It ended while our connection to it was idle: closing the channel is no error, in either loop."""

    async def go(office: Server) -> Result:
        server = SmtpServer(host="127.0.0.1", port=office.port, tls="none", hello="shop.example")
        channel = EmailChannel(SETTINGS, server)
        result = await channel.send(a_letter())
        await asyncio.to_thread(office.stop)
        await asyncio.sleep(0.05)
        await channel.close()
        return result

    office = Server(Script())
    office.start()
    with asyncio.Runner(loop_factory=loop) as runner:
        assert isinstance(runner.run(go(office)), Sent)
