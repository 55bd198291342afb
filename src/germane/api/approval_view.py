"""Approvals and operators as they are on the wire."""

from __future__ import annotations

from typing import Any

import msgspec

from germane.api.choice import HOW, standings
from germane.app.approving import Approving
from germane.app.engine import Engine
from germane.app.slot_words import slots_now
from germane.deliver import approving as rules
from germane.deliver.approval_stats import CampaignApprovals
from germane.domain.approval import Approval, ApprovalPolicy, Verdict
from germane.domain.campaign import way_out
from germane.domain.content import Rendered
from germane.domain.decision import Decision
from germane.domain.message import Message
from germane.domain.operator import Operator
from germane.profile.words import rfc3339


def in_brief(approval: Approval, engine: Engine) -> dict[str, Any]:
    """One line of the queue."""
    return {
        "approvalId": approval.approval_id,
        "subject": approval.subject,
        "status": approval.status,
        "digest": approval.digest,
        "campaign": approval.campaign,
        "version": approval.version,
        "channel": approval.channel or None,
        "ways": _ways(approval, engine),
        "personId": approval.person or None,
        "amounts": approval.amounts,
        "authors": list(approval.authors),
        "authorsNote": authors_note(approval, engine),
        "askedBy": approval.asked_by,
        "askedAt": _time(approval.asked_ms),
        "expiresAt": _time(approval.expires_ms),
        "decidedAt": _time(approval.decided_ms),
        "changedBy": approval.editor or None,
        "demanded": [_policy(each, approval, engine) for each in rules.needed(approval)],
        "verdicts": [_verdict(each) for each in approval.verdicts],
    }


async def whole(approval: Approval, engine: Engine, approving: Approving) -> dict[str, Any]:
    """All that somebody needs who is to decide it: what would go out, why to this person, what they are
    known for, what it is expected to bring, and everything that was said of it."""
    found = in_brief(approval, engine) | {
        "openedBy": list(approval.opened),
        "reminders": approval.reminders,
        "past": [
            {
                "digest": each.digest,
                "until": _time(each.until_ms),
                "why": each.why,
                "verdicts": [_verdict(x) for x in each.verdicts],
            }
            for each in approval.past
        ],
    }
    message = approving.message(approval)
    if message is None:
        return found | {"contents": approval.contents}
    rendered = approving.rendered(message)
    return found | {
        "ways": [message.way],
        "message": _message(message),
        "slots": [
            {
                "name": slot.name,
                "kind": slot.kind,
                "variant": message.chosen.get(slot.name) or None,
                "fields": fields,
                "changed": slot.name in message.words,
            }
            for slot, fields in slots_now(engine, message)
        ],
        "content": _content(rendered) if rendered is not None else None,
        "decisions": [
            _decision(each, engine) | {"credited": name in message.credited}
            for name in message.decisions
            if (each := engine.decision(name)) is not None
        ],
        "person": engine.person(message.person),
    }


def authors_note(approval: Approval, engine: Engine) -> str | None:
    """Where four eyes are wanted and one pair is not known: that nobody is excluded for it."""
    if not any(each.both_pairs for each in approval.policies):
        return None
    if not approval.authors:
        return "Who wrote it is not known: nobody is excluded for it."
    known = engine.moving.approvals
    unknown = [x for x in approval.authors if known.operator(engine.tenant, x) is None]
    if not unknown:
        return None
    return f"No operator is called {' or '.join(unknown)}: nobody is excluded for that name."


def operator_view(operator: Operator) -> dict[str, Any]:
    """An operator; nothing of their token."""
    return {
        "name": operator.name,
        "roles": list(operator.roles),
        "limit": operator.limit,
        "disabled": operator.disabled,
        "since": _time(operator.since_ms),
    }


def stats_view(found: list[CampaignApprovals]) -> list[dict[str, Any]]:
    """What became of approvals."""
    return [
        {
            "campaign": each.campaign,
            "statuses": each.statuses,
            "reasons": [{"reason": reason, "count": count} for reason, count in each.reasons],
            "edited": each.edited,
            "medianHours": each.hours,
        }
        for each in found
    ]


def _policy(policy: ApprovalPolicy, approval: Approval, engine: Engine) -> dict[str, Any]:
    """A policy that demands it, and how many of its quorum it has."""
    approvals = engine.moving.approvals
    have = []
    for each in approval.verdicts:
        operator = approvals.operator(engine.tenant, each.operator)
        fits = each.answer == "approve" and each.digest == approval.digest
        if fits and operator is not None and not rules.why_not(approval, policy, operator):
            have.append(each.operator)
    return {
        "of": policy.of,
        "approvers": list(policy.approvers or rules.ANYONE),
        "quorum": policy.quorum,
        "approvedBy": have,
        "missing": max(policy.quorum - len(have), 0),
        "fourEyes": policy.both_pairs,
        "amount": policy.amount or None,
        "over": policy.over,
        "limits": policy.limits,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "operator": verdict.operator,
        "answer": verdict.answer,
        "digest": verdict.digest,
        "at": _time(verdict.at_ms),
        "reason": verdict.reason,
        "how": verdict.how,
    }


def _ways(approval: Approval, engine: Engine) -> list[str]:
    """The ways out that its campaign takes by now."""
    campaign = engine.library.campaigns.get(approval.campaign)
    if campaign is None:
        return []
    ways = (way_out(campaign.channel_of(x), campaign.webhook_of(x)) for x in campaign.steps)
    return [*dict.fromkeys(ways)]


def _message(message: Message) -> dict[str, Any]:
    return {
        "messageId": message.message_id,
        "status": message.status,
        "webhook": message.webhook or None,
        "purpose": message.purpose,
        "contentId": message.content,
        "contentVersion": message.content_version,
        "locale": message.locale,
        "dueAt": _time(message.due_ms),
        "expiresAt": _time(message.expires_ms),
        "chosen": message.chosen,
        "reasons": [{"at": _time(x.at_ms), "code": x.code, "text": x.text} for x in message.whys],
    }


def _content(rendered: Rendered) -> dict[str, Any]:
    return {
        "subject": rendered.subject,
        "preheader": rendered.preheader,
        "html": rendered.html,
        "text": rendered.text,
        "payload": rendered.payload,
        "links": list(rendered.links),
        "claims": [msgspec.to_builtins(each) for each in rendered.claims],
        "restsOn": [msgspec.to_builtins(each) for each in rendered.used],
        "leftOut": [msgspec.to_builtins(each) for each in rendered.dropped],
    }


def _decision(decision: Decision, engine: Engine) -> dict[str, Any]:
    found: dict[str, Any] = {
        "decisionId": decision.decision_id,
        "surface": decision.surface,
        "arm": decision.arm,
        "modelVersion": decision.model_version,
    }
    choice = decision.choice
    if choice is None:
        items = [
            {
                "itemId": each.item_id,
                "propensity": each.propensity,
                "reasons": [x.text for x in each.reasons],
            }
            for each in decision.items
        ]
        return found | {"items": items}
    every = standings(choice, engine.settings.surfaces.get(decision.surface))
    taken = next((each for each in every if each["action"] == (choice.action or None)), None)
    return found | {
        "choice": taken,
        "meaning": HOW[choice.how],
        "reasons": [each.text for each in choice.reasons],
        "others": [each for each in every if each is not taken],
    }


def _time(at_ms: int) -> str | None:
    return rfc3339(at_ms) if at_ms else None
