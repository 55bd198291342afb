"""Deliver: conditions, moments and channels; nothing here decides what to say."""
