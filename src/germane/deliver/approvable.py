"""Whether the operators that there are could ever give the approvals that a policy asks for. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from germane.deliver.approving import ANYONE, most, named
from germane.domain.approval import ROLE, ApprovalPolicy
from germane.domain.operator import Operator

_OTHERS = "name others in approvers, or raise a limit"
_ADD = "`germane operator add {} --role {}`"


def lacking(
    policy: ApprovalPolicy, operators: Sequence[Operator], authors: Collection[str] = ()
) -> tuple[str, str] | None:
    """What is missing for its quorum, and the remedy; ``None``: it can be met.

    Args:
        policy: Who must approve.
        operators: All that there are, disabled ones included.
        authors: Names of those whose work it is.
    """
    known = {each.name: each for each in operators if named(policy, each)}
    able = [name for name, each in known.items() if not _held(policy, each, authors)]
    if len(able) >= policy.quorum:
        return None
    could = f"only {' and '.join(able)} could" if able else "nobody could"
    count = f"{policy.quorum} of " if policy.quorum > 1 else ""
    gaps = dict(_gaps(policy, {each.name: each for each in operators}))
    reasons = [*gaps, *filter(None, (_held(policy, x, authors) for x in known.values()))]
    asked = _either(policy.approvers or ANYONE)
    text = f"It needs approval by {count}{asked}, and {could} give it."
    ways = list(gaps.values()) or list(_more(policy)) or [_OTHERS]
    fewer = ["ask for a smaller quorum"] if able else []
    remedy = _either([*ways, *fewer])
    remedy = f"Run {remedy}" if remedy.startswith("`") else remedy.capitalize()
    return " ".join((text, *reasons)), f"{remedy}."


def _held(policy: ApprovalPolicy, operator: Operator, authors: Collection[str]) -> str:
    """Why the approval of one of its approvers would not count; empty: it would."""
    if policy.both_pairs and operator.name in authors:
        return f"{operator.name} wrote it, so that somebody else must approve it."
    bound = most(policy, operator) if policy.over is not None else None
    if bound is not None and policy.over is not None and bound <= policy.over:
        return (
            f"{operator.name} may approve up to {bound:g}, and it is asked above {policy.over:g}."
        )
    return ""


def _gaps(policy: ApprovalPolicy, operators: Mapping[str, Operator]) -> Iterator[tuple[str, str]]:
    """Approvers that it names and that are not there, each with the command that adds them."""
    for each in policy.approvers or ANYONE:
        role, there = each.removeprefix(ROLE), operators.get(each)
        if each.startswith(ROLE):
            able = _may(policy, role)
            if able and not any(role in x.roles and not x.disabled for x in operators.values()):
                yield f"Nobody has the role {role}.", _added("NAME", role)
        elif there is None:
            yield f"There is no operator {each}.", _added(each, "approver")
        elif there.disabled:
            yield f"{each} is disabled.", f"`germane operator enable {each}`"


def _more(policy: ApprovalPolicy) -> Iterator[str]:
    """How somebody else comes to one of its roles."""
    for each in policy.approvers or ANYONE:
        if each.startswith(ROLE) and _may(policy, each.removeprefix(ROLE)):
            yield _added("NAME", each.removeprefix(ROLE))


def _may(policy: ApprovalPolicy, role: str) -> bool:
    """Whether a role may approve what is asked for."""
    if policy.over is None or not policy.limits:
        return True
    return policy.limits.get(role, 0.0) > policy.over


def _added(name: str, role: str) -> str:
    return _ADD.format(name, f'"{role}"' if " " in role else role)


def _either(words: Sequence[str]) -> str:
    """``a, b or c``."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last
