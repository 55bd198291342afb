"""``[approval]`` of a campaign, ``[delivery.approval]``, ``[delivery.approval.CHANNEL]``: who must agree
before something goes out."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from germane.config.approval_tables import APPROVAL
from germane.config.fields import Field
from germane.config.problems import Problems, did_you_mean
from germane.config.reading import read
from germane.domain.approval import ROLE, ApprovalPolicy
from germane.domain.operator import JUDGES, ROLES
from germane.domain.toml import toml_key

CHANNELS = ("email", "inapp", "webhook", "crm")


def policies(delivery: Mapping[str, Any], problems: Problems) -> dict[str, ApprovalPolicy]:
    """Channel -> its policy, from ``[delivery.approval.CHANNEL]``; the empty name: of every channel, from
    ``[delivery.approval]``. Errors are noted in ``problems``."""
    if "approval" not in delivery:
        return {}
    table, path = delivery["approval"], "delivery.approval"
    if not isinstance(table, Mapping):
        return {"": policy(table, path, problems)}
    found = {
        name: policy(table[name], f"{path}.{name}", problems) for name in CHANNELS if name in table
    }
    own = {name: value for name, value in table.items() if name not in CHANNELS}
    if own or not found:
        found[""] = policy(own, path, problems)
    return found


def policy(
    table: Any,
    path: str,
    problems: Problems,
    tables_: Mapping[str, tuple[Field, ...]] | None = None,
) -> ApprovalPolicy:
    """One policy; errors are noted in ``problems``, and what is wrong is as it is by default."""
    if not isinstance(table, Mapping):
        problems.add(path, None, "It must be a table.", f"Write it as [{path}].")
        return ApprovalPolicy()
    more = {} if tables_ is None else {"tables_": tables_}
    values = read(dict(table), APPROVAL, path, problems, **more)  # type: ignore[arg-type]
    for name in ("expires_after", "remind_after"):
        if name in values:
            values[f"{name.removesuffix('_after')}_s"] = values.pop(name)
    if "remind_s" not in values and "expires_s" in values:
        values["remind_s"] = min(ApprovalPolicy().remind_s, values["expires_s"] // 2)
    values["limits"] = _limits(values.get("limits", ()), path, problems)
    made = ApprovalPolicy(**values)
    _check_approvers(made, path, problems)
    _check_amounts(made, path, problems)
    if not made.four_eyes and made.both_pairs:
        problems.add(
            f"{path}.four_eyes",
            False,
            "It cannot be switched off for single messages above an amount.",
            "Leave four_eyes out, or leave over out.",
        )
    if made.remind_by and not made.remind_s:
        problems.add(
            f"{path}.remind_by",
            made.remind_by,
            "It would never be told: there are no reminders.",
            'Write remind_after, such as "1d", or leave remind_by out.',
        )
    if made.remind_s and made.remind_s >= made.expires_s:
        problems.add(
            f"{path}.remind_after",
            table.get("remind_after"),
            f"It would remind when it is too late already: expires_after is {_expires(table)}.",
            "Make it shorter than that, or 0s for none.",
        )
    return made


def check_webhooks(
    found: Mapping[str, ApprovalPolicy], webhooks: Collection[str], problems: Problems
) -> None:
    """Note policies of ``[delivery.approval]`` that remind by a webhook that is not there.

    Args:
        found: Channel -> policy; the empty name: of every channel.
        webhooks: Names under ``[channels.webhook]``.
        problems: Takes the errors.
    """
    for channel, each in found.items():
        if each.remind_by and each.remind_by not in webhooks:
            path = f"delivery.approval.{channel}".rstrip(".")
            problems.add(f"{path}.remind_by", each.remind_by, *no_webhook(each.remind_by, webhooks))


def no_webhook(name: str, webhooks: Collection[str], what: str = "Reminders") -> tuple[str, str]:
    """What is wrong with the name of a webhook that is not there, and the remedy."""
    bare = name.rpartition(":")[2] or name
    add = (
        f"Add [channels.webhook.{toml_key(bare)}] to the configuration, and start the server again."
    )
    near = f" {did_you_mean(bare, tuple(webhooks))}" if webhooks else ""
    return f"{what} would go by webhook {name!r}, and none is called so.", add + near


def only_reminds(name: str, others: Collection[str]) -> tuple[str, str]:
    """What is wrong with a campaign that goes by a webhook for reminders, and the remedy."""
    named = f", or name another one: {', '.join(sorted(others))}" if others else ""
    return (
        f"Its messages would go by webhook {name!r}, which is for reminders of approvals alone.",
        f"Take messages = false out of [channels.webhook.{toml_key(name)}]{named}.",
    )


def unnamed_webhook(names: Collection[str]) -> tuple[str, str]:
    """What is wrong with a campaign that goes by one of several webhooks and does not say which."""
    first, *_ = known = sorted(names)
    return (
        f"It goes by webhook, and does not say by which: there are {', '.join(known)}.",
        f'Name one of them in the campaign, or in its step: webhook = "{first}".',
    )


def _expires(table: Mapping[str, Any]) -> str:
    return str(table.get("expires_after", "7d, its default"))


def stored(table: Mapping[str, Any]) -> ApprovalPolicy | None:
    """The policy of a campaign as the ledger has it; ``None``: it demands nothing. One that cannot be
    read any more demands everything that a policy can by default."""
    return policy(table, "approval", Problems()) if table else None


def _limits(rows: tuple[str, ...], path: str, problems: Problems) -> dict[str, float]:
    found: dict[str, float] = {}
    for row in rows:
        role, _, text = (each.strip() for each in row.partition("="))
        try:
            amount = float(text)
        except ValueError:
            amount = -1.0
        if not (math.isfinite(amount) and amount >= 0):
            problems.add(
                f"{path}.limits",
                row,
                "It must be a role, = and an amount.",
                'Write limits = ["approver=500", "admin=20000"].',
            )
        elif role not in JUDGES:
            problems.add(f"{path}.limits", row, _no_judge(role), did_you_mean(role, JUDGES))
        else:
            found[role] = amount
    return found


def _no_judge(role: str) -> str:
    return "That role reads no single messages." if role in ROLES else "No such role."


def _check_approvers(made: ApprovalPolicy, path: str, problems: Problems) -> None:
    for each in made.approvers:
        role = each.removeprefix(ROLE)
        if each.startswith(ROLE) and role not in JUDGES:
            problems.add(f"{path}.approvers", each, _no_judge(role), did_you_mean(role, JUDGES))
        elif each in ROLES:
            problems.add(
                f"{path}.approvers",
                each,
                "That would be the name of an operator.",
                f'Write "{ROLE}{each}" if the role is meant.',
            )
    names = [each for each in made.approvers if not each.startswith(ROLE)]
    if names and len(names) == len(made.approvers) < made.quorum:
        problems.add(
            f"{path}.quorum",
            made.quorum,
            f"There are only {len(names)} approvers.",
            "Name more of them, or ask for fewer.",
        )


def _check_amounts(made: ApprovalPolicy, path: str, problems: Problems) -> None:
    used = made.over is not None or bool(made.limits)
    if used and not made.amount:
        problems.add(
            f"{path}.amount",
            None,
            "It is missing: over and limits are about an amount.",
            'Name one: amount = "price", "discount", "expected", or an attribute of the item.',
        )
    if made.of == "campaign" and (used or made.amount):
        problems.add(
            f"{path}.of",
            made.of,
            "A campaign has no amount: its messages have.",
            'Take amount, over and limits out, or write of = "each".',
        )
