"""What is left of an order that a person remembers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import ceil

from germane.domain.event import Interaction
from germane.domain.pairing import LEAST, Mark, Signals, marks, paired
from germane.domain.profile import OwnItem, Profile
from germane.domain.settings import Settings
from germane.profile.pairing import orders_of, remembered


def refund_of(profile: Profile, whole: Interaction, settings: Settings) -> list[Interaction] | None:
    """A refund of an order without its products, product by product.

    Args:
        profile: The person before it.
        whole: Its signal, time and order; the item is empty.
        settings: The declaration.

    Returns:
        What is left of the order: nothing where it was taken back already, and ``None`` where it
        is not remembered.
    """
    spec = settings.signals[whole.signal]
    lines = _lines(profile, whole, settings)
    if not lines:
        return None
    found: list[Interaction] = []
    for item_id in dict.fromkeys(each.item_id for each in lines):
        mine = [each for each in lines if each.item_id == item_id]
        taken = _taken(profile, item_id, settings)
        for mark, pieces in _left(mine, taken, settings.signals):
            price = _price(
                [each for each in mine if marks(item_id, [each], settings.signals) == [mark]]
            )
            times = 1 if spec.quantity else ceil(pieces / mark.pieces - LEAST)
            quantity = pieces if spec.quantity else mark.pieces
            back = Interaction(item_id, spec.name, whole.at_ms, quantity, price, order=whole.order)
            found += [back] * times
    return found


def cut_off(profile: Profile, whole: Interaction, settings: Settings) -> bool:
    """Whether some lines of the order that ``whole`` takes back may have left the ring already: it is
    full, and begins with the others."""
    lines = _lines(profile, whole, settings)
    full = len(profile.recent) >= settings.profile.recent
    return full and bool(lines) and profile.recent[0].at_ms == lines[0].at_ms


def pieces_of(profile: Profile, item_id: str, own: OwnItem, settings: Settings) -> float | None:
    """Pieces that were bought and not taken back; ``None`` where not every purchase is in the ring."""
    orders = orders_of(profile)
    known = remembered(own, item_id, profile, settings, orders)
    pairs = paired(known, orders)
    if own.count != len(pairs.times_s) or any(not mark.signal for mark in known):
        return None
    bought = sum(mark.pieces for mark in known if mark.repeat and not mark.takes)
    return bought - sum(pieces for mark, pieces in pairs.pieces.items() if mark.repeat)


def _lines(profile: Profile, whole: Interaction, settings: Settings) -> list[Interaction]:
    """What the ring has of an order."""
    meant = settings.signals[whole.signal].cancels
    return [
        each
        for each in profile.recent
        if whole.order and each.order == whole.order and each.signal == meant
    ]


def _price(lines: Sequence[Interaction]) -> float | None:
    """The mean price of lines of equal pieces; ``None`` where one has none."""
    prices = [each.price for each in lines if each.price is not None]
    return sum(prices) / len(prices) if prices and len(prices) == len(lines) else None


def _taken(profile: Profile, item_id: str, settings: Settings) -> dict[Mark, float]:
    orders = orders_of(profile)
    own = profile.own_items.get(item_id, OwnItem())
    return paired(remembered(own, item_id, profile, settings, orders), orders).pieces


def _left(
    lines: Sequence[Interaction], taken: dict[Mark, float], signals: Signals
) -> list[tuple[Mark, float]]:
    """What was bought, each with the pieces that are left of it, where any are."""
    bought = Counter(marks(lines[0].item_id, lines, signals))
    left = [(mark, mark.pieces * many - taken.get(mark, 0.0)) for mark, many in bought.items()]
    return [(mark, pieces) for mark, pieces in left if pieces > LEAST]
