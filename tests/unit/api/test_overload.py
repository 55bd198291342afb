"""What is refused when there is too much to do: by how long it would wait."""

from __future__ import annotations

import json

import pytest

from germane.api import overload
from germane.api.overload import Overload
from germane.app.stats import Stats

TRACK = (b"POST", b"/v1/track")
COST_S = 0.005


class Turns:
    """An event loop's turns, with a clock of their own: so many are read, then each is begun."""

    def __init__(self, cost_s: float = COST_S) -> None:
        self.now = 0.0
        self.cost_s = cost_s
        self.stats = Stats()
        self.queue = Overload({"/v1/track": self.stats}, lambda: self.now)

    def turn(self, offered: int, portions: float = 1.0) -> int:
        """How many of them are taken."""
        taken = 0
        for _ in range(offered):
            if not self.queue.refuses(*TRACK):
                self.queue.waits(portions)
                taken += 1
        for _ in range(taken):
            self.queue.begun()
            self.now += portions * self.cost_s
        return taken


def test_a_burst_is_taken_and_a_standing_queue_is_not() -> None:
    """First as much as is done in ``BURST_S``; when it does not go away, what is done in ``TARGET_S``."""
    turns = Turns()
    for _ in range(3):
        turns.turn(20)  # tells what a request costs
    first = turns.turn(1_000)
    later = [turns.turn(1_000) for _ in range(5)][-1]
    assert abs(first * COST_S - overload.BURST_S) <= 2 * COST_S
    assert abs(later * COST_S - overload.TARGET_S) <= 2 * COST_S
    assert turns.stats.overloaded > 4_000
    assert turns.stats.snapshot()["overloaded_total"] == turns.stats.overloaded


def test_a_few_senders_of_large_batches_are_no_overload() -> None:
    """Each takes longer than anybody should wait; one more than so many is too many."""
    turns = Turns(2 * overload.TARGET_S)
    for _ in range(20):
        assert turns.turn(overload.SENDERS) == overload.SENDERS
    assert turns.stats.overloaded == 0
    assert turns.turn(4 * overload.SENDERS) == overload.SENDERS


def test_what_large_batches_cost_is_not_what_an_event_costs() -> None:
    """After a run of batches, a burst of single events is taken; and a few batches in it are no more than they
    are."""
    turns = Turns()
    for _ in range(20):
        turns.turn(4, 100.0)
    turns.now += 0.3
    assert turns.turn(80) == 80
    assert turns.turn(1_000, 100.0) == overload.SENDERS


def test_who_claims_to_send_much_makes_nothing_look_cheap() -> None:
    """It begins with its head, and costs nothing there: what a portion costs stays as it was."""
    turns = Turns()
    for _ in range(3):
        turns.turn(20)
    turns.cost_s = 0.0
    for _ in range(20):
        turns.turn(4, overload.LARGEST)
    turns.cost_s = COST_S
    assert turns.turn(1_000) * COST_S <= overload.BURST_S + 2 * COST_S


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([(b"host", b"here"), (b"content-length", b"2560")], 10.0),
        ([(b"content-length", b"9")], 1.0),
        ([(b"content-length", b"9" * 5_000)], overload.LARGEST),
        ([(b"content-length", b"999999999")], overload.LARGEST),
        ([(b"transfer-encoding", b"chunked")], 1.0),
        ([(b"content-length", b"-1")], 1.0),
    ],
)
def test_a_request_is_as_large_as_it_says(
    headers: list[tuple[bytes, bytes]], expected: float
) -> None:
    assert overload.portions(headers) == expected


def test_it_is_over_when_the_queue_is_gone() -> None:
    """One turn in which all were taken, or a moment with nothing to do, and a burst is taken again."""
    for ends in ("calm", "idle"):
        turns = Turns()
        for _ in range(8):
            turns.turn(1_000)
        if ends == "calm":
            assert turns.turn(3) == 3
        else:
            turns.now += 2 * overload.STANDING_S
        assert turns.turn(1_000) * COST_S > 0.9 * overload.BURST_S, ends


def test_a_pause_of_the_machine_is_not_what_a_request_costs() -> None:
    """It stood still for a second while five requests were answered: those that came meanwhile are taken."""
    turns = Turns()
    for _ in range(20):
        turns.turn(4)
    for each in range(5):
        assert not turns.queue.refuses(*TRACK), each
        turns.queue.waits()
    for each in range(5):
        turns.queue.begun()
        turns.now += 1.0 if each == 2 else COST_S
    assert turns.turn(20) == 20


def test_what_is_no_traffic_comes_through() -> None:
    """Health, a look of an operator, an opt-out: only what may come later is refused."""
    turns = Turns()
    for _ in range(10_000):
        turns.queue.waits()
    assert turns.queue.refuses(*TRACK)
    assert turns.queue.refuses(b"POST", b"/v1/track/?writeKey=x")
    for method, url in ((b"GET", b"/readyz"), (b"GET", b"/v1/track"), (b"POST", b"/v1/consents")):
        assert not turns.queue.refuses(method, url), url


def test_a_refusal_is_a_whole_answer() -> None:
    """The one shape of errors, a time to come again, its own id, and a page of any origin may read it."""
    queue = Turns().queue
    told = [queue.refusal(None, close=False) for _ in range(6)]
    heads, bodies = zip(*(each.split(b"\r\n\r\n") for each in told), strict=True)
    found = [dict(line.split(b": ", 1) for line in each.split(b"\r\n")[1:]) for each in heads]
    assert heads[0].startswith(b"HTTP/1.1 429 ")
    assert [each[b"retry-after"] for each in found] == [b"1", b"2", b"3", b"4", b"5", b"1"]
    for head, body in zip(found, bodies, strict=True):
        said = json.loads(body)
        assert int(head[b"content-length"]) == len(body)
        assert said["code"] == "server.overloaded"
        assert said["requestId"].encode() == head[b"x-request-id"]
    assert len({each[b"x-request-id"] for each in found}) == 6
    asked = queue.refusal(b"https://shop.example", close=True)
    assert b"\r\naccess-control-allow-origin: https://shop.example\r\n" in asked
    assert b"\r\nconnection: close\r\n" in asked
