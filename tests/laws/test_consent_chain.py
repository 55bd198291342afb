"""No edit of a chain goes unnoticed, and erasing a body is none."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from germane.privacy.chain import START, Joint, broken, joined, seal

BODIES = st.lists(st.binary(max_size=12), min_size=1, max_size=8)


def chained(bodies: list[bytes]) -> tuple[list[Joint], bytes]:
    """A chain as it is written."""
    digest, found = START, []
    for place, body in enumerate(bodies):
        sealed = seal(f"s{place}", body)
        digest = joined(digest, sealed)
        found.append(Joint(sealed, digest, f"s{place}", body))
    return found, digest


@given(BODIES, st.data())
def test_every_edit_is_found(bodies: list[bytes], data: st.DataObject) -> None:
    """Changed, removed, added, moved, cut off at either end."""
    chain, head = chained(bodies)
    assert broken(chain, head) is None
    at = data.draw(st.integers(0, len(chain) - 1))
    changed = chain.copy()
    changed[at] = changed[at]._replace(body=(changed[at].body or b"") + b"!")
    assert broken(changed, head) == at
    assert broken(chain[:at] + chain[at + 1 :], head) is not None
    assert broken([*chain[: at + 1], chain[at], *chain[at + 1 :]], head) is not None
    if len(chain) > 1 and at:
        swapped = chain.copy()
        swapped[at - 1], swapped[at] = swapped[at], swapped[at - 1]
        assert broken(swapped, head) is not None
    assert broken([], head) == 0


@given(BODIES, st.data())
def test_an_erased_body_breaks_nothing(bodies: list[bytes], data: st.DataObject) -> None:
    """Its seal stays."""
    chain, head = chained(bodies)
    at = data.draw(st.integers(0, len(chain) - 1))
    chain[at] = chain[at]._replace(body=None, salt="")
    assert broken(chain, head) is None
    chain[at] = chain[at]._replace(seal=bytes(32))
    assert broken(chain, head) == at


def test_a_salt_and_its_body_cannot_be_told_apart_wrongly() -> None:
    """``ab`` + ``c`` is not ``a`` + ``bc``."""
    assert seal("ab", b"c") != seal("a", b"bc")
