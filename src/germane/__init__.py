"""Germane: a self-hosted personalization engine. See README and ARCHITECTURE.md."""

__version__ = "0.1.0"
