"""Measure: which decision an outcome belongs to, and what it was worth."""
