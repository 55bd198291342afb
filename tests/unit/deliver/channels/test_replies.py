"""What mail servers really say, and what each means."""

from __future__ import annotations

import pytest

from germane.deliver.channels.replies import Stage, classify
from germane.domain.sending import Ambiguous, Refused, Retry, Sent

WORDS = {
    "sent": Sent,
    "retry": Retry,
    "refused": Refused,
    "suppress": Refused,
    "unknown": Ambiguous,
}
TABLE: list[tuple[Stage, int, str, str]] = [
    ("end", 250, "2.0.0 Ok: queued as 4F1", "sent"),
    ("end", 250, "ok 1600112502 x1si123 - gsmtp", "sent"),
    ("end", 299, "whatever", "sent"),
    ("end", 354, "go on", "unknown"),
    ("end", -1, "garbage", "unknown"),
    ("end", 421, "4.3.0 Temporary System Problem", "retry"),
    ("end", 451, "4.7.1 Greylisting in action, please come back later", "retry"),
    ("end", 452, "4.3.1 Insufficient system storage", "retry"),
    ("end", 550, "5.7.1 Message rejected due to content", "refused"),
    ("end", 550, "5.7.26 This mail has been blocked because the sender is unauthenticated", "refused"),
    ("end", 552, "5.2.3 Your message exceeded Google's message size limits", "refused"),
    ("end", 552, "5.2.2 The email account that you tried to reach is over quota", "refused"),
    ("end", 554, "5.7.1 [CS01] Message blocked due to spam content", "refused"),
    ("end", 554, "delivery error: dd This user doesn't have a yahoo.com account", "refused"),
    ("end", 550, "5.1.1 The email account that you tried to reach does not exist", "suppress"),
    ("recipient", 550, "5.1.1 <ann@x.example>: Recipient address rejected: User unknown", "suppress"),
    ("recipient", 550, "5.1.1 The email account that you tried to reach does not exist.\n5.1.1 Please try", "suppress"),
    ("recipient", 550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", "suppress"),
    ("recipient", 550, "5.1.2 Bad destination system address", "suppress"),
    ("recipient", 550, "5.1.3 Bad recipient address syntax", "suppress"),
    ("recipient", 550, "5.1.6 Recipient no longer on server", "suppress"),
    ("recipient", 550, "#5.1.0 Address rejected.", "suppress"),
    ("recipient", 551, "5.1.6 User has moved", "suppress"),
    ("recipient", 553, "5.1.3 The recipient address is not a valid RFC-5321 address", "suppress"),
    ("recipient", 550, "5.1.8 Sender address rejected: Domain not found", "refused"),
    ("recipient", 553, "5.1.7 Bad sender's mailbox address syntax", "refused"),
    ("recipient", 550, "5.1.0 Sender rejected by policy", "refused"),
    ("recipient", 550, "5.2.1 The email account that you tried to reach is disabled", "refused"),
    ("recipient", 550, "5.2.2 Mailbox full", "refused"),
    ("recipient", 552, "5.2.2 user over quota", "refused"),
    ("recipient", 550, "5.4.1 Recipient address rejected: Access denied", "refused"),
    ("recipient", 550, "5.7.1 Service unavailable; Client host [1.2.3.4] blocked using Spamhaus", "refused"),
    ("recipient", 554, "5.7.1 <x.example>: Relay access denied", "refused"),
    ("recipient", 550, "5.7.606 Access denied, banned sending IP [1.2.3.4]", "refused"),
    ("recipient", 550, "5.7.23 SPF validation failed", "refused"),
    ("recipient", 550, "Requested action not taken: mailbox unavailable", "refused"),
    ("recipient", 550, "No such user here", "suppress"),
    ("recipient", 550, "no such recipient", "suppress"),
    ("recipient", 550, "Invalid recipient <ann@x.example>", "suppress"),
    ("recipient", 550, "Unknown user: ann@x.example", "suppress"),
    ("recipient", 550, "<ann@x.example>: User unknown in virtual mailbox table", "suppress"),
    ("recipient", 550, "mailbox not found", "suppress"),
    ("recipient", 550, "account does not exist", "suppress"),
    ("recipient", 550, "User unknown, blocked for spam", "refused"),
    ("recipient", 550, "SC-001 Mail rejected by Outlook.com for policy reasons", "refused"),
    ("recipient", 553, "sorry, that domain isn't in my list of allowed rcpthosts", "refused"),
    ("recipient", 450, "4.2.1 The user you are trying to contact is receiving mail too quickly", "retry"),
    ("recipient", 450, "4.1.1 User unknown, try later", "retry"),
    ("recipient", 451, "4.7.1 Please try again later (graylisted)", "retry"),
    ("recipient", 452, "4.2.2 Mailbox full", "retry"),
    ("recipient", 421, "4.7.0 Our system has detected an unusual rate of mail", "retry"),
    ("recipient", 421, "RP-001 The mail server IP has exceeded the rate limit", "retry"),
    ("recipient", 535, "5.7.8 Authentication credentials invalid", "retry"),
    ("recipient", 530, "5.5.1 Authentication Required", "retry"),
    ("recipient", -1, "what?", "retry"),
    ("recipient", 354, "go on", "retry"),
    ("sender", 501, "5.1.7 Bad sender address syntax", "refused"),
    ("sender", 550, "5.1.1 User unknown", "refused"),
    ("sender", 550, "5.7.1 Client does not have permissions to send as this sender", "refused"),
    ("sender", 452, "4.3.1 Insufficient system resources", "retry"),
    ("sender", 530, "5.7.0 Must issue a STARTTLS command first", "retry"),
    ("data", 554, "5.5.1 Error: no valid recipients", "refused"),
    ("data", 451, "4.3.2 Please try again later", "retry"),
    ("connect", 554, "5.7.1 You are not allowed to connect", "retry"),
    ("connect", 421, "4.4.5 Server busy, try again later", "retry"),
    ("connect", 550, "blocked", "retry"),
]  # fmt: skip


@pytest.mark.parametrize(("stage", "code", "text", "meaning"), TABLE)
def test_the_answer_means(stage: Stage, code: int, text: str, meaning: str) -> None:
    result = classify(stage, code, text)
    assert isinstance(result, WORDS[meaning]), result
    assert getattr(result, "suppress", False) == (meaning == "suppress")


def test_a_server_that_puts_strangers_off_is_not_asked_at_once() -> None:
    result = classify("recipient", 450, "4.2.0 Greylisted, see you in 5 minutes")
    assert isinstance(result, Retry)
    assert result.after_s >= 60


def test_what_is_told_is_one_short_line() -> None:
    result = classify("end", 554, "5.7.1 a\nb\x1b[31m\x00" + "c" * 1_000)
    assert isinstance(result, Refused)
    assert result.reason.isprintable()
    assert len(result.reason) < 300
