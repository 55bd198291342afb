"""Items in and out."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from germane.api import wire
from germane.api.body import answer, parse, parse_with_names
from germane.api.deciding import instant
from germane.app.engine import Engine
from germane.domain.errors import BadRequest, UnknownItem
from germane.domain.item import Item

_FIELDS = {field.encode_name: field.name for field in msgspec.structs.fields(Item)} | {
    "availableFrom": "available_from_ms",
    "availableUntil": "available_until_ms",
}


class Catalogue:
    """Endpoints of the catalogue."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def get(self, request: Request) -> Response:
        """``GET /v1/items/{id}``."""
        return answer(wire.item_view(self._known(request)))

    async def put(self, request: Request) -> Response:
        """``PUT /v1/items/{id}``: the whole entry."""
        body = await parse(request, wire.ItemBody)
        item_id = request.path_params["item_id"]
        if body.item_id not in (None, item_id):
            raise BadRequest("The itemId in the body is not that of the address.")
        return await self._store([_item(item_id, body)])

    async def patch(self, request: Request) -> Response:
        """``PATCH /v1/items/{id}``: only what is sent changes."""
        known = self._known(request)
        body, sent = await parse_with_names(request, wire.ItemBody)
        if body.item_id not in (None, known.item_id):
            raise BadRequest("The itemId in the body is not that of the address.")
        whole = _item(known.item_id, body)
        changes = {_FIELDS[name]: getattr(whole, _FIELDS[name]) for name in sent - {"itemId"}}
        if "attributes" in changes:
            changes["attributes"] = {**known.attributes, **body.attributes}
        return await self._store([replace(known, **changes)])

    async def delete(self, request: Request) -> Response:
        """``DELETE /v1/items/{id}``."""
        known = self._known(request)
        receipt = await self._engine.remove_items([known.item_id])
        return answer(wire.ReceiptBody(receipt.accepted, 0, 0, receipt.seq))

    async def batch(self, request: Request) -> Response:
        """``POST /v1/items/batch``."""
        body = await parse(request, wire.ItemsBody)
        items = []
        for place, each in enumerate(body.items):
            if not each.item_id:
                raise BadRequest(f"items[{place}] has no itemId.")
            items.append(_item(each.item_id, each))
        return await self._store(items)

    async def _store(self, items: list[Item]) -> Response:
        for item in items:
            _check(item)
        receipt = await self._engine.put_items(items)
        return answer(wire.ReceiptBody(receipt.accepted, 0, 0, receipt.seq))

    def _known(self, request: Request) -> Item:
        item_id: str = request.path_params["item_id"]
        item = self._engine.item(item_id)
        if item is None:
            raise UnknownItem(f"There is no item {item_id[:80]!r}.")
        return item


def _check(item: Item) -> None:
    """Raises BadRequest for values that cannot be stored."""
    try:
        msgspec.msgpack.encode(item)
    except (OverflowError, ValueError, TypeError) as error:
        raise BadRequest(f"Item {item.item_id[:80]!r} cannot be stored: {error}.") from None


def _item(item_id: str, body: wire.ItemBody) -> Item:
    times: dict[str, Any] = {
        "available_from_ms": instant(body.available_from) if body.available_from else None,
        "available_until_ms": instant(body.available_until) if body.available_until else None,
    }
    return Item(
        item_id=item_id,
        type=body.type,
        title=body.title,
        category=body.category,
        categories=tuple(body.categories),
        brand=body.brand,
        price=body.price,
        currency=body.currency,
        in_stock=body.in_stock,
        url=body.url,
        image_url=body.image_url,
        attributes=body.attributes,
        **times,
    )
