"""Ingest: what clients send, as typed events; what it means for items; whose it is."""
