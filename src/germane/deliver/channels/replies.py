"""What a mail server's answer means for the message, and for the address."""

from __future__ import annotations

import re
from typing import Literal

from germane.domain.sending import Ambiguous, Refused, Result, Retry, Sent

Stage = Literal["connect", "sender", "recipient", "data", "end"]
"""Greeting to login; MAIL; RCPT; DATA; after the final dot."""
GREYLIST_S = 300
"""A server that puts strangers off wants them back after minutes, not seconds."""
OUR_FAULT_S = 300
"""Between tries while the server does not take *us*: an operator has to see to it."""

_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
_SENDERS = (("1", "7"), ("1", "8"))
"""Of 5.1.x, those that are about the sender's address."""
_NOBODY = re.compile(
    r"user (?:is )?(?:unknown|not found|does ?n[o']t exist)|unknown (?:user|recipient|mailbox|address)"
    r"|no such (?:user|recipient|mailbox|address|person)|(?:recipient|mailbox|address|account|user) "
    r"(?:\S+ )?(?:does not exist|doesn't exist|not found|unknown|is unknown|is invalid)"
    r"|invalid (?:recipient|mailbox|address)|no mailbox here|not our customer|not a valid mailbox",
    re.IGNORECASE,
)
_POLICY = re.compile(
    r"spam|block|policy|reputation|black ?list|denied|rejected due|relay|authenticat|spf|dkim|dmarc"
    r"|quota|full|over ?limit|too (?:many|large|big)|suspicious|rate",
    re.IGNORECASE,
)
_SENDER = re.compile(r"\b(?:sender|mail from|return.?path)\b", re.IGNORECASE)
_GREY = re.compile(r"gr[ae]y ?list", re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\uffff]+")


def classify(stage: Stage, code: int, text: str) -> Result:
    """The result that an answer stands for.

    Args:
        stage: What it answers.
        code: The three digits; what has none (a garbled answer) is -1.
        text: What follows them.
    """
    said = shortened(f"{code} {text}" if code > 0 else text)
    if stage == "end":
        if 200 <= code < 300:
            return Sent(said)
        if not 400 <= code < 600:
            return Ambiguous(f"The answer after the message cannot be understood: {said}")
    if 500 <= code < 600:
        return _permanent(stage, code, text, said)
    if 400 <= code < 500:
        wait_s = GREYLIST_S if _GREY.search(text) else 0
        return Retry(wait_s, f"Put off by the mail server: {said}", _code("smtp.deferred", text))
    return Retry(0, f"The mail server's answer cannot be understood: {said}", "smtp.garbled")


def _permanent(stage: Stage, code: int, text: str, said: str) -> Result:
    """5yz: it is over for this message, unless the server refuses us and not the message."""
    found = _ENHANCED.search(text)
    subject, detail = (found[2], found[3]) if found and found[1] == "5" else ("", "")
    if stage == "connect" or code in (530, 534, 535, 538):
        return Retry(OUR_FAULT_S, f"The mail server does not take us: {said}", "smtp.not_taken")
    if stage == "sender" or (subject, detail) in _SENDERS or _SENDER.search(text):
        return Refused(_code("smtp.sender", text), f"The sender's address was refused: {said}")
    nobody = subject == "1" if found else bool(_NOBODY.search(text)) and not _POLICY.search(text)
    if nobody:
        return Refused(_code("smtp.unknown_address", text), f"No such address: {said}", True)
    return Refused(_code("smtp.refused", text), f"The mail server refused: {said}")


def _code(name: str, text: str) -> str:
    """The kind of the refusal with the server's own enhanced code, where it gives one."""
    found = _ENHANCED.search(text)
    return f"{name}:{found[0]}" if found else name


def shortened(text: str, most: int = 200) -> str:
    """A server's words on one line."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())[:most]
