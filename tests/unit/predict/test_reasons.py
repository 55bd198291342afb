"""What a slate says of its items."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from germane.app.opening import open_engine
from germane.domain.decision import Ask
from germane.domain.settings import AttributeSpec
from germane.testing import FakeWorld, a_shop, an_item, an_order


def test_what_is_new_is_named_by_what_it_is_new_in(tmp_path: Path) -> None:
    """Where diversity is by brand, a new brand is said, not the category, which may be well known; and so
    is an interest."""
    shop = a_shop(surface={"diversity_quota": 0.4, "exploration_share": 0.0, "size": 10})
    shop = replace(
        shop,
        attributes={
            "category": AttributeSpec("category", interest=True),
            "brand": AttributeSpec("brand", interest=True, diversity=True),
        },
    )
    engine = open_engine(shop, tmp_path, world=FakeWorld())
    with engine.importer() as importer:
        importer.add_items([an_item(n, brand=f"b{n % 12}") for n in range(48)])
        importer.add(  # who takes b0 takes b1 next
            [
                an_order([f"i{n % 12 + 12 * (n % 4)}"], user=f"o{n // 2}", message_id=f"x{n}")
                for n in range(240)
            ]
        )
        importer.add([an_order(["i0", "i12"], user="u1", message_id="mine")])
    (decision,), _ = engine.decide("u1", "", "", [Ask("home")], record=False)
    engine.store.close()
    said = {each.item_id: {x.code: x.text for x in each.reasons} for each in decision.items}
    new = [each for each in decision.items if each.slot == "diverse"]
    assert new
    for each in new:
        brand = f"b{int(each.item_id[1:]) % 12}"
        assert brand != "b0"
        assert said[each.item_id]["quota.diverse"] == f"Something new for you: {brand}"
    liked = [x["source.interests"] for x in said.values() if "source.interests" in x]
    assert set(liked) <= {"You are interested in b0"}
