"""Documented limits of the tracking API (those of Segment's) and what keeps a body harmless."""

MESSAGE_BYTES = 32 * 1024
BATCH_BYTES = 500 * 1000
BATCH_MESSAGES = 2_500
ID_CHARS = 512
MESSAGE_ID_CHARS = 100
DEPTH = 32
FUTURE_MS = 5 * 60 * 1000
"""A time further ahead than this is a wrong clock: it becomes the time of arrival."""
PRICE_MAX = 1e12
"""Of an item of the catalogue."""
