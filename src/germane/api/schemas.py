"""What answers look like, for the OpenAPI description: JSON Schema of what no type of ours tells."""

from __future__ import annotations

SUCCESS = {"type": "object", "required": ["success"], "properties": {"success": {"const": True}}}
RECEIPT = {"$ref": "#/components/schemas/ReceiptBody"}
OUTCOME_RECEIPT = {"$ref": "#/components/schemas/OutcomeReceiptBody"}
SHARE = {"type": "number", "minimum": 0, "maximum": 1}
ACTION_ID = {"type": ["string", "null"], "description": "null: do nothing"}
ACTIONS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["action", "title", "propensity", "expected", "low", "high", "decisions"],
        "properties": {
            "action": ACTION_ID,
            "title": {"type": "string"},
            "propensity": SHARE,
            "expected": {"type": "number"},
            "low": {"type": "number"},
            "high": {"type": "number"},
            "decisions": {"type": "number", "minimum": 0},
            "responses": {"type": "number", "minimum": 0},
        },
    },
}
CHOICE = {
    "type": "object",
    "description": "Of a surface with kind = choice.",
    "required": ["action", "propensity", "how", "meaning", "bestForEveryone"],
    "properties": {
        "action": ACTION_ID,
        "propensity": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        "how": {"enum": ["constant", "personal", "exploring", "default"]},
        "meaning": {"type": "string"},
        "bestForEveryone": ACTION_ID,
        "actions": ACTIONS,
    },
}
STANDING = {
    "type": "object",
    "required": ["surface", "bestForEveryone", "meaning", "made", "waiting", "actions"],
    "properties": {
        "surface": {"type": "string"},
        "bestForEveryone": ACTION_ID,
        "meaning": {"type": "string"},
        "waiting": {"type": "integer", "minimum": 0},
        "actions": ACTIONS,
    },
}
DECIDED = {
    "type": "object",
    "required": ["decisions", "profile"],
    "properties": {
        "decisions": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["decisionId", "surface", "arm", "modelVersion", "expiresAt", "items"],
                "properties": {
                    "decisionId": {"type": ["string", "null"], "description": "null: only a look"},
                    "surface": {"type": "string"},
                    "arm": {"enum": ["personalised", "broadcast", "opted_out", "fallback"]},
                    "modelVersion": {"type": "string"},
                    "expiresAt": {"type": ["string", "null"], "format": "date-time"},
                    "choice": CHOICE,
                    "whyUrl": {
                        "type": "string",
                        "description": "The page that tells the person why, and lets them change it; "
                        "?at=POSITION shows one item. Not of a mere look, and not where it would be too long.",
                    },
                    "note": {
                        "type": "string",
                        "description": "Why places are not filled, that a choice has no action left, that the "
                        "item it is about is not in the catalogue, or an action in exclude not of the choice; "
                        "only where that is so.",
                    },
                    "items": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["itemId", "position", "score", "propensity", "slot"],
                            "properties": {
                                "itemId": {"type": "string"},
                                "position": {"type": "integer", "minimum": 0},
                                "score": {"type": "number"},
                                "propensity": {
                                    "type": "number",
                                    "exclusiveMinimum": 0,
                                    "maximum": 1,
                                },
                                "slot": {
                                    "enum": ["relevant", "diverse", "explore", "pinned", "default"]
                                },
                            },
                        },
                    },
                },
            },
        },
        "profile": {
            "type": "object",
            "required": ["readiness"],
            "properties": {"readiness": {"type": "number", "minimum": 0, "maximum": 1}},
        },
    },
}

MESSAGES = {
    "type": "object",
    "required": ["messages", "serverTime"],
    "properties": {
        "messages": {"type": "array", "items": {"$ref": "#/components/schemas/Nudge"}},
        "serverTime": {"type": "string", "format": "date-time"},
    },
}

TIME = {"type": "string", "format": "date-time"}
MOMENT = {
    "type": "object",
    "required": ["personId", "timezone", "from", "to", "meaning", "evidence", "best", "bestWindow"],
    "properties": {
        "personId": {"type": "string"},
        "timezone": {"type": "string"},
        "from": TIME,
        "to": TIME,
        "meaning": {"type": "string"},
        "evidence": {
            "type": "object",
            "required": ["activeHours", "weight", "trust", "strength", "widthHours"],
            "properties": {"activeHours": {"type": "integer", "minimum": 0}, "trust": SHARE},
        },
        "best": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["at", "hour", "share", "timesAverage", "reasons"],
                "properties": {"at": TIME, "hour": {"type": "string"}, "share": SHARE},
            },
        },
        "bestWindow": {
            "type": "object",
            "required": ["from", "to", "text", "share"],
            "properties": {"from": TIME, "to": TIME, "share": SHARE},
        },
    },
}

APPROVAL = {
    "type": "object",
    "required": ["approvalId", "subject", "status", "digest", "campaign", "demanded", "verdicts"],
    "properties": {
        "approvalId": {"type": "string"},
        "subject": {"enum": ["message", "campaign"]},
        "status": {"enum": ["pending", "approved", "rejected", "expired", "stale"]},
        "digest": {
            "type": "string",
            "description": "SHA-256 of exactly what is approved; a verdict names it.",
        },
        "campaign": {"type": "string"},
        "personId": {"type": ["string", "null"]},
        "amounts": {"type": "object", "additionalProperties": {"type": "number"}},
        "demanded": {
            "type": "array",
            "description": "By which policies, and what each still lacks.",
            "items": {
                "type": "object",
                "required": ["approvers", "quorum", "approvedBy", "missing"],
                "properties": {
                    "quorum": {"type": "integer", "minimum": 1},
                    "missing": {"type": "integer", "minimum": 0},
                },
            },
        },
        "verdicts": {"type": "array", "items": {"type": "object"}},
    },
}
APPROVALS = {
    "type": "object",
    "required": ["approvals", "next"],
    "properties": {
        "approvals": {"type": "array", "items": APPROVAL},
        "next": {"type": ["string", "null"], "description": "Ask again with after = this."},
    },
}
BULK = {
    "type": "object",
    "required": ["done", "failed"],
    "properties": {
        "done": {"type": "integer", "minimum": 0},
        "failed": {"type": "object", "description": "Id -> code and message."},
    },
}
