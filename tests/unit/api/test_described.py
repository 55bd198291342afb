"""The page of the API."""

from __future__ import annotations

from germane.api import openapi


def test_every_name_on_it_is_escaped() -> None:
    """Also the method, the status and the name of a body, which are code today."""
    evil = "'><svg onload=x()>"
    operation = {
        "tags": [evil],
        "summary": evil,
        "requestBody": {"content": {"application/json": {"schema": {"$ref": f"#/{evil}"}}}},
        "responses": {evil: {"description": evil}},
    }
    whole = {
        "paths": {evil: {evil: operation}},
        "components": {"schemas": {evil: {"title": evil}}},
        "info": {"version": evil},
    }
    shown = openapi.page(whole)
    assert "<svg" not in shown.lower()
    assert "'>&lt;" not in shown
    assert shown.count("&#x27;&gt;&lt;svg onload=x()&gt;") >= 10
