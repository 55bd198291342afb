"""For tests of Germane and of what plugs into it: a settable world, builders, contract suites."""

from germane.testing.blobs_contract import BlobsContract
from germane.testing.builders import a_campaign, a_shop, an_event, an_item, an_order
from germane.testing.choices import choices
from germane.testing.store_contract import StoreContract
from germane.testing.world import FakeWorld

__all__ = [
    "BlobsContract",
    "FakeWorld",
    "StoreContract",
    "a_campaign",
    "a_shop",
    "an_event",
    "an_item",
    "an_order",
    "choices",
]
