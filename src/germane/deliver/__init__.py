"""Campaigns: who enters, when a message goes out."""
